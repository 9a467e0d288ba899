"""lm-evaluation-harness results as scores: one for each metric and filter, with its protocol.

Another metric is another benchmark ("arc_challenge" is acc_norm, "arc_challenge_acc" is acc);
another filter of the same metric is another protocol of the same benchmark.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from statistics import fmean
from typing import Any

from benchmarks.totals import CategoryData
from experiments.formats.chance import guessing_doubt
from experiments.formats.documents import (
    InvalidFileError,
    ParsedFile,
    Problem,
    ScoreDocument,
    ScoreSetDocument,
)
from experiments.formats.lm_eval.completeness import limits, missing_categories, missing_tasks
from experiments.formats.lm_eval.groups import Result, results_of
from experiments.formats.lm_eval.harness import Evaluation, Figure, TaskResult
from experiments.formats.lm_eval.metrics import (
    OutOfScaleError,
    Scaled,
    higher_is_better,
    in_percent,
    is_main_metric,
    is_share,
    metric_in_name,
    preference,
    scaled,
)
from experiments.formats.lm_eval.tasks import (
    benchmark_of,
    curated,
    plain_name,
    version_in_protocol,
)

_NO_SCORE = "The file holds no figure of any task; did the harness finish?"


def parse_evaluations(evaluations: Iterable[Evaluation], warnings: Sequence[Problem]) -> ParsedFile:
    """Return the scores of all evaluations of a file; raises InvalidFileError with all problems."""
    problems: list[Problem] = []
    found = list(warnings)
    score_sets = []
    for evaluation in evaluations:
        scores = []
        results, doubts = results_of(evaluation)
        for result in results:
            writer = _Scores(evaluation, result)
            scores += writer.documents()
            problems += writer.problems
            doubts += writer.warnings
        if not scores and not problems:
            problems.append(Problem(evaluation.path or "results", _NO_SCORE))
        found += doubts
        score_sets.append(
            ScoreSetDocument(path=evaluation.path, model=evaluation.model, scores=tuple(scores))
        )
    if problems:
        raise InvalidFileError(*problems)
    return ParsedFile(score_sets=tuple(score_sets), warnings=tuple(found))


class _Scores:
    """Makes the scores of one result, gathering what is wrong or doubtful."""

    def __init__(self, evaluation: Evaluation, result: Result) -> None:
        self.evaluation = evaluation
        self.result = result
        self.benchmark = benchmark_of(result.task)
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self._percent = {
            task.path: self._is_percent(task)
            for task in (*((result.head,) if result.head else ()), *(p for _c, p in result.parts))
        }

    def documents(self) -> list[ScoreDocument]:
        """Return a score for each figure; the one to stand for the benchmark comes last."""
        head = self.result.head
        sources = [head] if head and head.figures else [part for _name, part in self.result.parts]
        figures = {figure.name: figure for source in sources for figure in source.figures}
        ordered = sorted(
            figures.values(),
            key=lambda item: preference(self.benchmark, item.metric, item.metric_filter),
        )
        return [self._document(figure) for figure in ordered]

    def _document(self, figure: Figure) -> ScoreDocument:
        head = self.result.head
        own = self._scaled(head, figure) if head and figure in head.figures else None
        categories, known = self._categories(figure)
        main = is_main_metric(self.benchmark, figure.metric)
        suffix = "" if main else f"_{metric_in_name(figure.metric)}"
        reasons = [
            *limits(self.evaluation, self.result),
            *missing_categories(self.benchmark, categories, main=main),
            *missing_tasks(self.evaluation, self.result, categories, stated=own is not None),
        ]
        answered = [task.answered for task in self.result.tasks]
        source = head or self.result.parts[0][1]
        return ScoreDocument(
            path=figure.path if own else self.result.path,
            benchmark=self.benchmark + suffix,
            stated_score=own.value if own else None,
            stderr=own.stderr if own else None,
            total=sum(filter(None, answered)) if answered and all(answered) else None,
            protocol=replace(
                self.evaluation.protocol,
                task_version=version_in_protocol(self.result.task, self._version()),
                metric_filter=figure.name,
                shots=_same([task.shots for task in self.result.tasks]),
            ),
            complete=not reasons,
            partial_reason="; ".join(reasons) or None,
            scale_known=known and (own is None or own.known),
            doubt=self._doubt(figure, own, categories),
            higher_is_better=higher_is_better(
                figure.metric, source.higher_is_better.get(figure.metric)
            ),
            measured_at=self.evaluation.measured_at,
            context={**self.evaluation.context, "task": self.result.task},
            categories=categories,
        )

    def _categories(self, figure: Figure) -> tuple[tuple[CategoryData, ...], bool]:
        """Return the parts' figures of the same name, and whether their scale is known."""
        categories = []
        known = True
        for name, part in self.result.parts:
            for item in part.figures:
                value = self._scaled(part, item) if item.name == figure.name else None
                if value is not None:
                    known = known and value.known
                    categories.append(
                        CategoryData(category=name, score=value.value, total=part.answered)
                    )
        return tuple(categories), known

    def _doubt(
        self, figure: Figure, own: Scaled | None, categories: Sequence[CategoryData]
    ) -> str | None:
        """Return why a share may be no more than guessing gives, None where nothing says so."""
        if not self.evaluation.doubts_guessing or not is_share(figure.metric):
            return None
        scores = [item.score for item in categories if item.score is not None]
        if own is None and not scores:
            return None
        entry = curated(self.benchmark)
        return guessing_doubt(
            own.value if own else fmean(scores),
            stderr=own.stderr if own else None,
            choices=entry.choices if entry else None,
        )

    def _scaled(self, task: TaskResult, figure: Figure) -> Scaled | None:
        percent = self._percent[task.path]
        try:
            return scaled(figure.metric, figure.value, figure.stderr, percent=percent)
        except OutOfScaleError as error:
            problem = Problem(figure.path, f"{figure.metric} is a share. {error}", figure.value)
            self.problems += [] if problem in self.problems else [problem]
            return None

    def _is_percent(self, task: TaskResult) -> bool:
        if curated(self.benchmark) is not None:
            return False
        found = [f for f in task.figures if in_percent(f.metric, f.value, plain_name(task.name))]
        if found:
            message = "Taken as a percentage, as SQuAD's script gives it."
            self.warnings.append(Problem(found[0].path, message, found[0].value))
        return bool(found)

    def _version(self) -> str | None:
        """Return the version of the tasks that were run, where it is one; else of their group."""
        head = self.result.head
        return _same([task.version for task in self.result.tasks]) or (
            head.version if head else None
        )


def _same(values: Sequence[Any]) -> Any:
    """Return the value that all share, None where they differ or there is none."""
    return values[0] if values and all(value == values[0] for value in values) else None

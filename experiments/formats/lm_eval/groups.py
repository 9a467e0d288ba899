"""Which tasks of a lm-evaluation-harness file are one result: single tasks, groups, loose parts."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from benchmarks.totals import category_key
from experiments.formats.documents import Problem
from experiments.formats.lm_eval.harness import Evaluation, TaskResult
from experiments.formats.lm_eval.tasks import (
    benchmark_of,
    category_of,
    curated,
    is_curated_task,
    part_of,
)
from experiments.formats.problems import join_path


@dataclass(frozen=True, kw_only=True)
class Result:
    """The result of one benchmark: the task that states its figures, and its parts by category.

    `head` is None for parts without their whole: their total is made from them.
    """

    task: str
    path: str
    head: TaskResult | None
    parts: tuple[tuple[str, TaskResult], ...] = ()

    @property
    def tasks(self) -> tuple[TaskResult, ...]:
        """The single tasks that were run: the parts that are no groups, else the head."""
        parts = tuple(part for _category, part in self.parts if not part.children)
        return parts or ((self.head,) if self.head else ())


def results_of(evaluation: Evaluation) -> tuple[list[Result], list[Problem]]:
    """Return the results of a file, and warnings for figures that are no result.

    - A group is one result with its tasks as categories.
    - Parts of a curated benchmark without their group (57 × hendrycksTest-*, or mmlu_anatomy
      alone) are one result of that benchmark, complete only when all parts are there.
    - A group without figures of its own over unlike tasks, or one over whole benchmarks
      ("leaderboard", "ai2_arc"), is a collection: its tasks are results of their own.
    """
    gathering = _Gathering(evaluation)
    below = {child for task in evaluation.tasks.values() for child in task.children}
    for name, task in evaluation.tasks.items():
        if name not in below:
            gathering.add(task)
    return gathering.finished(), gathering.warnings


@dataclass
class _Gathering:
    """Results in the making; a task is taken once, whatever circle its groups form."""

    evaluation: Evaluation
    results: list[Result] = field(default_factory=list)
    loose: dict[str, list[tuple[str, TaskResult]]] = field(default_factory=dict)
    warnings: list[Problem] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)

    def add(self, task: TaskResult) -> None:
        """Take in a task or group that is part of no other."""
        if task.name in self.taken:
            return
        self.taken.add(task.name)
        if part := part_of(task.name):
            below = self._categories(self.evaluation.below(task), part.benchmark, task)
            self.loose.setdefault(part.task, []).extend([(part.category, task), *below])
        elif task.children:
            self._add_group(task)
        else:
            self.results.append(Result(task=task.name, path=task.path, head=task))

    def finished(self) -> list[Result]:
        """Return all results, the loose parts gathered to their benchmark."""
        for task, parts in self.loose.items():
            by_category = dict(reversed(parts))  # of two parts of one name the first stays
            self.results.append(
                Result(
                    task=task,
                    path=join_path(self.evaluation.path, "results", task),
                    head=None,
                    parts=tuple(reversed(by_category.items())),
                )
            )
        return self.results

    def _add_group(self, group: TaskResult) -> None:
        below = list(self.evaluation.below(group))
        leaves = [task for task in below if not task.children]
        benchmark = benchmark_of(group.name)
        wholes = [task for task in below if is_curated_task(task.name)]
        kinds = {frozenset(figure.name for figure in task.figures) for task in leaves}
        unlike = len(kinds - {frozenset()}) > 1
        if wholes or (unlike and not group.figures):
            for task in below:
                if task.name in group.children:
                    self.add(task)
        if wholes and group.figures and any(benchmark_of(t.name) == benchmark for t in wholes):
            message = "A mean over unlike tasks is no result; its tasks are taken one by one."
            self.warnings.append(Problem(group.path, message, group.name))
        elif group.figures or not (wholes or unlike):
            parts = tuple(self._categories(below, benchmark, group))
            self.results.append(Result(task=group.name, path=group.path, head=group, parts=parts))
            if not wholes:
                named = {part.name for _category, part in parts}
                for task in below:
                    if task.children and task.figures and task.name not in named:
                        self.add(task)

    def _categories(
        self, tasks: Iterable[TaskResult], benchmark: str, group: TaskResult
    ) -> list[tuple[str, TaskResult]]:
        """Return the tasks below a group under the names of categories.

        Groups are kept where the benchmark knows them as groups of its categories.
        """
        entry = curated(benchmark)
        found: dict[str, tuple[str, TaskResult]] = {}
        for task in tasks:
            known = entry and (
                category_of(task.label, benchmark) or category_of(task.name, benchmark)
            )
            if task.children and (entry is None or known not in entry.category_groups):
                continue
            own = task.label.removeprefix(f"{group.name}_") or task.name
            name = known or own
            name = task.name if category_key(name) in found else name
            found[category_key(name)] = (name, task)
        return list(found.values())

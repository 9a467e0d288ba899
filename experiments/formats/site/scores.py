"""The score types of the site's experiment JSON as canonical scores."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from benchmarks.protocol import Protocol
from benchmarks.totals import CategoryData, category_key
from experiments.formats.documents import Problem, ScoreDocument
from experiments.formats.problems import join_path
from experiments.formats.site.exported import ExportedCategory, ExportedScore, exported_document
from experiments.formats.site.score_schema import (
    Category,
    Gsm8kScore,
    HellaSwagScore,
    HumanEvalScore,
    MmluScore,
    Score,
    StatedScore,
    TruthfulQaScore,
)

# Benchmarks whose scale is not 0–100.
_UNBOUNDED = {"perplexity", "word_perplexity", "byte_perplexity", "bits_per_byte"}


@dataclass(frozen=True, kw_only=True)
class ScoreSource:
    """What the run or set around scores says for each of them."""

    measured_at: datetime | None
    source_url: str | None
    notes: str | None


@dataclass(frozen=True, kw_only=True)
class _Result:
    """What one score type says: the main figure first, further ones under their own names."""

    benchmark: str
    stated: float | None = None
    correct: int | None = None
    total: int | None = None
    categories: Sequence[Category] = ()
    others: dict[str, float | None] = field(default_factory=dict)


def score_documents(
    scores: Sequence[Score], path: str, source: ScoreSource
) -> tuple[tuple[ScoreDocument, ...], list[Problem]]:
    """Return canonical scores and problems; further figures become scores of their own.

    `pass_at_10` of HumanEval is the benchmark `humaneval_pass_at_10`: it is no total of pass@1.
    """
    documents: list[ScoreDocument] = []
    problems: list[Problem] = []
    for index, score in enumerate(scores):
        place = join_path(path, index)
        if isinstance(score, ExportedScore):
            documents.append(exported_document(score, place))
            problems += _repeated(score.data.categories, join_path(place, "data", "categories"))
            continue
        result = _result(score)
        unbounded = _slug(result.benchmark) in _UNBOUNDED
        if result.stated is not None and not unbounded and not 0 <= result.stated <= 100:
            problems.append(
                Problem(
                    join_path(place, "data", "score"),
                    "A score lies between 0 and 100.",
                    result.stated,
                )
            )
        problems += _repeated(result.categories, join_path(place, "data", "categories"))
        documents.append(_document(score, result, place, source))
        documents += [
            _document(score, _Result(benchmark=name, stated=value), place, source)
            for name, value in result.others.items()
            if value is not None
        ]
    return tuple(documents), problems


def _repeated(categories: Sequence[Category | ExportedCategory], path: str) -> Iterator[Problem]:
    """Yield a problem for each category that stands twice."""
    seen: set[str] = set()
    for index, item in enumerate(categories):
        key = category_key(item.category)
        if key in seen:
            message = "This category stands twice; keep the right one."
            yield Problem(join_path(path, index, "category"), message, item.category)
        seen.add(key)


def _slug(name: str) -> str:
    return name.strip().lower().replace("-", "_").replace(" ", "_")


def _result(score: StatedScore) -> _Result:
    """Return the figures of a score by its type."""
    if isinstance(score, MmluScore):
        return _Result(benchmark="MMLU", categories=score.data.categories)
    if isinstance(score, Gsm8kScore):
        return _Result(
            benchmark="GSM8K", correct=score.data.problems_solved, total=score.data.total_problems
        )
    if isinstance(score, HumanEvalScore):
        others = {
            "humaneval_pass_at_10": score.data.pass_at_10,
            "humaneval_pass_at_100": score.data.pass_at_100,
        }
        return _Result(
            benchmark="HumanEval",
            stated=score.data.pass_at_1,
            total=score.data.total_problems,
            others=others,
        )
    if isinstance(score, HellaSwagScore):
        return _Result(
            benchmark="HellaSwag",
            stated=score.data.accuracy,
            correct=score.data.correct_answers,
            total=score.data.total_questions,
        )
    if isinstance(score, TruthfulQaScore):
        return _Result(
            benchmark="TruthfulQA",
            stated=score.data.truthful_score,
            total=score.data.total_questions,
            others={"truthfulqa_helpful": score.data.helpful_score},
        )
    return _Result(
        benchmark=score.data.benchmark_name,
        stated=score.data.score,
        correct=score.data.correct_answers,
        total=score.data.total_questions,
        categories=score.data.categories,
    )


def _document(
    score: StatedScore, result: _Result, place: str, source: ScoreSource
) -> ScoreDocument:
    measured_at = score.data.timestamp or source.measured_at
    return ScoreDocument(
        path=place,
        benchmark=result.benchmark,
        stated_score=result.stated,
        correct=result.correct,
        total=result.total,
        stderr=score.stderr,
        protocol=_protocol(score),
        complete=score.complete,
        measured_at=measured_at,
        zone_known=measured_at is None or measured_at.tzinfo is not None,
        source_url=source.source_url,
        notes=source.notes,
        context=score.data.context or {},
        categories=tuple(
            CategoryData(
                category=item.category,
                score=item.score,
                correct=item.correct_answers,
                total=item.total_questions,
            )
            for item in result.categories
        ),
    )


def _protocol(score: StatedScore) -> Protocol:
    """Return how a score was measured; whether a chat template was used is a word there."""
    fields = score.protocol.model_dump()
    if isinstance(fields["chat_template"], bool):
        fields["chat_template"] = "yes" if fields["chat_template"] else "no"
    return Protocol(**fields)

"""The score of an export: everything that a site stores of it, so that nothing is made anew."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from benchmarks.protocol import Protocol
from benchmarks.totals import CategoryData, TotalMethod
from experiments.formats.fields import Count, PositiveCount, Text, Time, Url
from experiments.formats.origin import Id, ScoreOrigin
from experiments.formats.site.strict import StrictModel
from experiments.formats.stored import StoredScore

LongText = Annotated[str, StringConstraints(min_length=1, max_length=100_000)]
CategoryName = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Score = Annotated[float, Field(ge=-1e300, le=1e300)]


class ExportedCategory(StrictModel):
    """The score of one category, on the scale of its benchmark."""

    category: CategoryName
    score: Score
    total_questions: PositiveCount | None = None
    correct_answers: Count | None = None


class ExportedProtocol(StrictModel):
    """How a score was measured; a chat template may stand here whole."""

    harness: LongText | None = None
    harness_version: LongText | None = None
    task_version: LongText | None = None
    metric_filter: LongText | None = None
    shots: Count | None = None
    chat_template: LongText | None = None
    thinking_mode: LongText | None = None
    kv_cache_type: LongText | None = None


class ExportedData(StrictModel):
    """The figures: `benchmark` is the site's name for machines, `benchmark_name` for people."""

    benchmark: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    benchmark_name: CategoryName
    higher_is_better: bool = True
    score: Score
    total_method: Literal["stated", "micro", "macro"] = "stated"
    total_questions: PositiveCount | None = None
    correct_answers: Count | None = None
    categories: list[ExportedCategory] = Field(default_factory=list, max_length=1000)
    timestamp: Time | None = None
    context: dict[str, Any] = Field(default_factory=dict)


class ExportedScore(StrictModel):
    """A score as a site exports it, of any benchmark; its set has a checksum."""

    type: Literal["Exported"]
    id: Id
    data: ExportedData
    protocol: ExportedProtocol = Field(default_factory=ExportedProtocol)
    stderr: Annotated[float, Field(ge=0, le=1e300)] | None = None
    complete: bool = True
    partial_reason: LongText | None = None
    needs_confirmation: bool = False
    source_url: Url | None = None
    notes: Text | None = None
    origin: ScoreOrigin

    @model_validator(mode="after")
    def _is_complete_without_reason(self) -> Self:
        if self.complete and self.partial_reason:
            raise ValueError("A complete score has no partial_reason.")
        return self


def exported_document(score: ExportedScore, place: str) -> StoredScore:
    """Return an exported score as a canonical one."""
    data = score.data
    return StoredScore(
        path=place,
        benchmark=data.benchmark_name,
        stated_score=data.score,
        correct=data.correct_answers,
        total=data.total_questions,
        stderr=score.stderr,
        protocol=Protocol(**score.protocol.model_dump()),
        complete=score.complete,
        partial_reason=score.partial_reason,
        higher_is_better=data.higher_is_better,
        measured_at=data.timestamp,
        zone_known=data.timestamp is None or data.timestamp.tzinfo is not None,
        source_url=score.source_url,
        notes=score.notes,
        context=data.context,
        categories=tuple(
            CategoryData(
                category=item.category,
                score=item.score,
                correct=item.correct_answers,
                total=item.total_questions,
            )
            for item in data.categories
        ),
        id=score.id,
        slug=data.benchmark,
        total_method=TotalMethod(data.total_method),
        needs_confirmation=score.needs_confirmation,
        origin=score.origin,
    )

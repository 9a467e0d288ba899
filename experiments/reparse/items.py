"""What is planned for one run, one score or one upload that is read again."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from benchmarks.models import BenchmarkScore
from benchmarks.scoring import ScoreData
from benchsite.common.review import ReviewState
from experiments.choices import ReparseEffect, ReparseSubject
from experiments.ingest.keys import digest
from experiments.ingest.resolve import ResolvedModel, ResolvedRun
from experiments.models import Measurement, TestRun, Upload
from experiments.reparse.reading import Reading
from experiments.reparse.states import State, changes_between

NAMES = ("model_name", "quantization", "lora_adapter")


@dataclass(kw_only=True)
class PlannedItem:
    """One run, one score or the upload itself: how it is, how it would be, and what with."""

    upload: Upload
    subject: ReparseSubject
    key: str
    title: str
    effect: ReparseEffect
    subject_id: UUID | None = None
    changes: list[list[Any]] = field(default_factory=list)
    reason: str = ""
    before_hash: str = ""
    after_hash: str = ""
    reading: Reading | None = None
    state: ReviewState | None = None
    run: ResolvedRun | None = None
    stored_run: TestRun | None = None
    edited: Collection[str] = ()
    other_figures: bool = False
    model: ResolvedModel | None = None
    place: str = ""
    origin: dict[str, Any] | None = None
    score: ScoreData | None = None
    stored_score: BenchmarkScore | None = None
    score_state: State = field(default_factory=dict)
    also: list[tuple[str, str]] = field(default_factory=list)


@dataclass(kw_only=True)
class Course:
    """What one reparse has read so far: keys of what it found, and the scores of each file.

    The scores of a file that cannot be read are None: nobody knows whether they are in it.
    """

    found: set[str] = field(default_factory=set)
    scores: dict[UUID, set[str] | None] = field(default_factory=dict)


def score_key(names: tuple[str, ...], score: ScoreData) -> str:
    """Return what a score is known by, whether it is stored or not."""
    return digest([names, score.benchmark_slug, score.content_key])


def stored_score_key(score: BenchmarkScore) -> str:
    """Return the same key of a score loaded with its variant and benchmark."""
    return digest([score.variant.key, score.benchmark.slug, score.content_key])


def score_ids(names: Collection[tuple[str, ...]]) -> dict[str, UUID]:
    """Return the ids of all scores of the variants with these names, by key: one query."""
    if not names:
        return {}
    columns = [f"variant__{name}" for name in NAMES]
    rows = BenchmarkScore.objects.filter(
        variant__model_name__in={model_name for model_name, *_rest in names}
    ).values_list("id", *columns, "benchmark__slug", "content_key")
    return {digest([row[1:4], *row[4:]]): row[0] for row in rows if row[1:4] in names}


def with_states(item: PlannedItem, before: State, after: State) -> PlannedItem:
    """Fill in what differs, and whether anything does."""
    item.changes = changes_between(before, after)
    item.effect = ReparseEffect.CHANGED if item.changes else ReparseEffect.SAME
    item.before_hash = item.before_hash or digest(before)
    item.after_hash = digest(after)
    return item


def row_hash(row: TestRun | BenchmarkScore | Measurement) -> str:
    """Return a hash of every column of a row, without what follows from other rows."""
    columns = [column.attname for column in row._meta.concrete_fields]
    return digest([getattr(row, name) for name in columns if name != "is_current"])

"""Reading a selection row by row: memory stays flat, three queries for each part of it."""

from collections.abc import Iterator, Sequence
from itertools import groupby, islice

from django.db.models import Prefetch, QuerySet

from benchmarks.models import BenchmarkScore
from experiments.choices import ItemAction
from experiments.exports.selection import Selection
from experiments.models import Measurement, TestRun, UploadItem

CHUNK = 500
"""How many rows are in memory at a time, with all that belongs to them."""

_MADE = (ItemAction.CREATED, ItemAction.REPLACED)


def runs_of(selection: Selection, *, with_samples: bool = True) -> Iterator[TestRun]:
    """Yield the runs, with names, figures in their order, and what brought them.

    They stand in the order of their configurations, and within each as they were received: a
    site that takes them in makes its configurations in the same order.
    """
    measurements = Measurement.objects.order_by("id")
    if not with_samples:
        measurements = measurements.defer("samples", "context")
    runs = (
        selection.runs.select_related("variant", "hardware__platform", "configuration", "sweep")
        .prefetch_related(
            Prefetch("measurements", measurements, to_attr="figures"),
            Prefetch("upload_items", _items(), to_attr="made_by"),
        )
        .order_by("configuration_id", "created_at", "id")
    )
    return runs.iterator(chunk_size=CHUNK)


def score_sets_of(selection: Selection) -> Iterator[Sequence[BenchmarkScore]]:
    """Yield the scores of each variant, as they were received, with categories; at most CHUNK."""
    scores = (
        selection.scores.select_related("variant", "benchmark")
        .prefetch_related("categories", Prefetch("upload_items", _items(), to_attr="made_by"))
        .order_by(
            *("variant__model_name", "variant__quantization", "variant__lora_adapter"),
            *("created_at", "id"),
        )
    )
    for _variant, group in groupby(scores.iterator(chunk_size=CHUNK), lambda row: row.variant_id):
        while part := list(islice(group, CHUNK)):
            yield part


def made_by(row: TestRun | BenchmarkScore) -> UploadItem | None:
    """Return the place in an upload that made a row what it is now."""
    items: list[UploadItem] = getattr(row, "made_by")  # noqa: B009 - set by the queries above
    return items[-1] if items else None


def figures_of(run: TestRun) -> list[Measurement]:
    """Return the figures of a run that was read here."""
    figures: list[Measurement] = getattr(run, "figures")  # noqa: B009 - set by the queries above
    return figures


def _items() -> QuerySet[UploadItem]:
    return (
        UploadItem.objects.filter(action__in=_MADE)
        .select_related("upload__uploaded_by", "upload__token")
        .defer("upload__report", "upload__context")
        .order_by("id")
    )

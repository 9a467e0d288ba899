"""Which runs and scores are exported: only what everybody may see, whatever was asked for."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import UUID

from django.db.models import QuerySet

from benchmarks.models import BenchmarkScore
from experiments.grid import GridCriteria
from experiments.grid.query import GridQuery
from experiments.models import TestRun, Upload, UploadItem


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Published runs, the published scores that go with them, and what was asked for.

    The scores are those of the runs' variants: quality belongs to the variant. Of an upload they
    are what it brought.
    """

    runs: QuerySet[TestRun]
    scores: QuerySet[BenchmarkScore]
    query: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def everything(cls) -> Self:
        """Select the whole site."""
        return cls(runs=_runs(), scores=_scores())

    @classmethod
    def of_runs(cls, ids: Collection[UUID]) -> Self:
        """Select runs by their ids."""
        runs = _runs().filter(pk__in=ids)
        return cls(runs=runs, scores=_scores_of(runs), query={"run": [str(pk) for pk in ids]})

    @classmethod
    def of_upload(cls, upload: Upload) -> Self:
        """Select what a file brought, or found here."""
        items = UploadItem.objects.filter(upload=upload)
        return cls(
            runs=_runs().filter(pk__in=items.filter(run__isnull=False).values("run")),
            scores=_scores().filter(pk__in=items.filter(score__isnull=False).values("score")),
            query={"upload": str(upload.pk)},
        )

    @classmethod
    def of_grid(cls, criteria: GridCriteria, query: Mapping[str, Any]) -> Self:
        """Select the ranked runs of all configurations that the grid shows under its filters."""
        rows = GridQuery(criteria)
        return cls(
            runs=TestRun.objects.ranked().filter(configuration__in=rows.each("cfg_pk")),
            scores=_scores().filter(variant__in=rows.each("variant_id")),
            query=query,
        )


def _runs() -> QuerySet[TestRun]:
    return TestRun.objects.published()


def _scores() -> QuerySet[BenchmarkScore]:
    return BenchmarkScore.objects.published()


def _scores_of(runs: QuerySet[TestRun]) -> QuerySet[BenchmarkScore]:
    return _scores().filter(variant__in=runs.order_by().values("variant"))

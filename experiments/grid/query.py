"""The SQL of the grid, built once for each request."""

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from operator import and_
from typing import Any

from django.db.models import (
    BooleanField,
    Case,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    FilteredRelation,
    FloatField,
    Func,
    OuterRef,
    Q,
    QuerySet,
    TextField,
    When,
    Window,
)
from django.db.models.expressions import OrderBy
from django.db.models.functions import Lower, RowNumber

from benchmarks.models import Benchmark, BenchmarkScore, ModelVariant
from experiments.choices import MeasuredAs
from experiments.grid.criteria import SORT_KEYS, GridCriteria
from experiments.grid.filters import ANY_KIND
from experiments.grid.rows import GridPage, LoadCounts, ModelRow, row_key
from experiments.models import Configuration

DEFAULT_BENCHMARK = "mmlu"

# Filters and orders name these columns only: a second filter() on the relation itself would join
# the configurations once more.
_JOINED_COLUMNS = {
    "cfg_pk": "cfg__id",
    "cfg_load": "cfg__load_class",
    "cfg_kind": "cfg__load_kind",
    "cfg_backend": "cfg__backend",
    "cfg_platform": "cfg__platform_id",
    "cfg_platform_key": "cfg__platform__key",
    "cfg_platform_name": "cfg__platform__name",
    "cfg_category": "cfg__platform__category",
    "cfg_speed": "cfg__tokens_per_second",
    "cfg_prompt_speed": "cfg__prompt_processing_speed",
    "cfg_ttft": "cfg__ttft_ms",
    "cfg_memory": "cfg__memory_gb",
    "cfg_efficiency": "cfg__tokens_per_kwh",
    "cfg_power": "cfg__gpu_power_watts",
    "cfg_runs": "cfg__runs",
    "cfg_newest_at": "cfg__newest_at",
}


def models_by(rows: QuerySet[Any], *names: str) -> QuerySet[Any]:
    """Count the models (with LoRA) of joined rows by class of load and each value of the names.

    The counts are named as KINDS: `any` for all, and one for each kind of load.
    """
    model = Func(F("model_name"), F("lora_adapter"), function="ROW", output_field=TextField())
    by_kind = {
        kind: Count(model, distinct=True, filter=Q(cfg_kind=kind)) for kind in MeasuredAs.values
    }
    counted: QuerySet[Any] = (
        rows.order_by()
        .values(*names, "cfg_load")
        .annotate(**{ANY_KIND: Count(model, distinct=True)}, **by_kind)
    )
    return counted


def default_benchmark() -> Benchmark | None:
    """Return MMLU where it has scores, else the benchmark with most current scores, else None."""
    return (
        Benchmark.objects.annotate(
            current_count=Count("scores", filter=Q(scores__is_current=True)),
            is_default=Case(When(slug=DEFAULT_BENCHMARK, then=1), default=0),
        )
        .filter(current_count__gt=0)
        .order_by("-is_default", "-current_count", "slug")
        .first()
    )


class GridQuery:
    """The joined rows (variant, configuration or none, current score or none) of one request.

    Further questions about a page that was read before take what it is based on from it.
    """

    def __init__(self, criteria: GridCriteria, page: GridPage | None = None) -> None:
        if page is None and criteria.benchmark is None:
            criteria = replace(criteria, benchmark=default_benchmark())
        self.criteria = criteria
        if page is not None:
            self.ranking_protocol = page.ranking_protocol
            self.load_counts = page.load_counts
            self.load_used, self.kind_used = page.load_used, page.kind_used
            return
        benchmark = criteria.benchmark
        self.ranking_protocol = (
            BenchmarkScore.objects.ranking_protocol(benchmark) if benchmark else None
        )
        counted = ((row["cfg_load"], row) for row in models_by(self.all_loads()))
        self.load_counts = LoadCounts.of(counted)
        self.load_used, self.kind_used = self.load_counts.used(criteria)

    def all_loads(self) -> QuerySet[Any]:
        """Variants joined to ranked configurations and current scores, under all filters but load.

        A variant of a model without any ranked run stands alone, if it has a current score.
        """
        criteria = self.criteria
        rows: QuerySet[Any] = ModelVariant.objects.annotate(
            cfg=FilteredRelation("configurations", condition=Q(configurations__runs__gt=0)),
            quality=FilteredRelation(
                "scores",
                condition=Q(scores__is_current=True, scores__benchmark=criteria.benchmark),
            ),
        )
        rows = rows.annotate(
            **{name: F(path) for name, path in _JOINED_COLUMNS.items()},
            name_key=Lower("model_name"),
            quality_score=F("quality__score"),
            quality_protocol=F("quality__protocol_key"),
            ranked_quality=Case(
                When(quality__protocol_key=self.ranking_protocol or "", then=F("quality__score")),
                output_field=FloatField(null=True),
            ),
        )
        filters = criteria.filters
        of_runs = [item.passes(criteria) for item in filters if item.needs_run]
        of_variants = [item.passes(criteria) for item in filters if not item.needs_run]
        measured = reduce(and_, of_runs, Q(cfg_pk__isnull=False))
        if not criteria.needs_configuration:
            measured |= Q(cfg_pk__isnull=True) & ~Exists(_same_model_measured()) & Exists(_scored())
        return rows.filter(measured, *of_variants)

    def joined(self) -> QuerySet[Any]:
        """The joined rows of the class and kind of load that are shown, and those without runs."""
        shown = Q(cfg_load=self.load_used)
        if self.kind_used != ANY_KIND:
            shown &= Q(cfg_kind=self.kind_used)
        return self.all_loads().filter(shown | Q(cfg_pk__isnull=True))

    def model_rows(self) -> QuerySet[Any]:
        """The best joined row of each model, in the order of the page."""
        best = self.joined().annotate(
            place=Window(
                RowNumber(),
                partition_by=[F("model_name"), F("lora_adapter")],
                order_by=self.best_first(),
            ),
        )
        return self.in_page_order(best.filter(place=1))

    def best_first(self) -> list[OrderBy]:
        """The order that decides which configuration stands for a model.

        Without a generation speed (prompt-only runs) a configuration never stands before one that
        has it; then the sort key where it has a better end, quality, speed, efficiency, name, id.
        """
        criteria = self.criteria
        key = SORT_KEYS[criteria.sort_by]
        by_key = [_order(key.field, descending=criteria.better_is_higher(key))]
        judged = key.higher_is_better is not None
        return [_without_speed_last(), *(by_key if judged else []), *self._ties()]

    def in_page_order(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Order rows by the sort key, missing values last both ways, then by the ties.

        By any measured figure, rows without a generation speed (prompt-only) come after the rest.
        """
        key = SORT_KEYS[self.criteria.sort_by]
        lead = [_without_speed_last()] if key.is_figure else []
        by_key = _order(key.field, descending=self.criteria.descending)
        return rows.order_by(*lead, by_key, *self._ties())

    def _ties(self) -> list[OrderBy]:
        quality = SORT_KEYS["quality"]
        return [
            _order(quality.field, descending=self.criteria.better_is_higher(quality)),
            _order("cfg_speed", descending=True),
            _order("cfg_efficiency", descending=True),
            _order("name_key", descending=False),
            _order("model_name", descending=False),
            _order("lora_adapter", descending=False),
            _order("quantization", descending=False),
            _order("cfg_pk", descending=False),
            _order("id", descending=False),
        ]

    def configurations(self, wanted: Q, *, best_first: bool) -> list[Configuration]:
        """Return configurations of joined rows, with names and quality loaded: two queries."""
        rows = self.joined().filter(wanted, cfg_pk__isnull=False)
        if best_first:
            rows = rows.order_by(*self.best_first())
        found = list(
            rows.values_list("cfg_pk", "quality_score", "quality_protocol", "ranked_quality")
        )
        loaded = Configuration.objects.select_related(
            "variant", "platform", "representative"
        ).in_bulk([pk for pk, *_quality in found])
        for pk, score, protocol, ranked in found:
            _attach_quality(loaded[pk], score, protocol, ranked=ranked is not None)
        return [loaded[pk] for pk, *_quality in found]

    def present(self, found: Sequence[Any]) -> list[ModelRow]:
        """Turn the variants of `model_rows` into rows: three queries."""
        loaded = Configuration.objects.select_related(
            "variant", "platform", "representative"
        ).in_bulk([item.cfg_pk for item in found if item.cfg_pk])
        names = [(item.model_name, item.lora_adapter) for item in found]
        total = _platforms_by_model(Configuration.objects.filter(runs__gt=0), names)
        qualifying = self._qualifying_platforms(names)
        rows = []
        for item in found:
            best = loaded.get(item.cfg_pk)
            ranked = item.ranked_quality is not None
            if best:
                _attach_quality(best, item.quality_score, item.quality_protocol, ranked=ranked)
            name = (item.model_name, item.lora_adapter)
            rows.append(
                ModelRow(
                    key=row_key(*name),
                    model_name=item.model_name,
                    lora_adapter=item.lora_adapter,
                    variant=item,
                    best=best,
                    quality_score=item.quality_score,
                    quality_protocol=item.quality_protocol,
                    quality_ranked=ranked,
                    total_platforms=total.get(name, 0),
                    qualifying_platforms=qualifying.get(name, 0),
                )
            )
        return rows

    def _qualifying_platforms(self, names: Sequence[tuple[str, str]]) -> dict[Any, int]:
        counted = (
            self.joined()
            .filter(model_name__in={model_name for model_name, _lora in names})
            .order_by()
            .values("model_name", "lora_adapter")
            .annotate(platforms=Count("cfg_platform", distinct=True))
        )
        return {(row["model_name"], row["lora_adapter"]): row["platforms"] for row in counted}


def _platforms_by_model(
    configurations: QuerySet[Configuration], names: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    """Return how many platforms each model was measured on, before any filter."""
    counted = (
        configurations.filter(variant__model_name__in={model_name for model_name, _ in names})
        .values("variant__model_name", "variant__lora_adapter")
        .annotate(platforms=Count("platform", distinct=True))
    )
    return {
        (row["variant__model_name"], row["variant__lora_adapter"]): row["platforms"]
        for row in counted
    }


def _same_model_measured() -> QuerySet[Configuration]:
    return Configuration.objects.filter(
        runs__gt=0,
        variant__model_name=OuterRef("model_name"),
        variant__lora_adapter=OuterRef("lora_adapter"),
    )


def _scored() -> QuerySet[BenchmarkScore]:
    return BenchmarkScore.objects.current().filter(variant=OuterRef("pk"))


def _without_speed_last() -> OrderBy:
    return OrderBy(ExpressionWrapper(Q(cfg_speed__isnull=True), output_field=BooleanField()))


def _order(field: str, *, descending: bool) -> OrderBy:
    return OrderBy(F(field), descending=descending, nulls_last=True)


def _attach_quality(
    configuration: Configuration, score: float | None, protocol: str | None, *, ranked: bool
) -> None:
    """Give a configuration the quality of its variant, as rows show it beside the speed."""
    configuration.quality_score = score
    configuration.quality_protocol = protocol
    configuration.quality_ranked = ranked

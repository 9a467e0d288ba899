"""The grid against a brute-force reading of the raw rows, over random filters and sorts."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import median
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.models import Benchmark, BenchmarkScore, ModelVariant
from benchsite.common.review import ReviewState
from experiments.choices import LoadClass, MeasuredAs, RunStatus
from experiments.grid import (
    ANY_KIND,
    FILTERS,
    KINDS,
    SORT_KEYS,
    GridCriteria,
    GridPage,
    choice_counts,
    configuration_rows,
    counts_without,
    grid_page,
    limit_ranges,
    platform_rows,
)
from experiments.grid.counts import LIMITS
from experiments.models import Configuration, TestRun
from tests.factories import experiment, ingest

FIELDS = {
    "speed": "tokens_per_second",
    "prompt_speed": "prompt_processing_speed",
    "efficiency": "tokens_per_kwh",
    "memory": "memory_usage_gb",
    "ttft": "ttft_ms",
    "power": "gpu_power_watts",
}


@dataclass(frozen=True)
class Row:
    """A configuration, or a variant without runs, as raw rows tell of it."""

    variant: ModelVariant
    configuration: Configuration | None
    figures: dict[str, float]
    quality: float | None
    runs: int = 0
    newest: datetime | None = None

    @property
    def model(self) -> tuple[str, str]:
        return (self.variant.model_name, self.variant.lora_adapter)

    def value(self, sort_by: str) -> Any:
        if sort_by in FIELDS:
            return self.figures.get(FIELDS[sort_by])
        config = self.configuration
        return {
            "name": self.variant.model_name.lower(),
            "quality": self.quality,
            "quantization": self.variant.quantization,
            "backend": config.backend if config else None,
            "platform": config.platform.name if config else None,
            "runs": self.runs if config else None,
            "when": self.newest,
        }[sort_by]


def read_rows(benchmark: Benchmark | None) -> list[Row]:
    """Read every run and score, one by one, without any of the grid's SQL."""
    protocol = BenchmarkScore.objects.ranking_protocol(benchmark) if benchmark else None
    quality = {
        score.variant_id: score.score
        for score in BenchmarkScore.objects.all()
        if score.benchmark == benchmark and score.is_current and score.protocol_key == protocol
    }
    scored = {score.variant_id for score in BenchmarkScore.objects.all() if score.is_current}
    groups: dict[int, list[TestRun]] = {}
    for run in TestRun.objects.all():
        if (
            run.status == RunStatus.COMPLETED
            and run.complete
            and run.review_state == ReviewState.PUBLISHED
        ):
            groups.setdefault(run.configuration_id, []).append(run)
    rows = []
    for runs in groups.values():
        values: dict[str, list[float]] = {}
        for run in runs:
            for item in run.measurements.all():
                values.setdefault(item.metric, []).append(item.value)
        figures = {metric: median(found) for metric, found in values.items()}
        run = runs[0]
        row = Row(run.variant, run.configuration, figures, quality.get(run.variant_id))
        newest = max(run.started_at for run in runs if run.started_at)
        rows.append(replace(row, runs=len(runs), newest=newest))
    measured = {row.model for row in rows}
    for variant in ModelVariant.objects.all():
        names = (variant.model_name, variant.lora_adapter)
        if names not in measured and variant.pk in scored:
            rows.append(Row(variant, None, {}, quality.get(variant.pk)))
    return rows


def passes(row: Row, criteria: GridCriteria) -> bool:
    """Whether a row passes all filters but the load class."""
    config = row.configuration
    if config is None and criteria.needs_configuration:
        return False
    memory = row.figures.get("memory_usage_gb")
    speed = row.figures.get("tokens_per_second")
    platform = config.platform if config else None
    text = [row.variant.model_name, row.variant.lora_adapter, row.variant.quantization]
    text += [config.backend, config.platform.name] if config else []
    return (
        (criteria.min_speed is None or (speed is not None and speed >= criteria.min_speed))
        and (
            criteria.max_memory_gb is None
            or (memory is None and criteria.include_unknown)
            or (memory is not None and memory <= criteria.max_memory_gb)
        )
        and (
            criteria.min_quality is None
            or (row.quality is not None and row.quality >= criteria.min_quality)
        )
        and (
            not criteria.hardware_categories
            or (platform is not None and platform.category in criteria.hardware_categories)
        )
        and (not criteria.backend or (config is not None and config.backend == criteria.backend))
        and (not criteria.quantization or row.variant.quantization == criteria.quantization)
        and (not criteria.platform or (platform is not None and platform.key == criteria.platform))
        and all(any(word.lower() in part.lower() for part in text) for word in criteria.q.split())
    )


def ties(row: Row) -> tuple[Any, ...]:
    def best_high(value: float | None) -> tuple[bool, float]:
        return (value is None, -(value or 0))

    return (
        best_high(row.quality),
        best_high(row.figures.get("tokens_per_second")),
        best_high(row.figures.get("tokens_per_kwh")),
        row.variant.model_name.lower(),
        row.variant.model_name,
        row.variant.lora_adapter,
        row.variant.quantization,
        row.configuration.pk if row.configuration else 0,
        row.variant.pk,
    )


def by_sort_key(rows: list[Row], sort_by: str, *, descending: bool) -> list[Row]:
    known = [row for row in rows if row.value(sort_by) is not None]
    missing = [row for row in rows if row.value(sort_by) is None]
    known.sort(key=ties)
    known.sort(key=lambda row: row.value(sort_by), reverse=descending)
    if descending:  # reverse keeps equal rows in the order they had
        known.sort(key=lambda row: row.value(sort_by), reverse=True)
    return known + sorted(missing, key=ties)


def expected_rows(
    criteria: GridCriteria, rows: list[Row] | None = None
) -> tuple[tuple[LoadClass, str], list[Row]]:
    """Return the class and kind of load and the model rows that the design asks for."""
    rows = read_rows(criteria.benchmark) if rows is None else rows
    passing = [row for row in rows if passes(row, criteria)]
    measured = [(row, row.configuration) for row in passing if row.configuration]
    models_of_class = {
        load_class: {
            row.model
            for row, item in measured
            if item.load_class == load_class
            and criteria.load_kind in ("", ANY_KIND, item.load_kind)
        }
        for load_class in LoadClass
    }
    used = criteria.load_class or max(LoadClass, key=lambda item: len(models_of_class[item]))
    of_class = [(row, item.load_kind) for row, item in measured if item.load_class == used]
    models_of_kind = {
        kind: {row.model for row, own in of_class if own == kind} for kind in MeasuredAs
    }
    kind_used = criteria.load_kind or max(MeasuredAs, key=lambda item: len(models_of_kind[item]))
    shown = [row for row in passing if row.configuration is None]
    shown += [row for row, own in of_class if kind_used in (ANY_KIND, own)]
    best: dict[tuple[str, str], Row] = {}
    key = SORT_KEYS[criteria.sort_by]
    ordered = sorted(shown, key=ties)
    if key.higher_is_better is not None:
        ordered = by_sort_key(shown, criteria.sort_by, descending=key.higher_is_better)
    with_speed_first = sorted(ordered, key=lambda row: "tokens_per_second" not in row.figures)
    for row in with_speed_first:
        best.setdefault(row.model, row)
    page = by_sort_key(list(best.values()), criteria.sort_by, descending=criteria.descending)
    if criteria.sort_by in FIELDS:
        page.sort(key=lambda row: "tokens_per_second" not in row.figures)
    return (used, kind_used), page


def all_pages(criteria: GridCriteria) -> Iterator[GridPage]:
    page = grid_page(criteria)
    yield page
    for number in range(2, page.page_count + 1):
        yield grid_page(replace(criteria, page=number))


# Values of every filter, with and without an effect on the rows below.
FILTER_VALUES: dict[str, list[Any]] = {
    "q": ["", "", "alpha", "BETA q4", "8060", "_", "4_k_m", "%", "q4\\_k"],
    "min_quality": [None, None, 40.0, 50.0],
    "min_speed": [None, None, 10.0, 25.0, 99.0],
    "max_memory_gb": [None, None, 20.0, 50.0],
    "include_unknown": [False, True],
    "hardware_categories": [(), (), ("consumer_gpu",), ("integrated_gpu", "datacenter_cpu")],
    "platform": ["", "", "", "1x-rtx-4090", "cpu-amd-epyc-9274f"],
    "backend": ["", "", "vllm"],
    "quantization": ["", "", "Q8_0"],
    "load_class": [None, None, *LoadClass],
    "load_kind": ["", "", *KINDS],
}
criteria_strategy = st.builds(
    GridCriteria,
    sort_by=st.sampled_from(list(SORT_KEYS)),
    sort_direction=st.sampled_from(["", "asc", "desc"]),
    page_size=st.sampled_from([3, 50]),
    **{name: st.sampled_from(values) for name, values in FILTER_VALUES.items()},
)


def test_every_filter_is_drawn_with_values_and_without() -> None:
    boxes = {item.beside for item in FILTERS.values() if item.beside}
    assert FILTER_VALUES.keys() == FILTERS.keys() | boxes
    assert all(len(set(values)) > 1 for values in FILTER_VALUES.values())


@pytest.mark.usefixtures("many_rows")
@settings(
    max_examples=120,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(criteria_strategy)
def test_grid_equals_a_brute_force_reading(criteria: GridCriteria) -> None:
    criteria = replace(criteria, benchmark=Benchmark.objects.get(slug="gsm8k"))
    load_used, expected = expected_rows(criteria)
    pages = list(all_pages(criteria))
    shown = [row for page in pages for row in page.rows]
    assert (pages[0].load_used, pages[0].kind_used) == load_used
    assert pages[0].total_count == len(expected)
    assert [(row.variant_id, row.best.id if row.best else None) for row in shown] == [
        (row.variant.pk, row.configuration.pk if row.configuration else None) for row in expected
    ]
    for row, want in zip(shown, expected, strict=True):
        assert (row.quality_score if row.quality_ranked else None) == want.quality
        if row.best:
            assert row.best.tokens_per_second == want.figures.get("tokens_per_second")
            assert row.best.ttft_ms == want.figures.get("ttft_ms")
            assert row.best.memory_gb == want.figures.get("memory_usage_gb")


@pytest.mark.usefixtures("many_rows")
@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(criteria_strategy)
def test_no_page_ranks_what_was_measured_in_several_ways_without_saying_so(
    client: Client, criteria: GridCriteria
) -> None:
    query = {
        name: value.value if isinstance(value, LoadClass) else value
        for name in ("load_class", "load_kind", "backend", "q", "sort_by", "min_speed")
        if (value := getattr(criteria, name))
    }
    text = " ".join(client.get("/", query).content.decode().split())
    grouped = client.get("/api/grouped-performance", query).json()
    platforms = [item for model in grouped["models"] for item in model["all_hardware_platforms"]]
    flat = client.get("/api/performance-grid", query).json()
    for answer, ranked in (
        (grouped, [platform["best_config"] for platform in platforms]),
        (flat, flat["rows"]),
    ):
        kinds = {item["load_kind"] for item in ranked}
        if len(kinds) > 1:
            assert answer["load_kind_used"] == query["load_kind"] == ANY_KIND
            assert answer["load_kinds_mixed"]
            assert "rank across ways of measuring, and do not compare" in text
        elif kinds and answer["load_kind_used"] != ANY_KIND:
            assert kinds == {answer["load_kind_used"]}


@pytest.mark.usefixtures("many_rows")
@settings(
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(criteria_strategy)
def test_counts_say_how_many_rows_a_filter_would_leave(criteria: GridCriteria) -> None:
    criteria = replace(criteria, benchmark=Benchmark.objects.get(slug="gsm8k"))
    rows = read_rows(criteria.benchmark)
    page = grid_page(criteria)
    counts = choice_counts(page)
    for name, known in choices_of(rows).items():
        for choice in known:
            chosen: dict[str, Any] = {name: choice}
            if name == "hardware_categories":
                chosen = {name: (choice,)}
            _load, expected = expected_rows(replace(criteria, **chosen), rows)
            assert counts[name].get(choice, 0) == len(expected), (name, choice)
    loosened = counts_without(page)
    assert set(loosened) == {*criteria.active_filters, ""}
    for name, models in loosened.items():
        asked = criteria.without(*([name] if name else criteria.active_filters))
        assert models == len(expected_rows(asked, rows)[1]), name


def choices_of(rows: list[Row]) -> dict[str, set[str]]:
    configs = [row.configuration for row in rows if row.configuration]
    return {
        "backend": {item.backend for item in configs},
        "quantization": {row.variant.quantization for row in rows},
        "platform": {item.platform.key for item in configs},
        "hardware_categories": {
            item.platform.category for item in configs if item.platform.category
        },
    }


@pytest.mark.usefixtures("many_rows")
def test_limits_are_offered_with_what_there_is() -> None:
    criteria = GridCriteria(load_class=LoadClass.SINGLE, load_kind=ANY_KIND, min_speed=99.0)
    page = grid_page(criteria)
    ranges = limit_ranges(page)
    speeds = [
        row.figures["tokens_per_second"]
        for row in read_rows(page.benchmark)
        if row.configuration
        and row.configuration.load_class == LoadClass.SINGLE
        and "tokens_per_second" in row.figures
    ]
    assert ranges["min_speed"] == (min(speeds), max(speeds))
    nothing = limit_ranges(grid_page(GridCriteria(q="nothing-of-the-kind")))
    assert nothing == dict.fromkeys(LIMITS)


@pytest.mark.usefixtures("many_rows")
def test_platforms_that_qualify_are_counted_against_all() -> None:
    criteria = GridCriteria(min_speed=25.0, load_class=LoadClass.SINGLE, load_kind=ANY_KIND)
    page = grid_page(criteria)
    rows = read_rows(page.benchmark)
    expanded = platform_rows(page, page.rows)
    for row in page.rows:
        mine = [item for item in rows if item.model == (row.model_name, row.lora_adapter)]
        every = {item.configuration.platform_id for item in mine if item.configuration}
        passing = {
            item.configuration.platform_id
            for item in mine
            if item.configuration
            and item.configuration.load_class == LoadClass.SINGLE
            and passes(item, criteria)
        }
        assert (row.qualifying_platforms, row.total_platforms) == (len(passing), len(every))
        assert {item.best.platform_id for item in expanded[row.key]} == passing
        assert expanded[row.key][0].best == row.best


@pytest.mark.usefixtures("many_rows")
def test_configuration_rows_list_each_configuration_once() -> None:
    criteria = GridCriteria(page_size=200, load_class=LoadClass.SINGLE)
    page = configuration_rows(criteria)
    rows = page.rows
    assert page.total_count == len(rows) == len({row.id for row in rows})
    speeds = [row.tokens_per_second for row in rows if row.tokens_per_second is not None]
    assert speeds == sorted(speeds, reverse=True)


def test_a_prompt_only_run_never_stands_for_a_model_with_generation(db: None) -> None:
    ingest(
        {
            "experiment_runs": [
                experiment(figures={"prompt_processing_speed": (9000.0, "tok/s", "prefill")}),
                experiment(
                    context_depth=512,
                    figures={
                        "tokens_per_second": (10.0, "tok/s", "decode"),
                        "prompt_processing_speed": (300.0, "tok/s", "prefill"),
                    },
                ),
            ]
        }
    )
    (row,) = grid_page(GridCriteria(sort_by="prompt_speed")).rows
    assert row.best
    assert row.best.tokens_per_second == 10.0


@pytest.mark.parametrize("sort_direction", ["asc", "desc"])
def test_a_prompt_only_row_never_tops_the_grid(db: None, sort_direction: str) -> None:
    prompt_only = {"prompt_processing_speed": (500.0, "tok/s", "prefill")}
    both = {"tokens_per_second": (10.0, "tok/s", "decode")}
    figures = [
        prompt_only,
        *(both | {"prompt_processing_speed": (v, "tok/s", "prefill")} for v in (1.0, 900.0)),
    ]
    for name, measured in zip("ABC", figures, strict=True):
        assert ingest({"experiment_run": experiment(model_name=name, figures=measured)}).accepted
    criteria = GridCriteria(sort_by="prompt_speed", sort_direction=sort_direction)
    assert [row.model_name for row in grid_page(criteria).rows][-1] == "A"
    assert configuration_rows(criteria).rows[-1].tokens_per_second is None


def test_repeats_show_median_and_spread_of_one_definition(db: None) -> None:
    speeds = [(40.0, "wall_clock"), (50.0, "decode"), (52.0, "decode"), (60.0, "decode")]
    runs = [
        experiment(
            started_at=f"2026-11-2{day}T00:00:00+00:00",
            figures={"tokens_per_second": (speed, "tok/s", definition)},
        )
        for day, (speed, definition) in enumerate(speeds)
    ]
    report = ingest({"experiment_runs": runs})
    (row,) = grid_page(GridCriteria()).rows
    best = row.best
    assert best
    assert best.runs == 4
    assert best.tokens_per_second == 52.0
    assert (best.tokens_per_second_min, best.tokens_per_second_max) == (50.0, 60.0)
    assert best.tokens_per_second_definition == "decode"
    assert best.run_id == report.runs[-1].id


def test_the_number_of_queries_does_not_grow_with_rows(db: None) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            page = grid_page(GridCriteria())
            platform_rows(page, page.rows)
        return len(captured)

    def add(count: int, start: int) -> None:
        runs = [experiment(model_name=f"model-{start + index}") for index in range(count)]
        assert ingest({"experiment_runs": runs}).accepted

    add(2, 0)
    few = queries()
    add(18, 2)
    assert queries() == few

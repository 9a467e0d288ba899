"""What is true of the database after any sequence of uploads, withdrawals and restorings."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from statistics import median
from typing import Any
from uuid import UUID

from benchmarks.models import BenchmarkScore, ScoreRevision
from benchsite.common.review import TAKEN_OUT
from experiments.models import (
    Configuration,
    GridCell,
    GridModel,
    GridPlace,
    Measurement,
    RunRevision,
    TestRun,
    UploadItem,
)
from experiments.rebuilding import rebuild_summaries
from experiments.summaries import TOPS, refresh_configurations, top_bit


def check_invariants() -> None:
    """Assert that there is one truth, and a history that leads to it."""
    check_current_scores()
    check_summaries()
    check_provenance()
    runs = dict(TestRun.objects.values_list("pk", "review_state"))
    scores = dict(BenchmarkScore.objects.values_list("pk", "review_state"))
    check_chains(RunRevision.objects.order_by("id").values_list("run", *_LINK), runs)
    check_chains(ScoreRevision.objects.order_by("id").values_list("score", *_LINK), scores)


_LINK = ("state_before", "state")


def check_chains(links: Iterable[tuple[UUID, str, str]], states: Mapping[UUID, str]) -> None:
    """Assert that each change begins where the last one ended, and that the last one holds."""
    reached: dict[UUID, str] = {}
    for pk, before, after in links:
        assert reached.get(pk, before) == before, f"{pk}: a change is not in the history"
        assert pk in reached or before not in TAKEN_OUT
        reached[pk] = after
    for pk, state in states.items():
        assert reached.get(pk, state) == state, f"{pk}: a change is not in the history"
        assert pk in reached or state not in TAKEN_OUT


def check_current_scores() -> None:
    """Assert that the score that stands for a variant is the one that should."""
    rankable = BenchmarkScore.objects.rankable().in_order_of_preference()
    wanted = set(rankable.distinct("variant_id", "benchmark_id").values_list("pk", flat=True))
    assert set(BenchmarkScore.objects.current().values_list("pk", flat=True)) == wanted


def check_summaries() -> None:
    """Assert that configurations say what their runs say, by a rebuild and by other means."""
    before = _summaries()
    refresh_configurations([row["id"] for row in before])
    assert _summaries() == before
    ranked = dict(TestRun.objects.ranked().values_list("pk", "configuration_id"))
    runs = Counter(ranked.values())
    speeds: dict[int, list[float]] = defaultdict(list)
    measured = Measurement.objects.filter(metric="tokens_per_second", statistic="mean")
    for run_id, value in measured.values_list("run_id", "value"):
        if run_id in ranked:
            speeds[ranked[run_id]].append(value)
    for row in before:
        own = speeds.get(row["id"])
        assert row["runs"] == runs[row["id"]]
        assert row["tokens_per_second"] == (median(own) if own else None)
        assert (row["representative_id"] is None) == (not runs[row["id"]])
    assert runs.keys() == {row["id"] for row in before if row["runs"]}
    check_grid_summaries()


def check_trades(row: GridPlace, of_place: Sequence[Configuration]) -> None:
    """Assert that what a place trades tells of any two limits whether one configuration meets both.

    The limits are those that can make a difference: the figures themselves.
    """
    every = [(item.tokens_per_second, item.memory_gb) for item in of_place]
    single = (row.tokens_per_second, row.memory_gb_min)
    kept = [(speed, memory) for speed, memory in row.trades] if row.trades else [single]
    speeds = {speed for speed, _ in every if speed is not None}
    memories = {-1.0, *(memory for _, memory in every if memory is not None)}
    for least, most, unknown_too in product(speeds, memories, (False, True)):
        assert any(_meets(*item, least, most, unknown_too) for item in kept) == any(
            _meets(*item, least, most, unknown_too) for item in every
        )


def _meets(
    speed: float | None, memory: float | None, least: float, most: float, unknown_too: bool
) -> bool:
    fits = unknown_too if memory is None else memory <= most
    return speed is not None and speed >= least and fits


def check_grid_summaries() -> None:
    """Assert that models, places, cells and tops are what the configurations say, read one by one.

    A rebuild finds nothing to mend either.
    """
    measured = list(Configuration.objects.filter(runs__gt=0).select_related("variant"))
    check_tops(measured)
    platforms: dict[tuple[str, str], set[UUID]] = defaultdict(set)
    places: dict[tuple[Any, ...], list[Configuration]] = defaultdict(list)
    cells: dict[tuple[Any, ...], list[Configuration]] = defaultdict(list)
    for item in measured:
        platforms[_model_of(item)].add(item.platform_id)
        place = (item.platform_id, item.backend, item.load_class, item.load_kind)
        places[(item.variant_id, *place)].append(item)
        cells[(*place, item.variant.quantization)].append(item)
    models = {(row.model_name, row.lora_adapter): row for row in GridModel.objects.all()}
    assert sorted(row.pk for row in models.values()) == list(range(1, len(models) + 1))
    assert {names: row.platforms for names, row in models.items() if row.platforms} == {
        names: len(found) for names, found in platforms.items()
    }
    kept = {
        (
            p.variant_id,
            *(p.cell.platform_id, p.cell.backend, p.cell.load_class, p.cell.load_kind),
        ): p
        for p in GridPlace.objects.select_related("variant", "cell", "model")
    }
    assert kept.keys() == places.keys()
    for identity, of_place in places.items():
        row = kept[identity]
        best = min(of_place, key=_fastest_first)
        assert row.best_id == best.pk
        assert row.cell.quantization == best.variant.quantization
        assert (row.model.model_name, row.model.lora_adapter) == _model_of(best)
        assert row.memory_unknown == any(item.memory_gb is None for item in of_place)
        assert (row.tokens_per_second, row.tokens_per_kwh) == (
            best.tokens_per_second,
            best.tokens_per_kwh,
        )
        assert (row.tokens_per_second_min, row.tokens_per_second) == _ends(
            item.tokens_per_second for item in of_place
        )
        assert (row.memory_gb_min, row.memory_gb_max) == _ends(item.memory_gb for item in of_place)
        check_trades(row, of_place)
    kept_cells = {
        (c.platform_id, c.backend, c.load_class, c.load_kind, c.quantization): c
        for c in GridCell.objects.all()
    }
    assert kept_cells.keys() == cells.keys()
    for identity, of_cell in cells.items():
        cell = kept_cells[identity]
        bits = {number for number, bit in enumerate(cell.model_set, 1) if bit == "1"}
        assert bits == {models[_model_of(item)].pk for item in of_cell}
        assert (cell.tokens_per_second_min, cell.tokens_per_second_max) == _ends(
            item.tokens_per_second for item in of_cell
        )
        assert (cell.memory_gb_min, cell.memory_gb_max) == _ends(item.memory_gb for item in of_cell)
    assert rebuild_summaries(lambda _done, _total: None) == []


def check_tops(measured: Iterable[Configuration]) -> None:
    """Assert that the first of each variant, class and kind of load is marked for each sort key."""
    columns = {
        "speed": ("tokens_per_second", True),
        "prompt_speed": ("prompt_processing_speed", True),
        "efficiency": ("tokens_per_kwh", True),
        "memory": ("memory_gb", False),
        "ttft": ("ttft_ms", False),
        "power": ("gpu_power_watts", False),
        "runs": ("runs", True),
        "when": ("newest_at", True),
    }
    assert columns.keys() == TOPS.keys()
    groups: dict[tuple[Any, ...], list[Configuration]] = defaultdict(list)
    for item in measured:
        groups[item.variant_id, item.load_class, item.load_kind].append(item)
    wanted: dict[int, int] = defaultdict(int)
    for items in groups.values():
        for key, (column, is_high) in columns.items():
            with_speed = [item for item in items if item.tokens_per_second is not None] or items
            known = [item for item in with_speed if getattr(item, column) is not None]
            if known:
                end = (max if is_high else min)(getattr(item, column) for item in known)
                known = [item for item in known if getattr(item, column) == end]
            wanted[min(known or with_speed, key=_fastest_first).pk] |= top_bit(key)
    marked = Configuration.objects.exclude(tops=0).values_list("pk", "tops")
    assert dict(marked) == wanted


def _model_of(item: Configuration) -> tuple[str, str]:
    return (item.variant.model_name, item.variant.lora_adapter)


def _fastest_first(item: Configuration) -> tuple[Any, ...]:
    speed, efficiency = item.tokens_per_second, item.tokens_per_kwh
    return (speed is None, -(speed or 0), efficiency is None, -(efficiency or 0), item.pk)


def _ends(values: Iterable[float | None]) -> tuple[float | None, float | None]:
    known = [value for value in values if value is not None]
    return (min(known), max(known)) if known else (None, None)


def check_provenance() -> None:
    """Assert that an upload tells where each run and each score comes from."""
    made = UploadItem.objects.exclude(action="unchanged")
    assert not TestRun.objects.exclude(pk__in=made.filter(run__isnull=False).values("run"))
    assert not BenchmarkScore.objects.exclude(
        pk__in=made.filter(score__isnull=False).values("score")
    )


def _summaries() -> list[dict[str, Any]]:
    return [dict(row) for row in Configuration.objects.order_by("id").values()]

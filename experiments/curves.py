"""Latency–throughput curves: the runs of one sweep that differ in load alone, by their load."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import F, Q, QuerySet

from benchsite.common.review import ReviewState
from experiments.choices import RunStatus
from experiments.metrics import definition_rank
from experiments.models import Measurement, TestRun

THROUGHPUTS = ("tokens_per_second", "total_tokens_per_second", "requests_per_second")
LATENCIES = ("ttft_ms", "tpot_ms", "itl_ms", "e2e_latency_ms")
CURVE_METRICS = (*THROUGHPUTS, *LATENCIES)
STATISTICS = ("mean", "p50", "p90", "p95", "p99")
MAX_SWEEP_RUNS = 200

LENGTH_TOLERANCE = 1.1
"""Real mean lengths of one workload differ from point to point by sampling: a few percent."""


class FigureKey(NamedTuple):
    """What a figure is of: one statistic of a metric under one definition."""

    metric: str
    statistic: str
    definition: str | None


Figures = Mapping[FigureKey, float]


class Axis(NamedTuple):
    """A metric under one definition: the least that figures on one axis share."""

    metric: str
    definition: str | None


@dataclass(frozen=True, kw_only=True)
class Point:
    """A run of a curve with its figures."""

    run: TestRun
    figures: Figures

    @property
    def load(self) -> float:
        """Concurrent requests, or requests per second where those are the load."""
        return self.run.request_rate or self.run.concurrent_requests or 0

    def value(self, axis: Axis, statistic: str = "mean") -> float | None:
        """Return a figure of the run, None where it was not measured."""
        return self.figures.get(FigureKey(axis.metric, statistic, axis.definition))


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Runs of one sweep whose workload, machine and settings are the same but for the load."""

    points: tuple[Point, ...]

    @property
    def run(self) -> TestRun:
        """A run of it, for what all share."""
        return self.points[0].run

    @property
    def is_by_rate(self) -> bool:
        """Whether its load is a rate of requests, not a number of concurrent ones."""
        return self.run.request_rate is not None

    def axes(self, metrics: Sequence[str]) -> list[Axis]:
        """Return what can stand on an axis: two loads or more have it; the most widely had first.

        One axis for each metric, in the order of `metrics`.
        """
        widest = map(self.widest_axis, metrics)
        return [axis for axis in widest if axis and len(self.loads_with(axis)) > 1]

    def every_axis(self, metrics: Sequence[str]) -> list[Axis]:
        """Return each of some metrics under each definition of its means, the leading one first."""
        stated = {
            Axis(key.metric, key.definition)
            for point in self.points
            for key in point.figures
            if key.statistic == "mean"
        }
        return sorted(
            (axis for axis in stated if axis.metric in metrics),
            key=lambda axis: (metrics.index(axis.metric), definition_rank(*axis)),
        )

    def widest_axis(self, metric: str) -> Axis | None:
        """Return a metric under the definition that most points have, the leading one of equals."""
        return max(self.every_axis([metric]), key=self.points_with, default=None)

    def points_with(self, axis: Axis) -> int:
        """Return how many points have their mean on an axis."""
        return sum(point.value(axis) is not None for point in self.points)

    def loads_with(self, *axes: Axis) -> set[float]:
        """Return the loads at which the means on these axes were measured."""
        return {
            point.load
            for point in self.points
            if all(point.value(axis) is not None for axis in axes)
        }


def curves_of(runs: Sequence[TestRun], figures: Mapping[UUID, Figures]) -> list[Curve]:
    """Part the ranked runs of one sweep into curves; what has one load only is none."""
    loaded = [run for run in runs if run.concurrent_requests or run.request_rate]
    curves = [
        Curve(points=points_of(sorted(group, key=_load_order), figures))
        for group in grouped(loaded, leaving_out=["load"])
    ]
    return [curve for curve in curves if len(curve.loads_with()) > 1]


def points_of(runs: Iterable[TestRun], figures: Mapping[UUID, Figures]) -> tuple[Point, ...]:
    """Return runs with their figures."""
    return tuple(Point(run=run, figures=figures.get(run.pk, {})) for run in runs)


def _load_order(run: TestRun) -> tuple[float, str]:
    return (run.request_rate or run.concurrent_requests or 0, str(run.pk))


def is_ranked(run: TestRun) -> bool:
    """Tell whether a run got to its end and is whole: others stand in no ranking and no curve."""
    return run.status == RunStatus.COMPLETED and run.complete


def grouped(runs: Iterable[TestRun], *, leaving_out: Collection[str]) -> list[list[TestRun]]:
    """Part the ranked runs of one sweep by all that sets runs apart, but for some parts of it.

    Parts are: kind of load, what the load is counted in, the load, lengths (as configured, else
    the real ones), depth, dataset, pattern, batch, power limit, settings, version of the backend.
    """
    ranked = [run for run in runs if is_ranked(run)]
    inputs = length_groups(run.input_tokens for run in ranked)
    outputs = length_groups(run.output_tokens for run in ranked)
    groups: dict[tuple[Any, ...], list[TestRun]] = {}
    for run in ranked:
        parts = {
            "kind": run.load_kind,
            "by_rate": run.request_rate is not None,
            "load": run.request_rate or run.concurrent_requests,
            "input_tokens": run.configured_input_tokens or inputs[run.input_tokens],
            "output_tokens": run.configured_output_tokens or outputs[run.output_tokens],
            "context_depth": run.context_depth,
            "dataset": run.dataset_name,
            "pattern": run.load_pattern,
            "batch": run.batch_size,
            "gpu_power_limit_watts": run.gpu_power_limit_watts,
            "settings": run.configuration.settings_key,
            "version": run.backend_version,
        }
        key = tuple(value for name, value in parts.items() if name not in leaving_out)
        groups.setdefault(key, []).append(run)
    return list(groups.values())


def length_groups(lengths: Iterable[float | None]) -> dict[float | None, float | None]:
    """Return for each length the least of those that are as long, within LENGTH_TOLERANCE."""
    groups: dict[float | None, float | None] = {None: None}
    least = before = 0.0
    for length in sorted({item for item in lengths if item is not None}):
        if length > LENGTH_TOLERANCE * before:
            least = length
        groups[length] = least
        before = length
    return groups


def sweep_runs(sweep_ids: Collection[UUID], this: UUID | None = None) -> QuerySet[TestRun]:
    """Return the published runs of some sweeps, and the run `this` in any state, by load."""
    load = ("context_depth", "concurrent_requests", "request_rate", "input_tokens")
    return (
        TestRun.objects.filter(sweep_id__in=sweep_ids)
        .filter(Q(review_state=ReviewState.PUBLISHED) | Q(pk=this))
        .select_related("configuration")
        .order_by(*(F(name).asc(nulls_first=True) for name in load), "id")
    )


def read_curves(runs: Sequence[TestRun]) -> dict[UUID, Curve]:
    """Return the curve of each run that is a point of one; two queries, none without a sweep."""
    sweeps = {run.sweep_id for run in runs if run.sweep_id}
    if not sweeps:
        return {}
    by_sweep: dict[UUID, list[TestRun]] = {}
    for run in sweep_runs(sweeps)[: MAX_SWEEP_RUNS * len(sweeps)]:
        if run.sweep_id:
            by_sweep.setdefault(run.sweep_id, []).append(run)
    drawn = Q(metric__in=CURVE_METRICS, statistic__in=STATISTICS)
    figures = figures_of({run.pk for found in by_sweep.values() for run in found}, drawn)
    curves = (curve for found in by_sweep.values() for curve in curves_of(found, figures))
    return {point.run.pk: curve for curve in curves for point in curve.points}


def figures_of(run_ids: Collection[UUID], wanted: Q) -> dict[UUID, dict[FigureKey, float]]:
    """Return those figures of some runs that are `wanted`: one query."""
    rows = Measurement.objects.filter(wanted, run_id__in=run_ids)
    figures: dict[UUID, dict[FigureKey, float]] = {run_id: {} for run_id in run_ids}
    names = ("run_id", "metric", "statistic", "definition", "value")
    for run_id, metric, statistic, definition, value in rows.values_list(*names):
        figures[run_id][FigureKey(metric, statistic, definition)] = value
    return figures

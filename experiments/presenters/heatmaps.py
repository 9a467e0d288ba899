"""Speed over two dimensions of a run's sweep as a heatmap, over its depth alone as a curve."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from benchsite.common.exports import Table
from benchsite.common.templatetags.figures import MISSING, count, figure
from experiments.curve_charts import Heat, Trace, curves, heatmap
from experiments.curves import Axis, Curve, Point, grouped, length_groups, points_of
from experiments.detail import RunDetail
from experiments.metrics import METRICS
from experiments.models import TestRun
from experiments.presenters.charts import Chart
from experiments.presenters.curves import axis_title, chart_axis, raw

SECTION = "heatmap"
DEPTH_CHART = "depth"
SPEED = "tokens_per_second"
FEWEST_DEPTHS = 3


@dataclass(frozen=True)
class _Dimension:
    """What may stand on an axis of a heatmap; `part` is its name among the parts of a workload."""

    part: str
    name: str
    unit: str
    read: Callable[[TestRun], float | None]

    @property
    def title(self) -> str:
        """What stands at its axis."""
        return f"{self.name[0].upper()}{self.name[1:]}"

    def label(self, value: float) -> str:
        """Return what stands at a row or a column."""
        return f"{value:,g}"

    def words(self, value: float) -> str:
        """Return a value with its unit."""
        return "1 user" if (value, self.unit) == (1, "users") else f"{value:,g} {self.unit}"


_USERS = _Dimension("load", "concurrent users", "users", lambda run: run.concurrent_requests)
_RATE = _Dimension("load", "requests per second", "req/s", lambda run: run.request_rate)
_DEPTH = _Dimension("context_depth", "context depth", "tokens deep", lambda run: run.context_depth)
_POWER = _Dimension(
    "gpu_power_limit_watts", "power limit in watts", "W", lambda run: run.gpu_power_limit_watts
)
_INPUT = _Dimension(
    "input_tokens",
    "input tokens",
    "tokens in",
    lambda run: run.configured_input_tokens or run.input_tokens,
)
_PAIRS = (
    *((load, other) for other in (_DEPTH, _POWER, _INPUT) for load in (_USERS, _RATE)),
    (_DEPTH, _POWER),
)


@dataclass(frozen=True, kw_only=True)
class HeatmapView:
    """The heatmap of the page with its table: cells as they are written, by row."""

    chart: Chart
    x_title: str
    y_title: str
    heat: Heat

    @property
    def rows(self) -> list[tuple[str, Sequence[str]]]:
        """The rows of the table, the highest value last."""
        return list(zip(self.heat.rows, self.heat.texts, strict=True))


def present_heatmap(detail: RunDetail) -> HeatmapView | None:
    """Lay out the first two dimensions in which runs like this one differ, None where none do."""
    runs = [line.run for line in detail.sweep_lines]
    figures = {line.run.pk: line.figures for line in detail.sweep_lines}
    for across, up in _PAIRS:
        alike = _alike(detail.run, runs, across.part, up.part)
        curve = Curve(points=points_of(alike, figures)) if alike else None
        axis = _speed_axis(curve) if curve else None
        if curve and axis and (heat := _heat(curve.points, axis, across, up)):
            return _heatmap_view(heat, axis, across, up)
    return None


def present_depths(detail: RunDetail) -> Chart | None:
    """Return generation speed by context depth, where runs like this one differ in it alone."""
    runs = [line.run for line in detail.sweep_lines]
    figures = {line.run.pk: line.figures for line in detail.sweep_lines}
    alike = [run for run in _alike(detail.run, runs, _DEPTH.part) if run.context_depth is not None]
    axis = _speed_axis(Curve(points=points_of(alike, figures))) if alike else None
    if axis is None:
        return None
    points = [
        point
        for point in sorted(points_of(alike, figures), key=lambda item: item.run.context_depth or 0)
        if point.value(axis) is not None
    ]
    if len({point.run.context_depth for point in points}) < FEWEST_DEPTHS:
        return None
    unit = METRICS[SPEED].unit
    trace = Trace(
        name="Generation speed",
        slot=0,
        x=[point.run.context_depth for point in points],
        y=[point.value(axis) for point in points],
        words=[
            f"depth {count(point.run.context_depth)}: {raw(point.value(axis))} {unit}"
            for point in points
        ],
    )
    return Chart(
        id="depth-chart",
        figure=curves([trace], x_title="Context depth, tokens", y_title=axis_title(axis)),
        title="Generation speed by context depth",
        note="A point is a run; across is how many tokens were in the KV cache before it.",
        table="sweep",
        file_stem="speed-by-depth",
        axes=[chart_axis(axis, "up, mean")],
    )


def heatmap_file(view: HeatmapView) -> Table:
    """Return the table of the heatmap as it is downloaded."""
    return Table(
        name=SECTION,
        header=(f"{view.y_title} \\ {view.x_title}", *view.heat.columns),
        rows=[
            (name, *values) for name, values in zip(view.heat.rows, view.heat.values, strict=True)
        ],
    )


def _alike(this: TestRun, runs: Sequence[TestRun], *parts: str) -> list[TestRun]:
    """Return the runs that differ from this one in these parts of the workload alone."""
    groups = grouped(runs, leaving_out=parts)
    return next((group for group in groups if any(run.pk == this.pk for run in group)), [])


def _speed_axis(curve: Curve) -> Axis | None:
    """Return the generation speed under the definition that most runs have."""
    found = curve.widest_axis(SPEED)
    return (
        found if found and any(point.value(found) is not None for point in curve.points) else None
    )


def _heat(points: Sequence[Point], axis: Axis, across: _Dimension, up: _Dimension) -> Heat | None:
    """Return the cells, the median of runs that share one; None below two rows and columns."""
    cells: dict[tuple[float, float], list[float]] = {}
    lengths = length_groups(_INPUT.read(point.run) for point in points)

    def place(dimension: _Dimension, run: TestRun) -> float | None:
        value = dimension.read(run)
        return lengths[value] if dimension is _INPUT else value

    for point in points:
        x, y, value = place(across, point.run), place(up, point.run), point.value(axis)
        if x is not None and y is not None and value is not None:
            cells.setdefault((x, y), []).append(value)
    columns, rows = (sorted({key[side] for key in cells}) for side in (0, 1))
    if min(len(columns), len(rows)) < 2:
        return None
    values = [[_median(cells.get((x, y))) for x in columns] for y in rows]
    return Heat(
        columns=[across.label(x) for x in columns],
        rows=[up.label(y) for y in rows],
        values=values,
        texts=[
            [figure(value) if value is not None else MISSING for value in row] for row in values
        ],
        words=[[_words(x, y, cells.get((x, y)), across, up) for x in columns] for y in rows],
    )


def _median(values: Sequence[float] | None) -> float | None:
    return median(values) if values else None


def _words(
    x: float, y: float, values: Sequence[float] | None, across: _Dimension, up: _Dimension
) -> str:
    place = f"{across.words(x)}, {up.words(y)}"
    repeats = f", median of {len(values)} runs" if values and len(values) > 1 else ""
    unit = METRICS[SPEED].unit
    return f"{place}: {raw(median(values))} {unit}{repeats}" if values else f"{place}: not measured"


def _heatmap_view(heat: Heat, axis: Axis, across: _Dimension, up: _Dimension) -> HeatmapView:
    unit = METRICS[SPEED].unit
    return HeatmapView(
        chart=Chart(
            id="heatmap-chart",
            figure=heatmap(heat, x_title=across.title, y_title=up.title, unit=unit),
            title=f"Generation speed by {across.name} and {up.name}",
            note="A cell is a run of the sweep, or the median of several; an empty one was not "
            "measured. All else is the same.",
            table=SECTION,
            file_stem="speed-heatmap",
            axes=[chart_axis(axis, "cells, mean")],
        ),
        x_title=across.title,
        y_title=up.title,
        heat=heat,
    )

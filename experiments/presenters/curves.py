"""The latency–throughput curve of a run's sweep: the chart, its choices and its table."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from benchsite.common.exports import Cell, Table
from benchsite.common.templatetags.figures import aligned, count, figure
from experiments.choices import LoadClass
from experiments.curve_charts import Trace, curves, needs_log
from experiments.curves import (
    LATENCIES,
    STATISTICS,
    THROUGHPUTS,
    Axis,
    Curve,
    Point,
    curves_of,
    is_ranked,
)
from experiments.detail import RunDetail
from experiments.metrics import METRICS
from experiments.models import TestRun
from experiments.presenters.charts import Chart, ChartAxis, ChartSeries
from experiments.presenters.labels import (
    DefinitionLink,
    MetricLink,
    definition_label,
    definition_link,
    load_label,
    metric_link,
)
from experiments.redaction import redact_text

SECTION = "curve"
LOG_NOTE = " The latency axis is logarithmic."


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Something else that the chart can show, and the address that shows it."""

    label: str
    title: str
    href: str
    is_chosen: bool


@dataclass(frozen=True, kw_only=True)
class AxisHead:
    """The head of a column: a metric, its unit and the definition that all its figures have."""

    name: MetricLink
    unit: str
    definition: DefinitionLink | None


@dataclass(frozen=True, kw_only=True)
class CurveRow:
    """A point in the table: its load, throughput and latency by statistic; None = not measured."""

    run: TestRun
    load: str
    is_this: bool
    texts: tuple[str, ...]
    values: tuple[float | None, ...]


@dataclass(frozen=True, kw_only=True)
class OtherCurve:
    """Another curve of the same sweep: what sets it apart, and a run of it to go to."""

    run: TestRun
    words: str
    points: int


@dataclass(frozen=True, kw_only=True)
class CurveView:
    """The section of the page; `left_out` says in sentences what is not drawn, and why."""

    chart: Chart
    choices: tuple[Choice, ...]
    throughput: AxisHead
    latency: AxisHead
    statistics: tuple[str, ...]
    rows: tuple[CurveRow, ...]
    left_out: tuple[str, ...]
    others: tuple[OtherCurve, ...]


def present_curve(detail: RunDetail, asked: str) -> CurveView | None:
    """Lay the curve out that the run is a point of, else the longest of its sweep.

    `asked` is the latency that the address asks for; where the curve lacks it, or it is none, the
    first one that it has is shown. None where no two loads have both throughput and latency.
    """
    runs = [line.run for line in detail.sweep_lines]
    found = curves_of(runs, {line.run.pk: line.figures for line in detail.sweep_lines})
    drawable = [(curve, axes) for curve in found if (axes := axes_of(curve))]
    if not drawable:
        return None
    chosen, (throughput, latencies) = min(
        drawable,
        key=lambda item: (not _holds(item[0], detail.run), -len(item[0].points)),
    )
    latency = next((axis for axis in latencies if axis.metric == asked), latencies[0])
    drawn = [point for point in chosen.points if is_known(point, throughput, latency)]
    statistics = tuple(
        name
        for name in STATISTICS
        if any(point.value(latency, name) is not None for point in drawn)
    )
    return CurveView(
        chart=_chart(drawn, throughput, latency, statistics),
        choices=tuple(_choice(axis, latency) for axis in latencies),
        throughput=axis_head(throughput),
        latency=axis_head(latency, short=True),
        statistics=statistics,
        rows=_rows(drawn, throughput, latency, statistics, detail.run),
        left_out=tuple(_left_out(detail.run, runs, chosen, drawn, throughput, latency)),
        others=tuple(_other(curve, chosen) for curve in found if curve is not chosen),
    )


def axes_of(curve: Curve) -> tuple[Axis, list[Axis]] | None:
    """Return the throughput of a curve and the latencies that stand against it at two loads."""
    for throughput in curve.axes(THROUGHPUTS):
        latencies = [
            axis for axis in curve.axes(LATENCIES) if len(curve.loads_with(throughput, axis)) > 1
        ]
        if latencies:
            return throughput, latencies
    return None


def is_known(point: Point, *axes: Axis, statistic: str = "mean") -> bool:
    """Tell whether a point has its place on all axes; the statistic is that of the last one."""
    *others, last = axes
    return point.value(last, statistic) is not None and all(
        point.value(axis) is not None for axis in others
    )


def axis_head(axis: Axis, *, short: bool = False) -> AxisHead:
    """Return the head of an axis or a column; a `short` one abbreviates the metric."""
    name = MetricLink(label=METRICS[axis.metric].short_label, key=axis.metric)
    return AxisHead(
        name=name if short else metric_link(axis.metric),
        unit=METRICS[axis.metric].unit,
        definition=definition_link(axis.metric, axis.definition),
    )


def chart_axis(axis: Axis, detail: str) -> ChartAxis:
    """Return what the caption says of an axis."""
    head = axis_head(axis)
    return ChartAxis(
        label=head.name.label,
        key=head.name.key,
        detail=f"{detail}, {head.unit}",
        definition=head.definition,
    )


def axis_title(axis: Axis) -> str:
    """Return what stands at an axis of the figure."""
    metric = METRICS[axis.metric]
    return f"{metric.label}, {metric.unit}"


def load_of(run: TestRun) -> str:
    """Return the load of a point: "16 users", "4 req/s"."""
    return load_label(run, LoadClass.UNKNOWN)


def point_label(point: Point) -> str:
    """Return what stands at a point: "16" users, "4/s"."""
    return f"{point.load:g}/s" if point.run.request_rate else f"{point.load:,g}"


def point_words(point: Point, throughput: Axis, latency: Axis, statistic: str) -> str:
    """Return a point in full, with the figures as they were measured."""
    across, up = METRICS[throughput.metric], METRICS[latency.metric]
    return (
        f"{load_of(point.run)}: {raw(point.value(throughput))} {across.unit}; "
        f"{up.short_label} {statistic} {raw(point.value(latency, statistic))} {up.unit}"
    )


def raw(value: float | None) -> str:
    """Write a figure as it was measured, to six digits."""
    return "not known" if value is None else f"{value:,.6g}"


def workload_words(run: TestRun) -> str:
    """Return what all points of a curve share: lengths, depth, pattern, dataset, power limit."""
    lengths = (
        ("in", run.configured_input_tokens, run.input_tokens),
        ("out", run.configured_output_tokens, run.output_tokens),
    )
    parts = [
        f"{count(configured)} tokens {side}"
        if configured is not None
        else f"about {count(float(f'{real:.2g}'))} tokens {side}"
        for side, configured, real in lengths
        if configured is not None or real
    ]
    parts += [f"depth {count(run.context_depth)}"] if run.context_depth else []
    parts += [run.load_pattern] if run.load_pattern else []
    parts += [redact_text(run.dataset_name)] if run.dataset_name else []
    watts = run.gpu_power_limit_watts
    parts += [f"at most {count(watts)} W"] if watts is not None else []
    return " · ".join(parts) or "lengths not stated"


def curve_file(view: CurveView) -> Table:
    """Return the table of the curve as it is downloaded."""
    throughput, latency = view.throughput, view.latency
    return Table(
        name=SECTION,
        header=(
            *("run", "load", f"{throughput.name.key}, {throughput.unit}", "definition"),
            *(f"{latency.name.key} {name}, {latency.unit}" for name in view.statistics),
            f"{latency.name.key} definition",
        ),
        rows=[_file_row(view, row) for row in view.rows],
    )


def _file_row(view: CurveView, row: CurveRow) -> tuple[Cell, ...]:
    first, *others = row.values
    of_throughput, of_latency = view.throughput.definition, view.latency.definition
    return (
        *(row.run.pk, row.load, first, of_throughput.label if of_throughput else None),
        *others,
        of_latency.label if of_latency else None,
    )


def _holds(curve: Curve, run: TestRun) -> bool:
    return any(point.run.pk == run.pk for point in curve.points)


def _chart(
    points: Sequence[Point], throughput: Axis, latency: Axis, statistics: Sequence[str]
) -> Chart:
    traces = [
        Trace(
            name=name,
            slot=STATISTICS.index(name),
            x=[point.value(throughput) for point in points],
            y=[point.value(latency, name) for point in points],
            words=[point_words(point, throughput, latency, name) for point in points],
            labels=[point_label(point) for point in points] if name == statistics[-1] else (),
        )
        for name in statistics
    ]
    unit = "requests per second" if points[0].run.request_rate else "concurrent users"
    is_log = needs_log([value for trace in traces for value in trace.y])
    across, up = METRICS[throughput.metric], METRICS[latency.metric]
    return Chart(
        id="curve-chart",
        figure=curves(traces, x_title=axis_title(throughput), y_title=axis_title(latency)),
        title=f"{across.label} against {up.short_label}",
        note=f"A point is a run, the number at it its load ({unit}); all else is the same: "
        f"{workload_words(points[0].run)}.{LOG_NOTE if is_log else ''}",
        table=SECTION,
        file_stem=f"curve-{latency.metric}",
        axes=[chart_axis(throughput, "across, mean"), chart_axis(latency, "up")],
        legend=[ChartSeries(name, "", STATISTICS.index(name) + 1) for name in statistics],
    )


def _choice(axis: Axis, chosen: Axis) -> Choice:
    metric = METRICS[axis.metric]
    return Choice(
        label=metric.short_label,
        title=metric.label,
        href=f"?{urlencode({'latency': axis.metric})}#{SECTION}",
        is_chosen=axis == chosen,
    )


def _rows(
    points: Sequence[Point],
    throughput: Axis,
    latency: Axis,
    statistics: Sequence[str],
    this: TestRun,
) -> tuple[CurveRow, ...]:
    columns = [[point.value(throughput) for point in points]]
    columns += [[point.value(latency, name) for point in points] for name in statistics]
    texts = [aligned([figure(value) for value in column]) for column in columns]
    return tuple(
        CurveRow(
            run=point.run,
            load=load_of(point.run),
            is_this=point.run.pk == this.pk,
            texts=tuple(column[place] for column in texts),
            values=tuple(column[place] for column in columns),
        )
        for place, point in enumerate(points)
    )


def _left_out(
    this: TestRun,
    runs: Sequence[TestRun],
    curve: Curve,
    drawn: Sequence[Point],
    throughput: Axis,
    latency: Axis,
) -> list[str]:
    """Say what of the sweep is not drawn."""
    sentences = []
    if not _holds(curve, this):
        sentences.append("This run is no point of it: nothing of its sweep differs in load alone.")
    if unlike := len(curve.points) - len(drawn):
        names = " and ".join(
            f"{METRICS[axis.metric].short_label} as “"
            f"{definition_label(axis.metric, axis.definition)}”"
            for axis in (throughput, latency)
        )
        sentences.append(f"{_runs(unlike)} left out: without {names}.")
    if failed := sum(not is_ranked(run) for run in runs):
        sentences.append(f"{_runs(failed)} left out: not completed, or partial.")
    return sentences


def _runs(number: int) -> str:
    return f"{number} run{'s are' if number > 1 else ' is'}"


def _other(curve: Curve, chosen: Curve) -> OtherCurve:
    kind = curve.run.get_load_kind_display() if curve.run.load_kind else "kind of load not stated"
    differs = curve.run.load_kind != chosen.run.load_kind
    words = workload_words(curve.run)
    return OtherCurve(
        run=curve.run,
        words=f"{kind} · {words}" if differs else words,
        points=len(curve.points),
    )

"""The sweeps of compared runs over each other, in the runs' colours: on one axis only what fits."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from benchsite.common.exports import Cell, Table
from benchsite.common.templatetags.figures import aligned, figure
from experiments.choices import LoadKind
from experiments.comparison_form import ComparisonState
from experiments.curve_charts import Trace, curves, needs_log
from experiments.curves import LATENCIES, STATISTICS, THROUGHPUTS, Axis, Curve, Point
from experiments.metrics import METRICS
from experiments.models import TestRun
from experiments.presenters.charts import Chart, ChartSeries
from experiments.presenters.curves import (
    LOG_NOTE,
    AxisHead,
    Choice,
    axis_head,
    axis_title,
    chart_axis,
    is_known,
    load_of,
    point_label,
    point_words,
    workload_words,
)
from experiments.presenters.labels import definition_label

SECTION = "curves"


@dataclass(frozen=True, kw_only=True)
class ComparedRow:
    """A point in the table; `is_this` marks the run that is compared."""

    trace: ChartSeries
    run: TestRun
    load: str
    is_this: bool
    texts: tuple[str, ...]
    values: tuple[float | None, ...]


@dataclass(frozen=True, kw_only=True)
class ComparedCurves:
    """The section of the page; `heads` are throughput and latency, shown as `statistic`."""

    chart: Chart
    latencies: tuple[Choice, ...]
    statistics: tuple[Choice, ...]
    statistic: str
    heads: tuple[AxisHead, AxisHead]
    rows: tuple[ComparedRow, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _Sweep:
    """The curve that a compared run is a point of."""

    trace: ChartSeries
    this: TestRun
    curve: Curve

    def points(self, *axes: Axis, statistic: str = "mean") -> list[Point]:
        return [point for point in self.curve.points if is_known(point, *axes, statistic=statistic)]

    def fits(self, *axes: Axis) -> bool:
        """Whether two of its loads have their place on these axes."""
        return len({point.load for point in self.points(*axes)}) > 1


def compare_curves(
    runs: Sequence[tuple[ChartSeries, TestRun]], found: Mapping[UUID, Curve], state: ComparisonState
) -> ComparedCurves | None:
    """Lay the sweeps of two runs or more over each other; None where fewer have one.

    All share the kind of load and the definitions of both axes: those that most sweeps have. What
    does not fit is left out, and `left_out` says which and why.
    """
    sweeps, left_out = _distinct_sweeps(runs, found)
    sweeps, sentences = _of_one_kind(sweeps)
    left_out += sentences
    axes = _axes(sweeps, state.latency)
    if axes is None:
        return None
    throughput, latency, latencies = axes
    drawn = [sweep for sweep in sweeps if sweep.fits(throughput, latency)]
    left_out += [
        f"{sweep.trace.letter} is left out: its sweep lacks {_named(throughput)} or "
        f"{_named(latency)}."
        for sweep in sweeps
        if sweep not in drawn
    ]
    statistics = _statistics(drawn, latency)
    statistic = state.statistic if state.statistic in statistics else statistics[0]
    return ComparedCurves(
        chart=_chart(drawn, throughput, latency, statistic),
        latencies=tuple(
            _choice(METRICS[axis.metric].short_label, axis == latency, state, latency=axis.metric)
            for axis in latencies
        ),
        statistics=tuple(
            _choice(name, name == statistic, state, statistic=name) for name in statistics
        ),
        statistic=statistic,
        heads=(axis_head(throughput), axis_head(latency)),
        rows=tuple(_rows(drawn, throughput, latency, statistic)),
        left_out=tuple(left_out),
    )


def _distinct_sweeps(
    runs: Sequence[tuple[ChartSeries, TestRun]], found: Mapping[UUID, Curve]
) -> tuple[list[_Sweep], list[str]]:
    """Return the sweeps of the runs, each once, and what is said of the others."""
    sweeps: list[_Sweep] = []
    sentences = []
    for trace, run in runs:
        curve = found.get(run.pk)
        same = next((sweep for sweep in sweeps if sweep.curve is curve), None)
        if curve is None:
            sentences.append(
                f"{trace.letter} has no curve: nothing in a sweep of it differs in load alone."
            )
        elif same:
            sentences.append(f"{trace.letter} is a point of the same curve as {same.trace.letter}.")
        else:
            sweeps.append(_Sweep(trace=trace, this=run, curve=curve))
    return sweeps, sentences


def _of_one_kind(sweeps: Sequence[_Sweep]) -> tuple[list[_Sweep], list[str]]:
    """Keep the sweeps of the kind of load that most have: others measure something else."""
    counted = Counter(sweep.this.load_kind for sweep in sweeps)
    kind = max(counted, key=lambda item: counted[item], default=None)
    kept = [sweep for sweep in sweeps if sweep.this.load_kind == kind]
    return kept, [
        f"{sweep.trace.letter} is left out: measured as {_kind(sweep.this.load_kind)}, "
        f"the others as {_kind(kind)}."
        for sweep in sweeps
        if sweep not in kept
    ]


def _kind(kind: str | None) -> str:
    return f"“{LoadKind(kind).label}”" if kind else "nothing states how"


def _axes(sweeps: Sequence[_Sweep], asked: str) -> tuple[Axis, Axis, list[Axis]] | None:
    """Return throughput, latency and the latencies to choose from; None if no two sweeps fit.

    Of each metric that is the definition under which most sweeps can be drawn.
    """
    for throughput in _shared(sweeps, THROUGHPUTS):
        latencies = [
            axis
            for metric in LATENCIES
            for axis in _shared(sweeps, [metric], beside=throughput)[:1]
        ]
        if latencies:
            chosen = next((axis for axis in latencies if axis.metric == asked), latencies[0])
            return throughput, chosen, latencies
    return None


def _shared(
    sweeps: Sequence[_Sweep], metrics: Sequence[str], *, beside: Axis | None = None
) -> list[Axis]:
    """Return the axes on which two sweeps or more fit, by metric, those of most sweeps first."""
    others = [beside] if beside else []
    counted: Counter[Axis] = Counter()
    for sweep in sweeps:
        counted.update(
            axis for axis in sweep.curve.every_axis(metrics) if sweep.fits(*others, axis)
        )
    order = {metric: place for place, metric in enumerate(metrics)}
    fitting = [axis for axis, number in counted.items() if number > 1]
    return sorted(fitting, key=lambda axis: (order[axis.metric], -counted[axis]))


def _statistics(sweeps: Sequence[_Sweep], latency: Axis) -> list[str]:
    """Return the statistics that two sweeps or more have of the latency."""
    having = {
        name: sum(
            any(point.value(latency, name) is not None for point in sweep.curve.points)
            for sweep in sweeps
        )
        for name in STATISTICS
    }
    return [name for name, number in having.items() if number > 1]


def _chart(sweeps: Sequence[_Sweep], throughput: Axis, latency: Axis, statistic: str) -> Chart:
    traces = []
    for sweep in sweeps:
        points = sweep.points(throughput, latency, statistic=statistic)
        traces.append(
            Trace(
                name=str(sweep.trace),
                slot=sweep.trace.slot,
                x=[point.value(throughput) for point in points],
                y=[point.value(latency, statistic) for point in points],
                words=[
                    f"{sweep.trace.letter}: {point_words(point, throughput, latency, statistic)}"
                    for point in points
                ],
                labels=[point_label(point) for point in points],
            )
        )
    is_log = needs_log([value for trace in traces for value in trace.y])
    workloads = {sweep.trace.letter: workload_words(sweep.curve.run) for sweep in sweeps}
    across, up = METRICS[throughput.metric], METRICS[latency.metric]
    return Chart(
        id="curves-chart",
        figure=curves(traces, x_title=axis_title(throughput), y_title=axis_title(latency)),
        title=f"{across.label} against {up.short_label}",
        note="A point is a run of the sweep, the number at it its load: concurrent users, or with "
        f"“/s” requests per second. {_workload_note(workloads)}{LOG_NOTE if is_log else ''}",
        table=SECTION,
        file_stem=f"curves-{latency.metric}-{statistic}",
        axes=[chart_axis(throughput, "across, mean"), chart_axis(latency, f"up, {statistic}")],
        legend=[sweep.trace for sweep in sweeps],
    )


def _workload_note(workloads: Mapping[str, str]) -> str:
    """Say what the sweeps share, or that their workloads differ."""
    if len(set(workloads.values())) == 1:
        return f"All: {next(iter(workloads.values()))}."
    each = "; ".join(f"{letter}: {words}" for letter, words in workloads.items())
    return f"Their workloads differ, so compare with care: {each}."


def _rows(
    sweeps: Sequence[_Sweep], throughput: Axis, latency: Axis, statistic: str
) -> Iterator[ComparedRow]:
    points = [
        (sweep, point)
        for sweep in sweeps
        for point in sweep.points(throughput, latency, statistic=statistic)
    ]
    columns = (
        [point.value(throughput) for _sweep, point in points],
        [point.value(latency, statistic) for _sweep, point in points],
    )
    texts = [aligned([figure(value) for value in column]) for column in columns]
    for place, (sweep, point) in enumerate(points):
        yield ComparedRow(
            trace=sweep.trace,
            run=point.run,
            load=load_of(point.run),
            is_this=point.run.pk == sweep.this.pk,
            texts=tuple(column[place] for column in texts),
            values=tuple(column[place] for column in columns),
        )


def _named(axis: Axis) -> str:
    name = METRICS[axis.metric].label[0].lower() + METRICS[axis.metric].label[1:]
    return f"{name} as “{definition_label(axis.metric, axis.definition)}”"


def _choice(label: str, is_chosen: bool, state: ComparisonState, **change: str) -> Choice:
    return Choice(
        label=label,
        title="",
        href=f"{replace(state, **change).address}#{SECTION}",  # type: ignore[arg-type]
        is_chosen=is_chosen,
    )


def curves_file(view: ComparedCurves) -> Table:
    """Return the table of the curves as it is downloaded."""
    throughput, latency = view.heads
    return Table(
        name=SECTION,
        header=(
            *("sweep", "run", "load", f"{throughput.name.key}, {throughput.unit}", "definition"),
            *(f"{latency.name.key} {view.statistic}, {latency.unit}", "latency definition"),
        ),
        rows=[_file_row(row, throughput, latency) for row in view.rows],
    )


def _file_row(row: ComparedRow, throughput: AxisHead, latency: AxisHead) -> tuple[Cell, ...]:
    across, up = row.values
    return (
        *(str(row.trace), row.run.pk, row.load),
        *(across, throughput.definition.label if throughput.definition else None),
        *(up, latency.definition.label if latency.definition else None),
    )

"""The charts of a comparison: quality by category, and performance in percent of the best."""

from collections.abc import Sequence

from benchsite.common.templatetags.figures import figure, plus_minus
from experiments.charts import MIN_RADAR_AXES, Series, bars, radar, share_of_best
from experiments.comparability import Verdict
from experiments.comparison import Comparison, MetricRow
from experiments.presenters.charts import Chart, ChartAxis, ChartSeries
from experiments.presenters.labels import definition_link, metric_link, scale_of

_ALL_CONDITIONAL = ", all of them under conditions"


def quality_chart(comparison: Comparison, traces: Sequence[ChartSeries]) -> Chart | None:
    """Return a radar of the chosen benchmark's categories, or of the first one that has enough.

    Scores of different protocols never share its axes.
    """
    rows: dict[int, list[int]] = {}
    for index, row in enumerate(comparison.category_rows):
        if comparison.comparability.scores.get(row.benchmark.slug) != Verdict.NOT_COMPARABLE:
            rows.setdefault(row.benchmark.pk, []).append(index)
    enough = {pk: found for pk, found in rows.items() if len(found) >= MIN_RADAR_AXES}
    if not enough:
        return None
    chosen = comparison.benchmark.pk if comparison.benchmark else None
    found = enough.get(chosen) if chosen in enough else next(iter(enough.values()))
    shown = [comparison.category_rows[index] for index in found or ()]
    benchmark = shown[0].benchmark
    scale = scale_of(benchmark)
    series = [
        Series(str(trace), scores, [figure(score) for score in scores], trace.slot)
        for trace, scores in zip(
            traces, zip(*(row.scores for row in shown), strict=True), strict=True
        )
    ]
    on_scale = f"on a scale of {scale[0]:g} to {scale[1]:g}" if scale else "on an open scale"
    return Chart(
        id="quality-chart",
        figure=radar(series, [row.name for row in shown], scale=scale),
        title=f"{benchmark.name} by category",
        note=f"Scores {on_scale}{_protocol(comparison, benchmark.pk)}; "
        "a gap is a score that is not known.",
        table="quality",
        file_stem=f"comparison-{benchmark.slug}",
        legend=traces,
    )


def _protocol(comparison: Comparison, benchmark_pk: int) -> str:
    """Return under which protocol the scores of a benchmark were taken, "" where not in one."""
    row = next(row for row in comparison.score_rows if row.benchmark.pk == benchmark_pk)
    protocols = {score.protocol_key for score in row.scores if score}
    return f", protocol “{protocols.pop()}”" if len(protocols) == 1 else ""


def performance_chart(rows: Sequence[MetricRow], traces: Sequence[ChartSeries]) -> Chart | None:
    """Return the comparable metrics as shares of the best run: a radar, or bars below three.

    One row a metric stands for it: the mean, where it was measured.
    """
    by_metric: dict[str, MetricRow] = {}
    for row in rows:
        if row.may_rank:
            by_metric.setdefault(row.metric, row)
    if not by_metric:
        return None
    chosen = list(by_metric.values())
    shares = [
        share_of_best(row.values, higher_is_better=bool(row.higher_is_better)) for row in chosen
    ]
    series = [
        Series(
            str(trace),
            [share[index] for share in shares],
            [_with_unit(row, index) for row in chosen],
            trace.slot,
            trace.letter,
        )
        for index, trace in enumerate(traces)
    ]
    axes = [row.label for row in chosen]
    all_conditional = all(row.verdict == Verdict.CONDITIONAL for row in chosen)
    drawn = (
        radar(series, axes, scale=(0, 100))
        if len(axes) >= MIN_RADAR_AXES
        else bars(series, axes, unit="% of the best run")
    )
    return Chart(
        id="performance-chart",
        figure=drawn,
        title="Performance in percent of the best run",
        note="100 is best, also where lower values are better; only comparable metrics"
        f"{_ALL_CONDITIONAL if all_conditional else ''}; a gap is a value that is not known.",
        table="metrics",
        file_stem="comparison-performance",
        axes=[_axis(row, tell_verdict=not all_conditional) for row in chosen],
        legend=traces,
    )


def _axis(row: MetricRow, *, tell_verdict: bool) -> ChartAxis:
    name = metric_link(row.metric)
    stated = next(
        (item for item, value in zip(row.definitions, row.values, strict=True) if value is not None)
    )
    parts = [row.statistic, row.unit]
    if tell_verdict and row.verdict == Verdict.CONDITIONAL:
        parts.append("comparable under conditions")
    return ChartAxis(
        label=name.label,
        key=name.key,
        detail=", ".join(parts),
        definition=definition_link(row.metric, stated),
    )


def _with_unit(row: MetricRow, index: int) -> str:
    value = row.values[index]
    shown = plus_minus(value, row.spreads[index])
    return shown if value is None else f"{shown} {row.unit}"

"""The components of the pages on one page, for those who work on them."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from experiments.charts import Series, bars, radar
from experiments.curve_charts import Heat, Trace, curves, heatmap
from experiments.presenters.charts import Chart, ChartAxis, ChartSeries


@require_safe
def patterns(request: HttpRequest) -> HttpResponse:
    """Show every component; there only with DEBUG."""
    if not settings.DEBUG:
        raise Http404
    series = [Series("First", [80, 60, 40, 70]), Series("Second, with a gap", [50, None, 90, 60])]
    axes = ["law", "physics", "history", "a category of a long name"]
    drawn = {
        "A radar with a gap": radar(series, axes),
        "Bars with an empty place": bars(series, axes, unit="%"),
        "Curves with points named by their load": curves(
            [_trace("First", 0, 1.0), _trace("Second", 1, 2.5)],
            x_title="Generation speed, tok/s",
            y_title="Time to first token, ms",
        ),
        "A heatmap with an empty cell": heatmap(
            Heat(
                columns=["1", "8"],
                rows=["0", "4,096"],
                values=[[50, 300], [40, None]],
                texts=[["50.0", "300.0"], ["40.0", "–"]],
                words=[["50 tok/s", "300 tok/s"], ["40 tok/s", "not measured"]],
            ),
            x_title="Concurrent users",
            y_title="Context depth",
            unit="tok/s",
        ),
    }
    charts = [
        Chart(
            id=f"chart-{number}",
            figure=figure,
            title=title,
            note="What is measured, and under which definition.",
            table="patterns-table",
            file_stem="example",
            axes=[ChartAxis(label="TTFT", detail="mean, ms", key="ttft_ms")],
            legend=[ChartSeries("A", "First", 1), ChartSeries("B", "Second, with a gap", 2)],
        )
        for number, (title, figure) in enumerate(drawn.items())
    ]
    return render(request, "experiments/patterns.html", {"charts": charts})


def _trace(name: str, slot: int, latency: float) -> Trace:
    loads = (1, 4, 16)
    return Trace(
        name=name,
        slot=slot,
        x=[50 * load**0.8 for load in loads],
        y=[latency * (20 + 3 * load) for load in loads],
        words=[f"{load} users" for load in loads],
        labels=[str(load) for load in loads],
    )

"""The components of the pages on one page, for those who work on them."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from experiments.charts import Series, bars, radar
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

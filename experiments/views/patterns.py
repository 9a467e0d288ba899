"""The components of the pages on one page, for those who work on them."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from experiments.charts import Series, bars, radar


@require_safe
def patterns(request: HttpRequest) -> HttpResponse:
    """Show every component; there only with DEBUG."""
    if not settings.DEBUG:
        raise Http404
    series = [Series("First", [80, 60, 40, 70]), Series("Second, with a gap", [50, None, 90, 60])]
    axes = ["law", "physics", "history", "a category of a long name"]
    context = {"radar": radar(series, axes), "bars": bars(series, axes, unit="%")}
    return render(request, "experiments/patterns.html", context)

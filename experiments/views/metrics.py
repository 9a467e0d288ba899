"""What the metrics mean: all of them by group, and a page for each."""

from itertools import groupby

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from experiments.metrics import METRICS, MetricGroup, aliases_of

_ORDER = list(MetricGroup)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """List every metric of the registry by its group."""
    known = sorted(METRICS.values(), key=lambda metric: _ORDER.index(metric.group))
    groups = [(group.value, list(found)) for group, found in groupby(known, lambda m: m.group)]
    return render(request, "experiments/metrics.html", {"groups": groups})


@require_safe
def metric(request: HttpRequest, key: str) -> HttpResponse:
    """Explain one metric: what is measured, and how tools compute it."""
    found = METRICS.get(key)
    if found is None:
        raise Http404(f"No metric is called “{key}”.")
    beside = [item for item in METRICS.values() if item.group == found.group and item is not found]
    context = {"metric": found, "aliases": aliases_of(key), "beside": beside}
    return render(request, "experiments/metric.html", context)

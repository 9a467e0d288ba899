"""What the metrics mean: all of them by group, and a page for each."""

from itertools import groupby

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from benchsite.common.exports import Table
from experiments.metrics import METRICS, MetricGroup, aliases_of
from experiments.metrics.model import Metric
from experiments.views.exports import table_file, wants_file

_ORDER = list(MetricGroup)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """List every metric of the registry by its group."""
    known = sorted(METRICS.values(), key=lambda metric: _ORDER.index(metric.group))
    if wants_file(request):
        return table_file(request, [_metrics_table(known)], stem="benchsite")
    groups = [(group.value, list(found)) for group, found in groupby(known, lambda m: m.group)]
    return render(request, "experiments/metrics.html", {"groups": groups})


@require_safe
def metric(request: HttpRequest, key: str) -> HttpResponse:
    """Explain one metric: what is measured, and how tools compute it."""
    found = METRICS.get(key)
    if found is None:
        raise Http404(f"No metric is called “{key}”.")
    if wants_file(request):
        return table_file(request, [_definitions_table(found)], stem=found.key)
    beside = [item for item in METRICS.values() if item.group == found.group and item is not found]
    context = {"metric": found, "aliases": aliases_of(key), "beside": beside}
    return render(request, "experiments/metric.html", context)


def _metrics_table(metrics: list[Metric]) -> Table:
    return Table(
        name="metrics",
        header=("group", "key", "metric", "measures", "unit", "higher_is_better", "definitions"),
        rows=[
            (
                *(item.group.value, item.key, item.label, item.measures, item.unit),
                *(item.higher_is_better, ", ".join(way.label for way in item.definitions) or None),
            )
            for item in metrics
        ],
    )


def _definitions_table(metric: Metric) -> Table:
    return Table(
        name="definitions",
        header=("metric", "definition", "formula", "id", "source"),
        rows=[
            (metric.key, item.label, item.formula, item.id, item.source)
            for item in metric.definitions
        ],
    )

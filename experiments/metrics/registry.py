"""The metric registry: the one place that says what each metric means."""

from experiments.metrics.latency import LATENCY_METRICS
from experiments.metrics.model import Metric
from experiments.metrics.resources import RESOURCE_METRICS
from experiments.metrics.throughput import THROUGHPUT_METRICS

METRICS: dict[str, Metric] = {
    metric.key: metric for metric in (*THROUGHPUT_METRICS, *LATENCY_METRICS, *RESOURCE_METRICS)
}


def definition_rank(metric: str, definition: str | None) -> int:
    """Return the place of a definition in its metric: under several, the least stands for it."""
    found = METRICS.get(metric)
    order = [item.id for item in found.definitions] if found else []
    return order.index(definition) if definition in order else len(order)


def definitions_in_order() -> list[str]:
    """Return "metric:definition" of all, those that stand for a metric before special ones."""
    return [f"{key}:{item.id}" for key, metric in METRICS.items() for item in metric.definitions]


def get_metric(key: str) -> Metric | None:
    """Return the metric with this key, or None for one that the registry does not know."""
    return METRICS.get(key)


def metric_label(key: str) -> str:
    """Return the label of a metric; an unknown one is shown by the name it came with."""
    metric = METRICS.get(key)
    return metric.label if metric else key

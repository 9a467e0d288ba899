"""The metric registry: the one place that says what each metric means."""

from experiments.metrics.latency import LATENCY_METRICS
from experiments.metrics.model import Metric
from experiments.metrics.resources import RESOURCE_METRICS
from experiments.metrics.throughput import THROUGHPUT_METRICS

METRICS: dict[str, Metric] = {
    metric.key: metric for metric in (*THROUGHPUT_METRICS, *LATENCY_METRICS, *RESOURCE_METRICS)
}

_DEFINITION_ORDER = tuple(
    dict.fromkeys(item.id for metric in METRICS.values() for item in metric.definitions)
)


def definition_order() -> tuple[str, ...]:
    """Return the ids of all definitions, those that stand for a metric before special ones."""
    return _DEFINITION_ORDER


def definition_rank(definition: str | None) -> int:
    """Return the place of a definition: where a run has a metric under several, the least leads."""
    order = _DEFINITION_ORDER
    return order.index(definition) if definition in order else len(order)


def get_metric(key: str) -> Metric | None:
    """Return the metric with this key, or None for one that the registry does not know."""
    return METRICS.get(key)


def metric_label(key: str) -> str:
    """Return the label of a metric; an unknown one is shown by the name it came with."""
    metric = METRICS.get(key)
    return metric.label if metric else key

"""What each metric is: label, unit, direction and the definitions that tools use (no Django)."""

from experiments.metrics.model import Definition, Metric, MetricGroup
from experiments.metrics.names import MetricName, aliases_of, parse_metric_name
from experiments.metrics.registry import (
    METRICS,
    definition_rank,
    definitions_in_order,
    get_metric,
    metric_label,
)
from experiments.metrics.units import UnitError, convert, factor_between

__all__ = [
    "METRICS",
    "Definition",
    "Metric",
    "MetricGroup",
    "MetricName",
    "UnitError",
    "aliases_of",
    "convert",
    "definition_rank",
    "definitions_in_order",
    "factor_between",
    "get_metric",
    "metric_label",
    "parse_metric_name",
]

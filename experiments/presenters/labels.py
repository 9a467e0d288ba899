"""The words for metrics, definitions and loads that several pages use."""

from dataclasses import dataclass

from benchmarks.models import Benchmark
from benchsite.common.templatetags.figures import figure_with_spread
from experiments.choices import LoadClass
from experiments.grid import ConfigurationRow
from experiments.metrics import METRICS, Definition, get_metric, metric_label
from experiments.models import Configuration, Measurement, TestRun

NOT_STATED = "definition not stated"


@dataclass(frozen=True, kw_only=True)
class MetricLink:
    """The label of a metric; `key` leads to its page, "" where the registry does not know it."""

    label: str
    key: str


@dataclass(frozen=True, kw_only=True)
class DefinitionLink:
    """The short name of a definition; `metric` and `id` lead to it, "" where none is stated."""

    label: str
    metric: str
    id: str
    formula: str


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A headline figure: its definition belongs to it wherever it is shown.

    `spread` is the standard deviation of the `sample_count` samples that `value` is the mean of.
    """

    label: str
    value: float | None
    unit: str
    definition: str = ""
    formula: str = ""
    metric: str = ""
    link: DefinitionLink | None = None
    spread: float | None = None
    sample_count: int | None = None

    @property
    def text(self) -> str:
        """The value as it is written: to the digit of its spread, where that is known."""
        return figure_with_spread(self.value, self.spread)[0]

    @property
    def spread_text(self) -> str:
        """The spread as it is written, "" where it is not known."""
        return figure_with_spread(self.value, self.spread)[1]


def definition_of(metric: str, definition_id: str | None) -> Definition | None:
    """Return the registry's definition of a metric, None where it is not stated or not known."""
    known = get_metric(metric)
    return known.definition(definition_id) if known else None


def definition_label(metric: str, definition_id: str | None) -> str:
    """Return the short name of a definition; one of an unknown id is shown by the id."""
    definition = definition_of(metric, definition_id)
    return definition.label if definition else definition_id or NOT_STATED


def definition_title(metric: str, definition_id: str | None) -> str:
    """Return the formula of a definition, "" where there is none to tell."""
    definition = definition_of(metric, definition_id)
    return definition.formula if definition else ""


def metric_link(metric: str) -> MetricLink:
    """Return the label of a metric with the key of its page, if it has one."""
    return MetricLink(label=metric_label(metric), key=metric if get_metric(metric) else "")


def definition_link(metric: str, definition_id: str | None) -> DefinitionLink | None:
    """Return a definition with the place that explains it, None for a metric without a choice."""
    known = get_metric(metric)
    if definition_id is None and not (known and known.definitions):
        return None
    definition = definition_of(metric, definition_id)
    return DefinitionLink(
        label=definition_label(metric, definition_id),
        metric=metric if definition else "",
        id=definition.id if definition else "",
        formula=definition.formula if definition else "",
    )


def load_label(run: TestRun | ConfigurationRow | None, load_class: str) -> str:
    """Return under which load a run stood: "1 user", "32 users", "4 req/s", "load unknown"."""
    if run and run.concurrent_requests:
        return f"{run.concurrent_requests:,} user{'s' if run.concurrent_requests > 1 else ''}"
    if run and run.request_rate:
        return f"{run.request_rate:g} req/s"
    return LoadClass(load_class).label


def backend_label(backend: str, version: str | None) -> str:
    """Return a backend with its version, if that is known."""
    return f"{backend} {version}" if version else backend


def quantity(metric: str, item: Measurement | None, *, spread: float | None = None) -> Quantity:
    """Return a measurement of a registered metric as a quantity; None = not measured."""
    known = METRICS[metric]
    return Quantity(
        label=known.label,
        value=item.value if item else None,
        unit=known.unit,
        definition=definition_label(metric, item.definition) if item and known.definitions else "",
        formula=definition_title(metric, item.definition) if item else "",
        metric=metric,
        link=definition_link(metric, item.definition) if item else None,
        spread=spread,
        sample_count=item.sample_count if item else None,
    )


def configuration_speed(item: Configuration) -> Quantity:
    """Return the generation speed of a configuration with its definition."""
    metric, definition = "tokens_per_second", item.tokens_per_second_definition
    measured = item.tokens_per_second is not None
    return Quantity(
        label=METRICS[metric].label,
        value=item.tokens_per_second,
        unit=METRICS[metric].unit,
        definition=definition_label(metric, definition) if measured else "",
        formula=definition_title(metric, definition),
        metric=metric,
        link=definition_link(metric, definition) if measured else None,
    )


def scale_of(benchmark: Benchmark) -> tuple[float, float] | None:
    """Return the range of a benchmark's scores, None where it is open or not known."""
    if benchmark.scale_min is None or benchmark.scale_max is None:
        return None
    return (benchmark.scale_min, benchmark.scale_max)

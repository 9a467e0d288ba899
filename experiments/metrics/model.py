"""The shape of a metric's description."""

from dataclasses import dataclass
from enum import StrEnum


class MetricGroup(StrEnum):
    """What a metric speaks of; pages show metrics by group, in this order."""

    THROUGHPUT = "Throughput"
    LATENCY = "Latency"
    MEMORY = "Memory"
    ENERGY = "Energy"
    RELIABILITY = "Reliability"
    OTHER = "Other"


@dataclass(frozen=True, kw_only=True)
class Definition:
    """One way in which tools compute a metric; figures of two definitions are not comparable."""

    id: str
    label: str
    formula: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric: what is measured, in which unit, and which direction is better.

    `plausible` is the closed range (in `unit`) outside of which a value earns a warning;
    where it begins above 0, a value of 0 is none.
    """

    key: str
    label: str
    short_label: str
    unit: str
    higher_is_better: bool
    group: MetricGroup
    measures: str
    plausible: tuple[float, float]
    definitions: tuple[Definition, ...] = ()
    derived: bool = False

    def definition(self, definition_id: str | None) -> Definition | None:
        """Return the definition with this id, or None when it is not known."""
        return next((item for item in self.definitions if item.id == definition_id), None)

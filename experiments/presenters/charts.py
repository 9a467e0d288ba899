"""A chart as pages show it: the figure, and in words what it shows."""

from collections.abc import Sequence
from dataclasses import dataclass

from experiments.charts import Figure
from experiments.presenters.labels import DefinitionLink


@dataclass(frozen=True, kw_only=True)
class ChartAxis:
    """What stands on an axis: a metric (`key` leads to its page), its definition, and the rest."""

    label: str
    detail: str
    key: str = ""
    definition: DefinitionLink | None = None


@dataclass(frozen=True)
class ChartSeries:
    """A trace in the legend: its letter, its name, and the number of its colour and mark."""

    letter: str
    name: str
    series: int

    @property
    def slot(self) -> int:
        """The slot of its colour and mark in figures."""
        return self.series - 1

    def __str__(self) -> str:
        return f"{self.letter}: {self.name}"


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A figure and the sentences that say what it shows; `axes` where each needs a word.

    `legend` names the traces where there are several. `table` is the id of the heading above the
    table that holds the same figures, `file_stem` how the name of a saved picture begins.
    """

    id: str
    figure: Figure
    title: str
    note: str
    table: str
    file_stem: str
    axes: Sequence[ChartAxis] = ()
    legend: Sequence[ChartSeries] = ()

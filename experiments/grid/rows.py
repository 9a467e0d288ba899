"""What the grid answers: rows, their platforms, and what a page is based on."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from benchmarks.models import Benchmark, ModelVariant
from experiments.choices import LoadClass
from experiments.grid.criteria import GridCriteria
from experiments.models import Configuration
from hardware.models import Platform


@dataclass(frozen=True, kw_only=True)
class ModelRow:
    """A row of the grid: a model (and LoRA) with its best configuration, None without runs."""

    key: str
    model_name: str
    lora_adapter: str
    variant: ModelVariant
    best: Configuration | None
    quality_score: float | None
    quality_protocol: str | None
    quality_ranked: bool
    total_platforms: int
    qualifying_platforms: int


@dataclass(frozen=True, kw_only=True)
class PlatformRow:
    """A platform of an expanded row: its configurations that pass the filters, best first."""

    platform: Platform
    configurations: tuple[Configuration, ...]

    @property
    def best(self) -> Configuration:
        """The best configuration on this platform."""
        return self.configurations[0]

    @property
    def total_configs(self) -> int:
        """How many configurations pass the filters here."""
        return len(self.configurations)


@dataclass(frozen=True)
class LoadCounts:
    """Models by class of load; `unmeasured` have scores alone and are listed beside every class."""

    measured: Mapping[LoadClass, int]
    unmeasured: int

    @classmethod
    def of(cls, counted: Iterable[tuple[str | None, int]]) -> Self:
        """Sum numbers of models by class of load, None for those without any run."""
        found = dict(counted)
        return cls(
            measured={item: found.get(item, 0) for item in LoadClass},
            unmeasured=found.get(None, 0),
        )

    @property
    def fullest(self) -> LoadClass:
        """The class with most models, the first of equals: what is shown unless one is chosen."""
        return max(LoadClass, key=lambda item: self.measured[item])

    def shown(self, chosen: LoadClass | None) -> int:
        """Return how many rows the grid has under a chosen class, or under the fullest."""
        return self.measured[chosen or self.fullest] + self.unmeasured


@dataclass(frozen=True, kw_only=True)
class GridPage:
    """One page of the grid and what it is based on.

    `load_counts` are the model rows of each load class under the other filters; `load_used` is
    the class shown, `ranking_protocol` the one whose quality scores rank and filter.
    """

    rows: tuple[ModelRow, ...]
    total_count: int
    page: int
    page_count: int
    criteria: GridCriteria
    load_used: LoadClass
    load_counts: LoadCounts
    ranking_protocol: str | None
    speed_definitions: tuple[str, ...]

    @property
    def benchmark(self) -> Benchmark | None:
        """The benchmark whose scores stand in the quality column."""
        return self.criteria.benchmark


def row_key(model_name: str, lora_adapter: str) -> str:
    """Return the short stable key of a model row, fit for DOM ids and query strings."""
    return hashlib.sha256(f"{model_name}\n{lora_adapter}".encode()).hexdigest()[:12]

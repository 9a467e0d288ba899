"""What the grid answers: rows, their platforms, and what a page is based on."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Self
from uuid import UUID

from benchmarks.models import Benchmark
from experiments.choices import LoadClass, MeasuredAs
from experiments.grid.criteria import GridCriteria
from experiments.grid.filters import ANY_KIND

KINDS = (ANY_KIND, *MeasuredAs.values)
"""What load kinds can be asked for, all together first."""
_LOADS_AND_KINDS = [(load_class, kind) for load_class in LoadClass for kind in KINDS]


class ConfigurationRow(NamedTuple):
    """A configuration as the grid shows it, with the names of what was measured and on what.

    Its load is that of its representative run, `run_id`. `quality_ranked` = the score is of the
    protocol that ranks.
    """

    id: int
    variant_id: UUID
    model_name: str
    lora_adapter: str
    quantization: str
    platform_id: UUID
    platform_key: str
    platform_name: str
    platform_category: str | None
    backend: str
    backend_version: str | None
    load_class: str
    load_kind: str
    runs: int
    newest_at: datetime | None
    tokens_per_second: float | None
    tokens_per_second_min: float | None
    tokens_per_second_max: float | None
    tokens_per_second_definition: str | None
    prompt_processing_speed: float | None
    prompt_processing_speed_definition: str | None
    ttft_ms: float | None
    ttft_ms_definition: str | None
    memory_gb: float | None
    gpu_power_watts: float | None
    tokens_per_kwh: float | None
    run_id: UUID
    concurrent_requests: int | None
    request_rate: float | None
    load_pattern: str | None
    context_depth: int | None
    max_context_length: int | None
    input_tokens: float | None
    output_tokens: float | None
    batch_size: int | None
    dataset_name: str | None
    gpu_power_limit_watts: float | None
    quality_score: float | None
    quality_protocol: str | None
    quality_ranked: bool


@dataclass(frozen=True, kw_only=True)
class ConfigurationPage:
    """One page of single configurations and what it is based on, as GridPage tells it."""

    rows: Sequence[ConfigurationRow]
    total_count: int
    load_used: LoadClass
    kind_used: str
    mixes_kinds: bool


@dataclass(frozen=True, kw_only=True)
class ModelRow:
    """A row of the grid: a model (and LoRA) with its best configuration, None without runs.

    Variant, quantization and quality are those of the best, or of the scores that stand alone.
    """

    key: str
    model_name: str
    lora_adapter: str
    variant_id: UUID
    quantization: str
    best: ConfigurationRow | None
    quality_score: float | None
    quality_protocol: str | None
    quality_ranked: bool
    total_platforms: int
    qualifying_platforms: int


@dataclass(frozen=True, kw_only=True)
class PlatformRow:
    """A platform of an expanded row: the best of its configurations that pass the filters.

    `others` are the rest, the best first, where the platform is laid open; `total_configs` is the
    number of them all.
    """

    best: ConfigurationRow
    others: tuple[ConfigurationRow, ...]
    total_configs: int


@dataclass(frozen=True)
class LoadCounts:
    """Models by class of load and by how they were measured, ANY_KIND for all kinds together.

    A model measured in two ways counts once among all kinds. `unmeasured` have scores alone and
    are listed beside every class.
    """

    measured: Mapping[tuple[LoadClass, str], int]
    unmeasured: int

    @classmethod
    def of(cls, counted: Iterable[tuple[str | None, str | None, int]]) -> Self:
        """Gather numbers of models: by class of load (None for those without any run) and kind."""
        found = {(load_class, kind): models for load_class, kind, models in counted}
        return cls(
            measured={place: found.get(place, 0) for place in _LOADS_AND_KINDS},
            unmeasured=found.get((None, ANY_KIND), 0),
        )

    def used(self, criteria: GridCriteria) -> tuple[LoadClass, str]:
        """Return the class and the kind of load that are shown: those asked for, else the fullest.

        That is the class with most models (of the kind asked for), then its kind with most models;
        the first of equals.
        """
        asked = criteria.load_kind or ANY_KIND
        load_class = criteria.load_class or max(
            LoadClass, key=lambda item: self.measured[item, asked]
        )
        return load_class, criteria.load_kind or self.fullest_kind(load_class)

    def fullest_kind(self, load_class: LoadClass) -> str:
        """Return the kind of load that most models of a class were measured under."""
        return max(MeasuredAs, key=lambda item: self.measured[load_class, item]).value

    def kinds_of(self, load_class: LoadClass) -> int:
        """Return under how many kinds of load the models of a class were measured."""
        return sum(self.measured[load_class, item] > 0 for item in MeasuredAs)

    def shown(self, criteria: GridCriteria) -> int:
        """Return how many rows the grid has."""
        return self.measured[self.used(criteria)] + self.unmeasured


@dataclass(frozen=True)
class Range:
    """The least and greatest value that a limit can meet in one class and kind of load.

    Class and kind are None for models without runs.
    """

    filter: str
    load_class: str | None
    kind: str | None
    least: float
    most: float


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Models by class and kind of load under the filters, and for each choice of each of them.

    All choices that have results are there. `platform_names` are by key, in the order of names.
    """

    loads: LoadCounts
    of_choices: Mapping[str, Mapping[str, LoadCounts]]
    platform_names: Mapping[str, str]
    ranges: tuple[Range, ...]


@dataclass(frozen=True, kw_only=True)
class GridPage:
    """One page of the grid and what it is based on.

    `counts` are the model rows of each class and kind of load under the other filters, and what
    choices would leave if that was asked for;
    `load_used` and `kind_used` are those shown (ANY_KIND: all kinds together), `ranking_protocol`
    is the one whose quality scores rank and filter.
    """

    rows: tuple[ModelRow, ...]
    total_count: int
    page: int
    page_count: int
    criteria: GridCriteria
    load_used: LoadClass
    kind_used: str
    counts: Counts
    ranking_protocol: str | None
    speed_definitions: tuple[str, ...]

    @property
    def load_counts(self) -> LoadCounts:
        """The model rows of each class and kind of load."""
        return self.counts.loads

    @property
    def benchmark(self) -> Benchmark | None:
        """The benchmark whose scores stand in the quality column."""
        return self.criteria.benchmark

    @property
    def mixes_kinds(self) -> bool:
        """Whether speeds that were measured under different kinds of load are ranked together."""
        return self.kind_used == ANY_KIND and self.load_counts.kinds_of(self.load_used) > 1


def row_key(model_name: str, lora_adapter: str) -> str:
    """Return the short stable key of a model row, fit for DOM ids and query strings."""
    return hashlib.sha256(f"{model_name}\n{lora_adapter}".encode()).hexdigest()[:12]

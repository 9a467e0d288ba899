"""What can be asked of the grid."""

from dataclasses import dataclass, fields, replace
from typing import Any, Self

from benchmarks.models import Benchmark
from experiments.choices import LoadClass
from experiments.grid.filters import FILTERS, Filter

DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 200


@dataclass(frozen=True)
class SortKey:
    """A column of the grid that rows can be sorted by; `field` is a name on the joined row.

    Where no value is better than another (`higher_is_better` is None), a key orders the page, from
    its first value on, and never decides which configuration stands for a model. By a measured
    figure (`is_figure`), rows without a generation speed come last.
    """

    name: str
    field: str
    higher_is_better: bool | None = None
    is_figure: bool = False


SORT_KEYS: dict[str, SortKey] = {
    key.name: key
    for key in (
        SortKey("quality", "ranked_quality", higher_is_better=True),
        SortKey("speed", "cfg_speed", higher_is_better=True, is_figure=True),
        SortKey("prompt_speed", "cfg_prompt_speed", higher_is_better=True, is_figure=True),
        SortKey("efficiency", "cfg_efficiency", higher_is_better=True, is_figure=True),
        SortKey("memory", "cfg_memory", higher_is_better=False, is_figure=True),
        SortKey("ttft", "cfg_ttft", higher_is_better=False, is_figure=True),
        SortKey("power", "cfg_power", higher_is_better=False, is_figure=True),
        SortKey("name", "name_key"),
        SortKey("quantization", "quantization"),
        SortKey("backend", "cfg_backend"),
        SortKey("platform", "cfg_platform_name"),
        SortKey("runs", "cfg_runs", higher_is_better=True),
        SortKey("when", "cfg_newest_at", higher_is_better=True),
    )
}
DEFAULT_SORT = "speed"


@dataclass(frozen=True, kw_only=True)
class GridCriteria:
    """What a visitor asked of the grid; None or empty = not asked.

    `load_kind` is how speeds were measured: one of MeasuredAs, or ANY_KIND to rank all together.
    """

    benchmark: Benchmark | None = None
    min_quality: float | None = None
    min_speed: float | None = None
    max_memory_gb: float | None = None
    include_unknown: bool = False
    hardware_categories: tuple[str, ...] = ()
    backend: str = ""
    quantization: str = ""
    platform: str = ""
    load_class: LoadClass | None = None
    load_kind: str = ""
    q: str = ""
    sort_by: str = DEFAULT_SORT
    sort_direction: str = ""
    page: int = 1
    page_size: int = DEFAULT_PAGE_SIZE

    @property
    def descending(self) -> bool:
        """Whether high values come first: as asked, else the better ones first."""
        if self.sort_direction:
            return self.sort_direction == "desc"
        return self.better_is_higher(SORT_KEYS[self.sort_by])

    def better_is_higher(self, key: SortKey) -> bool:
        """Whether a higher value of the key is better (perplexity is better when low)."""
        if key.name == "quality" and self.benchmark is not None:
            return self.benchmark.higher_is_better
        return bool(key.higher_is_better)

    @property
    def quality_rises(self) -> bool:
        """Whether a higher score on the benchmark is a better one."""
        return self.better_is_higher(SORT_KEYS["quality"])

    @property
    def filters(self) -> tuple[Filter, ...]:
        """The filters that are set."""
        return tuple(item for name, item in FILTERS.items() if getattr(self, name) != _UNSET[name])

    @property
    def active_filters(self) -> tuple[str, ...]:
        """The names of the filters that are set."""
        return tuple(item.name for item in self.filters)

    def without(self, *names: str) -> Self:
        """Return what would be asked without these filters."""
        return replace(self, **{name: _UNSET[name] for name in names})

    @property
    def needs_configuration(self) -> bool:
        """Whether a filter asks for something that only a measured configuration can have."""
        return any(
            item.needs_run
            and getattr(self, item.name) != item.anything
            and not (item.beside and getattr(self, item.beside))
            for item in self.filters
        )


_UNSET: dict[str, Any] = {field.name: field.default for field in fields(GridCriteria)}

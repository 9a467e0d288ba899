"""The performance grid: one row a model, its best configuration under the filters.

All of it is read from the summary columns of `Configuration`, joined to the current score on the
chosen benchmark: a bounded number of queries whatever the number of rows and runs.
"""

from experiments.grid.counts import choice_counts, counts_without, limit_ranges, read_counts
from experiments.grid.criteria import (
    DEFAULT_PAGE_SIZE,
    DEFAULT_SORT,
    MAX_PAGE_SIZE,
    SORT_KEYS,
    GridCriteria,
    SortKey,
)
from experiments.grid.filters import ANY_KIND, FILTERS, Filter, FilterKind, Where, filters_of
from experiments.grid.pages import configuration_rows, grid_page, platform_rows
from experiments.grid.query import default_among, default_benchmark
from experiments.grid.rows import (
    KINDS,
    ConfigurationPage,
    ConfigurationRow,
    Counts,
    GridPage,
    LoadCounts,
    ModelRow,
    PlatformRow,
    row_key,
)

__all__ = [
    "ANY_KIND",
    "DEFAULT_PAGE_SIZE",
    "DEFAULT_SORT",
    "FILTERS",
    "KINDS",
    "MAX_PAGE_SIZE",
    "SORT_KEYS",
    "ConfigurationPage",
    "ConfigurationRow",
    "Counts",
    "Filter",
    "FilterKind",
    "GridCriteria",
    "GridPage",
    "LoadCounts",
    "ModelRow",
    "PlatformRow",
    "SortKey",
    "Where",
    "choice_counts",
    "configuration_rows",
    "counts_without",
    "default_among",
    "default_benchmark",
    "filters_of",
    "grid_page",
    "limit_ranges",
    "platform_rows",
    "read_counts",
    "row_key",
]

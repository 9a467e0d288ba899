"""The grid page: rows of models, platforms and configurations, its filters and its columns."""

from experiments.presenters.grid.address import FOLLOW, GridState, followed_address
from experiments.presenters.grid.columns import COLUMNS
from experiments.presenters.grid.exports import grid_csv_header, grid_csv_rows, grid_json
from experiments.presenters.grid.filters import benchmark_offer, describe_limits, filter_choices
from experiments.presenters.grid.page import (
    GridView,
    present_grid,
    rows_to_expand,
    unreadable_grid,
)

__all__ = [
    "COLUMNS",
    "FOLLOW",
    "GridState",
    "GridView",
    "benchmark_offer",
    "describe_limits",
    "filter_choices",
    "followed_address",
    "grid_csv_header",
    "grid_csv_rows",
    "grid_json",
    "present_grid",
    "rows_to_expand",
    "unreadable_grid",
]

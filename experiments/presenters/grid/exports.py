"""The grid as data: CSV and JSON of exactly the rows and columns that the page shows."""

from collections.abc import Iterator
from typing import Any

from benchsite.common.exports import Cell
from experiments.presenters.grid.columns import RUN_ID, Field
from experiments.presenters.grid.lines import lines_of
from experiments.presenters.grid.page import GridView


def grid_csv_header(view: GridView) -> tuple[str, ...]:
    """Return the names of the fields of the columns shown."""
    return tuple(name for name, _read in _fields(view))


def grid_csv_rows(view: GridView) -> Iterator[tuple[Cell, ...]]:
    """Return the rows of the page as they stand there, unfolded ones below theirs."""
    fields = _fields(view)
    for line in lines_of(view.lines):
        yield tuple(read(line.facts) for _name, read in fields)


def grid_json(view: GridView) -> dict[str, Any]:
    """Return the same rows by name, with what the page says about them."""
    names = grid_csv_header(view)
    page = view.page
    return {
        "rows": [dict(zip(names, row, strict=True)) for row in grid_csv_rows(view)],
        "total_count": page.total_count,
        "page": page.page,
        "page_count": page.page_count,
        "benchmark": page.benchmark.slug if page.benchmark else None,
        "ranking_protocol": page.ranking_protocol,
        "load_class": page.load_used.value,
        "load_kind": page.kind_used,
        "load_kinds_mixed": page.mixes_kinds,
        "sort_by": page.criteria.sort_by,
        "sort_direction": "desc" if page.criteria.descending else "asc",
        "columns": [column.key for column in view.columns],
    }


def _fields(view: GridView) -> list[Field]:
    """Return the fields in the order of the columns, and the run that each row leads to."""
    return [*(field for column in view.columns for field in column.fields), RUN_ID]

"""Reading a page of the grid, the platforms of its rows, and single configurations."""

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q

from experiments.grid.criteria import GridCriteria
from experiments.grid.filters import ANY_KIND
from experiments.grid.query import GridQuery
from experiments.grid.rows import ConfigurationPage, GridPage, ModelRow, PlatformRow, row_key
from experiments.models import Configuration


def grid_page(criteria: GridCriteria, *, clamp: bool = True) -> GridPage:
    """Return one page of the grid: seven queries at most, whatever the numbers of rows.

    Beyond the last page comes the last one, or with `clamp` off a page without rows.
    """
    grid = GridQuery(criteria)
    models = grid.model_rows()
    total_count = grid.load_counts.shown(criteria)
    page_count = max(1, -(-total_count // criteria.page_size))
    page = min(criteria.page, page_count) if clamp else criteria.page
    start = (page - 1) * criteria.page_size
    found = list(models[start : start + criteria.page_size])
    rows = tuple(grid.present(found))
    definitions = {row.best.tokens_per_second_definition for row in rows if row.best}
    return GridPage(
        rows=rows,
        total_count=total_count,
        page=page,
        page_count=page_count,
        criteria=grid.criteria,
        load_used=grid.load_used,
        kind_used=grid.kind_used,
        load_counts=grid.load_counts,
        ranking_protocol=grid.ranking_protocol,
        speed_definitions=tuple(sorted(name for name in definitions if name)),
    )


def platform_rows(page: GridPage, rows: Sequence[ModelRow]) -> dict[str, tuple[PlatformRow, ...]]:
    """Return the platforms of some rows of a page by row key: one query for all of them."""
    if not rows:
        return {}
    grid = GridQuery(page.criteria, page)
    wanted = reduce(
        or_, (Q(model_name=row.model_name, lora_adapter=row.lora_adapter) for row in rows)
    )
    configurations = grid.configurations(wanted, best_first=True)
    by_row: dict[str, dict[Any, list[Configuration]]] = {row.key: {} for row in rows}
    for item in configurations:
        key = row_key(item.variant.model_name, item.variant.lora_adapter)
        by_row[key].setdefault(item.platform, []).append(item)
    return {
        key: tuple(
            PlatformRow(platform=platform, configurations=tuple(items))
            for platform, items in platforms.items()
        )
        for key, platforms in by_row.items()
    }


def configuration_rows(criteria: GridCriteria) -> ConfigurationPage:
    """Return one page of single configurations under the filters."""
    grid = GridQuery(criteria)
    joined = grid.joined().filter(cfg_pk__isnull=False)
    start = (criteria.page - 1) * criteria.page_size
    ids = grid.in_page_order(joined).values_list("cfg_pk", flat=True)
    page = list(ids[start : start + criteria.page_size])
    found = {item.pk: item for item in grid.configurations(Q(cfg_pk__in=page), best_first=False)}
    any_kind = grid.kind_used == ANY_KIND
    return ConfigurationPage(
        rows=[found[pk] for pk in page],
        total_count=joined.count(),
        load_used=grid.load_used,
        kind_used=grid.kind_used,
        mixes_kinds=any_kind and grid.load_counts.kinds_of(grid.load_used) > 1,
    )

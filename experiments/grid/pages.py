"""Reading a page of the grid, the platforms of its rows, and single configurations."""

from collections.abc import Collection, Sequence
from uuid import UUID

from experiments.grid.criteria import GridCriteria
from experiments.grid.filters import ANY_KIND
from experiments.grid.query import GridQuery
from experiments.grid.rows import (
    ConfigurationPage,
    ConfigurationRow,
    GridPage,
    ModelRow,
    PlatformRow,
    row_key,
)


def grid_page(criteria: GridCriteria, *, clamp: bool = True, choices: bool = True) -> GridPage:
    """Return one page of the grid: two queries.

    Beyond the last page comes the last one, or with `clamp` off a page without rows. `choices` =
    count what each choice of a filter would leave, too.
    """
    grid = GridQuery(criteria, choices=choices)
    total_count = grid.counts.loads.shown(criteria)
    page_count = max(1, -(-total_count // criteria.page_size))
    page = min(criteria.page, page_count) if clamp else criteria.page
    offset = (page - 1) * criteria.page_size
    rows = grid.model_rows(limit=criteria.page_size, offset=offset) if offset < total_count else []
    definitions = {row.best.tokens_per_second_definition for row in rows if row.best}
    return GridPage(
        rows=tuple(rows),
        total_count=total_count,
        page=page,
        page_count=page_count,
        criteria=grid.criteria,
        load_used=grid.load_used,
        kind_used=grid.kind_used,
        counts=grid.counts,
        ranking_protocol=grid.ranking_protocol,
        speed_definitions=tuple(sorted(name for name in definitions if name)),
    )


def platform_rows(
    page: GridPage, rows: Sequence[ModelRow], opened: Collection[str] = ()
) -> dict[str, tuple[PlatformRow, ...]]:
    """Return the platforms of some rows of a page by row key: one query for all of them.

    `opened` are the platforms to list all configurations of, each as `row key.platform key`.
    """
    if not rows:
        return {}
    models = {row.key: (row.model_name, row.lora_adapter) for row in rows}
    parts = (key.partition(".") for key in opened)
    found = GridQuery(page.criteria, page).platforms(
        models.values(), [(*models[key], name) for key, _, name in parts if key in models]
    )
    by_row: dict[str, dict[UUID, list[tuple[ConfigurationRow, int]]]] = {key: {} for key in models}
    for item, total in found:
        key = row_key(item.model_name, item.lora_adapter)
        by_row[key].setdefault(item.platform_id, []).append((item, total))
    return {
        key: tuple(
            PlatformRow(
                best=items[0][0],
                others=tuple(item for item, _total in items[1:]),
                total_configs=items[0][1],
            )
            for items in platforms.values()
        )
        for key, platforms in by_row.items()
    }


def configuration_rows(criteria: GridCriteria) -> ConfigurationPage:
    """Return one page of single configurations under the filters."""
    grid = GridQuery(criteria)
    any_kind = grid.kind_used == ANY_KIND
    return ConfigurationPage(
        rows=grid.configurations(
            limit=criteria.page_size, offset=(criteria.page - 1) * criteria.page_size
        ),
        total_count=grid.count_configurations(),
        load_used=grid.load_used,
        kind_used=grid.kind_used,
        mixes_kinds=any_kind and grid.counts.loads.kinds_of(grid.load_used) > 1,
    )

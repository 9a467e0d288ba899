"""How many models there are: in each class and kind of load, for each choice, without a filter.

A model counts as the grid would list it: under all other filters, in the chosen class and kind of
load, else in those that have most models then. Models are counted as sets, a bit for each: a cell
(one choice of each filter, one class and kind of load) has the set of its models, what a filter
lets through of it is an intersection, and a count is the size of a union of cells. Only limits on
measured figures need a look at the places, or at the configurations, that meet them.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby

from experiments.grid import sql
from experiments.grid.criteria import GridCriteria
from experiments.grid.filters import (
    ANY_KIND,
    Filter,
    FilterKind,
    Level,
    Where,
    all_of,
    filters_of,
    words_wanted,
)
from experiments.grid.rows import KINDS, Counts, GridPage, LoadCounts, Range

CHOICES = {item.name: item for item in filters_of(FilterKind.CHOICE, FilterKind.CHOICES)}
LIMITS = {item.name: item for item in filters_of(FilterKind.LIMIT)}
_OF_VARIANTS = {name: item for name, item in LIMITS.items() if item.level == Level.VARIANT}
_OF_RUNS = {name: item for name, item in LIMITS.items() if item.level != Level.VARIANT}
_LOADS = ""  # in the place of a filter's name
_RANGE = "range of "

_CELL = "platform_id, backend, load_class, load_kind, quantization"
# Cells may have been written when there were fewer models: the later ones are not in them.
_CELLS = """
size AS (SELECT coalesce(max(id), 1) AS models FROM experiments_gridmodel),
cells AS (
    SELECT cell.load_class AS cfg_load, cell.load_kind AS cfg_kind, cell.backend AS cfg_backend,
        cell.quantization, platform.id AS cfg_pk, platform.key AS cfg_platform_key,
        platform.name AS cfg_platform_name, platform.category AS cfg_category,
        tokens_per_second_min AS cfg_speed_min, tokens_per_second_max AS cfg_speed,
        memory_gb_min AS cfg_memory_min, memory_gb_max AS cfg_memory_max,
        model_set || repeat('0', size.models - length(model_set))::varbit AS every,
        repeat('0', size.models)::varbit AS nothing,
        {within} AS within
    FROM experiments_gridcell cell
    JOIN hardware_platform platform ON platform.id = cell.platform_id
    CROSS JOIN size
    {limited}
)
"""
_LIMITED = """
LEFT JOIN (
    SELECT platform_id, backend, load_class, load_kind, v.quantization,
        bit_or(numbered_set) AS within
    FROM ({source}) source JOIN v USING (variant_id)
    WHERE {limits} GROUP BY {cell}
) limited USING ({cell})
"""
_MASKS = """
masks AS (SELECT quantization, {masks} FROM v WHERE model_id IS NOT NULL GROUP BY quantization)
"""
_NAMED = """
named AS MATERIALIZED (
    SELECT cfg_load, cfg_kind, cfg_backend, quantization, cfg_pk, cfg_platform_key, cfg_category,
        {ends}, {no_ends}, {models} AS models, {listed} AS listed
    FROM cells {masks}
    UNION ALL
    SELECT NULL, NULL, NULL, quantization, NULL, NULL, NULL, {nothing}, {ends_alone},
        bit_or(models) FILTER (WHERE {limits}), bit_or(models)
    FROM ({alone}) alone WHERE {words} GROUP BY quantization
)
"""
_COUNTED = """
SELECT '{name}', {choice} AS choice, cfg_load,
    CASE GROUPING(cfg_kind) WHEN 1 THEN '{any}' ELSE cfg_kind END,
    bit_count(bit_or(models))::float8, NULL::float8
FROM {rows} WHERE {passing}
GROUP BY GROUPING SETS ((choice, cfg_load, cfg_kind), (choice, cfg_load))
"""
_ENDS_FOUND = """
SELECT '{title}{name}', NULL, cfg_load, cfg_kind, min(least_{name}), max(most_{name})
FROM named WHERE {passing} GROUP BY cfg_load, cfg_kind
"""
# Between which ends the variants of the models lie that a class and kind of load lists.
_ENDS_OF_VARIANTS = """
SELECT '{title}{name}', NULL, cfg_load, cfg_kind, min({least}), max({most})
FROM (
    SELECT cfg_load, cfg_kind, quantization, bit_or(listed) AS listed FROM named
    WHERE cfg_pk IS NOT NULL AND ({passing}) GROUP BY cfg_load, cfg_kind, quantization
) found
JOIN v USING (quantization)
WHERE {most} IS NOT NULL AND model_id IS NOT NULL AND get_bit(listed, model_id - 1) = 1
GROUP BY cfg_load, cfg_kind
"""
# With words, ends are those of the places that have them, which cells do not know.
_ENDS_OF_PLACES = """
SELECT name, NULL, cfg_load, cfg_kind, least, most
FROM (
    SELECT cfg_load, cfg_kind, {ends} FROM ({joined}) joined
    WHERE {passing} GROUP BY cfg_load, cfg_kind
) found CROSS JOIN LATERAL (VALUES {pairs}) ends (name, least, most)
"""

Row = tuple[str, str | None, str | None, str | None, float | None, float | None]


def read_counts(criteria: GridCriteria, protocol: str | None, *, choices: bool) -> Counts:
    """Count the models under the criteria and, if asked, for every choice."""
    arms = [_arm(criteria, _LOADS, "''::text")]
    if choices:
        arms += [
            _arm(criteria.without(name), name, f"{item.column}::text")
            for name, item in CHOICES.items()
        ]
        arms += _ends(criteria.without(*LIMITS))
    rows = _run(_tables(criteria, protocol), arms)
    counted = _tally(row for row in rows if not row[0].startswith(_RANGE))
    return Counts(
        loads=counted.get((_LOADS, ""), LoadCounts.of([])),
        of_choices={
            name: {
                choice: loads for (own, choice), loads in counted.items() if own == name and choice
            }
            for name in CHOICES
        },
        ranges=tuple(
            Range(name.removeprefix(_RANGE), load, kind, least, most)
            for name, _choice, load, kind, least, most in rows
            if name.startswith(_RANGE) and least is not None and most is not None
        ),
    )


def choice_counts(page: GridPage) -> dict[str, dict[str, int]]:
    """Return filter → choice → models that choosing it alone would leave; no model, no entry."""
    return {
        name: {choice: loads.shown(page.criteria.without(name)) for choice, loads in found.items()}
        for name, found in page.counts.of_choices.items()
    }


def limit_ranges(page: GridPage) -> dict[str, tuple[float, float] | None]:
    """Return for each limit the least and greatest value under the other kinds of filters."""
    kinds = KINDS if page.kind_used == ANY_KIND else (page.kind_used,)
    shown = [
        item
        for item in page.counts.ranges
        if item.load_class is None or (item.load_class == page.load_used and item.kind in kinds)
    ]
    found = {name: [item for item in shown if item.filter == name] for name in LIMITS}
    return {
        name: (min(item.least for item in ends), max(item.most for item in ends)) if ends else None
        for name, ends in found.items()
    }


def counts_without(page: GridPage) -> dict[str, int]:
    """Return for each active filter how many models there are without it, and "" without any."""
    active = page.criteria.active_filters
    asked = {name: page.criteria.without(name) for name in active}
    asked[""] = page.criteria.without(*active)
    start = [sql.variants(page.criteria.benchmark, page.ranking_protocol, sets=True)]
    found = _tally(_run(start, [_whole_arm(criteria, name) for name, criteria in asked.items()]))
    return {
        name: found[name, ""].shown(criteria) if (name, "") in found else 0
        for name, criteria in asked.items()
    }


def _tables(criteria: GridCriteria, protocol: str | None) -> list[Where]:
    """Return the tables that counts are made from: what each cell has under the filters set."""
    variants = sql.variants(criteria.benchmark, protocol, sets=True)
    words = words_wanted(criteria)
    good = [item.passes(criteria) for item in _set_ones(criteria, _OF_VARIANTS)]
    conditions = [*(own for own, _of_place in words), *good]
    masks = Where(
        ", ".join(
            f"bit_or(numbered_set) FILTER (WHERE {item.sql}) AS mask_{place}"
            for place, item in enumerate(conditions)
        ),
        tuple(value for item in conditions for value in item.values),
    )
    tables = [variants, _cells(criteria)]
    if conditions:
        tables.append(Where(_MASKS.format(masks=masks.sql), masks.values))
    return [*tables, _named(criteria, words, masks=len(conditions))]


def _cells(criteria: GridCriteria) -> Where:
    """Return the cells, `within` being those models that meet the limits on measured figures."""
    set_ones = _set_ones(criteria, _OF_RUNS)
    if not set_ones:
        return Where(_CELLS.format(within="NULL::varbit", limited=""))
    limits = all_of(*(item.passes(criteria) for item in set_ones))
    source = sql.source_to_count(criteria)
    limited = _LIMITED.format(cell=_CELL, source=source, limits=limits.sql)
    return Where(_CELLS.format(within="limited.within", limited=limited), limits.values)


def _named(criteria: GridCriteria, words: Sequence[tuple[Where, Where]], *, masks: int) -> Where:
    """Return the cells with what passes of them, and the models of scores alone as more cells."""
    found = [
        Where(
            f"CASE WHEN {of_place.sql} THEN every ELSE coalesce(mask_{number}, nothing) END",
            of_place.values,
        )
        for number, (_own, of_place) in enumerate(words)
    ]
    listed = _intersected([Where("every"), *found])
    good = [Where(f"coalesce(mask_{number}, nothing)") for number in range(len(words), masks)]
    within = [Where("coalesce(within, nothing)")] if _set_ones(criteria, _OF_RUNS) else []
    models = _intersected([listed, *good, *within])
    alone_limits = all_of(*(item.passes(criteria) for item in _set_ones(criteria, _OF_VARIANTS)))
    alone_words = all_of(*(own for own, _of_place in words))
    return Where(
        _NAMED.format(
            ends=", ".join(
                f"{item.ends[0]} AS least_{name}, {item.ends[1]} AS most_{name}"
                for name, item in _OF_RUNS.items()
            ),
            no_ends=", ".join(
                f"NULL::float8 AS least_{name}, NULL::float8 AS most_{name}"
                for name in _OF_VARIANTS
            ),
            models=models.sql,
            listed=listed.sql,
            masks="LEFT JOIN masks USING (quantization)" if masks else "",
            nothing=", ".join(["NULL", "NULL"] * len(_OF_RUNS)),
            ends_alone=", ".join(
                f"min({item.ends[0]}), max({item.ends[1]})" for item in _OF_VARIANTS.values()
            ),
            limits=alone_limits.sql,
            alone=sql.scored_alone(sets=True),
            words=alone_words.sql,
        ),
        (*models.values, *listed.values, *alone_limits.values, *alone_words.values),
    )


def _intersected(sets: Sequence[Where]) -> Where:
    return Where(
        " & ".join(f"({item.sql})" for item in sets),
        tuple(value for item in sets for value in item.values),
    )


def _arm(criteria: GridCriteria, name: str, choice: str) -> Where:
    """Count the models of each choice, class and kind of load in what was read."""
    passing = sql.passing(criteria, _set_ones(criteria, CHOICES), alone=True)
    return _counted(name, choice, "named", passing)


def _whole_arm(criteria: GridCriteria, name: str) -> Where:
    """Count the models under some criteria by class and kind of load, read for this alone."""
    rows = sql.joined(criteria, sql.source_to_count(criteria), sets=True)
    passing = sql.passing(criteria, criteria.filters, alone=not criteria.needs_configuration)
    return _counted(name, "''::text", f"({rows}) joined", passing)


def _counted(name: str, choice: str, rows: str, passing: Where) -> Where:
    text = _COUNTED.format(name=name, choice=choice, any=ANY_KIND, rows=rows, passing=passing.sql)
    return Where(text, passing.values)


def _ends(criteria: GridCriteria) -> list[Where]:
    """Find between which ends each limit can be met, in each class and kind of load."""
    if criteria.q:
        return [_ends_of_places(criteria)]
    passing = sql.passing(criteria, _set_ones(criteria, CHOICES), alone=True)
    arms = [(_ENDS_FOUND, item) for item in LIMITS.values()]
    arms += [(_ENDS_OF_VARIANTS, item) for item in _OF_VARIANTS.values()]
    return [
        Where(
            text.format(
                title=_RANGE,
                name=item.name,
                least=item.ends[0],
                most=item.ends[1],
                passing=passing.sql,
            ),
            passing.values,
        )
        for text, item in arms
    ]


def _ends_of_places(criteria: GridCriteria) -> Where:
    passing = sql.passing(criteria, criteria.filters, alone=not criteria.needs_configuration)
    text = _ENDS_OF_PLACES.format(
        ends=", ".join(
            f"min({item.ends[0]}) AS least_{name}, max({item.ends[1]}) AS most_{name}"
            for name, item in LIMITS.items()
        ),
        joined=sql.joined(criteria, sql.source_to_count(criteria)),
        passing=passing.sql,
        pairs=", ".join(f"('{_RANGE}{name}', least_{name}, most_{name})" for name in LIMITS),
    )
    return Where(text, passing.values)


def _set_ones(criteria: GridCriteria, filters: Iterable[str]) -> list[Filter]:
    """Return those of some filters that are set."""
    return [item for item in criteria.filters if item.name in filters]


def _run(tables: Iterable[Where], arms: Iterable[Where]) -> list[Row]:
    """Run all arms as one query on some tables."""
    tables, arms = list(tables), list(arms)
    start = ", ".join(item.sql for item in tables)
    text = f"WITH {start} {' UNION ALL '.join(item.sql for item in arms)}"
    return sql.rows_of(text, [value for item in (*tables, *arms) for value in item.values])


def _tally(rows: Iterable[Row]) -> dict[tuple[str, str], LoadCounts]:
    """Gather counts by filter and choice."""

    def place(row: Row) -> tuple[str, str]:
        return (row[0], row[1] or "")

    return {
        key: LoadCounts.of((load, kind, int(models or 0)) for _, _, load, kind, models, _ in group)
        for key, group in groupby(sorted(rows, key=place), key=place)
    }

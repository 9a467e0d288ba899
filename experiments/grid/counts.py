"""How many models there are: in each class and kind of load, for each choice, without a filter.

What can be chosen comes with it: all that there are results of, whether or not any pass now.

A model counts as the grid would list it: under all other filters, in the chosen class and kind of
load, else in those that have most models then. Models are counted as sets, a bit for each: a cell
(one choice of each filter, one class and kind of load) has the set of its models, what a filter
lets through of it is an intersection, and a count is the size of a union of cells. Only limits on
measured figures need a look at the places that meet them.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter

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
    has_words_alone,
    word_of_place,
    words_wanted,
)
from experiments.grid.rows import KINDS, Counts, GridPage, LoadCounts, Range

CHOICES = {item.name: item for item in filters_of(FilterKind.CHOICE, FilterKind.CHOICES)}
LIMITS = {item.name: item for item in filters_of(FilterKind.LIMIT)}
_OF_VARIANTS = {name: item for name, item in LIMITS.items() if item.level == Level.VARIANT}
_OF_RUNS = {name: item for name, item in LIMITS.items() if item.level != Level.VARIANT}
_LOADS = ""  # in the place of a filter's name
_RANGE = "range of "
_PLATFORM = "name of platform"

# Cells may have been written when there were fewer models: the later ones are not in them.
_CELLS = """
size AS (
    SELECT coalesce(max(id), 1) AS models, repeat('0', coalesce(max(id), 1))::varbit AS nothing
    FROM experiments_gridmodel
),
cells AS (
    SELECT cell.id AS cfg_pk, cell.load_class AS cfg_load, cell.load_kind AS cfg_kind,
        cell.backend AS cfg_backend, cell.quantization, cell.platform_id AS cfg_platform,
        platform.key AS cfg_platform_key, platform.category AS cfg_category, {ends},
        model_set || repeat('0', size.models - length(model_set))::varbit AS every,
        size.nothing
    FROM experiments_gridcell cell JOIN hardware_platform platform ON platform.id = platform_id
    CROSS JOIN size
)
"""
# The models in each cell that meet the limits on measured figures.
_LIMITED = f"""
{{name}} AS (
    SELECT cell_id AS cfg_pk, bit_or(set_bit(size.nothing, model_id - 1, 1)) AS {{name}}
    FROM (
        SELECT cell_id, model_id, {sql.LIMITED} FROM experiments_gridplace place WHERE {{at_once}}
    ) place
    CROSS JOIN size
    WHERE {{limits}} GROUP BY cell_id
)
"""  # noqa: S608 - no text from outside
_MASKS = """
masks AS (SELECT quantization, {masks} FROM v WHERE model_id IS NOT NULL GROUP BY quantization)
"""
_NAMED = """
named AS MATERIALIZED (
    SELECT cfg_pk, cfg_load, cfg_kind, cfg_backend, quantization, cfg_platform, cfg_platform_key,
        cfg_category, {ends}, {no_ends}, {sets}
    FROM cells {masks} {limited}
    UNION ALL
    SELECT NULL, NULL, NULL, NULL, quantization, NULL, NULL, NULL, {nothing}, {ends_alone},
        {alone_sets}
    FROM ({alone}) alone GROUP BY quantization
)
"""
_COUNTED = """
{name} AS (
    SELECT {choice} AS choice, cfg_load, cfg_kind,
        bit_or({models}) FILTER (WHERE {passing}) AS models
    FROM named GROUP BY 1, 2, 3
)
"""
_TOLD = """
SELECT '{name}', choice, cfg_load, cfg_kind, bit_count(models)::float8, NULL::float8 FROM {table}
UNION ALL
SELECT '{name}', choice, cfg_load, '{any}', bit_count(bit_or(models)), NULL
FROM {table} GROUP BY choice, cfg_load
"""
_PLATFORMS = f"""
SELECT '{_PLATFORM}', key, name, NULL, row_number() OVER (ORDER BY name, key)::float8, NULL
FROM hardware_platform WHERE id IN (SELECT platform_id FROM experiments_gridcell)
"""  # noqa: S608 - no text from outside
_ENDS = """
SELECT name, NULL, cfg_load, cfg_kind, least, most
FROM (
    SELECT cfg_load, cfg_kind, {ends} FROM {rows} WHERE {passing} GROUP BY cfg_load, cfg_kind
) found CROSS JOIN LATERAL (VALUES {pairs}) ends (name, least, most)
"""
_CELLS_NAMED = "named"
# With words, ends are those of the places that have them, which cells do not know.
_PLACES_NAMED = """
named JOIN experiments_gridplace place
    ON place.cell_id = cfg_pk AND get_bit(listed, place.model_id - 1) <> 0
"""
# Between which ends the variants of the models lie that a class and kind of load lists.
_ENDS_OF_VARIANTS = """
SELECT '{title}{name}', NULL, cfg_load, cfg_kind, min({least}), max({most})
FROM (
    SELECT cfg_load, cfg_kind, quantization, bit_or(listed) AS listed FROM named
    WHERE cfg_pk IS NOT NULL AND ({passing}) GROUP BY cfg_load, cfg_kind, quantization
) found
JOIN v USING (quantization)
WHERE {most} IS NOT NULL AND model_id IS NOT NULL AND get_bit(listed, model_id - 1) <> 0
GROUP BY cfg_load, cfg_kind
"""
Row = tuple[str, str | None, str | None, str | None, float | None, float | None]


def read_counts(criteria: GridCriteria, protocol: str | None, *, choices: bool) -> Counts:
    """Count the models under the criteria and, if asked, for every choice."""
    arms = [_arm(criteria, _LOADS)]
    ends = []
    if choices:
        arms += [
            _arm(criteria.without(name), name, f"{item.column}::text")
            for name, item in CHOICES.items()
        ]
        ends = [*_ends(criteria.without(*LIMITS)), Where(_PLATFORMS)]
    rows = _run(_tables(criteria, protocol, [criteria]), arms, ends)
    named = [row for row in rows if row[0] == _PLATFORM]
    counted = _tally(row for row in rows if row[0] != _PLATFORM and not row[0].startswith(_RANGE))
    return Counts(
        loads=counted.get((_LOADS, ""), LoadCounts.of([])),
        of_choices={
            name: {
                choice: loads for (own, choice), loads in counted.items() if own == name and choice
            }
            for name in CHOICES
        },
        platform_names={
            str(key): str(name) for _, key, name, *_ in sorted(named, key=itemgetter(4))
        },
        ranges=tuple(
            Range(name.removeprefix(_RANGE), load, kind, least, most)
            for name, _choice, load, kind, least, most in rows
            if name.startswith(_RANGE) and least is not None and most is not None
        ),
    )


def choice_counts(page: GridPage) -> dict[str, dict[str, int]]:
    """Return filter → choice → models that choosing it alone would leave."""
    others = {name: page.criteria.without(name) for name in page.counts.of_choices}
    return {
        name: {choice: loads.shown(others[name]) for choice, loads in found.items()}
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
    tables = _tables(page.criteria, page.ranking_protocol, list(asked.values()))
    arms = [_arm(item, name, question=place) for place, (name, item) in enumerate(asked.items())]
    found = _tally(_run(tables, arms))
    return {
        name: found[name, ""].shown(criteria) if (name, "") in found else 0
        for name, criteria in asked.items()
    }


def _tables(
    criteria: GridCriteria, protocol: str | None, questions: Sequence[GridCriteria]
) -> list[Where]:
    """Return the tables that counts are made from: what each cell has under the filters set.

    `questions` ask for some of the filters of the criteria each; their sets are models_0 and so on.
    """
    masks = _masks(criteria)
    limits = list(dict.fromkeys(limits for item in questions if (limits := _limits_of(item))))
    ends = ", ".join(f"cell.{end}" for item in _OF_RUNS.values() for end in item.ends)
    variants = sql.variants(criteria, protocol, sets=bool(masks))
    found = [variants, Where(_CELLS.format(ends=ends))]
    if masks:
        columns = ", ".join(
            f"bit_or(numbered_set) FILTER (WHERE {item.sql}) AS mask_{name}"
            for name, item in masks.items()
        )
        values = tuple(value for item in masks.values() for value in item.values)
        found.append(Where(_MASKS.format(masks=columns), values))
    found += [_limited(criteria, names) for names in limits]
    return [*found, _named(criteria, questions, limits)]


def _masks(criteria: GridCriteria) -> dict[str, Where]:
    """Return what is told of variants by name: the words of the search, limits on quality."""
    names = [f"word_{number}" for number in range(len(words_wanted(criteria)))]
    words = {name: Where(name) for name in names}
    return words | {name: LIMITS[name].passes(criteria) for name in _good(criteria)}


def _good(criteria: GridCriteria) -> list[str]:
    return [item.name for item in _set_ones(criteria, _OF_VARIANTS)]


def _limits_of(criteria: GridCriteria) -> tuple[str, ...]:
    return tuple(item.name for item in _set_ones(criteria, _OF_RUNS))


def _within(limits: Sequence[str]) -> str:
    """Return the name of the table, and of the set in it, of what meets some limits."""
    return "_".join(("within", *limits))


def _limited(criteria: GridCriteria, names: Sequence[str]) -> Where:
    """Return the models of each cell that meet some limits on measured figures."""
    each = [LIMITS[name].passes(criteria) for name in names]
    at_once, limits = sql.met_at_once(each), all_of(*each)
    text = _LIMITED.format(name=_within(names), at_once=at_once.sql, limits=limits.sql)
    return Where(text, at_once.values + limits.values)


def _named(
    criteria: GridCriteria, questions: Sequence[GridCriteria], limits: Sequence[tuple[str, ...]]
) -> Where:
    """Return the cells with what passes of them, and the models of scores alone as more cells."""
    sets = [_listed(criteria), *map(_set_of, questions)]
    names = ["listed", *(f"models_{number}" for number in range(len(questions)))]
    alone = [_alone(criteria, with_limits=False), *(_alone(item) for item in questions)]
    words = has_words_alone(criteria).sql
    joins = (f"LEFT JOIN {_within(some)} USING (cfg_pk)" for some in limits)
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
            sets=", ".join(f"{item.sql} AS {name}" for name, item in zip(names, sets, strict=True)),
            masks="LEFT JOIN masks USING (quantization)" if _masks(criteria) else "",
            limited=" ".join(joins),
            nothing=", ".join(["NULL", "NULL"] * len(_OF_RUNS)),
            ends_alone=", ".join(
                f"min({least}) FILTER (WHERE {words}), max({most}) FILTER (WHERE {words})"
                for least, most in (item.ends for item in _OF_VARIANTS.values())
            ),
            alone_sets=", ".join(item.sql for item in alone),
            alone=sql.scored_alone(sets=True).sql,
        ),
        tuple(value for item in (*sets, *alone) for value in item.values),
    )


def _listed(criteria: GridCriteria) -> Where:
    """Return the set of the models of a cell that have all words."""
    words = [word_of_place(word) for word in words_wanted(criteria)]
    texts = (
        f"(CASE WHEN {word.sql} THEN every ELSE coalesce(mask_word_{number}, nothing) END)"
        for number, word in enumerate(words)
    )
    return Where(" & ".join(["every", *texts]), tuple(v for word in words for v in word.values))


def _set_of(criteria: GridCriteria) -> Where:
    """Return the set of the models of a cell that pass all filters but choices."""
    listed = _listed(criteria)
    good = [f"coalesce(mask_{name}, nothing)" for name in _good(criteria)]
    limits = _limits_of(criteria)
    within = [f"coalesce({_within(limits)}, nothing)"] if limits else []
    return Where(" & ".join([listed.sql, *good, *within]), listed.values)


def _alone(criteria: GridCriteria, *, with_limits: bool = True) -> Where:
    """Return the set of the models of scores alone that pass."""
    limits = [LIMITS[name].passes(criteria) for name in _good(criteria)] if with_limits else []
    passing = all_of(has_words_alone(criteria), *limits)
    return Where(f"bit_or(models) FILTER (WHERE {passing.sql})", passing.values)


def _arm(
    criteria: GridCriteria, name: str, choice: str = "''::text", *, question: int = 0
) -> tuple[str, Where]:
    """Count the models of each choice, class and kind of load: a name, and the table of sets."""
    passing = sql.passing(criteria, _set_ones(criteria, CHOICES))
    text = _COUNTED.format(
        name=f"of_{name}", choice=choice, models=f"models_{question}", passing=passing.sql
    )
    return name, Where(text, passing.values)


def _ends(criteria: GridCriteria) -> list[Where]:
    """Find between which ends each limit can be met, in each class and kind of load."""
    passing = sql.passing(criteria, _set_ones(criteria, CHOICES))
    of_cells = {name: (f"least_{name}", f"most_{name}") for name in LIMITS}
    found = []
    if criteria.q:
        of_places = {name: item.ends_of_place for name, item in _OF_RUNS.items()}
        found.append(_ends_of(_PLACES_NAMED, of_places, passing))
        of_cells = {name: of_cells[name] for name in _OF_VARIANTS}
    found.append(_ends_of(_CELLS_NAMED, of_cells, passing))
    of_variants = [
        _ENDS_OF_VARIANTS.format(
            title=_RANGE, name=name, least=item.ends[0], most=item.ends[1], passing=passing.sql
        )
        for name, item in _OF_VARIANTS.items()
    ]
    return [*found, *(Where(text, passing.values) for text in of_variants)]


def _ends_of(rows: str, columns: Mapping[str, tuple[str, str]], passing: Where) -> Where:
    """Find the least and greatest values of some limits at once, which stand in some columns."""
    ends = ", ".join(
        f"min({least}) AS least_of_{name}, max({most}) AS most_of_{name}"
        for name, (least, most) in columns.items()
    )
    pairs = ", ".join(f"('{_RANGE}{name}', least_of_{name}, most_of_{name})" for name in columns)
    text = _ENDS.format(ends=ends, rows=rows, passing=passing.sql, pairs=pairs)
    return Where(text, passing.values)


def _set_ones(criteria: GridCriteria, filters: Iterable[str]) -> list[Filter]:
    """Return those of some filters that are set."""
    return [item for item in criteria.filters if item.name in filters]


def _run(
    tables: Iterable[Where], arms: Sequence[tuple[str, Where]], ends: Sequence[Where] = ()
) -> list[Row]:
    """Count what all arms have found and add the ends: one query on some tables."""
    start = sql.listed([*tables, *(table for _name, table in arms)])
    told = [Where(_TOLD.format(name=name, table=f"of_{name}", any=ANY_KIND)) for name, _ in arms]
    rows = sql.united([*told, *ends])
    return sql.rows_of(f"WITH {start.sql} {rows.sql}", start.values + rows.values)


def _tally(rows: Iterable[Row]) -> dict[tuple[str, str], LoadCounts]:
    """Gather counts by filter and choice."""
    found: dict[tuple[str, str], list[tuple[str | None, str | None, int]]] = defaultdict(list)
    for name, choice, load, kind, models, _most in rows:
        found[name, choice or ""].append((load, kind, int(models or 0)))
    return {key: LoadCounts.of(counted) for key, counted in found.items()}

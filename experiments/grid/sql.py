"""The SQL that every question to the grid is made of: joined rows and what they come from.

A joined row is a variant with a configuration (or, where that decides, with a place that stands
for its configurations) and its current score on the chosen benchmark; or a variant that has scores
alone, its `cfg_` columns empty. Filters and orders name columns of joined rows only.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from benchsite.common.prepared import prepared_cursor
from experiments.grid.criteria import GridCriteria, SortKey
from experiments.grid.filters import (
    ANY_KIND,
    EVERYTHING,
    Filter,
    Level,
    Where,
    all_of,
    words_wanted,
)
from experiments.summaries import TOPS, top_bit

_SEVERAL = 2

OF_VARIANT = (
    "variant_id, model_name, lora_adapter, quantization, name_key, model_id, platforms, "
    "quality_score, quality_protocol, ranked_quality"
)
"""What a page shows and ranks by of a variant."""

_CONFIGURATIONS = """
SELECT id, variant_id, platform_id, backend, load_class, load_kind,
    tokens_per_second AS cfg_speed,
    prompt_processing_speed AS cfg_prompt_speed, ttft_ms AS cfg_ttft,
    memory_gb AS cfg_memory, memory_gb IS NULL AS cfg_memory_unknown,
    tokens_per_kwh AS cfg_efficiency, gpu_power_watts AS cfg_power,
    runs AS cfg_runs, newest_at AS cfg_newest_at
FROM experiments_configuration c WHERE runs > 0
"""
LIMITED = """
place.tokens_per_second AS cfg_speed, place.memory_gb_min AS cfg_memory,
place.memory_unknown AS cfg_memory_unknown
"""
"""What a place says of figures that can be limited: each holds for one of its configurations."""
# Whether several limits hold for one and the same.
_TRADED = """
place.trades IS NULL OR EXISTS (
    SELECT FROM (
        SELECT place.trades[number][1] AS cfg_speed, place.trades[number][2] AS cfg_memory,
            place.trades[number][2] IS NULL AS cfg_memory_unknown
        FROM generate_subscripts(place.trades, 1) number
    ) trade WHERE {limits}
)
"""

_PLACES = f"""
SELECT place.best_id AS id, place.variant_id, cell.platform_id, cell.backend, cell.load_class,
    cell.load_kind, {LIMITED}, NULL::float8 AS cfg_prompt_speed, NULL::float8 AS cfg_ttft,
    place.tokens_per_kwh AS cfg_efficiency, NULL::float8 AS cfg_power,
    NULL::int AS cfg_runs, NULL::timestamptz AS cfg_newest_at
FROM experiments_gridplace place JOIN experiments_gridcell cell ON cell.id = place.cell_id
WHERE {{at_once}}
"""  # noqa: S608 - no text from outside
# The columns of a row that has scores alone, all of them empty.
_NO_RUN = """
NULL::bigint AS cfg_pk, NULL::text AS cfg_load, NULL::text AS cfg_kind, NULL::text AS cfg_backend,
NULL::uuid AS cfg_platform, NULL::float8 AS cfg_speed, NULL::float8 AS cfg_prompt_speed,
NULL::float8 AS cfg_ttft, NULL::float8 AS cfg_memory, NULL::boolean AS cfg_memory_unknown,
NULL::float8 AS cfg_efficiency, NULL::float8 AS cfg_power, NULL::int AS cfg_runs,
NULL::timestamptz AS cfg_newest_at, NULL::text AS cfg_platform_key, NULL::text AS cfg_platform_name,
NULL::text AS cfg_category
"""
_FIGURES = (
    "cfg_speed, cfg_prompt_speed, cfg_ttft, cfg_memory, cfg_memory_unknown, cfg_efficiency, "
    "cfg_power, cfg_runs, cfg_newest_at"
)
_VARIANTS = """
SELECT variant.id AS variant_id, variant.model_name, variant.lora_adapter, variant.quantization,
    lower(variant.model_name) AS name_key,
    model.id AS model_id,
    coalesce(model.platforms, 0) AS platforms,
    quality.score AS quality_score, quality.protocol_key AS quality_protocol,
    CASE WHEN quality.protocol_key = %s THEN quality.score END AS ranked_quality{more}
FROM benchmarks_modelvariant variant
LEFT JOIN experiments_gridmodel model USING (model_name, lora_adapter)
LEFT JOIN benchmarks_benchmarkscore quality
    ON quality.variant_id = variant.id AND quality.is_current AND quality.benchmark_id = %s
"""
_OF_RUNS = f"""
c.id AS cfg_pk, c.load_class AS cfg_load, c.load_kind AS cfg_kind, c.backend AS cfg_backend,
c.platform_id AS cfg_platform, {_FIGURES}
"""
_OF_PLATFORM = """
platform.key AS cfg_platform_key, platform.name AS cfg_platform_name,
platform.category AS cfg_category
"""
_MEASURED = f"""
SELECT * FROM (
    SELECT v.*, {_OF_RUNS}, {_OF_PLATFORM}
    FROM ({{source}}) c
    JOIN v ON v.variant_id = c.variant_id
    JOIN hardware_platform platform ON platform.id = c.platform_id
) measured WHERE {{passing}}
"""  # noqa: S608 - no text from outside
_BACKENDS = """,
backends AS MATERIALIZED (SELECT DISTINCT backend FROM experiments_gridcell)
"""
# Which firsts pass the filters; a first is settled if it does, or one before it in its model. What
# could take the place of the others is looked for by index, one variant after the other: all else
# that a variant has stands behind its first of that kind of load. Only ids tell platforms there.
_JUDGED = """
judged AS MATERIALIZED (
    SELECT *, bool_or(passes) OVER (
        PARTITION BY model_id ORDER BY {best_first} ROWS UNBOUNDED PRECEDING
    ) AS is_settled
    FROM (SELECT *, coalesce({passing}, FALSE) AS passes FROM ({joined}) joined) first
)
"""
_FAILED = """
failed AS MATERIALIZED (
    SELECT * FROM v WHERE variant_id IN (SELECT variant_id FROM judged WHERE NOT is_settled)
)
"""
_BEST_OF_FAILED = f"""
best_of_failed AS MATERIALIZED (
    SELECT v.*, best.* FROM failed v CROSS JOIN LATERAL (
        SELECT cfg_pk, cfg_load, cfg_kind, cfg_backend, cfg_platform, {_FIGURES} FROM (
            SELECT v.*, {_OF_RUNS} FROM ({_CONFIGURATIONS}) c WHERE c.variant_id = v.variant_id
        ) measured WHERE {{passing}} ORDER BY {{best_first}} LIMIT 1
    ) best
)
"""  # noqa: S608 - no text from outside
_PASSED = f"""
SELECT * FROM judged WHERE passes
UNION ALL
SELECT found.*, {_OF_PLATFORM}, TRUE, TRUE
FROM best_of_failed found JOIN hardware_platform platform ON platform.id = found.cfg_platform
"""  # noqa: S608 - no text from outside
# A variant of a model without any ranked run stands alone, if it has a current score.
_SCORED_ALONE = """
SELECT v.*, {nothing}
FROM v WHERE platforms = 0 AND EXISTS (
    SELECT FROM benchmarks_benchmarkscore score
    WHERE score.variant_id = v.variant_id AND score.is_current
) AND {passing}
"""
# Sets of models: a bit for each one with a number, or for each one with scores alone. Only sets of
# the same kind can be united, as they are: rows with runs and rows without never stand together.
_NUMBERED_SET = """
CASE WHEN model.id IS NOT NULL THEN set_bit(
    (SELECT repeat('0', max(id))::varbit FROM experiments_gridmodel), model.id - 1, 1
) END AS numbered_set
"""
_LONE_SET = """
set_bit(
    repeat('0', (count(*) OVER ())::int)::varbit,
    (dense_rank() OVER (ORDER BY model_name, lora_adapter))::int - 1, 1
) AS models
"""


def variants(criteria: GridCriteria, protocol: str | None, *, sets: bool = False) -> Where:
    """Return the variants with their quality, as the table `v` that joined rows are made with.

    It tells which words of the search each has; where there are any, the `backends` come with it.
    With `sets`, each has the set of the one model that it is of, if that has a number.
    """
    words = words_wanted(criteria)
    more = [f"variant.search_text LIKE lower(%s) AS word_{n}" for n in range(len(words))]
    more += [_NUMBERED_SET] if sets else []
    text = _VARIANTS.format(more="".join(f", {column}" for column in more))
    benchmark = criteria.benchmark
    values = (protocol or "", *words, benchmark.pk if benchmark else None)
    backends = _BACKENDS if words else ""
    return Where(f"v AS MATERIALIZED ({text}){backends}", values)


def listed(tables: Iterable[Where]) -> Where:
    """Return tables as they stand after WITH."""
    return _strung(", ", tables)


def united(rows: Iterable[Where]) -> Where:
    """Return the rows of several queries together."""
    return _strung(" UNION ALL ", rows)


def _strung(between: str, parts: Iterable[Where]) -> Where:
    parts = list(parts)
    return Where(
        between.join(item.sql for item in parts),
        tuple(value for item in parts for value in item.values),
    )


def joined(
    criteria: GridCriteria, source: Where, load: tuple[str, str], *, also: Where = EVERYTHING
) -> Where:
    """Return the joined rows from a source that pass all filters, of a class and kind of load.

    `also` is what they have to meet besides. All of them are of models that have a number.
    """
    met = all_of(_passing(criteria, load), also)
    text = _MEASURED.format(source=source.sql, passing=met.sql)
    return Where(text, source.values + met.values)


def _passing(criteria: GridCriteria, load: tuple[str, str]) -> Where:
    return all_of(*(item.passes(criteria) for item in criteria.filters), _under(*load))


def alone(criteria: GridCriteria) -> list[Where]:
    """Return the joined rows of scores alone that pass, a query; none where filters allow none."""
    if criteria.needs_configuration:
        return []
    of_variants = [item for item in criteria.filters if not item.needs_run]
    return [scored_alone(all_of(*((item.alone or item.passes)(criteria) for item in of_variants)))]


def scored_alone(passing: Where = EVERYTHING, *, sets: bool = False) -> Where:
    """Return the joined rows of variants that have scores alone; with `sets`, as `models`.

    They are on no platform and have no backend: those are NULL to the condition too.
    """
    nothing = f"{_NO_RUN}, {_LONE_SET}" if sets else _NO_RUN
    return Where(_SCORED_ALONE.format(nothing=nothing, passing=passing.sql), passing.values)


def passing(criteria: GridCriteria, filters: Iterable[Filter]) -> Where:
    """Return what rows have to meet to pass some filters, those of scores alone among them.

    Those know no runs, and pass what asks for one as long as `criteria.needs_configuration` does
    not keep all of them out.
    """
    of_runs = all_of(*(item.passes(criteria) for item in filters if item.needs_run))
    if of_runs != EVERYTHING:
        of_runs = Where(f"cfg_pk IS NULL OR ({of_runs.sql})", of_runs.values)
    of_variants = [item.passes(criteria) for item in filters if not item.needs_run]
    with_runs = Where("cfg_pk IS NOT NULL") if criteria.needs_configuration else EVERYTHING
    return all_of(with_runs, of_runs, *of_variants)


def _under(load_class: str, kind: str) -> Where:
    """Return what rows of a class and kind of load meet."""
    found = Where("cfg_load = %s", (load_class,))
    return found if kind == ANY_KIND else all_of(found, Where("cfg_kind = %s", (kind,)))


def source_to_count(criteria: GridCriteria) -> Where:
    """Return what tells whether models and platforms pass: the places."""
    limits = [item for item in criteria.filters if item.level == Level.CONFIGURATION]
    at_once = met_at_once(item.passes(criteria) for item in limits)
    return Where(_PLACES.format(at_once=at_once.sql), at_once.values)


def met_at_once(limits: Iterable[Where]) -> Where:
    """Return what a place meets of which one configuration meets all limits, not one each."""
    limits = list(limits)
    if len(limits) < _SEVERAL:
        return EVERYTHING
    met = all_of(*limits)
    return Where(_TRADED.format(limits=met.sql), met.values)


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """The joined rows that the best of each model is among, and further tables that they need."""

    rows: Where
    tables: tuple[Where, ...] = ()


def ranked(criteria: GridCriteria, key: SortKey, load: tuple[str, str], best_first: str) -> Ranked:
    """Return what holds the best of each model by a sort key, and as little else as can be.

    The first of each variant and kind of load is marked. Where they pass, they are the best of it;
    of other variants the best that passes is looked for. Keys that configurations of one variant do
    not differ by leave the decision to the speed.
    """
    decider = key.name if key.name in TOPS else "speed"
    firsts = Where(f"{_CONFIGURATIONS} AND tops <> 0 AND tops & {top_bit(decider)} <> 0")
    deciding = [
        item
        for item in criteria.filters
        if item.level != Level.VARIANT and not (item.fastest_decides and decider == "speed")
    ]
    if not deciding:
        return Ranked(rows=joined(criteria, firsts, load))
    passing = all_of(*(item.passes(criteria) for item in deciding))
    known = joined(criteria.without(*(item.name for item in deciding)), firsts, load)
    judged = _JUDGED.format(best_first=best_first, passing=passing.sql, joined=known.sql)
    met = _passing(criteria, load)
    best = _BEST_OF_FAILED.format(passing=met.sql, best_first=best_first)
    return Ranked(
        rows=Where(_PASSED),
        tables=(
            Where(judged, passing.values + known.values),
            Where(_FAILED),
            Where(best, met.values),
        ),
    )


def every_configuration() -> Where:
    """Return the source of single configurations."""
    return Where(_CONFIGURATIONS)


def rows_of(sql: str, values: Iterable[Any]) -> list[tuple[Any, ...]]:
    """Run a query and return its rows."""
    with prepared_cursor() as cursor:
        cursor.execute(sql, tuple(values))
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found

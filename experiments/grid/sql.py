"""The SQL that every question to the grid is made of: joined rows and what they come from.

A joined row is a variant with a configuration (or, where that decides, with a place that stands
for its configurations) and its current score on the chosen benchmark; or a variant that has scores
alone, its `cfg_` columns empty. Filters and orders name columns of joined rows only.
"""

from collections.abc import Iterable
from typing import Any

from django.db import connection

from benchmarks.models import Benchmark
from experiments.grid.criteria import GridCriteria, SortKey
from experiments.grid.filters import ANY_KIND, EVERYTHING, Filter, Level, Where, all_of
from experiments.summaries import TOPS, top_bit

MODEL = "model_id, lone_name, lone_adapter"
"""What tells models apart: a number where there is one, else the names."""

_CONFIGURATIONS = """
SELECT id, variant_id, platform_id, backend, load_class, load_kind,
    tokens_per_second AS cfg_speed, tokens_per_second AS cfg_speed_min,
    prompt_processing_speed AS cfg_prompt_speed, ttft_ms AS cfg_ttft,
    memory_gb AS cfg_memory, memory_gb AS cfg_memory_min, memory_gb AS cfg_memory_max,
    tokens_per_kwh AS cfg_efficiency, gpu_power_watts AS cfg_power,
    runs AS cfg_runs, newest_at AS cfg_newest_at
FROM experiments_configuration WHERE runs > 0
"""
_PLACES = """
SELECT best_id AS id, variant_id, platform_id, backend, load_class, load_kind,
    tokens_per_second AS cfg_speed, tokens_per_second_min AS cfg_speed_min,
    NULL::float8 AS cfg_prompt_speed, NULL::float8 AS cfg_ttft,
    NULL::float8 AS cfg_memory, memory_gb_min AS cfg_memory_min, memory_gb_max AS cfg_memory_max,
    tokens_per_kwh AS cfg_efficiency, NULL::float8 AS cfg_power,
    NULL::int AS cfg_runs, NULL::timestamptz AS cfg_newest_at
FROM experiments_gridplace
"""
_FIGURES = (
    "cfg_speed, cfg_speed_min, cfg_prompt_speed, cfg_ttft, cfg_memory, cfg_memory_min, "
    "cfg_memory_max, cfg_efficiency, cfg_power, cfg_runs, cfg_newest_at"
)
_VARIANTS = """
SELECT variant.id AS variant_id, variant.model_name, variant.lora_adapter, variant.quantization,
    lower(variant.model_name) AS name_key,
    concat_ws(chr(10), variant.model_name, variant.lora_adapter, variant.quantization) AS names,
    model.id AS model_id,
    CASE WHEN model.id IS NULL THEN variant.model_name END AS lone_name,
    CASE WHEN model.id IS NULL THEN variant.lora_adapter END AS lone_adapter,
    coalesce(model.platforms, 0) AS platforms,
    quality.score AS quality_score, quality.protocol_key AS quality_protocol,
    CASE WHEN quality.protocol_key = %s THEN quality.score END AS ranked_quality
FROM benchmarks_modelvariant variant
LEFT JOIN experiments_gridmodel model USING (model_name, lora_adapter)
LEFT JOIN benchmarks_benchmarkscore quality
    ON quality.variant_id = variant.id AND quality.is_current AND quality.benchmark_id = %s
"""
_MEASURED = """
SELECT v.*, c.id AS cfg_pk, c.load_class AS cfg_load, c.load_kind AS cfg_kind,
    c.backend AS cfg_backend, c.platform_id AS cfg_platform, platform.key AS cfg_platform_key,
    platform.name AS cfg_platform_name, platform.category AS cfg_category, {figures}
FROM ({source}) c
JOIN v ON v.variant_id = c.variant_id
JOIN hardware_platform platform ON platform.id = c.platform_id
"""
# A variant of a model without any ranked run stands alone, if it has a current score.
_SCORED_ALONE = """
SELECT v.*, {nothing}
FROM v WHERE platforms = 0 AND EXISTS (
    SELECT FROM benchmarks_benchmarkscore score
    WHERE score.variant_id = v.variant_id AND score.is_current
)
"""
_COLUMNS_OF_RUNS = 8 + len(_FIGURES.split(", "))
# Sets of models: a bit for each one with a number, or for each one with scores alone. Only sets of
# the same kind can be united, as they are: rows with runs and rows without never stand together.
_NUMBERED_SET = """
CASE WHEN model.id IS NOT NULL THEN set_bit(
    repeat('0', (SELECT max(id) FROM experiments_gridmodel))::varbit, model.id - 1, 1
) END AS numbered_set
"""
_LONE_SET = """
set_bit(
    repeat('0', (count(*) OVER ())::int)::varbit,
    (dense_rank() OVER (ORDER BY model_name, lora_adapter))::int - 1, 1
) AS models
"""


def variants(benchmark: Benchmark | None, protocol: str | None, *, sets: bool = False) -> Where:
    """Return the variants with their quality, as the table `v` that joined rows are made with."""
    columns = f"quality.protocol_key AS quality_protocol{',' + _NUMBERED_SET if sets else ''}"
    table = _VARIANTS.replace("quality.protocol_key AS quality_protocol", columns)
    values = (protocol or "", benchmark.pk if benchmark else None)
    return Where(f"v AS MATERIALIZED ({table})", values)


def joined(criteria: GridCriteria, source: str, *, sets: bool = False) -> str:
    """Return all joined rows from a source; those of scores alone where the filters allow any.

    With `sets`, each has a set of the one model that it is of, `models`.
    """
    figures = f"{_FIGURES}{', numbered_set AS models' if sets else ''}"
    measured = _MEASURED.format(source=source, figures=figures)
    if criteria.needs_configuration:
        return measured
    return f"{measured} UNION ALL {scored_alone(sets=sets)}"


def scored_alone(*, sets: bool = False) -> str:
    """Return the joined rows of variants that have scores alone."""
    nothing = ", ".join(["NULL"] * _COLUMNS_OF_RUNS + ([_LONE_SET] if sets else []))
    return _SCORED_ALONE.format(nothing=nothing)


def passing(criteria: GridCriteria, filters: Iterable[Filter], *, alone: bool) -> Where:
    """Return what rows have to meet to pass some filters.

    `alone` = rows of scores alone are among them: those know no runs, and pass what asks for one
    as long as `criteria.needs_configuration` does not keep all of them out.
    """
    of_runs = all_of(*(item.passes(criteria) for item in filters if item.needs_run))
    if alone and of_runs != EVERYTHING:
        of_runs = Where(f"cfg_pk IS NULL OR ({of_runs.sql})", of_runs.values)
    of_variants = [item.passes(criteria) for item in filters if not item.needs_run]
    with_runs = (
        Where("cfg_pk IS NOT NULL") if alone and criteria.needs_configuration else EVERYTHING
    )
    return all_of(with_runs, of_runs, *of_variants)


def under_load(load_class: str, kind: str, *, alone: bool) -> Where:
    """Return what rows of a class and kind of load meet, and those of scores alone."""
    found = Where("cfg_load = %s", (load_class,))
    if kind != ANY_KIND:
        found = all_of(found, Where("cfg_kind = %s", (kind,)))
    return Where(f"cfg_pk IS NULL OR ({found.sql})", found.values) if alone else found


def source_to_count(criteria: GridCriteria) -> str:
    """Return what tells whether models and platforms pass: places, if they can."""
    return _CONFIGURATIONS if _level(criteria, by_speed=True) == Level.CONFIGURATION else _PLACES


def source_to_rank(criteria: GridCriteria, key: SortKey) -> str:
    """Return what holds the best of each model by a sort key, and as little else as can be.

    Keys that configurations of one variant do not differ by leave the decision to the speed.
    """
    decider = key.name if key.name in TOPS else "speed"
    level = _level(criteria, by_speed=decider == "speed")
    if level == Level.VARIANT:
        return f"{_CONFIGURATIONS} AND tops <> 0 AND tops & {top_bit(decider)} <> 0"
    is_of_place = level == Level.PLACE and decider == "speed"
    return _PLACES if is_of_place else _CONFIGURATIONS


def every_configuration() -> str:
    """Return the source of single configurations."""
    return _CONFIGURATIONS


def _level(criteria: GridCriteria, *, by_speed: bool) -> Level:
    """Return the finest level that the filters set ask about."""
    return max(
        (item.level for item in criteria.filters if not (item.fastest_decides and by_speed)),
        default=Level.VARIANT,
    )


def rows_of(sql: str, values: Iterable[Any]) -> list[tuple[Any, ...]]:
    """Run a query and return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql, tuple(values))
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found

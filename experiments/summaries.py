"""Keeping what the grid reads equal to what the raw runs say.

Whatever writes runs or measurements calls `refresh_configurations` for the configurations it
touched, within its own transaction and under `take_write_lock`. Names, categories and scores are
in no summary: nothing has to be kept in step when they change.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper

from benchsite.common.prepared import prepared_cursor
from experiments.metrics import definitions_in_order

HEADLINE_COLUMNS = {
    "tokens_per_second": "tokens_per_second",
    "prompt_processing_speed": "prompt_processing_speed",
    "ttft_ms": "ttft_ms",
    "memory_usage_gb": "memory_gb",
    "peak_memory_gb": "memory_gb",
    "gpu_power_watts": "gpu_power_watts",
    "tokens_per_kwh": "tokens_per_kwh",
}
"""Metrics that the grid shows and the column each goes into; used memory before peak memory."""

# Per configuration: its ranked runs; for each headline metric the median over those repeats whose
# definition is that of the newest run with the metric (two definitions are never mixed). Where
# that run has the metric under several, the first in the registry's order stands for it.
# OFFSET 0 has the figures of each run looked up by its id: for a thousand configurations the
# planner would read the whole table, and what an import costs would grow with the site.
_REFRESH = """
WITH ranked AS (
    SELECT id, configuration_id, started_at, created_at
    FROM experiments_testrun
    WHERE configuration_id = ANY(%(ids)s)
      AND status = 'completed' AND complete AND review_state = 'published'
), counted AS (
    SELECT DISTINCT ON (configuration_id)
        configuration_id,
        id AS representative_id,
        count(*) OVER whole AS runs,
        max(started_at) OVER whole AS newest_at
    FROM ranked
    WINDOW whole AS (PARTITION BY configuration_id)
    ORDER BY configuration_id, started_at DESC NULLS LAST, created_at DESC, id DESC
), figures AS (
    SELECT ranked.configuration_id, m.metric, m.definition, m.unit, m.value,
        first_value(m.definition) OVER (
            PARTITION BY ranked.configuration_id, m.metric
            ORDER BY ranked.started_at DESC NULLS LAST, ranked.created_at DESC, ranked.id DESC,
                array_position(%(definitions)s::text[], m.metric || ':' || m.definition) NULLS LAST,
                m.definition NULLS LAST
        ) AS newest_definition
    FROM ranked
    CROSS JOIN LATERAL (
        SELECT metric, definition, unit, value FROM experiments_measurement
        WHERE run_id = ranked.id AND statistic = 'mean' AND metric = ANY(%(metrics)s)
        OFFSET 0
    ) m
), spreads AS (
    SELECT configuration_id, metric, definition, unit, count(*) AS runs,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY value) AS median,
        min(value) AS lowest, max(value) AS highest,
        definition IS NOT DISTINCT FROM max(newest_definition) AS is_newest
    FROM figures GROUP BY configuration_id, metric, definition, unit
), repeats AS (
    SELECT configuration_id, jsonb_agg(
        to_jsonb(spreads) - 'configuration_id' - 'is_newest' ORDER BY metric, definition, unit
    ) AS figures
    FROM spreads GROUP BY configuration_id
), kept_repeats AS (
    INSERT INTO experiments_repeatfigures AS kept (configuration_id, figures)
    SELECT configuration_id, figures FROM repeats
    ON CONFLICT (configuration_id) DO UPDATE SET figures = excluded.figures
    WHERE kept.figures <> excluded.figures
), removed_repeats AS (
    DELETE FROM experiments_repeatfigures
    WHERE configuration_id = ANY(%(ids)s)
      AND configuration_id NOT IN (SELECT configuration_id FROM repeats)
), medians AS (
    SELECT * FROM spreads WHERE is_newest
), wide AS (
    SELECT configuration_id,
        max(median) FILTER (WHERE metric = 'tokens_per_second') AS tokens_per_second,
        max(lowest) FILTER (WHERE metric = 'tokens_per_second') AS tokens_per_second_min,
        max(highest) FILTER (WHERE metric = 'tokens_per_second') AS tokens_per_second_max,
        max(definition) FILTER (WHERE metric = 'tokens_per_second')
            AS tokens_per_second_definition,
        max(median) FILTER (WHERE metric = 'prompt_processing_speed')
            AS prompt_processing_speed,
        max(definition) FILTER (WHERE metric = 'prompt_processing_speed')
            AS prompt_processing_speed_definition,
        max(median) FILTER (WHERE metric = 'ttft_ms') AS ttft_ms,
        max(definition) FILTER (WHERE metric = 'ttft_ms') AS ttft_ms_definition,
        coalesce(
            max(median) FILTER (WHERE metric = 'memory_usage_gb'),
            max(median) FILTER (WHERE metric = 'peak_memory_gb')
        ) AS memory_gb,
        max(median) FILTER (WHERE metric = 'gpu_power_watts') AS gpu_power_watts,
        max(median) FILTER (WHERE metric = 'tokens_per_kwh') AS tokens_per_kwh
    FROM medians
    GROUP BY configuration_id
)
UPDATE experiments_configuration c SET
    runs = coalesce(counted.runs, 0),
    newest_at = counted.newest_at,
    representative_id = counted.representative_id,
    tokens_per_second = wide.tokens_per_second,
    tokens_per_second_min = wide.tokens_per_second_min,
    tokens_per_second_max = wide.tokens_per_second_max,
    tokens_per_second_definition = wide.tokens_per_second_definition,
    prompt_processing_speed = wide.prompt_processing_speed,
    prompt_processing_speed_definition = wide.prompt_processing_speed_definition,
    ttft_ms = wide.ttft_ms,
    ttft_ms_definition = wide.ttft_ms_definition,
    memory_gb = wide.memory_gb,
    gpu_power_watts = wide.gpu_power_watts,
    tokens_per_kwh = wide.tokens_per_kwh
FROM experiments_configuration touched
LEFT JOIN counted ON counted.configuration_id = touched.id
LEFT JOIN wide ON wide.configuration_id = touched.id
WHERE c.id = touched.id AND touched.id = ANY(%(ids)s)
"""


TOPS = {
    "speed": "tokens_per_second DESC",
    "prompt_speed": "prompt_processing_speed DESC",
    "efficiency": "tokens_per_kwh DESC",
    "memory": "memory_gb ASC",
    "ttft": "ttft_ms ASC",
    "power": "gpu_power_watts ASC",
    "runs": "runs DESC",
    "when": "newest_at DESC",
}
"""Sort keys by which `Configuration.tops` marks the first of a variant, in the order of its bits.

As in the grid, one without a generation speed never stands before one that has it.
"""
_TIES = "tokens_per_second DESC NULLS LAST, tokens_per_kwh DESC NULLS LAST, id"


def top_bit(key: str) -> int:
    """Return the bit of a sort key in `Configuration.tops`."""
    return 1 << list(TOPS).index(key)


_SAME_CELL = "platform_id, backend, load_class, load_kind, quantization"
_ADD_CELLS = f"""
INSERT INTO experiments_gridcell ({_SAME_CELL}, model_set)
SELECT DISTINCT {_SAME_CELL}, ''::varbit
FROM experiments_configuration c
JOIN benchmarks_modelvariant variant ON variant.id = c.variant_id
WHERE c.id = ANY(%(ids)s) AND c.runs > 0
ON CONFLICT ({_SAME_CELL}) DO NOTHING
"""  # noqa: S608 - no text from outside

_TOUCHED_PLACES = f"""
WITH touched AS MATERIALIZED (
    SELECT DISTINCT c.variant_id, cell.id AS cell_id, platform_id, backend, load_class, load_kind,
        variant.model_name, variant.lora_adapter
    FROM experiments_configuration c
    JOIN benchmarks_modelvariant variant ON variant.id = c.variant_id
    JOIN experiments_gridcell cell USING ({_SAME_CELL})
    WHERE c.id = ANY(%(ids)s)
)
"""  # noqa: S608 - no text from outside
_OF_PLACE = "variant_id, platform_id, backend, load_class, load_kind"
_COLUMNS_OF_PLACE = (
    *("best_id", "tokens_per_second", "tokens_per_kwh", "tokens_per_second_min"),
    *("memory_gb_min", "memory_gb_max", "memory_unknown", "trades"),
)
_KEPT_OF_PLACE = ", ".join(_COLUMNS_OF_PLACE)
_OLD_OF_PLACE = ", ".join(f"place.{name}" for name in _COLUMNS_OF_PLACE)
_WRITTEN_OF_PLACE = ", ".join(f"excluded.{name}" for name in _COLUMNS_OF_PLACE)

_REMOVE_PLACES = f"""
{_TOUCHED_PLACES}
DELETE FROM experiments_gridplace place USING touched
WHERE (place.variant_id, place.cell_id) = (touched.variant_id, touched.cell_id)
  AND NOT EXISTS (
    SELECT FROM experiments_configuration c
    WHERE c.runs > 0
      AND (c.variant_id, c.platform_id, c.backend, c.load_class, c.load_kind)
        = (touched.variant_id, touched.platform_id, touched.backend, touched.load_class,
           touched.load_kind)
  )
"""  # noqa: S608 - no text from outside

# Trades are found from the leanest on: each that is faster than all before it. Those of unknown
# memory are compared with each other only.
_WRITE_PLACES = f"""
{_TOUCHED_PLACES}, measured AS (
    SELECT variant_id, cell_id, model_name, lora_adapter, c.id, tokens_per_second, tokens_per_kwh,
        memory_gb,
        max(tokens_per_second) OVER (
            PARTITION BY variant_id, cell_id, memory_gb IS NULL
            ORDER BY memory_gb, tokens_per_second DESC
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS fastest_leaner
    FROM experiments_configuration c JOIN touched USING ({_OF_PLACE})
    WHERE c.runs > 0
), found AS (
    SELECT variant_id, cell_id, model_name, lora_adapter,
        (array_agg(id ORDER BY {_TIES}))[1] AS best_id,
        max(tokens_per_second) AS tokens_per_second,
        (array_agg(tokens_per_kwh ORDER BY {_TIES}))[1] AS tokens_per_kwh,
        min(tokens_per_second) AS tokens_per_second_min,
        min(memory_gb) AS memory_gb_min,
        max(memory_gb) AS memory_gb_max,
        bool_or(memory_gb IS NULL) AS memory_unknown,
        array_agg(ARRAY[tokens_per_second, memory_gb] ORDER BY memory_gb) FILTER (
            WHERE tokens_per_second > coalesce(fastest_leaner, '-Infinity')
        ) AS every_trade
    FROM measured GROUP BY variant_id, cell_id, model_name, lora_adapter
), written AS (
    SELECT found.*, model.id AS model_id,
        CASE WHEN array_length(every_trade, 1) > 1
            OR every_trade[1][2] IS DISTINCT FROM memory_gb_min
            OR memory_unknown <> (every_trade[1][2] IS NULL) THEN every_trade END AS trades
    FROM found JOIN experiments_gridmodel model USING (model_name, lora_adapter)
)
INSERT INTO experiments_gridplace AS place (variant_id, cell_id, model_id, {_KEPT_OF_PLACE})
SELECT variant_id, cell_id, model_id, {_KEPT_OF_PLACE} FROM written
ON CONFLICT (variant_id, cell_id) DO UPDATE SET ({_KEPT_OF_PLACE}) = ({_WRITTEN_OF_PLACE})
WHERE ({_OLD_OF_PLACE}) IS DISTINCT FROM ({_WRITTEN_OF_PLACE})
"""  # noqa: S608 - no text from outside

# Where none of the touched ones was marked, what was marked beats all others still: only these two
# have to be compared. Else any other may come first now.
_RANKED = "id, variant_id, load_class, load_kind, c.runs, tops, newest_at, tokens_per_second, "
_RANKED += "prompt_processing_speed, tokens_per_kwh, memory_gb, ttft_ms, gpu_power_watts"
_FIRST = """
    (SELECT DISTINCT ON (variant_id, load_class, load_kind) id, {bit} AS bit
     FROM compared WHERE runs > 0
     ORDER BY variant_id, load_class, load_kind,
        tokens_per_second IS NULL, {order} NULLS LAST, {ties})
"""
_FIRSTS = " UNION ALL ".join(
    _FIRST.format(bit=1 << place, order=order, ties=_TIES)
    for place, order in enumerate(TOPS.values())
)
_MARK_TOPS = f"""
WITH touched AS MATERIALIZED (
    SELECT variant_id, load_class, load_kind, bool_or(tops <> 0) AS was_marked
    FROM experiments_configuration WHERE id = ANY(%(ids)s)
    GROUP BY variant_id, load_class, load_kind
), compared AS MATERIALIZED (
    SELECT {_RANKED} FROM touched
    JOIN experiments_configuration c USING (variant_id, load_class, load_kind)
    WHERE was_marked AND (c.runs > 0 OR tops <> 0)
    UNION ALL
    SELECT {_RANKED} FROM touched
    JOIN experiments_configuration c USING (variant_id, load_class, load_kind)
    WHERE NOT was_marked AND tops <> 0
    UNION ALL
    SELECT {_RANKED} FROM touched
    JOIN experiments_configuration c USING (variant_id, load_class, load_kind)
    WHERE NOT was_marked AND tops = 0 AND id = ANY(%(ids)s)
), firsts AS (
    SELECT id, sum(bit)::smallint AS tops FROM ({_FIRSTS}) AS each GROUP BY id
)
UPDATE experiments_configuration c SET tops = coalesce(firsts.tops, 0)
FROM compared LEFT JOIN firsts USING (id)
WHERE c.id = compared.id AND compared.tops <> coalesce(firsts.tops, 0)
"""  # noqa: S608 - no text from outside

_TOUCHED_MODELS = """
WITH touched AS MATERIALIZED (
    SELECT DISTINCT model_name, lora_adapter
    FROM experiments_configuration c
    JOIN benchmarks_modelvariant variant ON variant.id = c.variant_id
    WHERE c.id = ANY(%(ids)s)
)
"""
# Ids are counted on from the last one, without gaps: they are places in the grid's sets of models.
_ADD_MODELS = f"""
{_TOUCHED_MODELS}
INSERT INTO experiments_gridmodel (id, model_name, lora_adapter, platforms)
SELECT coalesce((SELECT max(id) FROM experiments_gridmodel), 0)
        + row_number() OVER (ORDER BY model_name, lora_adapter),
    model_name, lora_adapter, 0
FROM touched
WHERE NOT EXISTS (
    SELECT FROM experiments_gridmodel model
    WHERE (model.model_name, model.lora_adapter) = (touched.model_name, touched.lora_adapter)
)
"""  # noqa: S608 - no text from outside
_COUNT_PLATFORMS = f"""
{_TOUCHED_MODELS}, counted AS MATERIALIZED (
    SELECT model.id, count(DISTINCT cell.platform_id) AS platforms
    FROM touched
    JOIN experiments_gridmodel model USING (model_name, lora_adapter)
    LEFT JOIN experiments_gridplace place ON place.model_id = model.id
    LEFT JOIN experiments_gridcell cell ON cell.id = place.cell_id
    GROUP BY model.id
)
UPDATE experiments_gridmodel model SET platforms = counted.platforms
FROM counted WHERE model.id = counted.id AND model.platforms <> counted.platforms
"""  # noqa: S608 - no text from outside

_TOUCHED_CELLS = f"""
WITH touched AS MATERIALIZED (
    SELECT DISTINCT cell.id
    FROM experiments_configuration c
    JOIN benchmarks_modelvariant variant ON variant.id = c.variant_id
    JOIN experiments_gridcell cell USING ({_SAME_CELL})
    WHERE c.id = ANY(%(ids)s)
)
"""  # noqa: S608 - no text from outside
_REMOVE_CELLS = f"""
{_TOUCHED_CELLS}
DELETE FROM experiments_gridcell cell USING touched
WHERE cell.id = touched.id
  AND NOT EXISTS (SELECT FROM experiments_gridplace place WHERE place.cell_id = cell.id)
"""  # noqa: S608 - no text from outside
_WRITE_CELLS = f"""
{_TOUCHED_CELLS}, size AS MATERIALIZED (
    SELECT repeat('0', max(id))::varbit AS no_models FROM experiments_gridmodel
), found AS MATERIALIZED (
    SELECT touched.id,
        bit_or(set_bit(no_models, place.model_id - 1, 1)) AS model_set,
        min(tokens_per_second_min) AS tokens_per_second_min,
        max(tokens_per_second) AS tokens_per_second_max,
        min(memory_gb_min) AS memory_gb_min, max(memory_gb_max) AS memory_gb_max
    FROM touched JOIN experiments_gridplace place ON place.cell_id = touched.id CROSS JOIN size
    GROUP BY touched.id
)
UPDATE experiments_gridcell cell SET
    model_set = found.model_set,
    tokens_per_second_min = found.tokens_per_second_min,
    tokens_per_second_max = found.tokens_per_second_max,
    memory_gb_min = found.memory_gb_min,
    memory_gb_max = found.memory_gb_max
FROM found
WHERE cell.id = found.id
  AND (rtrim(cell.model_set::text, '0'), cell.tokens_per_second_min, cell.tokens_per_second_max,
       cell.memory_gb_min, cell.memory_gb_max)
    IS DISTINCT FROM
      (rtrim(found.model_set::text, '0'), found.tokens_per_second_min,
       found.tokens_per_second_max, found.memory_gb_min, found.memory_gb_max)
"""  # noqa: S608 - no text from outside


_OF_CONFIGURATIONS = (
    _REFRESH,
    _MARK_TOPS,
    _ADD_MODELS,
    _ADD_CELLS,
    _REMOVE_PLACES,
    _WRITE_PLACES,
    _COUNT_PLATFORMS,
)
_OF_CELLS = (_REMOVE_CELLS, _WRITE_CELLS)
_AT_ONCE = 5_000
_FEW = 50

Progress = Callable[[int, int], None]


def refresh_configurations(configuration_ids: Collection[int]) -> None:
    """Make all summaries that these configurations are part of equal to the raw runs.

    Nine statements for any number of configurations. For a few, planning takes longer than running
    them: those plans are kept. Many are worth plans of their own.
    """
    if configuration_ids:
        is_few = len(configuration_ids) <= _FEW
        with prepared_cursor() if is_few else connection.cursor() as cursor:
            _run(cursor, (*_OF_CONFIGURATIONS, *_OF_CELLS), sorted(configuration_ids))


def refresh_everything(progress: Progress) -> None:
    """Make all summaries equal to the raw runs, in batches.

    Configurations of a variant come together, as its places do; each cell is of many variants.
    `progress` hears how many configurations are done, and how many there are.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM experiments_configuration ORDER BY variant_id, id")
        ids = [row[0] for row in cursor.fetchall()]
        for start in range(0, len(ids), _AT_ONCE):
            _run(cursor, _OF_CONFIGURATIONS, ids[start : start + _AT_ONCE])
            progress(min(start + _AT_ONCE, len(ids)), len(ids))
        _run(cursor, _OF_CELLS, ids)


def _run(
    cursor: CursorWrapper, statements: Iterable[str], configuration_ids: Sequence[int]
) -> None:
    values: Mapping[str, Any] = {
        "ids": configuration_ids,
        "metrics": sorted(HEADLINE_COLUMNS),
        "definitions": definitions_in_order(),
    }
    for statement in statements:
        cursor.execute(statement, values)

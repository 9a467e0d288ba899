"""Keeping the summary columns of configurations equal to what their raw runs say.

Whatever writes runs or measurements calls `refresh_configurations` for the configurations it
touched, within its own transaction and under `take_write_lock`.
"""

from collections.abc import Collection

from django.db import connection

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
    SELECT ranked.configuration_id, m.metric, m.definition, m.value,
        first_value(m.definition) OVER (
            PARTITION BY ranked.configuration_id, m.metric
            ORDER BY ranked.started_at DESC NULLS LAST, ranked.created_at DESC, ranked.id DESC,
                array_position(%(definitions)s::text[], m.metric || ':' || m.definition) NULLS LAST,
                m.definition NULLS LAST
        ) AS newest_definition
    FROM ranked
    JOIN experiments_measurement m ON m.run_id = ranked.id
    WHERE m.statistic = 'mean' AND m.metric = ANY(%(metrics)s)
), medians AS (
    SELECT configuration_id, metric, max(newest_definition) AS definition,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY value) AS median,
        min(value) AS lowest, max(value) AS highest
    FROM figures
    WHERE definition IS NOT DISTINCT FROM newest_definition
    GROUP BY configuration_id, metric
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


def refresh_configurations(configuration_ids: Collection[int]) -> None:
    """Make the summary columns of these configurations equal to their raw runs, in one query."""
    if not configuration_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _REFRESH,
            {
                "ids": sorted(configuration_ids),
                "metrics": sorted(HEADLINE_COLUMNS),
                "definitions": definitions_in_order(),
            },
        )

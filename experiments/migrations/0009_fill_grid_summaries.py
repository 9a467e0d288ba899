"""Fill the tables that the grid reads, from the summaries of the configurations."""

from django.db import migrations

TOPS = [
    "tokens_per_second DESC",
    "prompt_processing_speed DESC",
    "tokens_per_kwh DESC",
    "memory_gb ASC",
    "ttft_ms ASC",
    "gpu_power_watts ASC",
    "runs DESC",
    "newest_at DESC",
]
TIES = "tokens_per_second DESC NULLS LAST, tokens_per_kwh DESC NULLS LAST, id"
PLACE = "variant_id, platform_id, backend, load_class, load_kind"

FILL_PLACES = f"""
INSERT INTO experiments_gridplace (
    {PLACE}, best_id, tokens_per_second, tokens_per_kwh,
    tokens_per_second_min, memory_gb_min, memory_gb_max, quantization
)
SELECT DISTINCT ON ({PLACE}) {PLACE}, c.id, tokens_per_second, tokens_per_kwh,
    min(tokens_per_second) OVER place, min(memory_gb) OVER place, max(memory_gb) OVER place,
    variant.quantization
FROM experiments_configuration c
JOIN benchmarks_modelvariant variant ON variant.id = c.variant_id
WHERE c.runs > 0
WINDOW place AS (PARTITION BY {PLACE})
ORDER BY {PLACE}, {TIES.replace(", id", ", c.id")}
"""  # noqa: S608 - no text from outside
FILL_MODELS = """
INSERT INTO experiments_gridmodel (id, model_name, lora_adapter, platforms)
SELECT row_number() OVER (ORDER BY model_name, lora_adapter), model_name, lora_adapter,
    count(DISTINCT place.platform_id)
FROM benchmarks_modelvariant variant
LEFT JOIN experiments_gridplace place ON place.variant_id = variant.id
WHERE EXISTS (SELECT FROM experiments_configuration c WHERE c.variant_id = variant.id)
GROUP BY model_name, lora_adapter
"""
FIRST = f"""
(SELECT DISTINCT ON (variant_id, load_class, load_kind) id, {{bit}} AS bit
 FROM experiments_configuration WHERE runs > 0
 ORDER BY variant_id, load_class, load_kind, tokens_per_second IS NULL, {{order}} NULLS LAST, {TIES})
"""  # noqa: S608 - no text from outside
FIRSTS = " UNION ALL ".join(
    FIRST.format(bit=1 << place, order=order) for place, order in enumerate(TOPS)
)
MARK_TOPS = f"""
UPDATE experiments_configuration c SET tops = marked.tops
FROM (SELECT id, sum(bit)::smallint AS tops FROM ({FIRSTS}) AS each GROUP BY id) AS marked
WHERE c.id = marked.id
"""  # noqa: S608 - no text from outside
FILL_CELLS = """
INSERT INTO experiments_gridcell (
    platform_id, backend, load_class, load_kind, quantization, model_set,
    tokens_per_second_min, tokens_per_second_max, memory_gb_min, memory_gb_max
)
SELECT platform_id, backend, load_class, load_kind, place.quantization,
    bit_or(model.model_set), min(tokens_per_second_min), max(tokens_per_second),
    min(memory_gb_min), max(memory_gb_max)
FROM experiments_gridplace place
JOIN benchmarks_modelvariant variant ON variant.id = place.variant_id
JOIN (
    SELECT model_name, lora_adapter, set_bit(
        repeat('0', (SELECT max(id) FROM experiments_gridmodel))::varbit, id - 1, 1
    ) AS model_set
    FROM experiments_gridmodel
) AS model USING (model_name, lora_adapter)
GROUP BY platform_id, backend, load_class, load_kind, place.quantization
"""
# The planner knows nothing of new tables: until autovacuum comes by, it would guess badly.
ANALYZE = "ANALYZE experiments_gridmodel, experiments_gridplace, experiments_gridcell"
EMPTY = """
DELETE FROM experiments_gridcell;
DELETE FROM experiments_gridplace;
DELETE FROM experiments_gridmodel;
UPDATE experiments_configuration SET tops = 0 WHERE tops <> 0;
"""


class Migration(migrations.Migration):
    dependencies = [("experiments", "0008_grid_summaries")]

    operations = [
        migrations.RunSQL([FILL_PLACES, FILL_MODELS, MARK_TOPS, FILL_CELLS, ANALYZE], EMPTY),
    ]

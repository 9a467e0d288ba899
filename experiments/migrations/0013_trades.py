"""Which of a place's configurations trade speed for memory: what two limits at once ask for."""

import django.contrib.postgres.fields
from django.db import migrations, models

FILL_TRADES = """
WITH measured AS MATERIALIZED (
    SELECT place.id AS place_id, c.tokens_per_second, c.memory_gb
    FROM experiments_gridplace place
    JOIN experiments_gridcell cell ON cell.id = place.cell_id
    JOIN experiments_configuration c
        ON (c.variant_id, c.platform_id, c.backend, c.load_class, c.load_kind)
        = (place.variant_id, cell.platform_id, cell.backend, cell.load_class, cell.load_kind)
    WHERE c.runs > 0 AND c.tokens_per_second IS NOT NULL
), traded AS (
    SELECT place_id, array_agg(ARRAY[tokens_per_second, memory_gb] ORDER BY memory_gb) AS trades
    FROM (
        SELECT measured.*, max(tokens_per_second) OVER (
            PARTITION BY place_id, memory_gb IS NULL
            ORDER BY memory_gb, tokens_per_second DESC
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS fastest_leaner
        FROM measured
    ) compared
    WHERE fastest_leaner IS NULL OR tokens_per_second > fastest_leaner
    GROUP BY place_id
)
UPDATE experiments_gridplace place SET trades = traded.trades
FROM traded
WHERE place.id = traded.place_id
  AND (array_length(traded.trades, 1) > 1 OR traded.trades[1][2] IS DISTINCT FROM memory_gb_min
       OR memory_unknown <> (traded.trades[1][2] IS NULL))
"""


class Migration(migrations.Migration):
    dependencies = [("experiments", "0012_lean_configurations")]

    operations = [
        migrations.AddField(
            model_name="gridplace",
            name="trades",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=django.contrib.postgres.fields.ArrayField(
                    base_field=models.FloatField(null=True), size=2
                ),
                null=True,
                size=None,
            ),
        ),
        migrations.RunSQL(FILL_TRADES, migrations.RunSQL.noop),
    ]

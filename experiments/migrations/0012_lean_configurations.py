"""What the grid ranks by, apart from what it does not: repeats on their own, places by cell."""

import django.db.models.deletion
from django.db import migrations, models

MOVE_REPEATS = """
INSERT INTO experiments_repeatfigures (configuration_id, figures)
SELECT id, repeat_figures FROM experiments_configuration WHERE repeat_figures IS NOT NULL
"""
TIES = "tokens_per_second DESC NULLS LAST, tokens_per_kwh DESC NULLS LAST, c.id"
FILL_PLACES = f"""
INSERT INTO experiments_gridplace (
    variant_id, cell_id, model_id, best_id, tokens_per_second, tokens_per_kwh,
    tokens_per_second_min, memory_gb_min, memory_gb_max, memory_unknown
)
SELECT DISTINCT ON (c.variant_id, cell.id) c.variant_id, cell.id, model.id, c.id,
    tokens_per_second, tokens_per_kwh, min(tokens_per_second) OVER place,
    min(memory_gb) OVER place, max(memory_gb) OVER place, bool_or(memory_gb IS NULL) OVER place
FROM experiments_configuration c
JOIN benchmarks_modelvariant variant ON variant.id = c.variant_id
JOIN experiments_gridmodel model USING (model_name, lora_adapter)
JOIN experiments_gridcell cell
    USING (platform_id, backend, load_class, load_kind, quantization)
WHERE c.runs > 0
WINDOW place AS (PARTITION BY c.variant_id, cell.id)
ORDER BY c.variant_id, cell.id, {TIES}
"""  # noqa: S608 - no text from outside
# Kinds of load go with classes of load, and few of the large classes come first by anything: taken
# for independent, the planner expects a thirtieth of the rows there are, and joins them one by one.
STATISTICS = """
CREATE STATISTICS configuration_load (mcv) ON load_class, load_kind, tops
FROM experiments_configuration;
CREATE STATISTICS gridcell_load (mcv) ON load_class, load_kind, backend FROM experiments_gridcell
"""
NO_STATISTICS = "DROP STATISTICS configuration_load; DROP STATISTICS gridcell_load"
ANALYZE = "ANALYZE experiments_gridplace, experiments_gridcell, experiments_configuration"
_RANKED = [
    *("id", "variant", "platform", "backend", "tops", "runs", "newest_at", "tokens_per_second"),
    *("prompt_processing_speed", "ttft_ms", "memory_gb", "gpu_power_watts", "tokens_per_kwh"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("benchmarks", "0006_reparsed"),
        ("experiments", "0011_upload_item_origin"),
    ]

    operations = [
        migrations.CreateModel(
            name="RepeatFigures",
            fields=[
                (
                    "configuration",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="repeat_figures",
                        serialize=False,
                        to="experiments.configuration",
                    ),
                ),
                ("figures", models.JSONField()),
            ],
        ),
        migrations.RunSQL(MOVE_REPEATS, migrations.RunSQL.noop),
        migrations.RemoveField(model_name="configuration", name="repeat_figures"),
        migrations.RemoveIndex(model_name="configuration", name="configuration_tops"),
        migrations.AddIndex(
            model_name="configuration",
            index=models.Index(
                fields=["load_class", "load_kind"],
                include=_RANKED,
                condition=~models.Q(tops=0),
                name="configuration_firsts",
            ),
        ),
        migrations.AddIndex(
            model_name="configuration",
            index=models.Index(
                fields=["variant", "load_class", "load_kind"],
                include=[name for name in _RANKED if name != "variant"],
                condition=models.Q(runs__gt=0),
                name="configuration_ranked",
            ),
        ),
        migrations.DeleteModel(name="GridPlace"),
        migrations.CreateModel(
            name="GridPlace",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("tokens_per_second", models.FloatField(null=True)),
                ("tokens_per_kwh", models.FloatField(null=True)),
                ("tokens_per_second_min", models.FloatField(null=True)),
                ("memory_gb_min", models.FloatField(null=True)),
                ("memory_gb_max", models.FloatField(null=True)),
                (
                    "memory_unknown",
                    models.BooleanField(help_text="Whether one of them has no figure for it."),
                ),
                (
                    "variant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="benchmarks.modelvariant",
                    ),
                ),
                (
                    "cell",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="places",
                        to="experiments.gridcell",
                    ),
                ),
                (
                    "model",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="places",
                        to="experiments.gridmodel",
                    ),
                ),
                (
                    "best",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="experiments.configuration",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("variant", "cell"), name="gridplace_identity")
                ],
            },
        ),
        migrations.RunSQL(STATISTICS, NO_STATISTICS),
        migrations.RunSQL([FILL_PLACES, ANALYZE], migrations.RunSQL.noop),
    ]

"""The newest repeats of a configuration without looking at all of them."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("benchmarks", "0007_search_text"),
        ("experiments", "0014_measurement_run_index"),
        ("hardware", "0002_accelerator_catalogue"),
    ]

    operations = [
        migrations.AlterField(
            model_name="testrun",
            name="configuration",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="test_runs",
                to="experiments.configuration",
            ),
        ),
        migrations.AddIndex(
            model_name="testrun",
            index=models.Index(
                models.F("configuration"),
                models.OrderBy(models.F("started_at"), descending=True, nulls_last=True),
                models.F("id"),
                name="testrun_repeats",
            ),
        ),
    ]

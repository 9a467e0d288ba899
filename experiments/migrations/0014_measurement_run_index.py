"""The constraint of a run's measurements begins with the run: an index of that alone is one too many."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("experiments", "0013_trades"),
    ]

    operations = [
        migrations.AlterField(
            model_name="measurement",
            name="run",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="measurements",
                to="experiments.testrun",
            ),
        ),
    ]

"""What a search looks through, in small letters once and for all."""

import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("benchmarks", "0006_reparsed"),
    ]

    operations = [
        migrations.AddField(
            model_name="modelvariant",
            name="search_text",
            field=models.GeneratedField(
                db_persist=True,
                expression=django.db.models.functions.text.Lower(
                    django.db.models.functions.text.Concat(
                        "model_name",
                        models.Value("\n"),
                        "lora_adapter",
                        models.Value("\n"),
                        "quantization",
                    )
                ),
                help_text="Its names in small letters, a line each: words of a search have no line breaks.",
                output_field=models.TextField(),
            ),
        ),
    ]

"""Write the curated benchmarks."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from benchmarks.catalogue import catalogue


def write_catalogue(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    benchmark_model = apps.get_model("benchmarks", "Benchmark")
    for entry in catalogue():
        benchmark_model.objects.update_or_create(
            slug=entry.slug,
            defaults={
                "name": entry.name,
                "measures": entry.measures,
                "scale_min": entry.scale_min,
                "scale_max": entry.scale_max,
                "higher_is_better": entry.higher_is_better,
                "expected_categories": list(entry.expected_categories),
                "category_groups": dict(entry.category_groups),
                "is_generic": False,
            },
        )


def remove_unused(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Remove the curated benchmarks but those that scores refer to."""
    slugs = [entry.slug for entry in catalogue()]
    benchmark_model = apps.get_model("benchmarks", "Benchmark")
    benchmark_model.objects.filter(slug__in=slugs, scores__isnull=True).delete()


class Migration(migrations.Migration):
    dependencies = [("benchmarks", "0001_benchmarks")]

    operations = [migrations.RunPython(write_catalogue, remove_unused)]

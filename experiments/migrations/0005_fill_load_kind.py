"""Give configurations the kind of load that their runs state; all runs of one state the same."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import OuterRef, Subquery


def fill(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Copy the kind of load from a run of each configuration."""
    Configuration = apps.get_model("experiments", "Configuration")
    TestRun = apps.get_model("experiments", "TestRun")
    stated = TestRun.objects.filter(load_kind__isnull=False)
    of_configuration = stated.filter(configuration=OuterRef("pk")).values("load_kind")[:1]
    Configuration.objects.filter(pk__in=stated.values("configuration")).update(
        load_kind=Subquery(of_configuration)
    )


class Migration(migrations.Migration):
    dependencies = [("experiments", "0004_configuration_load_kind")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]

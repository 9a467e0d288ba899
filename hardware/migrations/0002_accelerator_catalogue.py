"""Fill the catalogue of accelerators from hardware/data/accelerators.toml."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from hardware.catalogue import load_devices


def add_catalogue(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Add each device with its spellings."""
    Accelerator = apps.get_model("hardware", "Accelerator")
    AcceleratorAlias = apps.get_model("hardware", "AcceleratorAlias")
    devices = load_devices()
    made = Accelerator.objects.bulk_create(
        Accelerator(
            vendor=device.vendor,
            name=device.name,
            category=device.category,
            memory_sizes_gb=list(device.memory_sizes_gb),
            memory_bandwidth_gb_per_s=device.memory_bandwidth_gb_per_s,
            tdp_watts=device.tdp_watts,
            sold_in_several_memories=device.sold_in_several_memories,
            sold_in_several_forms=device.sold_in_several_forms,
            is_generic=device.is_generic,
            source_url=device.source_url,
        )
        for device in devices
    )
    AcceleratorAlias.objects.bulk_create(
        AcceleratorAlias(
            accelerator=accelerator,
            spelling_key=spelling.key,
            memory_gb=spelling.memory_gb,
            form=spelling.form,
        )
        for accelerator, device in zip(made, devices, strict=True)
        for spelling in device.spellings
    )


def remove_catalogue(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Remove the devices of the catalogue; profiles keep their names."""
    names = [device.name for device in load_devices()]
    HardwareProfile = apps.get_model("hardware", "HardwareProfile")
    HardwareProfile.objects.filter(accelerator__name__in=names).update(accelerator=None)
    apps.get_model("hardware", "Accelerator").objects.filter(name__in=names).delete()


class Migration(migrations.Migration):
    dependencies = [("hardware", "0001_hardware")]

    operations = [migrations.RunPython(add_catalogue, remove_catalogue)]

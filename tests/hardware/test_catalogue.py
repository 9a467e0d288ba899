"""The curated tables: sane, unambiguous, and right about the devices that are easy to mistake."""

from collections import Counter
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from hardware.catalogue import find_cpu_family, load_cpu_families, load_devices
from hardware.models import Accelerator, AcceleratorAlias, Category
from hardware.names import read_gpu_names, spelling_key
from tests.hardware.factories import make_profile


def test_each_spelling_belongs_to_one_device() -> None:
    counts = Counter(item.key for device in load_devices() for item in device.spellings)

    assert [key for key, count in counts.items() if count > 1] == []
    assert "" not in counts


def test_each_device_has_a_category_and_its_figures_are_plausible() -> None:
    for device in load_devices():
        assert device.category in Category.values, device
        assert all(1 <= size <= 1024 for size in device.memory_sizes_gb), device
        assert 20 <= (device.memory_bandwidth_gb_per_s or 100) <= 20_000, device
        assert 10 <= (device.tdp_watts or 100) <= 2_000, device
        assert list(device.memory_sizes_gb) == sorted(set(device.memory_sizes_gb)), device
        assert len(device.memory_sizes_gb) > 1 or not device.sold_in_several_memories, device
        assert device.source_url is None or device.source_url.startswith("https://"), device


def test_each_cpu_family_has_a_category_and_the_words_of_its_names() -> None:
    for family in load_cpu_families():
        assert family.category in {Category.CONSUMER_CPU, Category.DATACENTER_CPU}
        assert find_cpu_family(" ".join(family.words)) is not None


@pytest.mark.parametrize(
    ("cpu_model", "category"),
    [
        ("AMD EPYC 9274F", "datacenter_cpu"),
        ("Intel Xeon Platinum 8480+", "datacenter_cpu"),
        ("Intel Xeon 6787P", "datacenter_cpu"),
        ("AWS Graviton3", "datacenter_cpu"),
        ("NVIDIA Grace", "datacenter_cpu"),
        ("Ampere Altra Max", "datacenter_cpu"),
        ("Intel Xeon w7-2495X", "consumer_cpu"),
        ("AMD Ryzen Threadripper PRO 7995WX", "consumer_cpu"),
        ("AMD Ryzen 9 7950X", "consumer_cpu"),
        ("Intel Core i9-13900K", "consumer_cpu"),
        ("Apple M3 Max", "consumer_cpu"),
        ("AMD Eng Sample: 100-000001243-50_Y", None),
    ],
)
def test_cpu_categories(cpu_model: str, category: str | None) -> None:
    family = find_cpu_family(cpu_model)

    assert (family.category if family else None) == category


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("raw", "name", "category"),
    [
        ("NVIDIA GeForce RTX 4090", "RTX 4090", "consumer_gpu"),
        ("NVIDIA GeForce RTX 4090 D", "RTX 4090 D", "consumer_gpu"),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", "RTX 4090 Laptop", "consumer_gpu"),
        ("NVIDIA GeForce RTX 3090 Ti", "RTX 3090 Ti", "consumer_gpu"),
        ("NVIDIA RTX A6000", "RTX A6000", "workstation_gpu"),
        ("A6000", "RTX A6000", "workstation_gpu"),
        ("NVIDIA RTX 6000 Ada Generation", "RTX 6000 Ada", "workstation_gpu"),
        ("NVIDIA T400 4GB", "T400", "workstation_gpu"),
        (
            "NVIDIA RTX PRO 6000 Blackwell Workstation Edition",
            "RTX PRO 6000 Blackwell Workstation",
            "workstation_gpu",
        ),
        (
            "NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition",
            "RTX PRO 6000 Blackwell Max-Q",
            "workstation_gpu",
        ),
        (
            "NVIDIA RTX PRO 6000 Blackwell Server Edition",
            "RTX PRO 6000 Blackwell Server",
            "datacenter_gpu",
        ),
        ("Tesla T4", "T4", "datacenter_gpu"),
        ("Tesla P40", "P40", "datacenter_gpu"),
        ("NVIDIA A10G", "A10G", "datacenter_gpu"),
        ("NVIDIA A10", "A10", "datacenter_gpu"),
        ("NVIDIA A40", "A40", "datacenter_gpu"),
        ("NVIDIA L4-PCIe-24GB", "L4", "datacenter_gpu"),
        ("NVIDIA L40", "L40", "datacenter_gpu"),
        ("NVIDIA L40S", "L40S", "datacenter_gpu"),
        ("NVIDIA A100-SXM4-80GB", "A100", "datacenter_gpu"),
        ("NVIDIA-H100-80GB-HBM3", "H100", "datacenter_gpu"),
        ("Nvidia H100 GPU", "H100", "datacenter_gpu"),
        ("h200", "H200", "datacenter_gpu"),
        ("NVIDIA B200-SXM-180GB", "B200", "datacenter_gpu"),
        ("gb200", "GB200", "datacenter_gpu"),
        ("NVIDIA GH200 Grace Hopper Superchip 144GB", "GH200", "datacenter_gpu"),
        ("NVIDIA GH200-GraceHopper-Superchip", "GH200", "datacenter_gpu"),
        ("AMD Instinct MI300X 192GB HBM3", "MI300X", "datacenter_gpu"),
        ("AMD Instinct MI300X-NPS1-SPX-192GB-750W", "MI300X", "datacenter_gpu"),
        ("AMD Instinct MI325X 256GB HBM3E", "MI325X", "datacenter_gpu"),
        ("mi355x", "MI355X", "datacenter_gpu"),
        ("AMD Radeon RX 7900 XTX (RADV NAVI31) (radv)", "RX 7900 XTX", "consumer_gpu"),
        ("AMD Radeon Graphics (RADV STRIX_HALO)", "Radeon 8060S", "integrated_gpu"),
        ("Radeon 8060S Graphics", "Radeon 8060S", "integrated_gpu"),
        ("Radeon 8060S Graphics (RADV GFX1151)", "Radeon 8060S", "integrated_gpu"),
        ("AMD Radeon Graphics", "AMD Radeon Graphics", "integrated_gpu"),
        ("AMD Radeon(TM) Graphics (RADV RENOIR)", "AMD Radeon Graphics", "integrated_gpu"),
        ("NVIDIA GB10", "GB10", "integrated_gpu"),
        ("Apple M3 Max", "Apple M3 Max", "integrated_gpu"),
        ("Intel(R) Arc(TM) A770 Graphics", "Arc A770", "consumer_gpu"),
        ("Intel(R) Graphics", "Intel Graphics", "integrated_gpu"),
        ("Intel Gaudi2", "Gaudi 2", "accelerator"),
        ("TPU v5e", "TPU v5e", "accelerator"),
        ("Huawei Ascend 910B3", "Ascend 910B", "accelerator"),
    ],
)
def test_reported_names_find_their_device(raw: str, name: str, category: str) -> None:
    profile = make_profile(raw)

    assert (profile.gpu_model, profile.platform.category) == (name, category)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "raw",
    [
        "NVIDIA A100-SXM4-40GB MIG 1g.5gb",
        "RTX 4090 Mini",
        "NVIDIA T40",
        "Intel Arc Pro B60 Dual 48G Turbo",
        "RTX 6000",
    ],
)
def test_names_of_other_devices_find_none(raw: str) -> None:
    keys = [key for name in read_gpu_names(raw) for key in name.keys]

    assert AcceleratorAlias.objects.by_key(keys) == {}


@pytest.mark.django_db
def test_the_migration_can_be_taken_back_and_applied_again() -> None:
    migration = import_module("hardware.migrations.0002_accelerator_catalogue")
    profile = make_profile("RTX 4090")
    Accelerator.objects.create(vendor="Acme", name="Acme One", category=Category.ACCELERATOR)

    with connection.schema_editor() as schema_editor:
        migration.remove_catalogue(apps, schema_editor)
        assert list(Accelerator.objects.values_list("name", flat=True)) == ["Acme One"]
        migration.add_catalogue(apps, schema_editor)

    profile.refresh_from_db()
    assert profile.accelerator is None
    assert Accelerator.objects.count() == len(load_devices()) + 1
    assert AcceleratorAlias.objects.filter(spelling_key=spelling_key("RTX 4090")).exists()

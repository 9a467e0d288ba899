"""Reported hardware named by the catalogue, and stored once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from hardware.models import HardwareProfile, Platform
from hardware.services import (
    HardwareFacts,
    HardwareValueError,
    NoDeviceNamedError,
    ResolvedHardware,
    get_or_create_profile,
    resolve_hardware,
)
from tests.hardware.factories import make_profile

pytestmark = pytest.mark.django_db


def resolve_gpus(
    *names: str, count: int | None = None, memory_gb: float | None = None
) -> ResolvedHardware:
    return resolve_hardware(
        HardwareFacts(gpu_models=names, gpu_count=count, gpu_memory_gb=memory_gb)
    )


@pytest.mark.parametrize(
    ("names", "count", "memory_gb", "platform"),
    [
        (("NVIDIA GeForce RTX 4090",), 2, 24, "2× RTX 4090"),
        (("NVIDIA GeForce RTX 4090",), 1, None, "1× RTX 4090"),
        (("NVIDIA GeForce RTX 4090",), None, None, "RTX 4090"),
        (("2x RTX 4090",), None, None, "2× RTX 4090"),
        (("NVIDIA RTX A6000", "NVIDIA RTX A6000"), None, None, "2× RTX A6000"),
        (("NVIDIA RTX A6000, NVIDIA RTX A6000",), 2, None, "2× RTX A6000"),
        (("NVIDIA A100-SXM4-80GB",), 8, None, "8× A100 80 GB SXM"),
        (("NVIDIA A100-PCIE-40GB",), 1, 39.4, "1× A100 40 GB PCIe"),
        (("A100",), 1, 79.15, "1× A100 80 GB"),
        (("A100",), 1, None, "1× A100"),
        (("A100-SXM-64GB",), 4, 63.9, "4× A100 64 GB SXM"),
        (("NVIDIA H100 80GB HBM3",), 8, None, "8× H100 SXM"),
        (("NVIDIA H100 PCIe",), 1, 79.6, "1× H100 PCIe"),
        (("NVIDIA H100-NVL-94GB",), 2, None, "2× H100 NVL"),
        (("NVIDIA GH200 480GB",), 1, None, "1× GH200 96 GB"),
        (("NVIDIA L4-PCIe-24GB",), 1, None, "1× L4"),
        (("NVIDIA T400 4GB",), 1, None, "1× T400 4 GB"),
        (("Foo 9000  Turbo",), 2, 24, "2× Foo 9000 Turbo"),
        (("NVIDIA GeForce RTX 3090, NVIDIA GeForce RTX 4090",), None, None, "RTX 4090 + RTX 3090"),
        (("RTX 3090", "RTX 4090", "RTX 3090"), 3, None, "RTX 4090 + 2× RTX 3090"),
        (("A100-SXM4-40GB", "A100-SXM4-80GB"), None, None, "A100 80 GB SXM + A100 40 GB SXM"),
    ],
)
def test_gpu_platforms(
    names: tuple[str, ...], count: int | None, memory_gb: float | None, platform: str
) -> None:
    assert resolve_gpus(*names, count=count, memory_gb=memory_gb).platform_name == platform


@pytest.mark.parametrize(
    ("cpu_model", "sockets", "platform", "category"),
    [
        ("AMD EPYC 9274F 24-Core Processor", 2, "2× AMD EPYC 9274F", "datacenter_cpu"),
        ("EPYC 9274F", None, "AMD EPYC 9274F", "datacenter_cpu"),
        ("Apple M3 Max", None, "Apple M3 Max (CPU)", "consumer_cpu"),
        ("Some Chip", 1, "1× Some Chip", None),
    ],
)
@pytest.mark.parametrize("gpu_models", [(), ("CPU Only",), ("N/A",)])
def test_cpu_platforms(
    gpu_models: tuple[str, ...],
    cpu_model: str,
    sockets: int | None,
    platform: str,
    category: str | None,
) -> None:
    resolved = resolve_hardware(
        HardwareFacts(gpu_models=gpu_models, cpu_model=cpu_model, cpu_sockets=sockets, gpu_count=0)
    )

    assert (resolved.platform_name, resolved.category) == (platform, category)
    assert resolved.gpu_model is None
    assert resolved.gpu_count is None


def test_memory_is_what_is_reported_and_never_the_catalogues() -> None:
    assert resolve_gpus("RTX 4090").gpu_memory_gb is None
    assert resolve_gpus("NVIDIA A100-SXM4-80GB").gpu_memory_gb == 80
    assert resolve_gpus("NVIDIA A100-SXM4-80GB", memory_gb=79.15).gpu_memory_gb == 79.15


def test_a_memory_the_device_is_not_sold_with_is_kept_with_a_warning() -> None:
    resolved = resolve_gpus("RTX 4090", memory_gb=48)

    assert resolved.gpu_memory_gb == 48
    assert resolved.warnings == (
        "gpu_memory_gb is 48, but RTX 4090 is sold with 24 GB: check that it is the memory of "
        "one GPU.",
    )


def test_an_unknown_gpu_is_kept_as_reported_with_a_warning() -> None:
    resolved = resolve_gpus(" Foo  9000 ")

    assert (resolved.gpu_model, resolved.category, resolved.known) == ("Foo 9000", None, False)
    assert resolved.reported_gpu_models == (" Foo  9000 ",)
    assert "“Foo 9000” is not in the catalogue" in resolved.warnings[0]


def test_a_plain_radeon_graphics_is_not_taken_for_a_certain_device() -> None:
    resolved = resolve_gpus("AMD Radeon Graphics")

    assert resolved.gpu_model == "AMD Radeon Graphics"
    assert resolved.category == "integrated_gpu"
    assert "more than one device" in resolved.warnings[0]


@pytest.mark.parametrize("count", [None, 1, 2])
def test_an_integrated_gpu_beside_a_card_is_left_out(count: int | None) -> None:
    resolved = resolve_gpus(
        "NVIDIA GeForce RTX 4090, AMD Radeon Graphics (RADV RAPHAEL_MENDOCINO)", count=count
    )

    assert (resolved.platform_name, resolved.gpu_count) == ("1× RTX 4090", 1)
    assert "left out of the GPUs used" in resolved.warnings[0]


def test_an_integrated_gpu_alone_is_the_device() -> None:
    assert resolve_gpus("NVIDIA GB10", count=2).platform_name == "2× GB10"


def test_the_stated_count_wins_over_the_names_with_a_warning() -> None:
    resolved = resolve_gpus(*["NVIDIA A100-SXM4-80GB"] * 4, count=1)

    assert resolved.platform_name == "1× A100 80 GB SXM"
    assert resolved.warnings == ("gpu_count is 1, but 4 GPUs are named: 1 is kept.",)


def test_mixed_gpus_have_a_category_only_where_they_share_it() -> None:
    assert resolve_gpus("RTX 4090", "RTX 3090").category == "consumer_gpu"
    assert resolve_gpus("RTX 4090", "A100").category is None


def test_numbers_that_say_nothing_are_not_known() -> None:
    resolved = resolve_hardware(
        HardwareFacts(gpu_models=("RTX 4090",), gpu_count=0, gpu_memory_gb=0, ram_gb=0)
    )

    assert (resolved.gpu_count, resolved.gpu_memory_gb, resolved.ram_gb) == (None, None, None)
    assert len(resolved.warnings) == 3


def test_gpu_facts_without_a_gpu_are_left_out_with_a_warning() -> None:
    resolved = resolve_hardware(HardwareFacts(cpu_model="AMD EPYC 9654", gpu_memory_gb=24))

    assert resolved.gpu_memory_gb is None
    assert "no GPU is named" in resolved.warnings[0]


@pytest.mark.parametrize("cpu_model", [None, "", "N/A", "unknown"])
def test_hardware_without_a_device_is_refused(cpu_model: str | None) -> None:
    with pytest.raises(NoDeviceNamedError):
        resolve_hardware(HardwareFacts(gpu_models=("none",), cpu_model=cpu_model))


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        (HardwareFacts(gpu_models=("x" * 201,)), "gpu_model"),
        (HardwareFacts(gpu_models=("RTX 4090",), gpu_count=40_000), "gpu_count"),
        (HardwareFacts(cpu_model="AMD EPYC 9654", label="x" * 101), "label"),
    ],
)
def test_values_that_cannot_be_stored_are_refused(facts: HardwareFacts, field: str) -> None:
    with pytest.raises(HardwareValueError) as error:
        resolve_hardware(facts)

    assert error.value.field == field


@pytest.mark.parametrize("count", [1, 20])
def test_resolving_takes_one_query_for_any_number_of_gpus(
    count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        resolve_gpus(*("RTX 4090", "RTX 3090", "Foo 9000") * count)


def test_names_that_no_database_holds_are_cleaned() -> None:
    profile = make_profile("Foo\x00 9000 \ud800", cpu_model="Bar\x00")

    assert (profile.gpu_model, profile.cpu_model) == ("Foo 9000", "Bar")


def test_the_longest_name_is_stored() -> None:
    assert len(make_profile("İ" * 200, gpu_count=32_767).gpu_model or "") == 200


def test_storing_the_same_hardware_again_changes_nothing(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    resolved = resolve_gpus("NVIDIA GeForce RTX 4090", count=2)
    profile = get_or_create_profile(resolved)

    with django_assert_num_queries(1):
        assert get_or_create_profile(resolved) == profile
    assert (Platform.objects.count(), HardwareProfile.objects.count()) == (1, 1)
    assert profile.accelerator is not None
    assert profile.accelerator.name == "RTX 4090"


def test_machines_of_one_platform_are_profiles_apart() -> None:
    profiles = [
        make_profile("RTX 4090", gpu_count=1, ram_gb=64),
        make_profile("RTX 4090", gpu_count=1, ram_gb=128),
        make_profile("RTX 4090", gpu_count=1),
    ]

    assert len({profile.pk for profile in profiles}) == 3
    assert len({profile.platform_id for profile in profiles}) == 1


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_two_writers_at_once_make_one_profile() -> None:
    resolved = resolve_gpus("NVIDIA GeForce RTX 4090", count=2)
    profile_ids = run_at_once(lambda: get_or_create_profile(resolved).pk, writers=4)

    assert len(set(profile_ids)) == 1
    assert (Platform.objects.count(), HardwareProfile.objects.count()) == (1, 1)


def run_at_once(task: Callable[[], UUID], *, writers: int) -> list[UUID]:
    """Run the task in threads that start together, each on a connection of its own."""
    barrier = Barrier(writers, timeout=10)

    def run() -> UUID:
        try:
            connection.ensure_connection()
            barrier.wait()
            return task()
        finally:
            connection.close()

    with ThreadPoolExecutor(writers) as pool:
        return [future.result() for future in [pool.submit(run) for _ in range(writers)]]

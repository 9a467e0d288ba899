"""How platforms are named."""

import pytest

from hardware.platforms import (
    cpu_platform,
    device_label,
    gpu_platform,
    mixed_label,
    sold_memory_gb,
)


@pytest.mark.parametrize(
    ("reported_gb", "sizes_gb", "sold_gb"),
    [
        (79.15, (40, 80), 80),  # what torch counts on an 80 GB card
        (85.52, (40, 80), 80),  # the same in units of 10^9 bytes
        (39.4, (40, 80), 40),
        (93.6, (80, 94), 94),
        (60, (40, 80), None),
        (80, (), None),
    ],
)
def test_a_reported_memory_stands_for_a_size_that_is_sold(
    reported_gb: float, sizes_gb: tuple[float, ...], sold_gb: float | None
) -> None:
    assert sold_memory_gb(reported_gb, sizes_gb) == sold_gb


def test_a_device_label_leaves_out_what_is_not_known() -> None:
    assert device_label("A100", 80, "SXM") == "A100 80 GB SXM"
    assert device_label("H100", None, "PCIe") == "H100 PCIe"
    assert device_label("RTX 4090") == "RTX 4090"


@pytest.mark.parametrize(
    ("count", "key", "name"),
    [
        (2, "2x-a100-80-gb-sxm", "2× A100 80 GB SXM"),
        (1, "1x-a100-80-gb-sxm", "1× A100 80 GB SXM"),
        (None, "a100-80-gb-sxm", "A100 80 GB SXM"),
    ],
)
def test_an_unknown_count_is_not_one(count: int | None, key: str, name: str) -> None:
    platform = gpu_platform("A100 80 GB SXM", count)

    assert (platform.key, platform.name) == (key, name)


def test_mixed_gpus_are_named_alike_in_any_order() -> None:
    label = mixed_label(["RTX 3090", "RTX 4090", "RTX 4090"])

    assert label == mixed_label(["RTX 4090", "RTX 3090", "RTX 4090"])
    assert gpu_platform(label, 3).name == "2× RTX 4090 + RTX 3090"
    assert gpu_platform(label, 3).key == "2x-rtx-4090-and-rtx-3090"


def test_a_cpu_platform_never_shares_its_key_with_a_gpu() -> None:
    platform = cpu_platform("Apple M3 Max", None, has_gpu_of_that_name=True)

    assert platform.name == "Apple M3 Max (CPU)"
    assert platform.key != gpu_platform("Apple M3 Max", None).key


def test_a_name_of_signs_alone_has_a_key() -> None:
    assert gpu_platform("???", None).key == "???"

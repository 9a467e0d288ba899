"""What the database holds to, and how hardware is shown."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError

from hardware.models import (
    Accelerator,
    AcceleratorAlias,
    AcceleratorPrice,
    Category,
    HardwareProfile,
    Platform,
    PriceKind,
)
from tests.hardware.factories import make_profile, make_raw_profile

pytestmark = pytest.mark.django_db


def make_accelerator(**fields: Any) -> Accelerator:
    return Accelerator.objects.create(
        **{"vendor": "Acme", "name": "Acme One", "category": Category.ACCELERATOR} | fields
    )


def make_price(accelerator: Accelerator, **fields: Any) -> AcceleratorPrice:
    given = {"kind": PriceKind.PURCHASE, "amount": Decimal(1599), "currency": "USD"}
    return AcceleratorPrice.objects.create(
        accelerator=accelerator, **given | {"dated": date(2026, 1, 31)} | fields
    )


@pytest.mark.parametrize(
    ("constraint", "fields"),
    [
        ("gpu_count_positive", {"gpu_model": "RTX 4090", "gpu_count": 0}),
        ("gpu_memory_positive", {"gpu_model": "RTX 4090", "gpu_memory_gb": 0.0}),
        ("cpu_sockets_positive", {"cpu_model": "AMD EPYC 9654", "cpu_sockets": 0}),
        ("ram_positive", {"cpu_model": "AMD EPYC 9654", "ram_gb": 0.0}),
        ("gpu_facts_need_gpu", {"cpu_model": "AMD EPYC 9654", "gpu_count": 1}),
        ("gpu_facts_need_gpu", {"cpu_model": "AMD EPYC 9654", "gpu_memory_gb": 24.0}),
        ("gpu_facts_need_gpu", {"cpu_model": "AMD EPYC 9654", "gpu_form": "PCIe"}),
        ("names_a_device", {"ram_gb": 64.0}),
        ("names_not_empty", {"gpu_model": ""}),
        ("names_not_empty", {"cpu_model": ""}),
    ],
)
def test_profile_constraints(constraint: str, fields: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError, match=f"hardware_profile_{constraint}"):
        make_raw_profile(**fields)


def test_a_profile_without_a_gpu_has_no_accelerator() -> None:
    with pytest.raises(IntegrityError, match="hardware_profile_gpu_facts_need_gpu"):
        make_raw_profile(cpu_model="AMD EPYC 9654", accelerator=make_accelerator())


def test_an_identity_is_unique_and_its_nulls_are_equal() -> None:
    make_raw_profile(gpu_model="RTX 4090", gpu_count=2)
    make_raw_profile(gpu_model="RTX 4090", gpu_count=2, label="NPS4")

    with pytest.raises(IntegrityError, match="hardware_profile_unique_identity"):
        make_raw_profile(gpu_model="RTX 4090", gpu_count=2)


def test_a_profile_is_found_by_its_whole_identity() -> None:
    make_profile("RTX 4090", ram_gb=64)
    profile = make_profile("RTX 4090")
    identity = {"gpu_model": "RTX 4090", "ram_gb": None}

    assert HardwareProfile.objects.with_identity(identity).get() == profile


def test_a_platform_key_is_unique() -> None:
    Platform.objects.create(key="2x-rtx-4090", name="2× RTX 4090")

    with pytest.raises(IntegrityError, match="hardware_platform_key"):
        Platform.objects.create(key="2x-rtx-4090", name="two of them")


@pytest.mark.parametrize(
    ("constraint", "fields"),
    [
        ("hardware_accelerator_name", {"name": "RTX 4090"}),
        ("hardware_accelerator_bandwidth_positive", {"memory_bandwidth_gb_per_s": 0}),
        ("hardware_accelerator_tdp_positive", {"tdp_watts": 0}),
    ],
)
def test_accelerator_constraints(constraint: str, fields: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        make_accelerator(**fields)


@pytest.mark.parametrize(
    ("constraint", "fields"),
    [
        ("hardware_acceleratoralias_spelling_key", {"spelling_key": "rtx 4090"}),
        ("hardware_alias_key_not_empty", {"spelling_key": ""}),
        ("hardware_alias_memory_positive", {"spelling_key": "acme 1", "memory_gb": 0}),
    ],
)
def test_alias_constraints(constraint: str, fields: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        AcceleratorAlias.objects.create(accelerator=make_accelerator(), **fields)


def test_a_price_is_above_zero() -> None:
    with pytest.raises(IntegrityError, match="hardware_price_positive"):
        make_price(make_accelerator(), amount=0)


def test_there_is_one_price_of_a_kind_a_day() -> None:
    accelerator = make_accelerator()
    make_price(accelerator)
    make_price(accelerator, currency="EUR")

    with pytest.raises(IntegrityError, match="hardware_price_unique_per_day"):
        make_price(accelerator)


def test_memory_of_an_accelerator_is_known_where_it_has_one_size() -> None:
    assert Accelerator.objects.get(name="RTX 4090").memory_gb == 24
    assert Accelerator.objects.get(name="A100").memory_gb is None
    assert Accelerator.objects.get(name="B300").memory_gb is None


def test_rows_name_themselves() -> None:
    accelerator = make_accelerator()
    alias = AcceleratorAlias.objects.create(accelerator=accelerator, spelling_key="acme 1")

    assert str(accelerator) == "Acme One"
    assert str(alias) == "acme 1"
    assert str(make_price(accelerator)) == "1599 USD (purchase, one device, 2026-01-31)"


@pytest.mark.parametrize(
    ("profile", "summary"),
    [
        (
            {
                "gpu_model": "RTX 4090",
                "gpu_count": 2,
                "gpu_memory_gb": 24.0,
                "cpu_model": "AMD Ryzen 9 7950X",
            },
            "2× RTX 4090 24 GB · AMD Ryzen 9 7950X",
        ),
        ({"gpu_model": "A100", "gpu_memory_gb": 79.15, "gpu_form": "SXM"}, "A100 79.15 GB SXM"),
        (
            {"gpu_model": "RTX 4090 + RTX 3090", "gpu_count": 2, "gpu_memory_gb": 24.0},
            "RTX 4090 + RTX 3090",
        ),
        (
            {"cpu_model": "AMD EPYC 9654", "cpu_sockets": 2, "label": "NPS4"},
            "2× AMD EPYC 9654 · NPS4",
        ),
    ],
)
def test_a_profile_is_summed_up_in_a_line(profile: dict[str, Any], summary: str) -> None:
    assert str(HardwareProfile(**profile)) == summary

"""Curation of hardware in the admin."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from hardware.models import (
    Accelerator,
    AcceleratorAlias,
    AcceleratorPrice,
    HardwareProfile,
    Platform,
    PriceKind,
)
from tests.hardware.factories import make_profile

pytestmark = pytest.mark.django_db

MODELS = (Accelerator, AcceleratorAlias, AcceleratorPrice, Platform, HardwareProfile)


def accelerator_form(**fields: Any) -> dict[str, Any]:
    form = {
        "vendor": "Acme",
        "name": "Acme One",
        "category": "accelerator",
        "memory_sizes_gb": "48",
    }
    for inline in ("aliases", "prices"):
        form |= {f"{inline}-TOTAL_FORMS": "0", f"{inline}-INITIAL_FORMS": "0"}
    return form | fields


@pytest.fixture
def price() -> AcceleratorPrice:
    return AcceleratorPrice.objects.create(
        accelerator=Accelerator.objects.get(name="RTX 4090"),
        kind=PriceKind.PURCHASE,
        amount=Decimal(1599),
        currency="USD",
        dated=date(2026, 1, 31),
    )


@pytest.mark.parametrize("model", MODELS)
def test_admin_lists_and_forms_load(
    admin_client: Client,
    model: type[Any],
    price: AcceleratorPrice,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    make_profile("RTX 4090", cpu_model="AMD Ryzen 9 7950X")
    stem = f"admin:hardware_{model._meta.model_name}"

    with django_assert_max_num_queries(12):
        response = admin_client.get(reverse(f"{stem}_changelist"), {"q": "4090"})
    assert response.status_code == 200
    assert "4090" in response.text
    row = model.objects.first()
    for url in (reverse(f"{stem}_add"), reverse(f"{stem}_change", args=[row.pk])):
        assert admin_client.get(url).status_code == 200


def test_admin_spellings_are_kept_in_the_form_in_which_they_are_compared(
    admin_client: Client,
) -> None:
    accelerator = Accelerator.objects.get(name="RTX 4090")

    admin_client.post(
        reverse("admin:hardware_acceleratoralias_add"),
        {"accelerator": accelerator.pk, "spelling_key": "GeForce RTX 4090 (My Edition)"},
    )

    assert accelerator.aliases.filter(spelling_key="rtx 4090 my").exists()


@pytest.mark.parametrize("spelling", ["---", "NVIDIA RTX 3090"])
def test_admin_refuses_a_spelling_that_is_empty_or_taken(
    admin_client: Client, spelling: str
) -> None:
    accelerator = Accelerator.objects.get(name="RTX 4090")
    before = AcceleratorAlias.objects.count()

    response = admin_client.post(
        reverse("admin:hardware_acceleratoralias_add"),
        {"accelerator": accelerator.pk, "spelling_key": spelling},
    )

    assert response.status_code == 200
    assert response.context["adminform"].form.errors.keys() == {"spelling_key"}
    assert AcceleratorAlias.objects.count() == before


def test_admin_makes_the_name_of_an_accelerator_a_spelling_of_it(admin_client: Client) -> None:
    form = accelerator_form(
        **{"aliases-TOTAL_FORMS": "1", "aliases-0-spelling_key": "Acme 1 Deluxe"}
    )
    response = admin_client.post(reverse("admin:hardware_accelerator_add"), form)

    assert response.status_code == 302
    aliases = Accelerator.objects.get(name="Acme One").aliases
    assert {alias.spelling_key for alias in aliases.all()} == {"acme one", "acme 1 deluxe"}
    assert make_profile("ACME  One").gpu_model == "Acme One"


def test_admin_refuses_a_name_that_is_a_spelling_of_another_device(admin_client: Client) -> None:
    response = admin_client.post(
        reverse("admin:hardware_accelerator_add"), accelerator_form(name="GeForce RTX 4090")
    )

    assert "This name is a spelling of RTX 4090." in response.text
    assert not Accelerator.objects.filter(name="GeForce RTX 4090").exists()


def test_admin_keeps_the_identity_of_a_profile(admin_client: Client) -> None:
    profile = make_profile("RTX 4090", gpu_count=2)

    response = admin_client.post(
        reverse("admin:hardware_hardwareprofile_change", args=[profile.pk]),
        {"platform": profile.platform_id, "accelerator": "", "gpu_model": "RTX 3090"},
    )

    assert response.status_code == 302
    profile.refresh_from_db()
    assert (profile.gpu_model, profile.accelerator) == ("RTX 4090", None)


def test_admin_keeps_the_key_of_a_platform(admin_client: Client) -> None:
    platform = make_profile("RTX 4090", gpu_count=2).platform

    admin_client.post(
        reverse("admin:hardware_platform_change", args=[platform.pk]),
        {"name": "Two RTX 4090", "category": "consumer_gpu", "key": "other"},
    )

    platform.refresh_from_db()
    assert (platform.key, platform.name) == ("2x-rtx-4090", "Two RTX 4090")

"""What a run ran on: accelerators, platforms and hardware profiles."""

from collections.abc import Iterable, Mapping
from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from benchsite.common.ids import new_id
from hardware import platforms
from hardware.resolution import IDENTITY_FIELDS


class Category(models.TextChoices):
    """Kinds of device that people filter by."""

    CONSUMER_GPU = "consumer_gpu", "consumer GPU"
    WORKSTATION_GPU = "workstation_gpu", "workstation GPU"
    DATACENTER_GPU = "datacenter_gpu", "datacenter GPU"
    INTEGRATED_GPU = "integrated_gpu", "integrated GPU (unified memory)"
    ACCELERATOR = "accelerator", "accelerator (TPU, NPU …)"
    CONSUMER_CPU = "consumer_cpu", "consumer CPU"
    DATACENTER_CPU = "datacenter_cpu", "datacenter CPU"


def category_choices() -> list[tuple[str, str]]:
    """Return the categories as a field's choices."""
    return Category.choices


class PriceKind(models.TextChoices):
    """What an amount of money was paid for."""

    PURCHASE = "purchase", "purchase, one device"
    RENTAL_HOUR = "rental_hour", "rental, one device for an hour"
    POWER_COST = "power_cost", "electricity, 1 kWh"


def price_kind_choices() -> list[tuple[str, str]]:
    """Return the kinds of price as a field's choices."""
    return PriceKind.choices


class AcceleratorQuerySet(models.QuerySet["Accelerator"]):
    """Look-ups of devices."""

    def search(self, words: str) -> Self:
        """Keep devices that hold every word in their name or vendor; none for no word."""
        found = self if words.split() else self.none()
        for word in words.split():
            found = found.filter(Q(name__icontains=word) | Q(vendor__icontains=word))
        return found.order_by("name")


class Accelerator(models.Model):
    """Curated facts of a GPU or another accelerator; NULL where a figure is not known."""

    vendor = models.CharField(max_length=50)
    name = models.CharField(
        "canonical name", max_length=100, unique=True, help_text="As in “RTX 4090”, “A100”."
    )
    category = models.CharField(max_length=20, choices=category_choices)
    memory_sizes_gb = ArrayField(
        models.FloatField(validators=[MinValueValidator(0.1)]),
        default=list,
        blank=True,
        verbose_name="memory sizes (GB)",
        help_text="The sizes it is sold in, with commas between; empty: not known.",
    )
    memory_bandwidth_gb_per_s = models.FloatField("memory bandwidth (GB/s)", null=True, blank=True)
    tdp_watts = models.FloatField("TDP (W)", null=True, blank=True)
    sold_in_several_memories = models.BooleanField(
        default=False, help_text="Memory is part of its platforms’ names: “A100 80 GB”."
    )
    sold_in_several_forms = models.BooleanField(
        default=False, help_text="The form is part of its platforms’ names: “H100 PCIe”."
    )
    is_generic = models.BooleanField(
        "a name of several devices",
        default=False,
        help_text="Drivers give this name to more than one device, as “AMD Radeon Graphics”.",
    )
    source_url = models.URLField("source", null=True, blank=True)

    objects = AcceleratorQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(memory_bandwidth_gb_per_s__gt=0),
                name="hardware_accelerator_bandwidth_positive",
            ),
            models.CheckConstraint(
                condition=Q(tdp_watts__gt=0), name="hardware_accelerator_tdp_positive"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def memory_gb(self) -> float | None:
        """Return its memory (GB); None where it is not known or sold in several sizes."""
        return self.memory_sizes_gb[0] if len(self.memory_sizes_gb) == 1 else None


class AcceleratorAliasQuerySet(models.QuerySet["AcceleratorAlias"]):
    """Look-ups of reported names."""

    def by_key(self, keys: Iterable[str]) -> dict[str, "AcceleratorAlias"]:
        """Return the aliases of these spelling keys with their accelerators, in one query."""
        wanted = set(keys)
        if not wanted:
            return {}
        found = self.filter(spelling_key__in=wanted).select_related("accelerator")
        return {alias.spelling_key: alias for alias in found}


class AcceleratorAlias(models.Model):
    """A spelling by which tools report an accelerator."""

    accelerator = models.ForeignKey(Accelerator, on_delete=models.CASCADE, related_name="aliases")
    spelling_key = models.CharField(
        max_length=200,
        unique=True,
        help_text="Any spelling; it is kept in the form in which spellings are compared.",
    )
    memory_gb = models.FloatField(
        "memory (GB)", null=True, blank=True, help_text="Where this spelling names one version."
    )
    form = models.CharField(
        max_length=10, null=True, blank=True, help_text="Where this spelling names one version."
    )

    objects = AcceleratorAliasQuerySet.as_manager()

    class Meta:
        ordering = ["spelling_key"]
        verbose_name_plural = "accelerator aliases"
        constraints = [
            models.CheckConstraint(
                condition=~Q(spelling_key=""), name="hardware_alias_key_not_empty"
            ),
            models.CheckConstraint(
                condition=Q(memory_gb__gt=0), name="hardware_alias_memory_positive"
            ),
        ]

    def __str__(self) -> str:
        return self.spelling_key


class AcceleratorPrice(models.Model):
    """What an accelerator, or its power, cost on a certain day."""

    accelerator = models.ForeignKey(Accelerator, on_delete=models.CASCADE, related_name="prices")
    kind = models.CharField(max_length=20, choices=price_kind_choices)
    amount = models.DecimalField(max_digits=12, decimal_places=4)
    currency = models.CharField(
        max_length=3,
        validators=[RegexValidator(r"^[A-Z]{3}$", "Three capital letters (ISO 4217).")],
        help_text="ISO 4217, as in EUR.",
    )
    dated = models.DateField(help_text="The day on which it was so.")
    source_url = models.URLField("source", null=True, blank=True)

    class Meta:
        ordering = ["-dated"]
        constraints = [
            models.UniqueConstraint(
                fields=["accelerator", "kind", "currency", "dated"],
                name="hardware_price_unique_per_day",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="hardware_price_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} ({self.get_kind_display()}, {self.dated})"


class Platform(models.Model):
    """What people group machines by: GPUs × count, or CPU × sockets."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    key = models.CharField(max_length=450, unique=True, help_text="The name for machines and URLs.")
    name = models.CharField(max_length=250)
    category = models.CharField(max_length=20, choices=category_choices, null=True, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class HardwareProfileQuerySet(models.QuerySet["HardwareProfile"]):
    """Look-ups of profiles."""

    def with_identity(self, identity: Mapping[str, Any]) -> Self:
        """Keep the profile of exactly these identity fields, None meaning "not known"."""
        known = {name: value for name, value in identity.items() if value is not None}
        unknown = {f"{name}__isnull": True for name, value in identity.items() if value is None}
        return self.filter(**known, **unknown)

    def search(self, words: str) -> Self:
        """Keep profiles that hold every word in a name of theirs; none for no word."""
        found = self if words.split() else self.none()
        for word in words.split():
            found = found.filter(
                Q(platform__name__icontains=word)
                | Q(gpu_model__icontains=word)
                | Q(cpu_model__icontains=word)
                | Q(label__icontains=word)
            )
        return found.order_by("platform__name", "id")


class HardwareProfile(models.Model):
    """A machine as far as a result tells it; NULL where it does not."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    platform = models.ForeignKey(Platform, on_delete=models.PROTECT, related_name="profiles")
    accelerator = models.ForeignKey(
        Accelerator, on_delete=models.PROTECT, related_name="profiles", null=True, blank=True
    )
    gpu_model = models.CharField(
        "GPU model", max_length=200, null=True, blank=True, help_text="Empty: CPU only."
    )
    gpu_count = models.PositiveSmallIntegerField("GPUs used", null=True, blank=True)
    gpu_memory_gb = models.FloatField("memory of each GPU (GB)", null=True, blank=True)
    gpu_form = models.CharField(
        "GPU form",
        max_length=10,
        null=True,
        blank=True,
        help_text="PCIe, SXM …, where sold in several.",
    )
    cpu_model = models.CharField("CPU model", max_length=200, null=True, blank=True)
    cpu_sockets = models.PositiveSmallIntegerField("CPU sockets", null=True, blank=True)
    cpu_arch = models.CharField("CPU architecture", max_length=50, null=True, blank=True)
    ram_gb = models.FloatField("RAM (GB)", null=True, blank=True)
    ram_type = models.CharField("RAM type", max_length=50, null=True, blank=True)
    virtualization_type = models.CharField("virtualization", max_length=50, null=True, blank=True)
    label = models.CharField(
        max_length=100,
        null=True,
        blank=True,
        help_text="What else tells machines apart: BIOS mode, NUMA per socket.",
    )

    objects = HardwareProfileQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=IDENTITY_FIELDS,
                nulls_distinct=False,
                name="hardware_profile_unique_identity",
            ),
            models.CheckConstraint(
                condition=Q(gpu_count__gte=1), name="hardware_profile_gpu_count_positive"
            ),
            models.CheckConstraint(
                condition=Q(gpu_memory_gb__gt=0), name="hardware_profile_gpu_memory_positive"
            ),
            models.CheckConstraint(
                condition=Q(cpu_sockets__gte=1), name="hardware_profile_cpu_sockets_positive"
            ),
            models.CheckConstraint(condition=Q(ram_gb__gt=0), name="hardware_profile_ram_positive"),
            models.CheckConstraint(
                condition=Q(gpu_model__isnull=False)
                | Q(
                    gpu_count__isnull=True,
                    gpu_memory_gb__isnull=True,
                    gpu_form__isnull=True,
                    accelerator__isnull=True,
                ),
                name="hardware_profile_gpu_facts_need_gpu",
            ),
            models.CheckConstraint(
                condition=Q(gpu_model__isnull=False) | Q(cpu_model__isnull=False),
                name="hardware_profile_names_a_device",
            ),
            models.CheckConstraint(
                condition=~Q(gpu_model="") & ~Q(cpu_model=""),
                name="hardware_profile_names_not_empty",
            ),
        ]

    def __str__(self) -> str:
        return self.summary

    @property
    def summary(self) -> str:
        """Return the machine in a line: "2× RTX 4090 24 GB · AMD Ryzen 9 7950X"."""
        parts = []
        if self.gpu_model:
            memory_gb = None if platforms.is_mixed(self.gpu_model) else self.gpu_memory_gb
            gpu = platforms.device_label(self.gpu_model, memory_gb, self.gpu_form)
            parts.append(platforms.gpu_platform(gpu, self.gpu_count).name)
        if self.cpu_model:
            parts.append(platforms.counted(self.cpu_model, self.cpu_sockets))
        if self.label:
            parts.append(self.label)
        return " · ".join(parts)

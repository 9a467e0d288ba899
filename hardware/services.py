"""Naming reported hardware by the catalogue, and storing it as profiles."""

from hardware.models import AcceleratorAlias, HardwareProfile, Platform
from hardware.resolution import (
    HardwareError,
    HardwareFacts,
    KnownDevice,
    NoDeviceNamedError,
    ResolvedHardware,
    keys_to_look_up,
    resolve,
)

__all__ = [
    "HardwareError",
    "HardwareFacts",
    "HardwareValueError",
    "NoDeviceNamedError",
    "ResolvedHardware",
    "get_or_create_profile",
    "resolve_hardware",
]

_MAX_COUNT = 32767  # of PostgreSQL's smallint


class HardwareValueError(HardwareError):
    """A value is longer or greater than we store; `field` says which."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


def resolve_hardware(facts: HardwareFacts) -> ResolvedHardware:
    """Return canonical names, platform, category and warnings; one query, none is written.

    Raises NoDeviceNamedError when neither a GPU nor a CPU is named, HardwareValueError when a
    value is too long or too great to be stored.
    """
    found = AcceleratorAlias.objects.by_key(keys_to_look_up(facts))
    resolved = resolve(facts, {key: _known_device(alias) for key, alias in found.items()})
    _check_storable(resolved)
    return resolved


def get_or_create_profile(resolved: ResolvedHardware) -> HardwareProfile:
    """Return the profile of this identity, made with its platform if it is new.

    Two writers at once get the same row: each inserts unless it is there, then reads it.
    """
    profiles = HardwareProfile.objects.select_related("platform").with_identity(resolved.identity)
    if profile := profiles.first():
        return profile
    Platform.objects.bulk_create(
        [
            Platform(
                key=resolved.platform_key,
                name=resolved.platform_name,
                category=resolved.category,
            )
        ],
        ignore_conflicts=True,
    )
    platform = Platform.objects.get(key=resolved.platform_key)
    HardwareProfile.objects.bulk_create(
        [
            HardwareProfile(
                platform=platform, accelerator_id=resolved.accelerator_id, **resolved.identity
            )
        ],
        ignore_conflicts=True,
    )
    return profiles.get()


def _known_device(alias: AcceleratorAlias) -> KnownDevice:
    accelerator = alias.accelerator
    return KnownDevice(
        accelerator_id=accelerator.pk,
        name=accelerator.name,
        category=accelerator.category,
        memory_sizes_gb=tuple(accelerator.memory_sizes_gb),
        sold_in_several_memories=accelerator.sold_in_several_memories,
        sold_in_several_forms=accelerator.sold_in_several_forms,
        is_generic=accelerator.is_generic,
        bandwidth_gb_per_s=accelerator.memory_bandwidth_gb_per_s,
        spelling_memory_gb=alias.memory_gb,
        spelling_form=alias.form,
    )


def _check_storable(resolved: ResolvedHardware) -> None:
    for name, value in resolved.identity.items():
        if isinstance(value, str):
            limit = getattr(HardwareProfile._meta.get_field(name), "max_length", None)
            if limit is not None and len(value) > limit:
                raise HardwareValueError(name, f"longer than {limit} characters.")
        elif isinstance(value, int) and value > _MAX_COUNT:
            raise HardwareValueError(name, f"{value} is greater than {_MAX_COUNT}.")

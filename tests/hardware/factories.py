"""Typed makers of hardware."""

from typing import Any

from hardware.models import HardwareProfile, Platform
from hardware.services import HardwareFacts, get_or_create_profile, resolve_hardware


def make_profile(
    *gpu_models: str,
    gpu_count: int | None = None,
    gpu_memory_gb: float | None = None,
    cpu_model: str | None = None,
    cpu_sockets: int | None = None,
    ram_gb: float | None = None,
    label: str | None = None,
) -> HardwareProfile:
    """Store the profile of reported hardware, an RTX 4090 where no device is named."""
    if not gpu_models and cpu_model is None:
        gpu_models = ("NVIDIA GeForce RTX 4090",)
    return get_or_create_profile(
        resolve_hardware(
            HardwareFacts(
                gpu_models=gpu_models,
                gpu_count=gpu_count,
                gpu_memory_gb=gpu_memory_gb,
                cpu_model=cpu_model,
                cpu_sockets=cpu_sockets,
                ram_gb=ram_gb,
                label=label,
            )
        )
    )


def make_raw_profile(**fields: Any) -> HardwareProfile:
    """Store a profile of exactly these fields, past all rules but the database's."""
    platform, _ = Platform.objects.get_or_create(key="a-platform", defaults={"name": "A platform"})
    return HardwareProfile.objects.create(platform=platform, **fields)

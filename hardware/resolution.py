"""From reported hardware to canonical names and a platform: rules alone, without a database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from hardware import platforms
from hardware.catalogue import find_cpu_family
from hardware.names import (
    GpuName,
    read_gpu_names,
    says_nothing,
    spelling_key,
    tidy,
    tidy_cpu_name,
)
from hardware.platforms import PlatformName

IDENTITY_FIELDS = (
    "gpu_model",
    "gpu_count",
    "gpu_memory_gb",
    "gpu_form",
    "cpu_model",
    "cpu_sockets",
    "cpu_arch",
    "ram_gb",
    "ram_type",
    "virtualization_type",
    "label",
)
_INTEGRATED = "integrated_gpu"
_Number = TypeVar("_Number", int, float)


class HardwareError(Exception):
    """Base of what can be wrong with reported hardware."""


class NoDeviceNamedError(HardwareError):
    """Neither a GPU nor a CPU is named."""


@dataclass(frozen=True, kw_only=True)
class HardwareFacts:
    """Hardware as reported; None = not known.

    `gpu_models` holds one name a device, or one name with `gpu_count`; () = CPU only.
    `gpu_memory_gb` is of each GPU, `gpu_count` counts the GPUs used.
    """

    gpu_models: tuple[str, ...] = ()
    gpu_count: int | None = None
    gpu_memory_gb: float | None = None
    gpu_form: str | None = None
    cpu_model: str | None = None
    cpu_sockets: int | None = None
    cpu_arch: str | None = None
    ram_gb: float | None = None
    ram_type: str | None = None
    virtualization_type: str | None = None
    label: str | None = None


@dataclass(frozen=True, kw_only=True)
class KnownDevice:
    """What the catalogue says of a spelling; its memory and form where it names one version."""

    accelerator_id: int
    name: str
    category: str
    memory_sizes_gb: tuple[float, ...] = ()
    sold_in_several_memories: bool = False
    sold_in_several_forms: bool = False
    is_generic: bool = False
    bandwidth_gb_per_s: float | None = None
    spelling_memory_gb: float | None = None
    spelling_form: str | None = None


@dataclass(frozen=True, kw_only=True)
class ResolvedHardware:
    """Hardware under canonical names, ready to be stored; the reported names beside them.

    `bandwidth_gb_per_s` is the memory bandwidth of all GPUs used, None where one is not known.
    """

    gpu_model: str | None
    gpu_count: int | None
    gpu_memory_gb: float | None
    gpu_form: str | None
    cpu_model: str | None
    cpu_sockets: int | None
    cpu_arch: str | None
    ram_gb: float | None
    ram_type: str | None
    virtualization_type: str | None
    label: str | None
    accelerator_id: int | None
    platform_key: str
    platform_name: str
    category: str | None
    known: bool
    bandwidth_gb_per_s: float | None
    reported_gpu_models: tuple[str, ...]
    reported_cpu_model: str | None
    warnings: tuple[str, ...]

    @property
    def identity(self) -> dict[str, Any]:
        """Return the fields over which a hardware profile is unique."""
        return {name: getattr(self, name) for name in IDENTITY_FIELDS}


@dataclass(frozen=True, kw_only=True)
class _Gpu:
    """A reported GPU name and what the catalogue knows of it, with the form stated beside it."""

    reading: GpuName
    known: KnownDevice | None
    stated_form: str | None = None

    @property
    def name(self) -> str:
        return self.known.name if self.known else self.reading.reported

    @property
    def category(self) -> str | None:
        return self.known.category if self.known else None

    @property
    def memory_gb(self) -> float | None:
        by_spelling = self.known.spelling_memory_gb if self.known else None
        return by_spelling or self.reading.memory_gb

    @property
    def form(self) -> str | None:
        if not self.known or not self.known.sold_in_several_forms:
            return None
        return self.known.spelling_form or self.reading.form or self.stated_form

    def label(self, memory_gb: float | None) -> str:
        """Return the name with what tells versions apart; `memory_gb` as far as it is known."""
        if not self.known or not self.known.sold_in_several_memories or memory_gb is None:
            return platforms.device_label(self.name, None, self.form)
        sold = platforms.sold_memory_gb(memory_gb, self.known.memory_sizes_gb)
        return platforms.device_label(self.name, sold or round(memory_gb) or None, self.form)


@dataclass(frozen=True, kw_only=True)
class _Devices:
    """The part of a resolution that the kind of device (GPUs, or the CPU alone) decides."""

    platform: PlatformName
    category: str | None
    known: bool
    gpu_model: str | None = None
    gpu_count: int | None = None
    gpu_memory_gb: float | None = None
    gpu_form: str | None = None
    accelerator_id: int | None = None
    bandwidth_gb_per_s: float | None = None


def keys_to_look_up(facts: HardwareFacts) -> set[str]:
    """Return every spelling key that resolving these facts asks the catalogue for."""
    keys = {key for name in _read_names(facts) for key in name.keys}
    if not keys and (cpu_model := _cpu_name(facts.cpu_model)):
        keys.add(spelling_key(cpu_model))
    return keys


def resolve(facts: HardwareFacts, catalogue: Mapping[str, KnownDevice]) -> ResolvedHardware:
    """Name the hardware; `catalogue` maps spelling keys to devices.

    Memory comes from what is reported alone, never from the catalogue's sizes.
    Raises NoDeviceNamedError when neither a GPU nor a CPU is named.
    """
    warnings: list[str] = []
    cpu_model = _cpu_name(facts.cpu_model)
    cpu_sockets = _positive("cpu_sockets", facts.cpu_sockets, warnings)
    gpus = [
        _Gpu(reading=name, known=_find(name, catalogue), stated_form=facts.gpu_form)
        for name in _read_names(facts)
    ]
    if gpus:
        devices = _gpu_devices(facts, gpus, warnings)
    elif cpu_model:
        same_name = spelling_key(cpu_model) in catalogue
        platform = platforms.cpu_platform(cpu_model, cpu_sockets, has_gpu_of_that_name=same_name)
        devices = _cpu_devices(facts, cpu_model, platform, warnings)
    else:
        raise NoDeviceNamedError("Neither a GPU nor a CPU is named: give gpu_model or cpu_model.")
    return ResolvedHardware(
        gpu_model=devices.gpu_model,
        gpu_count=devices.gpu_count,
        gpu_memory_gb=devices.gpu_memory_gb,
        gpu_form=devices.gpu_form,
        cpu_model=cpu_model,
        cpu_sockets=cpu_sockets,
        cpu_arch=_text(facts.cpu_arch),
        ram_gb=_positive("ram_gb", facts.ram_gb, warnings),
        ram_type=_text(facts.ram_type),
        virtualization_type=_text(facts.virtualization_type),
        label=_text(facts.label),
        accelerator_id=devices.accelerator_id,
        platform_key=devices.platform.key,
        platform_name=devices.platform.name,
        category=devices.category,
        known=devices.known,
        bandwidth_gb_per_s=devices.bandwidth_gb_per_s,
        reported_gpu_models=facts.gpu_models,
        reported_cpu_model=facts.cpu_model,
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _read_names(facts: HardwareFacts) -> list[GpuName]:
    return [name for raw in facts.gpu_models for name in read_gpu_names(raw)]


def _find(name: GpuName, catalogue: Mapping[str, KnownDevice]) -> KnownDevice | None:
    return next((catalogue[key] for key in name.keys if key in catalogue), None)


def _text(raw: str | None) -> str | None:
    return None if raw is None or says_nothing(raw) else tidy(raw)


def _cpu_name(raw: str | None) -> str | None:
    text = _text(raw)
    if text is None or text.casefold() == "unknown":
        return None
    name = tidy_cpu_name(text)
    family = find_cpu_family(name)
    if family and family.vendor and family.vendor.casefold() not in name.casefold().split():
        return f"{family.vendor} {name}"
    return name


def _positive(field: str, value: _Number | None, warnings: list[str]) -> _Number | None:
    """Return a number above 0; others say nothing about a device that is there."""
    if value is None or value > 0:
        return value
    warnings.append(f"{field} is {value:g}: taken as not known.")
    return None


def _cpu_devices(
    facts: HardwareFacts, cpu_model: str, platform: PlatformName, warnings: list[str]
) -> _Devices:
    for field, value in (("gpu_count", facts.gpu_count), ("gpu_memory_gb", facts.gpu_memory_gb)):
        if value:
            warnings.append(f"{field} is {value:g}, but no GPU is named: it is left out.")
    family = find_cpu_family(cpu_model)
    if family is None:
        warnings.append(
            f"The CPU name “{cpu_model}” is of no known family: it is kept as reported, without "
            "a category. A curator can set the category of its platform."
        )
    return _Devices(
        platform=platform, category=family.category if family else None, known=family is not None
    )


def _gpu_devices(facts: HardwareFacts, listed: list[_Gpu], warnings: list[str]) -> _Devices:
    gpus = _without_integrated(listed, warnings)
    warnings.extend(_name_warnings(gpus))
    stated_memory = _positive("gpu_memory_gb", facts.gpu_memory_gb, warnings)
    count = _count(facts, gpus, len(listed) - len(gpus), warnings)
    known = all(gpu.known for gpu in gpus)
    labels = [gpu.label(gpu.memory_gb) for gpu in gpus for _ in range(gpu.reading.count or 1)]
    if len(set(labels)) > 1:
        mixed = platforms.mixed_label(labels)
        categories = {gpu.category for gpu in gpus}
        return _Devices(
            platform=platforms.gpu_platform(mixed, count),
            category=categories.pop() if len(categories) == 1 else None,
            known=known,
            gpu_model=mixed,
            gpu_count=count,
            gpu_memory_gb=stated_memory,
            bandwidth_gb_per_s=_bandwidth_gb_per_s(gpus, count),
        )
    gpu = gpus[0]
    memory_gb = stated_memory or gpu.memory_gb
    warnings.extend(_memory_warnings(gpu, stated_memory))
    return _Devices(
        platform=platforms.gpu_platform(gpu.label(memory_gb), count),
        category=gpu.category,
        known=known,
        gpu_model=gpu.name,
        gpu_count=count,
        gpu_memory_gb=memory_gb,
        gpu_form=gpu.form,
        accelerator_id=gpu.known.accelerator_id if gpu.known else None,
        bandwidth_gb_per_s=_bandwidth_gb_per_s(gpus, count),
    )


def _bandwidth_gb_per_s(gpus: Sequence[_Gpu], count: int | None) -> float | None:
    """Return what the memories of `count` GPUs read together; of unlike ones, the fastest each."""
    each = [gpu.known.bandwidth_gb_per_s if gpu.known else None for gpu in gpus]
    known = [value for value in each if value is not None]
    return count * max(known) if count and known and len(known) == len(each) else None


def _without_integrated(gpus: list[_Gpu], warnings: list[str]) -> list[_Gpu]:
    """Leave out the processor's own GPU where a list names a card beside it."""
    cards = [gpu for gpu in gpus if gpu.category != _INTEGRATED]
    if not any(gpu.known for gpu in cards):
        return gpus
    warnings.extend(
        f"The integrated GPU “{gpu.reading.reported}” is listed beside a card: it is left out of "
        "the GPUs used."
        for gpu in gpus
        if gpu not in cards
    )
    return cards


def _name_warnings(gpus: Sequence[_Gpu]) -> list[str]:
    warnings = []
    for gpu in gpus:
        if gpu.known is None:
            warnings.append(
                f"The GPU name “{gpu.name}” is not in the catalogue: it is kept as reported, "
                "without a category. A curator can add it as an accelerator, or as an alias of one."
            )
        elif gpu.known.is_generic:
            warnings.append(
                f"“{gpu.reading.reported}” is what more than one device is called: it is kept as "
                f"“{gpu.name}”. Give gpu_model if you know which one it is."
            )
    return warnings


def _count(
    facts: HardwareFacts, gpus: Sequence[_Gpu], left_out: int, warnings: list[str]
) -> int | None:
    """Return how many GPUs were used; a single name without a count does not tell."""
    stated = _positive("gpu_count", facts.gpu_count, warnings)
    if len(gpus) == 1 and left_out == 0 and gpus[0].reading.count is None:
        return stated
    listed = sum(gpu.reading.count or 1 for gpu in gpus)
    if stated is None or stated == listed + left_out:
        return listed
    if stated != listed:
        warnings.append(f"gpu_count is {stated}, but {listed} GPUs are named: {stated} is kept.")
    return stated


def _memory_warnings(gpu: _Gpu, stated_gb: float | None) -> list[str]:
    memory_gb = stated_gb or gpu.memory_gb
    sizes = gpu.known.memory_sizes_gb if gpu.known else ()
    if memory_gb is None or not sizes or platforms.sold_memory_gb(memory_gb, sizes):
        return []
    sold = " or ".join(f"{size:g}" for size in sizes)
    return [
        f"gpu_memory_gb is {memory_gb:g}, but {gpu.name} is sold with {sold} GB: check that it is "
        "the memory of one GPU."
    ]

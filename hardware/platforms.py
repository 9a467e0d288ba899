"""How a platform, that by which people group machines, is named."""

import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from hardware.names import MIXED_SEPARATOR

# Tools report from 7 % under a size (what the driver keeps back) to 7.4 % over it (GiB as GB).
_MEMORY_TOLERANCE = 0.08


@dataclass(frozen=True, kw_only=True)
class PlatformName:
    """A platform: `key` for machines and URLs, `name` for people."""

    key: str
    name: str


def sold_memory_gb(reported_gb: float, sizes_gb: Collection[float]) -> float | None:
    """Return the size sold that a reported memory stands for (GB), None if it fits none."""
    nearest = min(sizes_gb, key=lambda size: abs(size - reported_gb), default=None)
    if nearest is None or abs(nearest - reported_gb) > _MEMORY_TOLERANCE * nearest:
        return None
    return nearest


def device_label(name: str, memory_gb: float | None = None, form: str | None = None) -> str:
    """Return a device's name with what tells its versions apart: "A100 80 GB SXM"."""
    memory = None if memory_gb is None else f"{memory_gb:g} GB"
    return " ".join(part for part in (name, memory, form) if part)


def counted(name: str, count: int | None) -> str:
    """Return "2× NAME"; the bare name when the count is not known, which is not one."""
    return name if count is None else f"{count}× {name}"


def mixed_label(labels: Iterable[str]) -> str:
    """Return one text for different devices, whatever order they were listed in."""
    counts = Counter(labels)
    return MIXED_SEPARATOR.join(
        counted(label, counts[label] if counts[label] > 1 else None)
        for label in sorted(counts, reverse=True)
    )


def is_mixed(label: str) -> bool:
    """Tell whether a label names different devices."""
    return MIXED_SEPARATOR in label


def gpu_platform(label: str, count: int | None) -> PlatformName:
    """Name a platform by its GPUs; a mixed label holds its counts, so `count` is left out."""
    name = label if is_mixed(label) else counted(label, count)
    return PlatformName(key=_key(name), name=name)


def cpu_platform(
    cpu_model: str, sockets: int | None, *, has_gpu_of_that_name: bool
) -> PlatformName:
    """Name a platform by its CPU; one that shares its name with a GPU (Apple M3) says "CPU"."""
    name = counted(cpu_model, sockets)
    return PlatformName(
        key=f"cpu-{_key(name)}", name=f"{name} (CPU)" if has_gpu_of_that_name else name
    )


def _key(name: str) -> str:
    text = name.lower().replace(MIXED_SEPARATOR, " and ").replace("× ", "x ")
    return re.sub(r"[^\w+.]+", "-", text).strip("-") or text

"""The curated tables that come with the software, read from hardware/data/."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from hardware.names import spelling_key, words


@dataclass(frozen=True, kw_only=True)
class Spelling:
    """A spelling of a device; memory and form where it names a certain version."""

    key: str
    memory_gb: float | None = None
    form: str | None = None


@dataclass(frozen=True, kw_only=True)
class Device:
    """An accelerator of the catalogue; its figures are None where they are not known."""

    vendor: str
    name: str
    category: str
    memory_sizes_gb: tuple[float, ...]
    memory_bandwidth_gb_per_s: float | None
    tdp_watts: float | None
    sold_in_several_memories: bool
    sold_in_several_forms: bool
    is_generic: bool
    source_url: str | None
    spellings: tuple[Spelling, ...]


@dataclass(frozen=True, kw_only=True)
class CpuFamily:
    """CPUs of one kind, known by words that stand side by side in their names."""

    words: tuple[str, ...]
    vendor: str | None
    category: str

    def has(self, cpu_words: tuple[str, ...]) -> bool:
        """Tell whether a name split into words is of this family."""
        length = len(self.words)
        starts = range(len(cpu_words) - length + 1)
        return any(cpu_words[start : start + length] == self.words for start in starts)


def load_devices() -> tuple[Device, ...]:
    """Return the accelerators that a new site starts with."""
    return tuple(
        _device(family["vendor"], family["category"], row)
        for family in _read("accelerators.toml")["family"]
        for row in family["devices"]
    )


@cache
def load_cpu_families() -> tuple[CpuFamily, ...]:
    """Return the CPU families, in the order in which they are tried."""
    return tuple(
        CpuFamily(
            words=tuple(row["words"].split()), vendor=row.get("vendor"), category=row["category"]
        )
        for row in _read("cpu_families.toml")["family"]
    )


def find_cpu_family(cpu_model: str) -> CpuFamily | None:
    """Return the family of a CPU by its name, None if it is of none we know."""
    cpu_words = words(cpu_model)
    return next((family for family in load_cpu_families() if family.has(cpu_words)), None)


def _read(file_name: str) -> dict[str, Any]:
    return tomllib.loads((files("hardware") / "data" / file_name).read_text(encoding="utf-8"))


def _device(vendor: str, category: str, row: dict[str, Any]) -> Device:
    several = row.get("several", [])
    return Device(
        vendor=vendor,
        name=row["name"],
        category=category,
        memory_sizes_gb=tuple(float(size) for size in row.get("memory_gb", [])),
        memory_bandwidth_gb_per_s=row.get("gb_per_s"),
        tdp_watts=row.get("watts"),
        sold_in_several_memories="memory" in several,
        sold_in_several_forms="form" in several,
        is_generic=row.get("generic", False),
        source_url=row.get("url"),
        spellings=tuple(_spelling(item) for item in [row["name"], *row.get("also", [])]),
    )


def _spelling(item: str | dict[str, Any]) -> Spelling:
    if isinstance(item, str):
        return Spelling(key=spelling_key(item))
    return Spelling(
        key=spelling_key(item["spelling"]),
        memory_gb=item.get("memory_gb"),
        form=item.get("form"),
    )

"""The devices that llama.cpp says it found, read from the log lines above a table."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

MAX_LINE = 1000  # no log line of llama.cpp that names a device is nearly as long

_NAMES = ("CUDA", "ROCm", "MUSA", "SYCL")
_FOUND = re.compile(r"found (\d{1,4}) (CUDA|ROCm|MUSA|SYCL) devices", re.IGNORECASE)
_DEVICE = re.compile(
    r"\s*Device (\d{1,4}): (.+?)\s*(?:,\s*(?:compute capability|gfx\w+|VMM|VRAM)\b.*)?"
)
_VULKAN = re.compile(r"ggml_vulkan: (?:(\d{1,4}) =|Using) ([^|]+?)(?: \(([^()|]*)\))? \|(.*)")
_MATRIX_CORES = re.compile(r"matrix cores: ([\w ]+)")
_METAL = re.compile(r"ggml_metal\w*: found device: (.+)")
_METAL_NAME = re.compile(r"ggml_metal\w*: GPU name:\s+(.+)")
_SYCL = re.compile(r"\s*\|\s*(\d{1,4})\s*\|\s*\[level_zero:gpu:\d+\]\s*\|\s*([^|]+?)\s*\|.*")


@dataclass
class Devices:
    """The GPUs found, by backend and number, and how many a backend announced.

    `vulkan` is what the log says of the Vulkan devices: their drivers and matrix cores.
    """

    by_backend: dict[str, dict[int, str]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    vulkan: dict[str, set[str]] = field(default_factory=dict)

    def names(self, backend: str) -> tuple[str, ...]:
        """Return the GPUs of a backend in their order; () where it has none, or some unnamed."""
        found = self.by_backend.get(backend, {})
        if self.counts.get(backend, len(found)) != len(found):
            return ()
        return tuple(name for _number, name in sorted(found.items()))

    @property
    def vulkan_settings(self) -> Mapping[str, str]:
        """The driver and the matrix cores of the Vulkan devices, where they all have the same."""
        return {key: next(iter(said)) for key, said in self.vulkan.items() if len(said) == 1}


def read_devices(lines: Iterable[str]) -> Devices:
    """Return the devices that log lines name; of several lists of a backend the last one counts."""
    devices = Devices()
    listing: str | None = None
    for line in lines:
        if len(line) > MAX_LINE:
            continue
        if found := _FOUND.search(line):
            listing = next(name for name in _NAMES if name.lower() == found[2].lower())
            devices.by_backend[listing] = {}
            devices.counts[listing] = int(found[1])
        elif listing and (device := _DEVICE.fullmatch(line) or _SYCL.fullmatch(line)):
            devices.by_backend[listing][int(device[1])] = device[2]
        else:
            _read_vulkan(line, devices)
            _read_metal(line, devices)
    return devices


def _read_vulkan(line: str, devices: Devices) -> None:
    found = _VULKAN.fullmatch(line.strip())
    if found is None:
        return
    number = int(found[1] or 0)
    if number == 0:
        devices.by_backend["Vulkan"] = {}
        devices.vulkan = {}
    devices.by_backend.setdefault("Vulkan", {})[number] = found[2].strip()
    if found[3]:
        devices.vulkan.setdefault("vulkan_driver", set()).add(found[3])
    if cores := _MATRIX_CORES.search(found[4]):
        devices.vulkan.setdefault("matrix_cores", set()).add(cores[1].strip())


def _read_metal(line: str, devices: Devices) -> None:
    metal = devices.by_backend.get("Metal", {})
    if found := _METAL.fullmatch(line.strip()):
        metal = {**metal, len(metal): found[1]}
    elif (found := _METAL_NAME.fullmatch(line.strip())) and not metal:
        metal = {0: found[1]}
    if metal:
        devices.by_backend["Metal"] = metal

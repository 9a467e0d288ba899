"""Readings of GPUs beside a result of AIPerf or GenAI-Perf: which, how many, power and memory.

AIPerf asks every exporter that it finds, and two of them may watch the same GPU: it is counted
once. GPUs that did no work in the whole run were not used.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from experiments.formats.documents import Problem
from experiments.formats.fields import MOST_GPUS
from experiments.formats.figures import Figures
from experiments.formats.problems import join_path, problems_of
from hardware.resolution import HardwareFacts

BYTES_PER_GB = 1e9
BYTES_PER_GIB = 2**30
_LARGEST_GB = 1e5
_POWER, _USED, _TOTAL = "gpu_power_usage", "gpu_memory_used", "gpu_memory_total"
_LIMIT, _WORK = "power_management_limit", "gpu_utilization"
_WATCHED_TWICE = "Several exporters report the same GPU: it is counted once."
_TOO_MANY = f"A run uses {MOST_GPUS:,} GPUs at most."
_IDLE = "GPUs that did no work during the whole run are not counted as used."


class _Reading(BaseModel):
    model_config = ConfigDict(extra="allow", allow_inf_nan=False)

    unit: str = Field(max_length=20)
    avg: float | None = None
    max: float | None = None


class Gpu(BaseModel):
    """One GPU as one exporter saw it; `metrics` by the tool's names."""

    model_config = ConfigDict(extra="allow")

    gpu_index: int | None = None
    gpu_name: str | None = Field(default=None, max_length=200)
    gpu_uuid: str | None = None
    hostname: str | None = None
    metrics: dict[str, Any]

    def reading(self, name: str) -> _Reading | None:
        """Return a reading, None where it is not there or none can be."""
        try:
            return _Reading.model_validate(self.metrics.get(name))
        except ValidationError:
            return None


class _Endpoint(BaseModel):
    gpus: dict[str, Gpu]


class _Telemetry(BaseModel):
    endpoints: dict[str, _Endpoint]


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What telemetry says of the GPUs that were used."""

    gpus: tuple[Gpu, ...] = ()
    warnings: tuple[Problem, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def hardware(self) -> HardwareFacts:
        """The GPUs by name, as far as every one has one; memory as drivers count it, in GiB."""
        names = tuple(gpu.gpu_name for gpu in self.gpus if gpu.gpu_name)
        sizes = {_size_in_gib(gpu) for gpu in self.gpus}
        size = sizes.pop() if len(sizes) == 1 else None
        named = names if len(names) == len(self.gpus) else ()
        return HardwareFacts(gpu_models=named, gpu_count=len(self.gpus) or None, gpu_memory_gb=size)

    @property
    def power_limit_watts(self) -> float | None:
        """The limit that every GPU has, None where they differ or do not say."""
        readings = [gpu.reading(_LIMIT) for gpu in self.gpus]
        limits = {item.avg if item and item.unit == "W" else None for item in readings}
        limit = limits.pop() if len(limits) == 1 else None
        return limit if limit and 0 < limit < 1e6 else None


def read_machine(telemetry: Any, place: str) -> Machine:
    """Return the GPUs of AIPerf's `telemetry_data`; what cannot be read is a problem."""
    try:
        read = _Telemetry.model_validate(telemetry)
    except ValidationError as error:
        return Machine(problems=tuple(problems_of(error, place, source=telemetry)))
    return used_gpus((gpu for end in read.endpoints.values() for gpu in end.gpus.values()), place)


def read_unnamed(stats: Any, place: str) -> Machine:
    """Return the GPUs of GenAI-Perf's `telemetry_stats`: by metric, without names."""
    by_gpu: dict[str, dict[str, Any]] = {}
    for name, readings in stats.items() if isinstance(stats, dict) else ():
        unit = readings.get("unit") if isinstance(readings, dict) else None
        for gpu, reading in readings.items() if unit else ():
            if isinstance(reading, dict):
                by_gpu.setdefault(gpu, {})[_known_as(name)] = {"unit": unit, **reading}
    gpus = (Gpu(gpu_uuid=key, metrics=metrics) for key, metrics in by_gpu.items())
    return used_gpus(gpus, place)


def used_gpus(gpus: Iterable[Gpu], place: str) -> Machine:
    """Return each GPU that did work, once."""
    listed = list(gpus)
    distinct = {_identity(gpu, index): gpu for index, gpu in reversed(list(enumerate(listed)))}
    once = list(reversed(distinct.values()))
    used = [gpu for gpu in once if _did_work(gpu)] or once
    warnings = []
    if len(once) < len(listed):
        warnings.append(Problem(place, _WATCHED_TWICE, len(listed)))
    if len(used) < len(once):
        warnings.append(Problem(place, _IDLE, len(once) - len(used)))
    if len(used) > MOST_GPUS:
        return Machine(problems=(Problem(place, _TOO_MANY, len(used)),))
    return Machine(gpus=tuple(used), warnings=tuple(warnings))


def add_readings(figures: Figures, gpus: Sequence[Gpu], place: str) -> None:
    """Add power and memory, summed over the GPUs; only where every one of them has a reading."""
    for metric, statistic, name, field, definition in (
        ("gpu_power_watts", "mean", _POWER, "avg", "gpu"),
        ("memory_usage_gb", "mean", _USED, "avg", None),
        ("peak_memory_gb", "mean", _USED, "max", "gpu_driver"),
    ):
        readings = [gpu.reading(name) for gpu in gpus]
        values = [getattr(item, field) if item else None for item in readings]
        units = {item.unit for item in readings if item}
        if not gpus or None in values or len(units) != 1:
            continue
        figures.add(
            metric,
            sum(values),
            units.pop(),
            at=join_path(place, name),
            statistic=statistic,
            definition=definition,
            sample_count=0,
            derived_from=(f"{name} of {len(gpus)} GPUs",) if len(gpus) > 1 else (),
        )


def _identity(gpu: Gpu, index: int) -> tuple[Any, ...]:
    if gpu.gpu_uuid:
        return (gpu.gpu_uuid,)
    return (gpu.hostname, gpu.gpu_index) if gpu.gpu_index is not None else (index,)


def _did_work(gpu: Gpu) -> bool:
    work = gpu.reading(_WORK)
    return work is None or (work.max if work.max is not None else work.avg) != 0


def _size_in_gib(gpu: Gpu) -> float | None:
    total = gpu.reading(_TOTAL)
    if total is None or total.unit != "GB" or not total.avg or not 0 < total.avg < _LARGEST_GB:
        return None
    return float(round(total.avg * BYTES_PER_GB / BYTES_PER_GIB)) or None


def _known_as(name: str) -> str:
    """Return AIPerf's name of a reading that GenAI-Perf calls otherwise."""
    return {"gpu_power_limit": _LIMIT, "total_gpu_memory": _TOTAL}.get(name, name)

"""The figures of a report of optimum-benchmark.

A batch is handed over whole and waited for. Decode is the rest after the prefill, which makes the
first token: its speed counts batch × (new tokens − 1).
Source: https://github.com/huggingface/optimum-benchmark (scenarios/inference/scenario.py)
"""

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.formats.documents import Problem
from experiments.formats.figures import Figures
from experiments.formats.numbers import is_number, positive
from experiments.formats.optimum.config import Config
from experiments.formats.problems import join_path

Record = Mapping[str, Any]
_LATENCIES = (
    ("prefill", "ttft_ms", "whole_batch"),
    ("per_token", "itl_ms", "decode_steps"),
    ("generate", "e2e_latency_ms", "whole_batch"),
)
_STATISTICS = {
    "mean": "mean", "stdev": "std",
    "p50": "p50", "p90": "p90", "p95": "p95", "p99": "p99",
}  # fmt: skip
_LOADING = ("load_model", "load")
_ANSWERING = ("first_generate", "prefill", "generate", "decode", "per_token")
_MEMORY = {
    "max_global_vram": "gpu_used", "max_process_vram": "process_vram",
    "max_reserved": "torch_reserved", "max_allocated": "torch_allocated",
    "max_ram": "process_ram",
}  # fmt: skip
_UNIT = "This unit is not known here: the figure is left out."


def part(record: Any, *names: str) -> Record:
    """Return the object at a path of keys, an empty one where there is none."""
    for name in names:
        record = record.get(name) if isinstance(record, Mapping) else None
    return record if isinstance(record, Mapping) else {}


def figures_of(place: str, report: Record, config: Config) -> Figures:
    """Return all figures of a report; a phase or block that is not there has none."""
    figures = Figures()
    for phase, metric, definition in _LATENCIES:
        _add_latency(figures, place, report, phase, metric, definition)
    _add_decode(figures, place, report, config.generation.num_beams or 1)
    _add_prefill(figures, place, report, config.shapes.sequence_length)
    for phase in _LOADING:
        at = join_path(place, "report", phase, "latency", "mean")
        if value := part(report, phase, "latency").get("mean"):
            figures.add("model_loading_time", value, "s", at=at)
            break
    _add_memory(figures, place, report)
    return figures


def _add_latency(
    figures: Figures, place: str, report: Record, phase: str, metric: str, definition: str
) -> None:
    latency = part(report, phase, "latency")
    count = latency.get("count")
    repeated = int(count) if is_number(count) and 0 < count < 1e9 else None
    for key, statistic in _STATISTICS.items():
        figures.add(
            metric,
            latency.get(key),
            "s",
            at=join_path(place, "report", phase, "latency", key),
            statistic=statistic,
            definition=definition,
            sample_count=repeated,
        )


def _add_decode(figures: Figures, place: str, report: Record, beams: int) -> None:
    """Add speed and tokens per kWh of decoding; of several beams one is the answer."""
    for block, metric, unit, registered, definition in (
        ("throughput", "tokens_per_second", "tokens/s", "tok/s", "decode"),
        ("efficiency", "tokens_per_kwh", "tokens/kWh", "tok/kWh", "codecarbon"),
    ):
        stated = part(report, "decode", block)
        value, at = stated.get("value"), join_path(place, "report", "decode", block, "value")
        if value is None:
            continue
        if stated.get("unit") != unit:
            figures.warnings.append(Problem(at, _UNIT, stated.get("unit")))
            continue
        split = beams > 1 and is_number(value)
        figures.add(
            metric,
            value / beams if split else value,
            registered,
            at=at,
            definition=definition,
            derived_from=(f"decode.{block}", "num_beams") if split else (),
        )


def _add_prefill(figures: Figures, place: str, report: Record, length: int | None) -> None:
    """Add the prompt speed: stated in tokens, or in prompts of a known length."""
    stated = part(report, "prefill", "throughput")
    value, at = stated.get("value"), join_path(place, "report", "prefill", "throughput", "value")
    if value is None:
        return
    unit = stated.get("unit")
    in_samples = unit == "samples/s"
    if unit != "tokens/s" and not (in_samples and length):
        figures.warnings.append(Problem(at, _UNIT, unit))
        return
    figures.add(
        "prompt_processing_speed",
        value * length if in_samples and length and is_number(value) else value,
        "tok/s",
        at=at,
        definition="prefill",
        derived_from=("prefill.throughput", "sequence_length") if in_samples else (),
    )


def _add_memory(figures: Figures, place: str, report: Record) -> None:
    """Add the peak over all phases that answer, each way of counting by its own definition."""
    for key, definition in _MEMORY.items():
        peaks = {phase: _megabytes(part(report, phase, "memory"), key) for phase in _ANSWERING}
        highest = max(peaks, key=lambda phase: peaks[phase] or 0)
        phases: Sequence[str] = [name for name, value in peaks.items() if value]
        if not phases:
            continue
        figures.add(
            "peak_memory_gb",
            peaks[highest],
            "MB",
            at=join_path(place, "report", highest, "memory", key),
            definition=definition,
            derived_from=[f"{name}.memory" for name in phases] if len(phases) > 1 else (),
        )


def _megabytes(memory: Record, key: str) -> float | None:
    """Return a peak in MB (10⁶ bytes, as the tool divides by that), None where it is not one."""
    return positive(memory.get(key)) if memory.get("unit") in (None, "MB") else None

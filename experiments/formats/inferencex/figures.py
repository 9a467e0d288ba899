"""The figures of InferenceX's rows: rates per GPU, latencies in seconds, power of all GPUs.

"Interactivity" is 1 ÷ TPOT of the same statistic: its p99 comes from the slowest hundredth of
the requests, and is the first percentile of the speed that users see.
Sources: utils/process_result.py and utils/aggregate_power.py of
https://github.com/SemiAnalysisAI/InferenceX
"""

import re
from collections.abc import Mapping
from typing import Any

from experiments.formats.documents import Problem
from experiments.formats.figures import Figures
from experiments.formats.inferencex.rows import Gpus, Row
from experiments.formats.numbers import is_number
from experiments.formats.problems import join_path, short_value

_LATENCIES = {
    "ttft": ("ttft_ms", "client"),
    "tpot": ("tpot_ms", "excl_first"),
    "itl": ("itl_ms", "all_gaps"),
    "e2el": ("e2e_latency_ms", "client"),
}
_LATENCY = re.compile(
    r"(?P<statistic>mean|median|std|min|max|p\d{1,2}(?:\.\d{1,3})?)_(?P<name>ttft|tpot|itl|e2el|intvty)"
)
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,3})?)")
_POWER = {"mean": "avg_total_gpu_power_w", "p75": "p75_total_gpu_power_w",
          "p90": "p90_total_gpu_power_w"}  # fmt: skip
_RATES = ("tput_per_gpu", "output_tput_per_gpu", "input_tput_per_gpu")
_OTHERS = re.compile(r"(avg|p\d+)_(total_gpu_)?power_w|total_gpu_energy_j|joules_per_\w+|power_\w+")
_WALL_CLOCK = "wall_clock"
_LARGEST = 1e12
_ROUNDING = 0.01
_NO_INVERSE = (
    "This is not 1 ÷ TPOT of the same statistic: how it was computed is not known. It is left out."
)


def is_figure(key: str) -> bool:
    """Tell whether a key is an outcome, not a setting."""
    return key in _RATES or bool(_LATENCY.fullmatch(key) or _OTHERS.fullmatch(key))


def ratio_of_lengths(record: Mapping[str, Any]) -> float | None:
    """Return prompt tokens ÷ generated tokens to one digit: rates of the same GPUs tell it."""
    given, made = (record.get(f"{name}_tput_per_gpu") for name in ("input", "output"))
    if not isinstance(given, int | float) or not isinstance(made, int | float):
        return None
    if not 0 < given < 1e9 or not 0 < made < 1e9:
        return None
    return float(f"{given / made:.0e}")


def add_figures(
    figures: Figures, record: Mapping[str, Any], row: Row, gpus: Gpus, place: str
) -> None:
    """Add every figure of a row, and what all of its GPUs do together."""
    _add_rates(figures, record, gpus, place)
    for key, value in record.items():
        found = _LATENCY.fullmatch(key)
        if found is None or (found["statistic"] == "p50" and f"median_{found['name']}" in record):
            continue
        at = join_path(place, key)
        statistic = found["statistic"]
        if found["name"] != "intvty":
            metric, definition = _LATENCIES[found["name"]]
            figures.add(metric, value, "s", at=at, statistic=statistic, definition=definition)
        elif not _is_inverse(value, record.get(f"{statistic}_tpot")):
            figures.warnings.append(Problem(at, _NO_INVERSE, short_value(value)))
        elif statistic != "std":  # 1 ÷ a spread is no spread
            figures.add(
                "tokens_per_second_per_user",
                value,
                "tok/s/user",
                at=at,
                statistic=_of_speed(statistic),
                definition="inverse_tpot",
            )
    if row.power_valid is not False:
        _add_power(figures, record, gpus, place)


def _is_inverse(speed: Any, seconds: Any) -> bool:
    """Tell whether a speed is 1 ÷ TPOT, as far as both are known."""
    if not all(isinstance(item, int | float) and 0 < item < _LARGEST for item in (speed, seconds)):
        return True
    return abs(float(speed) * float(seconds) - 1) < _ROUNDING


def _of_speed(statistic: str) -> str:
    """Return which statistic of the speed 1 ÷ TPOT of a statistic is: p99 becomes p1."""
    found = _PERCENTILE.fullmatch(statistic)
    if found:
        return f"p{round(100 - float(found[1]), 3):g}"
    return {"min": "max", "max": "min"}.get(statistic, statistic)


def _add_rates(figures: Figures, record: Mapping[str, Any], gpus: Gpus, place: str) -> None:
    """Add the rates per GPU, and times the GPUs that they are counted for those of all."""
    apart = gpus.disaggregated
    for key, metric, phase, counted in (
        ("tput_per_gpu", "total_tokens_per_second", "", gpus.total),
        ("output_tput_per_gpu", "tokens_per_second", "decode", gpus.decode),
        ("input_tput_per_gpu", "prompt_processing_speed", "prefill", gpus.prefill),
    ):
        definition = f"{_WALL_CLOCK}_{phase}_gpus" if apart and phase else _WALL_CLOCK
        counted = counted if apart else gpus.total
        value, at = record.get(key), join_path(place, key)
        figures.add(f"{metric}_per_gpu", value, "tok/s/gpu", at=at, definition=definition)
        if not counted or not is_number(value):
            continue
        if not 0 < value < _LARGEST:
            continue
        total = value * counted
        inputs = (key, "gpu_count" if counted == gpus.total else "gpu_count of its kind")
        figures.add(metric, total, "tok/s", at=at, definition=_WALL_CLOCK, derived_from=inputs)
        if apart and gpus.total and definition != _WALL_CLOCK:
            figures.add(
                f"{metric}_per_gpu", total / gpus.total, "tok/s/gpu", at=at,
                definition=_WALL_CLOCK, derived_from=inputs,
            )  # fmt: skip


def _add_power(figures: Figures, record: Mapping[str, Any], gpus: Gpus, place: str) -> None:
    for statistic, key in _POWER.items():
        at = join_path(place, key)
        figures.add(
            "gpu_power_watts", record.get(key), "W", at=at, statistic=statistic, definition="gpu"
        )
    mean = record.get("avg_power_w")
    if _POWER["mean"] not in record and gpus.total and isinstance(mean, int | float):
        figures.add(
            "gpu_power_watts",
            mean * gpus.total,
            "W",
            at=join_path(place, "avg_power_w"),
            definition="gpu",
            derived_from=("avg_power_w", "gpu_count"),
        )
    at = join_path(place, "joules_per_output_token")
    figures.add("joules_per_token", record.get("joules_per_output_token"), "J/token", at=at)

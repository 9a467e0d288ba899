"""The cells of a row of GuideLLM's CSV, put into the shape of a benchmark in JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from experiments.formats.numbers import is_left_out, is_number, read_number

_METRICS = {
    ("Request Latency", "Sec"): "request_latency",
    ("Time to First Token", "ms"): "time_to_first_token_ms",
    ("Time to First Output Token", "ms"): "time_to_first_output_token_ms",
    ("Time per Output Token", "ms"): "time_per_output_token_ms",
    ("Inter Token Latency", "ms"): "inter_token_latency_ms",
    ("Server Throughput", "Requests/Sec"): "requests_per_second",
    ("Server Throughput", "Concurrency"): "request_concurrency",
    ("Token Metrics", "Input Tokens"): "prompt_token_count",
    ("Token Metrics", "Output Tokens"): "output_token_count",
    ("Token Throughput", "Input Tokens/Sec"): "prompt_tokens_per_second",
    ("Token Throughput", "Output Tokens/Sec"): "output_tokens_per_second",
    ("Token Throughput", "Total Tokens/Sec"): "tokens_per_second",
}
_STATISTICS = {"mean": "mean", "median": "median", "std dev": "std_dev"}
_LIST = ("min", "p001", "p01", "p05", "p10", "p25", "p75", "p90", "p95", "p99", "max")
_FIRST_LIST = "[min, 0.1, 1, 5, 10, 25, 75, 90, 95, 99, max]"
_OUTCOMES = ("successful", "errored", "incomplete")
_SLACK = 1e-6


@dataclass(frozen=True)
class Cells:
    """The cells of a row by the names of their columns: one name, or three (group, name, unit)."""

    by_name: Mapping[tuple[str, ...], str]

    def text(self, *name: str) -> str | None:
        """Return a cell, None where it is empty, "N/A" or not there."""
        value = self.by_name.get(name, "").strip()
        return None if is_left_out(value) else value

    def number(self, *name: str) -> float | str | None:
        """Return a cell as a number; text that is none as it is, to be complained about."""
        return _number(self.text(*name))

    def count(self, *name: str) -> float | str | int | None:
        """Return a cell as a whole number where it is one."""
        value = self.number(*name)
        return int(value) if isinstance(value, float) and value.is_integer() else value

    def json(self, *name: str) -> dict[str, Any]:
        """Return the object that a cell holds as JSON, {} for an empty cell and for no object."""
        text = self.text(*name)
        value = json.loads(text) if text else None
        return value if isinstance(value, dict) else {}


def later_row(cells: Cells) -> dict[str, Any]:
    """Return a row of 0.4 and later as a benchmark."""
    profile = cells.json("Run Info", "Profile", "")
    return {
        "type_": cells.text("Benchmark", "Type", ""),
        "config": {
            "id_": cells.text("Benchmark", "ID", ""),
            "run_id": cells.text("Run Info", "Run ID", ""),
            "strategy": _strategy(cells, profile),
            "profile": profile,
            "backend": cells.json("Run Info", "Backend", ""),
            "requests": cells.json("Run Info", "Requests", ""),
        },
        "metrics": {
            "request_totals": {
                outcome: cells.count("Request Counts", outcome.capitalize(), "")
                for outcome in _OUTCOMES
            },
            **{
                name: {"successful": distribution}
                for (group, unit), name in _METRICS.items()
                if (distribution := _distribution(cells, group, f"Successful {unit}"))
            },
        },
        "start_time": cells.text("Timings", "Measure Start Time", ""),
        "duration": cells.number("Timings", "Duration", "Sec"),
    }


def later_report(cells: Cells) -> dict[str, Any]:
    """Return what the report says of all its benchmarks; 0.4.0 does not repeat it in the CSV."""
    arguments = cells.json("Runtime Info", "Arguments", "")
    metadata = cells.json("Runtime Info", "Metadata", "")
    return {"metadata": metadata, ("config" if "spec" in arguments else "args"): arguments}


def first_generation_row(cells: Cells) -> dict[str, Any]:
    """Return a row of 0.2 and 0.3 as a benchmark."""
    metrics = {}
    for name in _METRICS.values():
        title = f"Successful {name.replace('_', ' ').capitalize()}"
        found = {key: cells.number(f"{title} {word}") for word, key in _STATISTICS.items()}
        found |= _listed(cells.text(f"{title} {_FIRST_LIST}"))
        if found["mean"] is not None:
            metrics[name] = {"successful": found}
    return {
        "type_": cells.text("Type"),
        "id_": cells.text("Id"),
        "run_id": cells.text("Run Id"),
        "args": cells.json("Args"),
        "worker": cells.json("Worker"),
        "request_loader": cells.json("Request Loader"),
        "request_totals": {
            outcome: cells.count(f"{outcome.capitalize()} Requests") for outcome in _OUTCOMES
        },
        "metrics": metrics,
        "start_time": cells.text("Start Time"),
        "duration": cells.number("Duration"),
    }


def shifted_metric(metrics: Mapping[str, Any]) -> str | None:
    """Return a metric whose mean lies outside its own range: its cells are those of others."""
    for metric, outcomes in metrics.items():
        found = outcomes.get("successful") if isinstance(outcomes, Mapping) else None
        if not isinstance(found, Mapping):
            continue
        values = [found.get(name) for name in ("min", "mean", "max")]
        least, mean, most = (value if isinstance(value, float) else None for value in values)
        if least is None or mean is None or most is None:
            continue
        slack = _SLACK * max(abs(least), abs(most))
        if not least - slack <= mean <= most + slack:
            return metric
    return None


def _strategy(cells: Cells, profile: Mapping[str, Any]) -> dict[str, Any]:
    """Return the strategy: its name with its rate from 0.8 on, what the profile adds before.

    The profile holds the strategies done so far, or the rates or streams in their order.
    """
    name, _, figure = (cells.text("Benchmark", "Strategy", "") or "").partition("@")
    index = cells.count("Run Info", "Run Index", "")
    strategy: dict[str, Any] = {"type_": name}
    done = _item(profile.get("completed_strategies"), index)
    if isinstance(done, Mapping) and done.get("type_") == name:
        return dict(done)
    for key in ("rate", "streams"):
        value = _item(profile.get(key), index)
        if is_number(value):
            strategy[key] = value
    key = "streams" if name == "concurrent" else "rate"
    stated = _number(figure)
    if isinstance(stated, float) and key not in strategy:
        strategy[key] = int(stated) if key == "streams" else stated
    return strategy


def _item(value: Any, index: Any) -> Any:
    is_there = isinstance(value, list) and isinstance(index, int) and 0 <= index < len(value)
    return value[index] if is_there else None


def _distribution(cells: Cells, group: str, name: str) -> dict[str, Any] | None:
    found: dict[str, Any] = {
        key: cells.number(group, name, word.title()) for word, key in _STATISTICS.items()
    }
    found |= _listed(cells.text(group, name, "Percentiles"))
    return found if found["mean"] is not None else None


def _listed(text: str | None) -> dict[str, Any]:
    """Return least, largest and percentiles from a list in a text; it has no median."""
    parts = text.strip("[]").split(",") if text else []
    if len(parts) != len(_LIST):
        return {}
    values = dict(zip(_LIST, map(_number, parts), strict=True))
    return {"min": values.pop("min"), "max": values.pop("max"), "percentiles": values}


def _number(text: str | None) -> float | str | None:
    if not text or not text.strip():
        return None
    number = read_number(text)
    return text if number is None else number

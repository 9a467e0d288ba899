"""Reads the tables that vLLM's and SGLang's serving benchmarks print into a log, line by line."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from experiments.formats.documents import Problem
from experiments.formats.terminal import without_controls

TITLE = re.compile(r"={5,} Serving Benchmark Result ={5,}")
_RULE = re.compile(r"={20,}")
_UNSET = {"not set", "none"}
_STATISTIC = re.compile(
    r"(?P<statistic>Mean|Median|Std|Max|P\d{1,2}(?:\.\d{1,3})?) "
    r"(?P<name>TTFT|TPOT|ITL|E2EL|E2E Latency) \(ms\)"
)
_KEYS = {
    "Accept length": "accept_length",
    "Backend": "backend",
    "Benchmark duration (s)": "duration",
    "Concurrency": "concurrency",
    "Failed requests": "failed",
    "Input token throughput (tok/s)": "input_throughput",
    "Max reqeuest concurrency": "max_concurrency",  # as SGLang spelled it until 2025
    "Max request concurrency": "max_concurrency",
    "Maximum request concurrency": "max_concurrency",
    "Output token throughput (tok/s)": "output_throughput",
    "Peak concurrent requests": "max_concurrent_requests",
    "Peak output token throughput (tok/s)": "max_output_tokens_per_s",
    "Request goodput (req/s)": "request_goodput",
    "Request rate configured (RPS)": "request_rate",
    "Request throughput (req/s)": "request_throughput",
    "Successful requests": "completed",
    "Total Token throughput (tok/s)": "total_token_throughput",
    "Total generated tokens": "total_output_tokens",
    "Total generated tokens (retokenized)": "total_output_tokens_retokenized",
    "Total input text tokens": "total_input_text_tokens",
    "Total input tokens": "total_input_tokens",
    "Total input vision tokens": "total_input_vision_tokens",
    "Total token throughput (tok/s)": "total_token_throughput",
    "Traffic request rate": "request_rate",
}
# The arguments that both tools print before they begin, as Python writes a Namespace.
_NAMESPACE = "Namespace("
_ARGUMENT = re.compile(r"\b(?P<name>[a-z_]+)=(?:'(?P<text>[^']*)'|(?P<number>\d{1,9})(?=[,)]))")
_ARGUMENTS = {
    "dataset_name",
    "model",
    "random_input_len",
    "random_output_len",
    "random_range_ratio",
    "served_model_name",
    "sharegpt_output_len",
}


@dataclass
class Table:
    """A table of a log under the keys of the JSON results, with the arguments printed before."""

    place: str
    record: dict[str, Any]
    figures: dict[str, Any] = field(default_factory=dict)
    is_whole: bool = False


def read_tables(text: str, place: str, problems: list[Problem]) -> Iterator[Table]:
    """Yield the tables of a log; each ends with a rule."""
    arguments: dict[str, Any] = {}
    table: Table | None = None
    for number, raw in enumerate(text.splitlines(), 1):
        line = without_controls(raw).strip()
        here = f"{place} line {number}".strip()
        if _NAMESPACE in line:
            arguments = _arguments(line)
        elif TITLE.search(line):
            if table is not None:
                yield table
            table = Table(here, arguments)
        elif table is not None and _RULE.fullmatch(line):
            table.is_whole = True
            yield table
            table = None
        elif table is not None:
            _read_line(table, line, here, problems)
    if table is not None:
        yield table


def _read_line(table: Table, line: str, place: str, problems: list[Problem]) -> None:
    label, _colon, text = line.rpartition(":")
    key = _key(label.strip())
    if key is None:
        return
    value = _value(text.strip())
    if table.figures.setdefault(key, value) != value:
        message = "This line stands twice in a table, with two values."
        problems.append(Problem(place, message, line[:80]))


def _key(label: str) -> str | None:
    """Return the key under which the JSON results have what stands beside a label."""
    if found := _STATISTIC.fullmatch(label):
        name = found["name"].lower().replace(" ", "_")
        return f"{found['statistic'].lower()}_{name}_ms"
    return _KEYS.get(label)


def _value(text: str) -> Any:
    """Return a number, or the text where it is none; None for a limit that was not set."""
    if text.lower() in _UNSET:
        return None
    for read in (int, float):
        with suppress(ValueError):
            return read(text)
    return text


def _arguments(line: str) -> dict[str, Any]:
    """Return those arguments of a benchmark that say what was run."""
    return {
        found["name"]: int(found["number"]) if found["number"] else found["text"]
        for found in _ARGUMENT.finditer(line)
        if found["name"] in _ARGUMENTS
    }

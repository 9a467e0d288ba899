"""The table that vLLM's and SGLang's serving benchmarks print, in a log or wrapped by a script.

Both share the layout; SGLang's own lines (its backend, retokenized tokens) tell the two apart.
A script may keep the log as {"success": true, "raw_output": "…"}.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.documents import ParsedFile, Problem, UnreadableError
from experiments.formats.problems import join_path
from experiments.formats.records import records_of, skipped_lines
from experiments.formats.serving import about
from experiments.formats.serving.fills import SERVING_FILLS
from experiments.formats.serving.runs import RunCollector
from experiments.formats.sglang import serving as sglang_serving
from experiments.formats.vllm import serve as vllm_serve

_TITLE = re.compile(r"={5,} Serving Benchmark Result ={5,}")
_RULE = re.compile(r"={20,}")
_CONTROLS = re.compile(r"\x1b\[[0-9;]*m")
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
_OF_SGLANG = {"backend", "total_output_tokens_retokenized", "input_throughput", "concurrency"}
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


def _detect(content: Content) -> bool:
    if "Serving Benchmark Result" not in content.text:
        return False
    return any(isinstance(log, str) and _TITLE.search(log) for _place, log in _logs(content))


def _parse(content: Content) -> ParsedFile:
    found = RunCollector()
    logs = _logs(content)
    if logs[0][0]:  # in records
        found.warnings += skipped_lines(content)
    for place, log in logs:
        if not (_add_tables(found, log, place) if isinstance(log, str) else 0):
            message = "This output holds no result, as when a benchmark fails: it is skipped."
            found.warnings.append(Problem(place, message))
    return found.parsed()


def _logs(content: Content) -> list[tuple[str, Any]]:
    """Return the logs of a file with their places: those in a script's records, or the file.

    A log may begin with a bracket, and hold JSON somewhere.
    """
    try:
        records = list(records_of(content))
    except UnreadableError:
        records = []
    wrapped = [
        (join_path(place, "raw_output"), record["raw_output"])
        for place, record in records
        if isinstance(record, dict) and "raw_output" in record
    ]
    is_whole_json = bool(records) and content.json[0][0].place == ""
    return wrapped if wrapped or is_whole_json else [("", content.text)]


@dataclass
class _Table:
    """A table of a log under the keys of the JSON results, with the arguments printed before."""

    place: str
    record: dict[str, Any]
    figures: dict[str, Any] = field(default_factory=dict)
    is_whole: bool = False


def _add_tables(found: RunCollector, text: str, place: str) -> int:
    """Add a run for each table of a log, and return how many there are."""
    tables = list(_tables(found, text, place))
    for table in tables:
        if found.is_full:
            break
        record = table.record | table.figures
        if "model" in record:
            record["model_id"] = record.pop("model")
        tool = sglang_serving if _OF_SGLANG & table.figures.keys() else vllm_serve
        tool.add_run(found, table.place, record, complete=table.is_whole)
        if not table.is_whole:
            message = "The table has no end: the log was cut off, and this run is not ranked."
            found.warnings.append(Problem(table.place, message))
    return len(tables)


def _tables(found: RunCollector, text: str, place: str) -> Iterator[_Table]:
    """Yield the tables of a log; each ends with a rule."""
    arguments: dict[str, Any] = {}
    table: _Table | None = None
    for number, raw in enumerate(text.splitlines(), 1):
        line = _CONTROLS.sub("", raw).strip()
        here = f"{place} line {number}".strip()
        if _NAMESPACE in line:
            arguments = _arguments(line)
        elif _TITLE.search(line):
            if table is not None:
                yield table
            table = _Table(here, arguments)
        elif table is not None and _RULE.fullmatch(line):
            table.is_whole = True
            yield table
            table = None
        elif table is not None:
            _read_line(found, table, line, here)
    if table is not None:
        yield table


def _read_line(found: RunCollector, table: _Table, line: str, place: str) -> None:
    label, _colon, text = line.rpartition(":")
    key = _key(label.strip())
    if key is None:
        return
    value = _value(text.strip())
    if table.figures.setdefault(key, value) != value:
        message = "This line stands twice in a table, with two values."
        found.problems.append(Problem(place, message, line[:80]))


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


FORMAT = Format(
    name="serving-console",
    title="console output of vLLM's and SGLang's serving benchmarks",
    version=1,
    detect=_detect,
    parse=_parse,
    about=about.CONSOLE,
    file_name="benchmark.log",
    fills=(*SERVING_FILLS, "prompt_processing_speed", "itl_ms"),
    lacks=("model_name", "quantization", "backend", "gpu_model"),
)

"""The table that vLLM's and SGLang's serving benchmarks print, in a log or wrapped by a script.

Both share the layout; SGLang's own lines (its backend, retokenized tokens) tell the two apart.
A script may keep the log as {"success": true, "raw_output": "…"}.
"""

import re
from collections.abc import Iterator
from typing import Any

from experiments.formats import sglang_serving, vllm_serve
from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.documents import ParsedFile, Problem
from experiments.formats.problems import join_path, short_value
from experiments.formats.records import records_of
from experiments.formats.serving_runs import RunCollector

_TITLE = re.compile(r"={5,} Serving Benchmark Result ={5,}")
_RULE = re.compile(r"={20,}")
_CONTROLS = re.compile(r"\x1b\[[0-9;]*m")
_COUNT = re.compile(r"\d{1,15}")
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
    if not content.looks_like_json:
        return True
    return any(isinstance(log, str) and _TITLE.search(log) for _place, log in _wrapped(content))


def _parse(content: Content) -> ParsedFile:
    found = RunCollector()
    if not content.looks_like_json:
        _add_tables(found, content.text, "")
    else:
        for place, log in _wrapped(content):
            tables = _add_tables(found, log, place) if isinstance(log, str) else 0
            if not tables:
                message = "This output holds no result: its benchmark failed. It is skipped."
                found.warnings.append(
                    Problem(place, message, short_value(log)[:80] if isinstance(log, str) else None)
                )
    return found.parsed()


def _wrapped(content: Content) -> Iterator[tuple[str, Any]]:
    """Yield the logs in a script's records with their places."""
    for place, record in records_of(content):
        if isinstance(record, dict) and "raw_output" in record:
            yield join_path(place, "raw_output"), record["raw_output"]


def _add_tables(found: RunCollector, text: str, place: str) -> int:
    """Add a run for each table of a log, and return how many there are."""
    arguments: dict[str, Any] = {}
    tables = 0
    lines = enumerate(text.splitlines(), 1)
    for number, raw in lines:
        line = _CONTROLS.sub("", raw).strip()
        if _NAMESPACE in line:
            arguments = _arguments(line)
        elif _TITLE.search(line):
            tables += 1
            here = f"{place} line {number}".strip()
            _add_run(found, here, arguments, _table(found, lines, place))
    return tables


def _add_run(
    found: RunCollector, place: str, arguments: dict[str, Any], table: dict[str, Any]
) -> None:
    if found.is_full:
        return
    record = {**arguments, **table}
    if "model" in record:
        record["model_id"] = record.pop("model")
    if _OF_SGLANG & table.keys():
        sglang_serving.add_run(found, place, record)
    else:
        vllm_serve.add_run(found, place, record)


def _table(found: RunCollector, lines: Iterator[tuple[int, str]], place: str) -> dict[str, Any]:
    """Read the lines of a table up to its last rule, under the keys of the JSON results."""
    table: dict[str, Any] = {}
    for number, raw in lines:
        line = _CONTROLS.sub("", raw).strip()
        if _RULE.fullmatch(line):
            return table
        label, separator, value = line.partition(":  ")
        if not separator:
            label, _colon, value = line.rpartition(":")
        key = _key(label.strip())
        if key is None:
            continue
        read = _value(value.strip())
        if key in table and table[key] != read:
            message = "This line stands twice in a table, with two values."
            found.problems.append(Problem(f"{place} line {number}".strip(), message, line[:80]))
        table[key] = read
    found.warnings.append(
        Problem(f"{place} line {number}".strip(), "The table has no end: the log was cut off.")
    )
    return table


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
    if _COUNT.fullmatch(text):
        return int(text)
    try:
        return float(text)
    except ValueError:
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
)

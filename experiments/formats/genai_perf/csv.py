"""GenAI-Perf and AIPerf CSV: tables one above the other, units in parentheses, two decimals.

The file names neither model nor load nor machine, but for the GPUs that AIPerf read.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.csv_rows import csv_rows
from experiments.formats.documents import InvalidFileError, ParsedFile, Problem
from experiments.formats.genai_perf import about
from experiments.formats.genai_perf.results import Result, parse_results
from experiments.formats.genai_perf.telemetry import Gpu, Machine, used_gpus
from experiments.formats.numbers import is_left_out
from experiments.formats.problems import short_value

_HEADER = re.compile(r"\s*\"?Metric\"?,\"?avg\"?,", re.IGNORECASE)
_UNIT = re.compile(r"\(([^()]+)\)\s*$")
_NUMBER = re.compile(r"-?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d+)?(?:e[-+]?\d+)?", re.IGNORECASE)
# The header leaves the unit of counts and of some lengths out.
_UNIT_OF = {"request_count": "requests"}
_SPREAD = ("std", "sum")  # columns that GenAI-Perf does not have
_STATISTICS = re.compile(r"avg|min|max|std|p\d{1,2}(\.\d+)?")
_TWICE = "This metric stands twice in the file; send one result."
_TOO_LONG = "The row has more values than the header above it has columns."
_NO_NUMBER = "A number is needed here."

Table = tuple[list[str], list[tuple[str, list[str]]]]


def _detect(content: Content) -> bool:
    return _HEADER.match(content.text) is not None


def _parse(content: Content) -> ParsedFile:
    problems: list[Problem] = []
    metrics: dict[str, dict[str, Any]] = {}
    gpus: dict[tuple[str, ...], dict[str, Any]] = {}
    is_aiperf = False
    for header, rows in _tables(content.text):
        is_aiperf = is_aiperf or header[0] == "endpoint" or any(name in header for name in _SPREAD)
        for place, cells in rows:
            if len(cells) > len(header):
                problems.append(Problem(place, _TOO_LONG, len(cells)))
            row = dict(zip(header, cells, strict=False))
            tag, metric = _metric(row, place, problems)
            owner = tuple(row.get(key, "") for key in ("endpoint", "gpu_uuid", "gpu_index", "gpu"))
            if any(owner):
                names = {key: row.get(key) or None for key in ("gpu_name", "gpu_uuid")}
                gpus.setdefault(owner, {**names, "metrics": {}})["metrics"][tag] = metric
            elif tag in metrics:
                problems.append(Problem(place, _TWICE, row.get("metric")))
            else:
                metrics[tag] = metric
    result = Result(
        place="",
        record={"metrics": metrics, "gpus": list(gpus.values())},
        identity=metrics,
        tool="AIPerf" if is_aiperf else "GenAI-Perf",
        metrics=metrics,
        machine=_machine(gpus),
        context={"rounded": True},
    )
    return parse_results([result], problems)


def _machine(gpus: Mapping[tuple[str, ...], dict[str, Any]]) -> Machine:
    too_long = [gpu["gpu_name"] for gpu in gpus.values() if len(gpu["gpu_name"] or "") > 200]
    if too_long:
        raise InvalidFileError(
            Problem("GPU_Name", "A name has 200 characters at most.", short_value(too_long[0]))
        )
    return used_gpus(
        (
            Gpu(
                gpu_uuid=gpu["gpu_uuid"] or repr(key),
                gpu_name=gpu["gpu_name"],
                metrics=gpu["metrics"],
            )
            for key, gpu in gpus.items()
        ),
        "GPU_Name",
    )


def _tables(text: str) -> Iterator[Table]:
    """Yield each table: its header in lower case, and its rows with their lines."""
    header: list[str] = []
    rows: list[tuple[str, list[str]]] = []
    for place, cells in csv_rows(text):
        names = [cell.strip().lower() for cell in cells]
        if names[0] in ("metric", "endpoint"):
            if rows:
                yield header, rows
            header, rows = names, []
        else:
            rows.append((place, cells))
    if rows:
        yield header, rows


def _metric(
    row: Mapping[str, str], place: str, problems: list[Problem]
) -> tuple[str, dict[str, Any]]:
    """Return the tool's name of a row's metric, and its statistics with their unit."""
    written = row.get("metric", "")
    unit = _UNIT.search(written)
    name = re.sub(r"\([^()]*\)", "", written)
    tag = re.sub(r"\W+", "_", name.strip().lower())
    metric: dict[str, Any] = {"unit": unit[1] if unit else _unit_of(tag)}
    for column, cell in row.items():
        statistic = "avg" if column == "value" else column
        if not _STATISTICS.fullmatch(statistic) or _is_unmeasured(cell):
            continue
        if not _NUMBER.fullmatch(cell.strip()):
            problems.append(Problem(f"{place}: {column}", _NO_NUMBER, short_value(cell)))
            continue
        metric[statistic] = float(cell.replace(",", ""))
    return tag, metric


def _is_unmeasured(cell: str) -> bool:
    return is_left_out(cell) or cell.strip().lower() == "nan"


def _unit_of(tag: str) -> str | None:
    return "tokens" if tag.endswith("_length") else _UNIT_OF.get(tag)


FORMAT = Format(
    name="genai-perf-csv",
    title="GenAI-Perf or AIPerf CSV",
    version=1,
    detect=_detect,
    parse=_parse,
    about=about.CSV,
    tool="AIPerf or GenAI-Perf",
    file_name="profile_export_aiperf.csv",
    fills=(
        *("gpu_model", "gpu_count", "input_tokens", "output_tokens", "tokens_per_second"),
        *("tokens_per_second_per_user", "prompt_processing_speed", "requests_per_second"),
        *("ttft_ms", "tpot_ms", "itl_ms", "e2e_latency_ms", "gpu_power_watts", "memory_usage_gb"),
    ),
    lacks=("model_name", "quantization", "backend", "gpu_model"),
)

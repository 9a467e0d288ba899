"""InferenceX CSV as its site exports it: three lines of licence, then a row a measurement.

Until 2026 its columns were labelled (ms) and held seconds; later ones say so.
"""

import re
from collections.abc import Iterator
from typing import Any

from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.csv_rows import csv_rows, wrong_width
from experiments.formats.documents import InvalidFileError, ParsedFile, Problem
from experiments.formats.inferencex import about
from experiments.formats.inferencex.runs import FILLS, Source, parse_rows
from experiments.formats.numbers import read_number
from experiments.formats.problems import short_value

_START = "Model,ISL,OSL,Hardware,"
_OURS = "InferenceX"
_BEGINNING = 2000  # characters, of which the licence takes 300
_LATENCY = re.compile(
    r"(?P<statistic>Mean|Median|P[\d.]+|Std) (?P<name>TTFT|TPOT|ITL|E2E Latency|Interactivity) "
    r"\((?P<unit>ms|s|tok/s/user)\)"
)
_NAMES = {"E2E Latency": "e2el", "Interactivity": "intvty"}
_RATE = re.compile(r"(?P<what>Output |Input |)Throughput/(?:GPU|Chip) \(tok/s\)")
_WHOLE = {
    "ISL": "isl", "OSL": "osl", "TP": "tp", "EP": "ep", "Concurrency": "conc",
    "Num Prefill GPUs": "num_prefill_gpu", "Num Decode GPUs": "num_decode_gpu",
    "Num Prefill Chips": "num_prefill_gpu", "Num Decode Chips": "num_decode_gpu",
    "Physical Chips": "num_gpus",
}  # fmt: skip
_TEXT = {
    "Model": "model", "Hardware": "hw", "Framework": "framework", "Precision": "precision",
    "Disaggregated": "disagg", "Is Multinode": "is_multinode", "Spec Decoding": "spec_decoding",
    "DP Attention": "dp_attention", "Date": "date", "Run URL": "run_url",
}  # fmt: skip
# Slower than this is no server: the figure was made milliseconds by somebody.
_SLOWEST_SECONDS_PER_TOKEN = 1.0
_MILLISECONDS = (
    "InferenceX writes seconds under (ms); this is more than a second a token. Send the file as "
    "the site exports it."
)
_LARGEST = 1e15
_NO_NUMBER = "A number is needed here."


def _detect(content: Content) -> bool:
    lines = content.text.lstrip()[:_BEGINNING].splitlines()
    above = [line for line in lines if line.startswith("#")]
    header = next((line for line in lines if not line.startswith("#")), "")
    return header.startswith(_START) and any(_OURS in line for line in above)


def _parse(content: Content) -> ParsedFile:
    problems: list[Problem] = []
    sources = list(_sources(content.text, problems))
    if not sources and not problems:
        raise InvalidFileError(Problem("", "The file has a header but no row."))
    return parse_rows(sources, problems)


def _sources(text: str, problems: list[Problem]) -> Iterator[Source]:
    """Yield each row under the keys of the JSON, with its line."""
    lines = text.splitlines(keepends=True)
    start = next(i for i, line in enumerate(lines) if line.startswith(_START))
    rows = csv_rows("".join(lines[start:]), above=start)
    header = [name.strip() for name in next(rows)[1]]
    for place, cells in rows:
        if wrong := wrong_width(header, cells, place):
            problems.append(wrong)
            continue
        origin = {name: cell.strip() for name, cell in zip(header, cells, strict=True) if cell}
        yield Source(place, _record(origin, place, problems), origin)


def _record(cells: dict[str, str], place: str, problems: list[Problem]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for column, cell in cells.items():
        if column in _TEXT:
            record[_TEXT[column]] = cell
            continue
        key = _WHOLE.get(column) or _figure_key(column)
        if key is None:
            continue  # a rate or power that the site shows beside these, made from them
        number = read_number(cell)
        at = f"{place}: {column}"
        if number is None or not abs(number) < _LARGEST:
            problems.append(Problem(at, _NO_NUMBER, short_value(cell)))
        elif column.startswith("Mean TPOT") and number > _SLOWEST_SECONDS_PER_TOKEN:
            problems.append(Problem(at, _MILLISECONDS, number))
        else:
            record[key] = int(number) if column in _WHOLE and number == int(number) else number
    return record


def _figure_key(column: str) -> str | None:
    """Return the key that the JSON has for a column of figures."""
    if rate := _RATE.fullmatch(column):
        what = rate["what"].strip().lower()
        return f"{what}_tput_per_gpu" if what else "tput_per_gpu"
    found = _LATENCY.fullmatch(column)
    if found is None:
        return None
    return f"{found['statistic'].lower()}_{_NAMES.get(found['name'], found['name'].lower())}"


FORMAT = Format(
    name="inferencex-csv",
    title="InferenceX CSV",
    version=1,
    detect=_detect,
    parse=_parse,
    about=about.CSV,
    tool="InferenceX",
    file_name="InferenceX.csv",
    fills=FILLS,
)

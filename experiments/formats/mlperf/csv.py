"""MLPerf inference's `summary.csv` as its submission checker writes it, a row a result.

Power stands in a row of its own below the result that it was measured with.
"""

from collections.abc import Iterator
from typing import Any

from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.csv_rows import csv_rows, wrong_width
from experiments.formats.documents import InvalidFileError, ParsedFile, Problem
from experiments.formats.mlperf import about
from experiments.formats.mlperf.runs import FILLS, TOOL, parse_rows
from experiments.formats.numbers import read_number

_START = "Organization,Availability,Division,"
# By column: the key that the JSON has for it.
_KEYS = {
    "Organization": "Submitter", "Division": "Category", "SystemType": "Suite",
    "SystemName": "System", "Model": "UsedModel", "MlperfModel": "Model",
    "Result": "Performance_Result", "Units": "Performance_Units", "number_of_nodes": "Nodes",
    "host_processor_model_name": "Processor", "accelerator_model_name": "Accelerator",
    "accelerators_per_node": "a#", "framework": "Software", "notes": "Notes",
}  # fmt: skip
_POWER = ("Watts", "millijoules")
_SAME = ("Location", "Model", "Scenario")
_NO_ROW = "The file has a header but no row: the submission checker passed no result."


def _detect(content: Content) -> bool:
    return content.text.lstrip().startswith(_START)


def _parse(content: Content) -> ParsedFile:
    problems: list[Problem] = []
    records = list(_records(content.text, problems))
    if problems:
        raise InvalidFileError(*problems)
    if not records:
        raise InvalidFileError(Problem("", _NO_ROW))
    return parse_rows(records)


def _records(text: str, problems: list[Problem]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each result under the keys of the JSON, with its line and its power."""
    rows = csv_rows(text)
    header = [name.strip() for name in next(rows)[1]]
    waiting: tuple[str, dict[str, Any]] | None = None
    for place, cells in rows:
        if wrong := wrong_width(header, cells, place):
            problems.append(wrong)
            continue
        record = _record(dict(zip(header, cells, strict=True)))
        if record.get("Performance_Units") in _POWER and waiting and _same(record, waiting[1]):
            waiting[1]["Power_Result"] = record["Performance_Result"]
            waiting[1]["Power_Units"] = record["Performance_Units"]
            continue
        if waiting:
            yield waiting
        waiting = (place, record)
    if waiting:
        yield waiting


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(one.get(key) == other.get(key) for key in _SAME)


def _record(cells: dict[str, str]) -> dict[str, Any]:
    record: dict[str, Any] = {_KEYS.get(name, name): cell for name, cell in cells.items()}
    result = cells.get("Result", "").strip()
    number = read_number(result)
    record["Performance_Result"] = (result or None) if number is None else number
    return record


FORMAT = Format(
    name="mlperf-summary-csv",
    title="MLPerf submission checker CSV",
    version=2,
    detect=_detect,
    parse=_parse,
    about=about.CSV,
    tool=TOOL,
    command="python3 submission_checker.py --input SUBMISSION --csv summary.csv",
    file_name="summary.csv",
    fills=FILLS,
    lacks=("quantization", "backend"),
)

"""The LLM-Perf leaderboard's `perf-df-*.csv`: results of optimum-benchmark, a column for each leaf.

Source: https://huggingface.co/datasets/optimum-benchmark/llm-perf-leaderboard
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.csv_rows import csv_rows, wrong_width
from experiments.formats.documents import InvalidFileError, ParsedFile, Problem
from experiments.formats.numbers import is_left_out, read_number
from experiments.formats.optimum import about
from experiments.formats.optimum.runs import FILLS, TOOL, parse_records

_MODEL = "config.backend.model"
_REPORT = re.compile(r"(?:^|,)\"?report\.(?:prefill|decode|traceback)")
# Where cells are numbers; elsewhere "2.10" is a version.
_NUMBERS = re.compile(
    r"report\..+|config\.(?:scenario|benchmark)\.(?:input_shapes|generate_kwargs)\..+"
    r"|config\.environment\.(?:cpu_ram_mb|gpu_vram_mb)|config\.backend\.quantization_config\..+"
)
_WORDS = {"true": True, "false": False}
_NO_ROW = "The file has a header but no row."


def _detect(content: Content) -> bool:
    first = content.text.lstrip().partition("\n")[0]
    return _MODEL in first and bool(_REPORT.search(first))


def _parse(content: Content) -> ParsedFile:
    sources = list(_sources(content.text))
    if not sources:
        raise InvalidFileError(Problem("", _NO_ROW))
    return parse_records(sources)


def _sources(text: str) -> Iterator[tuple[str, Mapping[str, Any] | Problem]]:
    rows = csv_rows(text)
    header = [name.strip() for name in next(rows)[1]]
    for place, cells in rows:
        wrong = wrong_width(header, cells, place)
        yield place, wrong or _record(dict(zip(header, cells, strict=False)))


def _record(cells: Mapping[str, str]) -> dict[str, Any]:
    """Return the tree that the columns of a row are the leaves of; empty cells are none."""
    record: dict[str, Any] = {}
    for column, cell in cells.items():
        *folders, leaf = column.split(".")
        if not folders or is_left_out(cell) or cell.strip().lower() == "nan" or leaf == "values":
            continue
        place: Any = record
        for folder in folders:
            place = place.setdefault(folder, {}) if isinstance(place, dict) else None
        if isinstance(place, dict):
            place[leaf] = _value(column, cell.strip())
    return record


def _value(column: str, cell: str) -> Any:
    if cell.lower() in _WORDS:
        return _WORDS[cell.lower()]
    number = read_number(cell) if _NUMBERS.fullmatch(column) else None
    if number is None:
        return cell
    return int(number) if number.is_integer() else number


FORMAT = Format(
    name="llm-perf-csv",
    title="LLM-Perf leaderboard CSV",
    version=1,
    detect=_detect,
    parse=_parse,
    about=about.CSV,
    tool=TOOL,
    file_name="perf-df-pytorch-cuda-unquantized-1xA10.csv",
    fills=FILLS,
    lacks=("quantization",),
)

"""GuideLLM CSV: one header row until 0.3, three from 0.4 on; a run for each further row.

A row is put into the shape that the same benchmark has in JSON, and read as that.
"""

import json
from collections.abc import Iterator
from itertools import islice

from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.csv_rows import csv_rows
from experiments.formats.documents import InvalidFileError, ParsedFile, Problem
from experiments.formats.guidellm import about
from experiments.formats.guidellm.csv_cells import (
    Cells,
    first_generation_row,
    later_report,
    later_row,
    shifted_metric,
)
from experiments.formats.guidellm.runs import FILLS, LACKS, TOOL, Placed, parse_benchmarks

_LATER = "Run Info,"
_FIRST = "Type,Run Id,Id,Name,"
_NO_ROWS = "The file has a header but no result row: nothing was measured."
_WIDTH = (
    "The row has {found} values, the header {wanted} columns. Until 0.6 GuideLLM heads all rows "
    "with the columns of the first: send the JSON of this run."
)
_SHIFTED = (
    "The mean of {name} does not lie between its least and largest value: the row does not stand "
    "under its header, which until 0.6 is that of the first row. Send the JSON of this run."
)


def _first_line(content: Content) -> str:
    return content.text.lstrip()[:200].replace('"', "")


def _detect(content: Content) -> bool:
    return _first_line(content).startswith((_LATER, _FIRST))


def _parse(content: Content) -> ParsedFile:
    placed: list[Placed] = []
    problems: list[Problem] = []
    for item in _rows(content):
        if isinstance(item, Placed):
            placed.append(item)
        else:
            problems.append(item)
    if problems:
        raise InvalidFileError(*problems)
    return parse_benchmarks(placed)


def _rows(content: Content) -> Iterator[Placed | Problem]:
    """Yield each row below the header as the benchmark it stands for, or what is wrong with it."""
    is_later = _first_line(content).startswith(_LATER)
    depth = 3 if is_later else 1
    rows = csv_rows(content.text)
    header = [row for _place, row in islice(rows, depth)]
    found = False
    for place, row in rows:
        found = True
        yield _benchmark(header, row, place, is_later=is_later)
    if not found:
        yield Problem("", _NO_ROWS)


def _benchmark(
    header: list[list[str]], row: list[str], place: str, *, is_later: bool
) -> Placed | Problem:
    widths = {len(names) for names in header}
    if widths != {len(row)}:
        return Problem(place, _WIDTH.format(found=len(row), wanted=len(header[0])))
    cells = Cells(dict(zip(zip(*header, strict=True), row, strict=True)))
    try:
        record = later_row(cells) if is_later else first_generation_row(cells)
        report = later_report(cells) if is_later else {}
    except json.JSONDecodeError as error:
        return Problem(place, f"A cell that holds JSON is broken: {error.msg}.", error.doc[:100])
    except RecursionError:
        return Problem(place, "A cell holds JSON that is nested too deep.")
    if name := shifted_metric(record["metrics"]):
        return Problem(place, _SHIFTED.format(name=name))
    version = report.get("metadata", {}).get("guidellm_version")
    return Placed(
        place=place,
        record=record,
        report=report,
        tool_version=version if isinstance(version, str) else None,
    )


FORMAT = Format(
    name="guidellm-csv",
    title="GuideLLM CSV",
    version=1,
    detect=_detect,
    parse=_parse,
    about=about.CSV,
    tool=TOOL,
    file_name="benchmarks.csv",
    fills=FILLS,
    lacks=LACKS,
)

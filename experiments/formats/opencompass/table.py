"""The table of an OpenCompass summary, out of the first of its spellings that the file holds.

A summary's text holds it three times: space-aligned, with commas, as Markdown. They say the same;
that with commas is read first, since names may hold blanks.
"""

import re
from dataclasses import dataclass

from experiments.formats.documents import InvalidFileError, Problem
from experiments.formats.numbers import is_left_out

COLUMNS = ("dataset", "version", "metric", "mode")
_WIDTH = len(COLUMNS)
_CSV = re.compile(r"^dataset,version,metric,mode,\S.*$", re.MULTILINE)
_MARKDOWN = re.compile(
    r"^\|\s*dataset\s*\|\s*version\s*\|\s*metric\s*\|\s*mode\s*\|.+\|\s*$", re.MULTILINE
)
_ALIGNED = re.compile(r"^[ \t]*dataset[ \t]+version[ \t]+metric[ \t]+mode[ \t]+\S.*$", re.MULTILINE)
_BLANKS = re.compile(r"[ \t]{2,}")
_RULE = re.compile(r"[-|:\s]+")
_END = re.compile(r"\s*(?:$|[$^]{3}|\d\d/\d\d \d\d:\d\d)")  # the last is how its log begins
_TIME = re.compile(r"\A\s*(?P<time>\d{8}_\d{6})\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Row:
    """A row of the table: how a data set was asked, and a cell for each model."""

    line: int
    dataset: str
    version: str
    metric: str
    mode: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """The models of the columns and the rows; `time` is that of the summary as it is written."""

    line: int
    models: tuple[str, ...]
    rows: tuple[Row, ...]
    time: str | None


def is_summary(text: str) -> bool:
    """Tell whether a text holds the table of a summary."""
    return any(pattern.search(text) for pattern in (_CSV, _MARKDOWN, _ALIGNED))


def is_nothing(cell: str) -> bool:
    """Tell whether a cell stands for nothing that was run."""
    return cell == "-" or is_left_out(cell)


def read_table(text: str) -> Table:
    """Return the table; raises InvalidFileError for rows of another width than the header.

    The table ends with the first line that is none of its rows.
    """
    readers = ((_CSV, _by_commas), (_MARKDOWN, _by_bars), (_ALIGNED, _by_blanks))
    pattern, split = next(pair for pair in readers if pair[0].search(text))
    found = pattern.search(text)
    start = text.count("\n", 0, found.start()) if found else 0
    lines = text.splitlines()
    header = split(lines[start])
    rows: list[Row] = []
    problems: list[Problem] = []
    for number, line in enumerate(lines[start + 1 :], start + 2):
        if _RULE.fullmatch(line) and line.strip() and not rows:
            continue  # below the header
        if _END.match(line) or (split is _by_bars and "|" not in line):
            break
        cells = split(line)
        if len(cells) == len(header) - 1 and split is _by_blanks:
            cells = ["", *cells]  # a row between two sections has no name
        if len(cells) != len(header):
            message = f"The row has {len(cells)} cells, the header {len(header)} columns."
            problems.append(Problem(f"line {number}", message, line.strip()[:120]))
            continue
        dataset, version, metric, mode, *figures = cells
        rows.append(Row(number, dataset, version, metric, mode, tuple(figures)))
    if problems:
        raise InvalidFileError(*problems)
    time = _TIME.match(text)
    return Table(start + 1, tuple(header[_WIDTH:]), tuple(rows), time["time"] if time else None)


def _by_commas(line: str) -> list[str]:
    return [cell.strip() for cell in line.split(",")]


def _by_bars(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]


def _by_blanks(line: str) -> list[str]:
    return _BLANKS.split(line.strip())

"""Where the Markdown tables of llama-bench stand in a text, and what is written around them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from experiments.formats.content import Content
from experiments.formats.documents import InvalidFileError, Problem
from experiments.formats.llama_bench.titles import Title, find_title
from experiments.formats.terminal import without_controls

Cells = tuple[str, ...]

_FIRST_COLUMNS = ("model", "size", "params")
_LAST_COLUMNS = ("test", "t/s")
# How "±" looks after UTF-8 was read as Windows-1252, or by a Windows console (code page 437, 850).
_MANGLED_SIGNS = ("Â±", "┬▒")
_SEPARATOR = re.compile(r":?-+:?")
_BUILD = re.compile(r"build: ([0-9a-f]{6,40}|unknown) \(([0-9]{1,9})\)")


@dataclass(kw_only=True)
class Table:
    """A table of llama-bench: its header, its rows with their lines, and what surrounds it.

    `preamble` holds the lines between the table before and this one, `problems` what is wrong
    with lines that should be rows.
    """

    line: int
    columns: Cells
    preamble: list[str]
    title: str | None
    rows: list[tuple[int, Cells]] = field(default_factory=list)
    build: str | None = None
    problems: list[Problem] = field(default_factory=list)

    def build_record(self) -> dict[str, Any]:
        """Return the build that the footer names, under the keys of llama-bench; {} without one."""
        found = _BUILD.fullmatch(self.build or "")
        return {"build_number": int(found[2]), "build_commit": found[1]} if found else {}


@dataclass(kw_only=True)
class Tables:
    """All tables of a text; `others` are the lines where tables of another kind start."""

    found: list[Table] = field(default_factory=list)
    others: list[int] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def first_table_line(text: str) -> int | None:
    """Return the line of the first header of a llama-bench table, None where there is none."""
    if "t/s" not in text or "params" not in text:
        return None
    lines = enumerate(_clean_lines(text), 1)
    return next((number for number, line in lines if _is_header(split_cells(line))), None)


def refuse_table_beside(content: Content, other_form: str) -> None:
    """Raise InvalidFileError where results of another form have a table beside them.

    llama-bench can write two forms at once (`-o md -oe jsonl`), and a README shows all of them:
    taking one would lose rows, taking both would count them twice.
    """
    line = first_table_line(content.text)
    if line is not None:
        message = (
            f"The file holds llama-bench results {other_form}, and a Markdown table of results "
            "here; send each as a file of its own."
        )
        raise InvalidFileError(Problem(f"line {line}", message))


def find_tables(text: str) -> Tables:
    """Return the llama-bench tables of a text, with everything that stands around them."""
    reader = _Reader()
    lines = [*_clean_lines(text), ""]
    for number, line in enumerate(lines[:-1], 1):
        reader.read(number, line, opens_table=_is_separator(split_cells(lines[number])))
    return reader.tables


def split_cells(line: str) -> Cells | None:
    """Return the cells of a line such as "| a | b |", None for a line of another kind.

    Empty cells at the end are no cells; the marks of bold and code are left out.
    """
    stripped = line.strip()
    if not stripped.startswith("|"):
        return None
    cells = [cell.replace("**", "").strip(" \t`") for cell in stripped[1:].split("|")]
    while cells and not cells[-1]:
        cells.pop()
    return tuple(cells)


class _Reader:
    """Reads a text line by line and gathers its tables."""

    def __init__(self) -> None:
        self.tables = Tables()
        self._table: Table | None = None
        self._in_other = False
        self._preamble: list[str] = []
        self._heading: str | None = None

    def read(self, number: int, line: str, *, opens_table: bool) -> None:
        """Take the next line; `opens_table` says that a line of dashes follows it."""
        cells = split_cells(line)
        if _is_header(cells):
            self._open(number, cells or ())
        elif cells is None:
            self._read_text(line)
        elif opens_table:
            self._table, self._in_other = None, True
            self.tables.others.append(number)
        elif self._in_other or _is_separator(cells):
            return
        elif self._table is not None:
            self._preamble = []  # what the tool logs between two rows is not about the next table
            self._read_row(self._table, number, line, cells)
        elif re.search(r"\d ± \d", cells[-1] if cells else ""):
            message = "This row stands under no header; is a line of the table missing?"
            self.tables.problems.append(Problem(f"line {number}", message, line.strip()[:80]))
        else:
            self._preamble.append(line)

    def _open(self, number: int, columns: Cells) -> None:
        title = find_title(self._preamble) or Title(None, None)
        self._heading = title.heading or self._heading
        parts = [part for part in (self._heading, title.text) if part]
        self._table = Table(
            line=number,
            columns=columns,
            preamble=self._preamble,
            title=" · ".join(parts) or None,
        )
        self.tables.found.append(self._table)
        self._preamble, self._in_other = [], False

    def _read_text(self, line: str) -> None:
        self._in_other = False
        if self._table is not None and _BUILD.fullmatch(line.strip()):
            self._table.build = line.strip()
            self._table, self._preamble = None, []
        else:
            self._preamble.append(line)

    @staticmethod
    def _read_row(table: Table, number: int, line: str, cells: Cells) -> None:
        place = f"line {number}"
        if len(cells) != len(table.columns):
            message = f"The row has {len(cells)} cells, the header {len(table.columns)}."
            table.problems.append(Problem(place, message, line.strip()[:80]))
        elif not line.rstrip().endswith("|"):
            message = "The row does not end in “|”: is the file complete?"
            table.problems.append(Problem(place, message, line.strip()[-40:]))
        else:
            table.rows.append((number, cells))


def _clean_lines(text: str) -> Iterator[str]:
    """Yield the lines as a terminal would show them: no colours, no text written over."""
    text = without_controls(text)
    for sign in _MANGLED_SIGNS:
        text = text.replace(sign, "±")
    for line in text.split("\n"):
        yield line.rstrip("\r").rsplit("\r", 1)[-1]


def _is_header(cells: Sequence[str] | None) -> bool:
    return (
        cells is not None
        and tuple(cells[: len(_FIRST_COLUMNS)]) == _FIRST_COLUMNS
        and tuple(cells[-len(_LAST_COLUMNS) :]) == _LAST_COLUMNS
    )


def _is_separator(cells: Sequence[str] | None) -> bool:
    return bool(cells) and all(_SEPARATOR.fullmatch(cell) for cell in cells or ())

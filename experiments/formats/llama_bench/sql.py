"""llama-bench `-o sql`: INSERT statements, read as text and never executed."""

import re
from collections.abc import Iterator

from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.documents import InvalidFileError, ParsedFile, Problem
from experiments.formats.llama_bench import about
from experiments.formats.llama_bench.cells import check_header, row_of_cells
from experiments.formats.llama_bench.rows import FILLS, Source
from experiments.formats.llama_bench.runs import parse_rows
from experiments.formats.llama_bench.tables import refuse_table_beside

# The table was called "test" until 2025 and is "llama_bench" since.
_TABLE = r'"?(?:test|llama_bench)"?'
_DETECTED = re.compile(rf"INSERT\s+INTO\s+{_TABLE}\s*\(\s*build_commit\b", re.IGNORECASE)
_INSERT = re.compile(
    rf"INSERT\s+INTO\s+{_TABLE}\s*\(([\w\s,\"]*)\)\s*VALUES\s*(?=\()", re.IGNORECASE
)
_CREATE = re.compile(rf"CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?{_TABLE}\s*\([^;()]*\)\s*;", re.I)
_VALUE = re.compile(r"\s*(?:'((?:[^']+|'')*+)'|(NULL)|([-+.\w]+))\s*([,)])", re.IGNORECASE)
_ANY_INSERT = re.compile(rf"INSERT\s+INTO\s+{_TABLE}", re.IGNORECASE)
_BETWEEN_ROWS = re.compile(r"\s*(?:(,)\s*(?=\()|(;)|(?=\Z))")


def _detect(content: Content) -> bool:
    return _DETECTED.search(content.text) is not None


def _parse(content: Content) -> ParsedFile:
    refuse_table_beside(content, "as SQL")
    text = _CREATE.sub(lambda found: "\n" * found[0].count("\n"), content.text)
    reader = _Reader(text)
    rows = list(reader.rows())
    warnings = []
    if reader.skipped:
        message = "Lines between the results that are no INSERT were skipped."
        warnings.append(Problem("", message, reader.skipped))
    return parse_rows(rows, warnings)


class _Reader:
    """Reads the INSERT statements of a text one after the other."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line_start = 0
        self._line = 1
        self.skipped = 0

    def rows(self) -> Iterator[Source | Problem]:
        """Yield each row with its line, or the reason why it cannot be read."""
        position = 0
        while insert := _INSERT.search(self._text, position):
            self._skip(position, insert.start())
            header = [name.strip(' \t\r\n"') for name in insert[1].split(",")]
            check_header(header, self._place(insert.start()))
            position = insert.end()
            while True:
                place = self._place(position)
                values, position = self._values(position)
                yield row_of_cells(header, values, place)
                between = _BETWEEN_ROWS.match(self._text, position)
                if between is None:
                    raise self._broken(position, "“,” and another row, or “;”")
                position = between.end()
                if not between[1]:
                    break
        self._skip(position, len(self._text))

    def _values(self, position: int) -> tuple[list[str | None], int]:
        """Return the values between the parentheses at `position`, and where they end."""
        values: list[str | None] = []
        position += 1
        while True:
            found = _VALUE.match(self._text, position)
            if found is None:
                raise self._broken(position, "a value in quotes or a number")
            quoted, null, number, behind = found.groups()
            values.append(None if null else number or quoted.replace("''", "'"))
            position = found.end()
            if behind == ")":
                return values, position

    def _skip(self, start: int, end: int) -> None:
        """Count the lines of other text, without comments; an INSERT among them is broken."""
        if found := _ANY_INSERT.search(self._text, start, end):
            raise self._broken(found.start(), "INSERT INTO test (columns) VALUES (values)")
        lines = (line.strip() for line in self._text[start:end].split("\n"))
        self.skipped += sum(bool(line) and not line.startswith("--") for line in lines)

    def _place(self, position: int) -> str:
        """Return the line of a position; positions only ever grow."""
        self._line += self._text.count("\n", self._line_start, position)
        self._line_start = position
        return f"line {self._line}"

    def _broken(self, position: int, wanted: str) -> InvalidFileError:
        is_cut = ";" not in self._text[position:]
        message = f"Here should stand {wanted}" + ("; is the file complete?" if is_cut else ".")
        value = self._text[max(position - 20, 0) : position + 60]
        return InvalidFileError(Problem(self._place(position), message, value))


FORMAT = Format(
    name="llama-bench-sql",
    title="llama-bench SQL",
    version=1,
    detect=_detect,
    parse=_parse,
    about=about.SQL,
    tool="llama-bench",
    command="llama-bench -m model.gguf -o sql > result.sql",
    file_name="result.sql",
    fills=FILLS,
)

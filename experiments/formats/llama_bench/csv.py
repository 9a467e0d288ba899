"""llama-bench `-o csv`: columns are mapped by their header, which differs between builds."""

from collections.abc import Iterator

from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.csv_rows import csv_rows
from experiments.formats.documents import ParsedFile, Problem
from experiments.formats.llama_bench import about
from experiments.formats.llama_bench.cells import check_header, row_of_cells
from experiments.formats.llama_bench.rows import FILLS, Source
from experiments.formats.llama_bench.runs import parse_rows

_HEADER_START = "build_commit,build_number"


def _detect(content: Content) -> bool:
    first_line = content.text.lstrip().split("\n", 1)[0]
    return first_line.replace('"', "").startswith(_HEADER_START)


def _parse(content: Content) -> ParsedFile:
    return parse_rows(_rows(content.text))


def _rows(text: str) -> Iterator[Source | Problem]:
    """Yield each row with its line, or the reason why it cannot be read."""
    rows = csv_rows(text)
    place, header = next(rows)
    check_header(header, place)
    for place, values in rows:
        if values != header:  # files put one behind the other repeat it
            yield row_of_cells(header, values, place)


FORMAT = Format(
    name="llama-bench-csv",
    title="llama-bench CSV",
    version=2,
    detect=_detect,
    parse=_parse,
    about=about.CSV,
    tool="llama-bench",
    command="llama-bench -m model.gguf -o csv > result.csv",
    file_name="result.csv",
    fills=FILLS,
)

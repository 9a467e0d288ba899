"""The rows of a CSV with their lines, and what is said of those that cannot be right."""

import csv
import io
from collections.abc import Iterator, Sequence

from experiments.formats.documents import Problem, UnreadableError


def csv_rows(text: str, *, above: int = 0) -> Iterator[tuple[str, list[str]]]:
    """Yield each row that is not blank, with its place; `above` lines stand above the text.

    Raises UnreadableError for what is no CSV.
    """
    table = text.lstrip()
    above += text[: len(text) - len(table)].count("\n")
    reader = csv.reader(io.StringIO(table, newline=""), strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield f"line {above + reader.line_num}", cells
    except csv.Error as error:
        place = f"line {above + reader.line_num}"
        raise UnreadableError(Problem(place, f"This is not valid CSV: {error}.")) from error


def wrong_width(header: Sequence[str], cells: Sequence[str | None], place: str) -> Problem | None:
    """Return the problem of a row that has not as many cells as the header, None where it has."""
    if len(cells) == len(header):
        return None
    message = f"The row has {len(cells)} values, the header {len(header)} columns."
    return Problem(place, message, ",".join(cell or "" for cell in cells)[:80])

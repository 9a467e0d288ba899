"""The tidy table as CSV; a cell that a spreadsheet would take for a formula is quoted."""

import csv
import io
from collections.abc import Iterator

from benchsite.common.exports import safe_row
from experiments.exports.citation import Exporting
from experiments.exports.tidy import COLUMNS, tidy_rows


def csv_table(exporting: Exporting) -> Iterator[bytes]:
    """Yield the table (UTF-8, comma, RFC 4180); what is not known is left empty."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([name for name, _kind in COLUMNS])
    for row in tidy_rows(exporting):
        yield _taken(buffer)
        writer.writerow(safe_row(row))
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()

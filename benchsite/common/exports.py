"""Tables as CSV downloads."""

import csv
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.http import HttpResponse

Cell = str | float | int | bool | datetime | UUID | None

# Spreadsheets take texts that begin with these for formulas; uploaders choose such texts.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def csv_response(
    file_name: str, header: Sequence[str], rows: Iterable[Sequence[Cell]]
) -> HttpResponse:
    """Return a table as a CSV file (UTF-8, comma, RFC 4180); what is not known is left empty."""
    response = HttpResponse(
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
    )
    writer = csv.writer(response)
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return response


def _cell(value: Cell) -> str | float | int | None:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return str(value) if isinstance(value, UUID | bool) else value

"""Tables as downloads: CSV and JSON."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.http import HttpResponse, JsonResponse

Cell = str | float | int | bool | datetime | UUID | None

# Spreadsheets take texts that begin with these for formulas; uploaders choose such texts.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of a page as it is downloaded; `name` stands for it in addresses and file names."""

    name: str
    header: Sequence[str]
    rows: Iterable[Sequence[Cell]]


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
    writer.writerows(safe_row(row) for row in rows)
    return response


def json_response(
    file_name: str, header: Sequence[str], rows: Iterable[Sequence[Cell]]
) -> JsonResponse:
    """Return a table as JSON: `rows` are objects with the header's names; not known is null."""
    return JsonResponse(
        {"columns": list(header), "rows": [dict(zip(header, row, strict=True)) for row in rows]},
        json_dumps_params={"ensure_ascii": False, "indent": 1},
        headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
    )


def safe_row(row: Sequence[Cell]) -> list[str | float | int | None]:
    """Return a row as CSV holds it: no cell of it is a formula to a spreadsheet."""
    return [_cell(value) for value in row]


def _cell(value: Cell) -> str | float | int | None:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return str(value) if isinstance(value, UUID | bool) else value

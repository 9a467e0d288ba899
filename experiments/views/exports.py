"""The tables of a page as files: `?format=csv` or `json`, and `table=` for one of them."""

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse

from benchsite.common.exports import Table, csv_response, json_response
from experiments.views.errors import bad_request

_WRITERS = {"csv": csv_response, "json": json_response}


def wants_file(request: HttpRequest) -> bool:
    """Tell whether the address asks for a file instead of the page."""
    return request.GET.get("format") in _WRITERS


def table_file(request: HttpRequest, tables: Sequence[Table], *, stem: str) -> HttpResponse:
    """Return the table that the address names, by default the first: all of the page.

    `stem` begins the file's name. A table that the page does not have is a 400.
    """
    name = request.GET.get("table") or tables[0].name
    table = next((item for item in tables if item.name == name), None)
    if table is None:
        names = ", ".join(item.name for item in tables)
        return bad_request(request, [f"This page has no table “{name[:80]}”. It has: {names}."])
    form = request.GET["format"]
    return _WRITERS[form](f"{stem}-{name}.{form}", table.header, table.rows)

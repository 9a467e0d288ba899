"""The performance grid, the front page."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from benchsite.common.exports import csv_response
from benchsite.common.htmx import render_page_or_fragment
from experiments.forms import GridForm
from experiments.grid import GridCriteria, grid_page, platform_rows
from experiments.presenters.grid import (
    CSV_HEADER,
    GridState,
    filter_choices,
    grid_csv_rows,
    present_grid,
    rows_to_expand,
)

TEMPLATE = "experiments/grid.html"


@require_safe
def grid(request: HttpRequest) -> HttpResponse:
    """Show the best configuration of each model; wrong filters answer 400 and say which."""
    form = GridForm(request.GET)
    context: dict[str, Any] = {"form": form}
    if not form.is_valid():
        context["choices"] = filter_choices(GridCriteria())
        return render_page_or_fragment(request, TEMPLATE, context, fragment="results", status=400)
    criteria, state = form.criteria(), GridState.from_query(request.GET)
    page = grid_page(criteria)
    platforms = platform_rows(page, rows_to_expand(page, state))
    context["view"] = view = present_grid(page, platforms, state, request.GET)
    if request.GET.get("format") == "csv":
        return csv_response("grid.csv", CSV_HEADER, grid_csv_rows(view))
    context |= {"choices": filter_choices(criteria), "criteria": page.criteria}
    return render_page_or_fragment(request, TEMPLATE, context, fragment="results")

"""The performance grid, the front page."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from benchsite.common.exports import csv_response
from benchsite.common.htmx import is_fragment_request, render_page_or_fragment
from experiments.forms import GridForm
from experiments.grid import GridCriteria, grid_page, platform_rows
from experiments.presenters.grid import (
    COLUMNS,
    FOLLOW,
    GridState,
    benchmark_offer,
    describe_limits,
    filter_choices,
    followed_address,
    grid_csv_header,
    grid_csv_rows,
    grid_json,
    present_grid,
    rows_to_expand,
    unreadable_grid,
)

TEMPLATE = "experiments/grid.html"


@require_safe
def grid(request: HttpRequest) -> HttpResponse:
    """Show the best configuration of each model; wrong filters answer 400 and say which."""
    if FOLLOW in request.GET:
        return redirect(followed_address(request.GET))
    form, state = GridForm(request.GET), GridState.from_query(request.GET)
    if not form.is_valid():
        choices = filter_choices(GridCriteria())
        context = {"choices": choices, "unreadable": unreadable_grid(request.GET, state, form)}
        return _answer(request, form, state, context, status=400)
    page = grid_page(form.criteria())
    platforms = platform_rows(page, rows_to_expand(page, state), state.expanded)
    choices = filter_choices(page.criteria, page)
    describe_limits(form, choices)
    view = present_grid(page, platforms, choices, state, request.GET)
    if request.GET.get("format") == "csv":
        return csv_response("grid.csv", grid_csv_header(view), grid_csv_rows(view))
    if request.GET.get("format") == "json":
        return JsonResponse(grid_json(view))
    return _answer(request, form, state, {"choices": choices, "view": view})


def _answer(
    request: HttpRequest,
    form: GridForm,
    state: GridState,
    context: dict[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    """Render the page, or its results where htmx asks for them."""
    context |= {
        "form": form,
        "benchmark": benchmark_offer(form),
        "all_columns": COLUMNS.values(),
        "chosen_columns": state.columns,
        "is_fragment": is_fragment_request(request),
    }
    return render_page_or_fragment(request, TEMPLATE, context, fragment="results", status=status)

"""Two to eight runs side by side."""

from collections.abc import Sequence
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from benchsite.common.exports import csv_response
from benchsite.common.review import ReviewState
from experiments.comparison import compare
from experiments.forms import ComparisonForm
from experiments.models import TestRun
from experiments.presenters.comparison import (
    comparison_csv_header,
    comparison_csv_rows,
    present_comparison,
)
from experiments.views.errors import bad_request, is_curator, not_found, withdrawn

PARAMETERS = {"run", "benchmark", "format"}


@require_safe
def comparison(request: HttpRequest) -> HttpResponse:
    """Compare the runs of the query string; what the grid's form sends beside them is dropped."""
    form = ComparisonForm(request.GET)
    if form.is_valid() and not set(request.GET) <= PARAMETERS:
        kept = {name: values for name in PARAMETERS if any(values := request.GET.getlist(name))}
        return redirect(f"{request.path}?{urlencode(kept, doseq=True)}")
    return _answer(request, form)


@require_safe
def comparison_of_two(request: HttpRequest, a: UUID, b: UUID) -> HttpResponse:
    """Compare two runs named in the path."""
    data = QueryDict(mutable=True)
    data.setlist("run", [str(a), str(b)])
    data["benchmark"] = request.GET.get("benchmark", "")
    return _answer(request, ComparisonForm(data))


def _answer(request: HttpRequest, form: ComparisonForm) -> HttpResponse:
    if not form.is_valid():
        sentences = [str(text) for errors in form.errors.values() for text in errors]
        return bad_request(request, sentences)
    ids: Sequence[UUID] = form.cleaned_data["run"]
    runs = TestRun.objects.with_names().in_order(ids)
    if not is_curator(request):
        for run in runs:
            if run.review_state == ReviewState.WITHDRAWN:
                return withdrawn(request, run)
        runs = [run for run in runs if run.review_state == ReviewState.PUBLISHED]
    if len(runs) < len(ids):
        unknown = set(ids) - {run.pk for run in runs}
        return not_found(request, sentences=[_unknown(run_id) for run_id in sorted(unknown)])
    page = present_comparison(compare(runs, form.cleaned_data["benchmark"]))
    if request.GET.get("format") == "csv":
        header = comparison_csv_header(page)
        return csv_response("comparison.csv", header, comparison_csv_rows(page))
    chosen = request.GET.get("benchmark", "")
    api_query = urlencode({"run": ids, **({"benchmark": chosen} if chosen else {})}, doseq=True)
    return render(request, "experiments/comparison.html", {"page": page, "api_query": api_query})


def _unknown(run_id: UUID) -> str:
    return f"No published run has the id {run_id}: choose another one in the grid."

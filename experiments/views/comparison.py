"""Two to eight runs side by side."""

from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from benchsite.common.htmx import render_page_or_fragment
from benchsite.common.review import ReviewState
from experiments.comparison import compare
from experiments.comparison_form import ComparisonPageForm
from experiments.curves import read_curves
from experiments.finding import find_configurations
from experiments.models import TestRun
from experiments.presenters.comparison import present_comparison
from experiments.presenters.comparison_tables import comparison_tables
from experiments.views.errors import bad_request, is_curator, not_found, withdrawn
from experiments.views.exports import table_file, wants_file

PARAMETERS = {*ComparisonPageForm.base_fields, "format", "table"}


@require_safe
def comparison(request: HttpRequest) -> HttpResponse:
    """Compare the runs of the query string; what the grid's form sends beside them is dropped."""
    form = ComparisonPageForm(request.GET)
    if form.is_valid() and not set(request.GET) <= PARAMETERS:
        kept = {
            name: values
            for name in request.GET
            if name in PARAMETERS and any(values := request.GET.getlist(name))
        }
        return redirect(f"{request.path}?{urlencode(kept, doseq=True)}")
    return _answer(request, form)


@require_safe
def comparison_of_two(request: HttpRequest, a: UUID, b: UUID) -> HttpResponse:
    """Compare two runs named in the path; the rest of the query string says how."""
    data: QueryDict = request.GET.copy()
    data.setlist("run", [str(a), str(b)])
    return _answer(request, ComparisonPageForm(data))


def _answer(request: HttpRequest, form: ComparisonPageForm) -> HttpResponse:
    if not form.is_valid():
        sentences = [str(text) for errors in form.errors.values() for text in errors]
        return bad_request(request, sentences)
    state = form.state()
    runs = TestRun.objects.with_names().in_order(state.runs)
    if not is_curator(request):
        for run in runs:
            if run.review_state == ReviewState.WITHDRAWN:
                return withdrawn(request, run)
        runs = [run for run in runs if run.review_state == ReviewState.PUBLISHED]
    if len(runs) < len(state.runs):
        unknown = set(state.runs) - {run.pk for run in runs}
        return not_found(request, sentences=[_unknown(run_id) for run_id in sorted(unknown)])
    found = find_configurations(state.find, leaving_out=state.runs)
    comparison = compare(runs, form.cleaned_data["benchmark"])
    page = present_comparison(comparison, state, found, read_curves(runs))
    if wants_file(request):
        return table_file(request, comparison_tables(page), stem="comparison")
    context = {"page": page, "api_query": _api_query(state.runs, state.benchmark)}
    return render_page_or_fragment(
        request, "experiments/comparison.html", context, fragment="comparison"
    )


def _api_query(runs: tuple[UUID, ...], benchmark: str) -> str:
    chosen = {"benchmark": benchmark} if benchmark else {}
    return urlencode({"run": runs, **chosen}, doseq=True)


def _unknown(run_id: UUID) -> str:
    return f"No published run has the id {run_id}: choose another one in the grid."

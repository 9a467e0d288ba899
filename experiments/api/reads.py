"""Reading: the facts of the pages as JSON, under the same filters."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django.db.models import F
from django.http import QueryDict
from django.urls import reverse
from ninja import Router

from benchmarks.models import Benchmark, BenchmarkScore
from benchsite.common.lists import total_of
from benchsite.common.review import ReviewState
from experiments.api import schemas
from experiments.api.auth import ApiRequest, ReadAuth
from experiments.api.errors import ApiError, form_error
from experiments.api.forms import ListForm
from experiments.api.openapi import (
    READ_SECURITY,
    errors,
    experiment_json_schema,
    query_parameters,
)
from experiments.api.present import (
    comparison_answer,
    config_answer,
    detail_answer,
    grouped_answer,
    line_answer,
)
from experiments.comparison import compare
from experiments.detail import run_detail
from experiments.formats import FORMATS
from experiments.formats.documents import Problem
from experiments.formats.guide import curl_line
from experiments.forms import ComparisonForm, GridForm
from experiments.grid import (
    GridCriteria,
    configuration_rows,
    default_benchmark,
    grid_page,
    platform_rows,
)
from experiments.models import Configuration, TestRun

router = Router(auth=ReadAuth(), tags=["Results"])
_GRID = {**READ_SECURITY, "parameters": query_parameters(GridForm)}
_LIST = {**READ_SECURITY, "parameters": query_parameters(ListForm)}
_RUN_ID = {"in": "query", "required": False, "schema": {"type": "string", "format": "uuid"}}
_BENCHMARK = {"in": "query", "name": "benchmark", "required": False, "schema": {"type": "string"}}
_COMPARISON = {
    **READ_SECURITY,
    "parameters": [
        *({**_RUN_ID, "name": name} for name in ("config_a", "config_b", "configA", "configB")),
        {
            **_RUN_ID,
            "name": "run",
            "description": "2 to 8 times.",
            "schema": {"type": "array", "items": {"type": "string", "format": "uuid"}},
        },
        _BENCHMARK,
    ],
}


@router.get(
    "/grouped-performance",
    response={200: schemas.GroupedPerformanceAnswer, **errors(400, 401, 403)},
    openapi_extra=_GRID,
)
def grouped_performance(request: ApiRequest) -> schemas.GroupedPerformanceAnswer:
    """The grid by model: the best configuration of each, and all its platforms."""
    page = grid_page(_grid_criteria(request), clamp=False, choices=False)
    return grouped_answer(page, platform_rows(page, page.rows))


@router.get(
    "/performance-grid",
    response={200: schemas.PerformanceGridAnswer, **errors(400, 401, 403)},
    openapi_extra=_GRID,
)
def performance_grid(request: ApiRequest) -> schemas.PerformanceGridAnswer:
    """The grid by configuration, under the same filters."""
    page = configuration_rows(_grid_criteria(request))
    return schemas.PerformanceGridAnswer(
        rows=[config_answer(item) for item in page.rows],
        total_count=page.total_count,
        load_used=page.load_used,
        load_kind_used=page.kind_used,
        load_kinds_mixed=page.mixes_kinds,
    )


def _grid_criteria(request: ApiRequest) -> GridCriteria:
    form = GridForm(request.GET)
    if not form.is_valid():
        raise form_error(form)
    return form.criteria()


@router.get(
    "/configurations",
    response={200: schemas.ConfigurationsAnswer, **errors(400, 401, 403)},
    openapi_extra=_LIST,
)
def configurations(request: ApiRequest) -> schemas.ConfigurationsAnswer:
    """Every configuration with a completed run, newest first; `id` is its newest run."""
    form = _list_form(request)
    found = Configuration.objects.filter(representative__isnull=False).select_related(
        "representative__variant", "representative__hardware"
    )
    newest_first = found.order_by(F("newest_at").desc(nulls_last=True), "-id")
    rows = [
        (item.representative, item.runs)
        for item in newest_first[form.page_slice()]
        if item.representative
    ]
    return schemas.ConfigurationsAnswer(
        configurations=_lines(rows, form.cleaned_data["benchmark"]), total_count=total_of(found)
    )


@router.get(
    "/runs",
    response={200: schemas.RunsAnswer, **errors(400, 401, 403)},
    openapi_extra=_LIST,
)
def runs(request: ApiRequest) -> schemas.RunsAnswer:
    """Every published run, whatever its status, newest first."""
    form = _list_form(request)
    found = TestRun.objects.published().select_related("variant", "hardware")
    newest_first = found.order_by(F("started_at").desc(nulls_last=True), "id")
    rows = [(run, 1) for run in newest_first[form.page_slice()]]
    return schemas.RunsAnswer(
        runs=_lines(rows, form.cleaned_data["benchmark"]), total_count=total_of(found)
    )


def _list_form(request: ApiRequest) -> ListForm:
    form = ListForm(request.GET)
    if not form.is_valid():
        raise form_error(form)
    return form


def _lines(
    rows: Sequence[tuple[TestRun, int]], benchmark: Benchmark | None
) -> list[schemas.LineAnswer]:
    """Return lines with the current score of each variant: two queries at most."""
    scores = _current_scores({run.variant_id for run, _count in rows}, benchmark)
    return [line_answer(run, scores.get(run.variant_id), count) for run, count in rows]


def _current_scores(
    variant_ids: Collection[UUID], benchmark: Benchmark | None
) -> dict[UUID, float]:
    benchmark = benchmark or default_benchmark()
    if benchmark is None:
        return {}
    current = BenchmarkScore.objects.current_for(benchmark).filter(variant_id__in=variant_ids)
    return dict(current.order_by().values_list("variant_id", "score"))


@router.get(
    "/comparison",
    response={200: schemas.ComparisonAnswer, **errors(400, 401, 403, 404, 410)},
    openapi_extra=_COMPARISON,
)
def comparison(request: ApiRequest) -> schemas.ComparisonAnswer:
    """Two to eight runs side by side, and whether their figures may be compared."""
    form = ComparisonForm(_comparison_query(request.GET))
    if not form.is_valid():
        raise form_error(form)
    found = _visible_runs(request, form.cleaned_data["run"])
    return comparison_answer(compare(found, form.cleaned_data["benchmark"]))


def _comparison_query(query: QueryDict) -> QueryDict:
    """Return the query with all ids of runs under `run`, in order."""
    named = (query.get(f"config_{side}", query.get(f"config{side.upper()}")) for side in "ab")
    data = QueryDict(mutable=True)
    data.setlist("run", [*filter(None, named), *query.getlist("run")])
    data["benchmark"] = query.get("benchmark", "")
    return data


@router.get(
    "/detail/{test_run_id}",
    response={200: schemas.DetailAnswer, **errors(400, 401, 403, 404, 410)},
    openapi_extra={**READ_SECURITY, "parameters": [_BENCHMARK]},
)
def detail(request: ApiRequest, test_run_id: UUID) -> schemas.DetailAnswer:
    """Everything about one run. A withdrawn one answers 410 with the reason."""
    form = _list_form(request)
    (run,) = _visible_runs(request, [test_run_id])
    benchmark = form.cleaned_data["benchmark"] or default_benchmark()
    return detail_answer(run_detail(run, request.auth.as_reader()), benchmark)


def _visible_runs(request: ApiRequest, ids: Sequence[UUID]) -> list[TestRun]:
    """Return these runs in order; 404 for those the caller may not see, 410 for withdrawn ones."""
    found = TestRun.objects.with_names().in_order(ids)
    if not request.auth.is_curator:
        refuse_withdrawn(found)
        found = [run for run in found if run.review_state == ReviewState.PUBLISHED]
    missing = set(ids) - {run.pk for run in found}
    if missing:
        problems = [Problem("run", "No run has this id.", str(run_id)) for run_id in missing]
        raise ApiError(404, f"No run has the id {problems[0].value}.", *problems)
    return found


def refuse_withdrawn(found: Sequence[TestRun]) -> None:
    """Raise the 410 that gives the reason, where one of the runs was withdrawn."""
    for run in found:
        if run.review_state == ReviewState.WITHDRAWN:
            reason = run.review_reason or "No reason was given."
            message = f"The run {run.pk} was withdrawn: {reason}"
            raise ApiError(410, message, Problem("run", reason, str(run.pk)))


@router.get(
    "/formats",
    response={200: schemas.FormatsAnswer, **errors(401, 403)},
    openapi_extra=READ_SECURITY,
)
def formats(request: ApiRequest) -> schemas.FormatsAnswer:
    """What files the site reads, what they tell and lack, and a shell line that sends each."""
    address = request.build_absolute_uri(reverse("api:uploads"))
    return schemas.FormatsAnswer(
        formats=[
            schemas.FormatEntry.model_validate(
                {**vars(item), "curl": curl_line(item, address)}, from_attributes=False
            )
            for item in FORMATS
        ]
    )


@router.get("/schemas/experiment.json", response=dict[str, Any], openapi_extra=READ_SECURITY)
def experiment_schema(request: ApiRequest) -> dict[str, Any]:
    """The JSON Schema of the site's own experiment JSON."""
    return experiment_json_schema()

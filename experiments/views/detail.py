"""The page of one run."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from benchsite.common.exports import csv_response
from experiments.detail import run_detail as read_run_detail
from experiments.models import TestRun
from experiments.presenters.detail import CSV_HEADER, detail_csv_rows, present_detail
from experiments.views.errors import refuse_unpublished


@require_safe
def run_detail(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Show a run; a withdrawn one answers 410 and an unpublished one 404, but not to curators."""
    run = get_object_or_404(TestRun.objects.with_names(), pk=run_id)
    refusal = refuse_unpublished(request, run)
    if refusal:
        return refusal
    page = present_detail(read_run_detail(run))
    if request.GET.get("format") == "csv":
        return csv_response(f"run-{run.pk}.csv", CSV_HEADER, detail_csv_rows(page))
    return render(request, "experiments/run_detail.html", {"page": page, "run": run})

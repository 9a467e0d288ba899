"""The page of one run."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from experiments.detail import MAX_REPEATS
from experiments.detail import run_detail as read_run_detail
from experiments.models import TestRun
from experiments.presenters.detail import present_detail
from experiments.presenters.detail_tables import detail_tables
from experiments.views.errors import reader_of, refuse_unpublished
from experiments.views.exports import table_file, wants_file

REPEATS_SHOWN = 50


@require_safe
def run_detail(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Show a run; a withdrawn one answers 410 and an unpublished one 404, but not to curators."""
    run = get_object_or_404(TestRun.objects.with_repeats(), pk=run_id)
    refusal = refuse_unpublished(request, run)
    if refusal:
        return refusal
    most = MAX_REPEATS if wants_file(request) else REPEATS_SHOWN
    page = present_detail(
        read_run_detail(run, reader_of(request), most_repeats=most),
        may_view_uploads=request.user.has_perm("experiments.view_upload"),
        latency=request.GET.get("latency", ""),
    )
    if wants_file(request):
        return table_file(request, detail_tables(page), stem=f"run-{run.pk}")
    return render(request, "experiments/run_detail.html", {"page": page, "run": run})

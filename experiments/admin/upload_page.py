"""The page of the upload form, and of the reports that follow it."""

from typing import TYPE_CHECKING, Any, cast

from django.contrib.admin.helpers import AdminForm
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.template.response import TemplateResponse

from experiments.admin.base import may_curate
from experiments.ingest.actor import Actor
from experiments.ingest.pipeline import ingest_file
from experiments.ingest.report import Report
from experiments.upload_form import UploadForm

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

TEMPLATE = "admin/experiments/upload/add_form.html"
INVALID_FORM_STATUS = 422


def upload_page(request: HttpRequest, model_admin: "ModelAdmin[Any]") -> TemplateResponse:
    """Answer the upload form; the caller has checked that the user may upload.

    The status is 200 when every file was accepted, else that of the first refusal; 422 for a form
    that cannot be sent as it is.
    """
    form = UploadForm(may_replace=may_curate(request))
    status = 200
    reports: list[Report] = []
    if request.method == "POST":
        form = UploadForm(request.POST, request.FILES, may_replace=may_curate(request))
        if form.is_valid():
            reports = _ingest(form, request)
            refusals = [report.refusal for report in reports if report.refusal]
            status = refusals[0].http_status if refusals else 200
        else:
            status = INVALID_FORM_STATUS
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": "Upload result files",
        "form": form,
        "adminform": AdminForm(cast(Any, form), form.fieldsets, {}),
        "reports": reports,
        "refused": sum(not report.accepted for report in reports),
        "failed": status != 200,
    }
    return TemplateResponse(request, TEMPLATE, context, status=status)


def _ingest(form: UploadForm, request: HttpRequest) -> list[Report]:
    """Send each file through the pipeline, and mark the fields that refused ones need."""
    user = request.user
    actor = Actor(user=user if isinstance(user, User) else None, is_curator=may_curate(request))
    context = form.context()
    options = {name: form.cleaned_data[name] for name in ("dry_run", "replace")}
    reports = [
        ingest_file(data=sent.data, file_name=sent.name, fields=context, actor=actor, **options)
        for sent in form.sent_files()
    ]
    for report in reports:
        form.ask_for(report.missing, report.file_name or "The pasted text")
    return reports

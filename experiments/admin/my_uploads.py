"""The pages “my uploads”: what somebody sent, what became of it, and how to mend it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Min, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.defaultfilters import pluralize
from django.template.response import TemplateResponse

from benchsite.common.exports import Table
from benchsite.common.ids import new_id
from experiments.admin.base import actor_of, may_curate, page_context
from experiments.admin.made import made_by, with_states
from experiments.choices import UploadOutcome
from experiments.ingest.drafts import BEYOND_MENDING, draft_again
from experiments.ingest.review import Reviewed, restore_upload, withdraw_upload
from experiments.models import Upload
from experiments.views.exports import table_file, wants_file

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

PER_PAGE = 25
MOST_ITEMS = 100
_COLUMNS = (
    *("upload", "file", "sent_at", "outcome", "reason", "format", "runs", "scores"),
    *("withdrawn_or_rejected", "waiting_for_review"),
)


class WithdrawForm(forms.Form):
    """Why something is taken out of the lists, for who looks for it."""

    reason = forms.CharField(required=False, max_length=500)


def my_uploads(request: HttpRequest, model_admin: "ModelAdmin[Any]") -> HttpResponse:
    """List what the person sent, newest first; drafts that wait come before them.

    `?format=csv` or `json` gives the uploads of the page as a file.
    """
    sent = Upload.objects.filter(uploaded_by_id=request.user.pk).defer("report")
    finished = sent.exclude(outcome=UploadOutcome.DRAFT).order_by("-created_at", "-id")
    page = Paginator(finished, PER_PAGE).get_page(request.GET.get("page"))
    shown = sent.filter(pk__in=[upload.pk for upload in page])
    uploads = list(with_states(shown).order_by("-created_at", "-id"))
    reasons = _reasons_of_refusals(uploads)
    if wants_file(request):
        return table_file(request, [_as_table(uploads, reasons)], stem="my-uploads")
    context = {
        **page_context(request, model_admin, "My uploads"),
        "waiting": _waiting(sent),
        "page": page,
        "rows": [(upload, reasons.get(upload.pk)) for upload in uploads],
    }
    return TemplateResponse(request, "admin/experiments/upload/mine.html", context)


def _as_table(uploads: Sequence[Any], reasons: Mapping[UUID, str]) -> Table:
    """Return uploads with their states as a file shows them."""
    rows = [
        (
            *(upload.pk, upload.file_name or None, upload.created_at, upload.outcome),
            *(reasons.get(upload.pk), upload.format, upload.run_count, upload.score_count),
            *(upload.out_count, upload.waiting_count),
        )
        for upload in uploads
    ]
    return Table(name="uploads", header=_COLUMNS, rows=rows)


def _waiting(sent: QuerySet[Upload]) -> Iterable[Mapping[str, object]]:
    """Return previews that wait to be confirmed, one for all files sent together, newest first."""
    batches = sent.filter(outcome=UploadOutcome.DRAFT).values("batch")
    counted = batches.annotate(
        files=Count("id"), sent_at=Min("created_at"), first_name=Min("file_name")
    )
    return counted.order_by("-sent_at", "batch")


def _reasons_of_refusals(uploads: Sequence[Upload]) -> dict[UUID, str]:
    """Return why uploads were refused, without the rest of their reports: one query."""
    refused = [upload.pk for upload in uploads if upload.outcome == UploadOutcome.REJECTED]
    found = Upload.objects.filter(pk__in=refused)
    return dict(found.values_list("pk", KeyTextTransform("summary", "report")))


def upload_report(
    request: HttpRequest, model_admin: "ModelAdmin[Any]", upload_id: UUID
) -> HttpResponse:
    """Show one upload with its report and what it made, and what can be done about it.

    It is for who sent it, for curators, and without any button for those who may view uploads.
    """
    upload = _upload(upload_id)
    may_act = _may_act(upload, request)
    if not may_act and not request.user.has_perm("experiments.view_upload"):
        raise PermissionDenied
    if upload.outcome == UploadOutcome.DRAFT and upload.uploaded_by_id == request.user.pk:
        return redirect("admin:upload-batch", upload.batch)
    context = {
        **page_context(request, model_admin, upload.file_name or "Pasted text"),
        "upload": upload,
        "made": made_by(upload, limit=MOST_ITEMS),
        "corrections": upload.corrections.exclude(outcome=UploadOutcome.DRAFT),
        "may_act": may_act and upload.outcome != UploadOutcome.DRAFT,
        "may_read": may_act,
        "upload_id": str(upload.pk),
        "may_be_mended": upload.report.get("refusal") not in BEYOND_MENDING,
    }
    return TemplateResponse(request, "admin/experiments/upload/report.html", context)


def send_again(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """Make a draft of an upload's bytes and fields, to correct what it made or to retry."""
    upload = own_upload(upload_id, request)
    batch = new_id()
    draft_again(upload, actor_of(request), batch)
    return redirect("admin:upload-batch", batch)


def withdraw(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """Take what an upload made out of every list, with a reason for its readers."""
    upload = own_upload(upload_id, request)
    form = WithdrawForm(request.POST)
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        done = withdraw_upload(upload=upload, who=actor_of(request).who, reason=reason)
        messages.success(request, f"Withdrawn: {_counted(done)}.")
    else:
        messages.error(request, f"Nothing was withdrawn. Reason: {form.errors['reason'][0]}")
    return redirect("admin:experiments_upload_change", upload.pk)


def restore(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """Bring back what the person withdrew; a curator brings back anything."""
    upload = own_upload(upload_id, request)
    done = restore_upload(upload=upload, actor=actor_of(request))
    messages.success(request, f"Restored: {_counted(done)}.")
    return redirect("admin:experiments_upload_change", upload.pk)


def _counted(done: Reviewed) -> str:
    """Return "1 run and 2 scores", and what was left as it is."""
    text = f"{done.runs} run{pluralize(done.runs)} and {done.scores} score{pluralize(done.scores)}"
    if done.skipped:
        text += f"; {done.skipped} left as {'it is' if done.skipped == 1 else 'they are'}"
    return text


def own_upload(upload_id: UUID, request: HttpRequest) -> Upload:
    """Return an upload to who sent it and to curators; PermissionDenied (403) for others."""
    upload = _upload(upload_id)
    if not _may_act(upload, request):
        raise PermissionDenied
    return upload


def _upload(upload_id: UUID) -> Upload:
    uploads = Upload.objects.select_related("uploaded_by", "token", "corrects")
    return get_object_or_404(uploads, pk=upload_id)


def _may_act(upload: Upload, request: HttpRequest) -> bool:
    return upload.uploaded_by_id == request.user.pk or may_curate(request)

"""The preview of files that were sent together, at an address of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import messages
from django.forms import BoundField
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html

from experiments.admin.base import actor_of, page_context
from experiments.admin.batch_actions import (
    SHARED_PREFIX,
    Outcome,
    fields_asked,
    fields_shared,
    perform,
    prefix_of,
    read_action,
)
from experiments.admin.known_names import Choice, known_machines, known_variants
from experiments.admin.made import Made, made_by
from experiments.choices import UploadOutcome
from experiments.ingest.drafts import KEPT_FOR
from experiments.ingest.report import Refusal
from experiments.models import Upload
from experiments.upload_form import ChoosingForm, ContextForm, DraftForm

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

TEMPLATE = "admin/experiments/upload/batch.html"
# A form has about 27 fields, and Django takes a thousand: later files get theirs once these went.
MOST_FORMS = 30
MOST_ITEMS = 20
INVALID_FORM_STATUS = 422
_HERE_ALREADY = (Refusal.CONFLICT, Refusal.WITHDRAWN)


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """What a name suggests for a field; never taken over unless somebody says so."""

    field_name: str
    label: str
    value: str


@dataclass(frozen=True, kw_only=True)
class Shared:
    """Fields that fill the gaps of several files at once."""

    form: ChoosingForm
    fields: Sequence[BoundField]
    machines: Sequence[Choice] = ()
    variants: Sequence[Choice] = ()


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One file of the batch on its page; `form` is there for drafts only."""

    upload: Upload
    made: Made | None = None
    form: DraftForm | None = None
    may_replace: bool = False
    asked: Sequence[BoundField] = ()
    suggestions: Sequence[Suggestion] = ()
    machines: Sequence[Choice] = ()
    variants: Sequence[Choice] = ()


def batch_page(request: HttpRequest, model_admin: "ModelAdmin[Any]", batch: UUID) -> HttpResponse:
    """Answer the preview; POST does what the pressed button says and keeps every field.

    After POST the status is that of the first refusal, 422 for a field that cannot be right; else
    it leads back to the preview, or to the person's uploads when nothing of it is left.
    """
    drafts = list(_uploads(request, batch).filter(outcome=UploadOutcome.DRAFT))
    if request.method != "POST":
        return show_batch(request, model_admin, batch)
    action = read_action(request.POST.get("action", "check"))
    if action is None:
        return HttpResponseBadRequest("This button does nothing here; go back to the preview.")
    outcome = perform(action, drafts, request.POST, actor_of(request))
    _tell(request, outcome)
    refusals = [item.refusal for item in (*outcome.checked, *outcome.confirmed) if item.refusal]
    status = refusals[0].http_status if refusals else 200
    if outcome.invalid or outcome.shared:
        status = INVALID_FORM_STATUS
    if status != 200 or action.name == "find":
        return show_batch(request, model_admin, batch, outcome=outcome, status=status)
    if not _uploads(request, batch).exists():
        return redirect("admin:upload-mine")
    return redirect("admin:upload-batch", batch)


def show_batch(
    request: HttpRequest,
    model_admin: "ModelAdmin[Any]",
    batch: UUID,
    *,
    outcome: Outcome | None = None,
    status: int = 200,
) -> TemplateResponse:
    """Render the preview of what the person sent under this batch; 404 if there is nothing."""
    uploads = list(_uploads(request, batch))
    if not uploads:
        raise Http404("Nothing of these files is left: they were confirmed, discarded or too old.")
    outcome = outcome or Outcome()
    drafts = [upload for upload in uploads if upload.outcome == UploadOutcome.DRAFT]
    with_form = {draft.pk for draft in drafts[:MOST_FORMS]}
    ready = [draft for draft in drafts if not draft.report.get("refusal")]
    context = {
        **page_context(request, model_admin, "Preview" if drafts else "What became of your files"),
        "batch": batch,
        "entries": [_entry(upload, request, outcome, upload.pk in with_form) for upload in uploads],
        "drafts": len(drafts),
        "ready": len(ready),
        "refused": sum(upload.outcome == UploadOutcome.REJECTED for upload in uploads),
        "shared": _shared(drafts, request, outcome),
        "lacking": sum(bool(draft.report.get("missing")) for draft in drafts),
        "kept_until": min((draft.created_at for draft in drafts), default=None),
        "failed": status != 200,
    }
    if context["kept_until"]:
        context["kept_until"] += KEPT_FOR
    return TemplateResponse(request, TEMPLATE, context, status=status)


def _uploads(request: HttpRequest, batch: UUID) -> Any:
    """Return what the person sent under this batch, in the order of sending."""
    sent = Upload.objects.filter(batch=batch, uploaded_by_id=request.user.pk)
    return sent.select_related("corrects").order_by("id")  # version 7: by the time of sending


def _entry(upload: Upload, request: HttpRequest, outcome: Outcome, with_form: bool) -> Entry:
    if upload.outcome != UploadOutcome.DRAFT:
        return Entry(upload=upload, made=made_by(upload, limit=MOST_ITEMS))
    if not with_form:
        return Entry(upload=upload)
    prefix = prefix_of(upload)
    looked_for = _looked_for(request, prefix)
    initial = {**upload.context, "replace": upload.replacing, **looked_for}
    form = outcome.invalid.get(upload.pk) or DraftForm(initial=initial, prefix=prefix)
    return Entry(
        upload=upload,
        form=form,
        may_replace=upload.report.get("refusal") in _HERE_ALREADY,
        asked=[form[name] for name in fields_asked(upload.report.get("missing", ()))],
        suggestions=[
            Suggestion(field_name=name, label=str(form[name].label), value=value)
            for name, value in upload.report.get("suggestions", {}).items()
            if name not in upload.context
        ],
        machines=known_machines(looked_for["find_machine"]),
        variants=known_variants(looked_for["find_variant"]),
    )


def _shared(drafts: Sequence[Upload], request: HttpRequest, outcome: Outcome) -> Shared | None:
    """Return fields that several files can be given at once; None for fewer than two."""
    open_fields = [set(fields_shared(draft)) for draft in drafts]
    names = [n for n in ContextForm.base_fields if sum(n in one for one in open_fields) > 1]
    if not names:
        return None
    looked_for = _looked_for(request, SHARED_PREFIX)
    form = outcome.shared or ChoosingForm(initial=looked_for, prefix=SHARED_PREFIX)
    return Shared(
        form=form,
        fields=[form[name] for name in names],
        machines=known_machines(looked_for["find_machine"]),
        variants=known_variants(looked_for["find_variant"]),
    )


def _looked_for(request: HttpRequest, prefix: str) -> dict[str, str]:
    """Return what was typed into the search fields of a part of the page."""
    return {
        name: request.POST.get(f"{prefix}-{name}", "") for name in ("find_machine", "find_variant")
    }


def _tell(request: HttpRequest, outcome: Outcome) -> None:
    """Say what was done to files that leave the page."""
    if outcome.discarded:
        files = "file" if outcome.discarded == 1 else "files"
        messages.info(request, f"{outcome.discarded} {files} discarded: nothing was written.")
    for report in outcome.confirmed:
        if report.outcome == UploadOutcome.UNCHANGED and report.upload_id:
            url = reverse("admin:experiments_upload_change", args=[report.upload_id])
            name = report.file_name or "the pasted text"
            text = 'Nothing was written for {}: it was here. <a href="{}">What it made</a>'
            messages.info(request, format_html(text, name, url))

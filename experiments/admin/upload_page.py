"""The upload form: what it is sent becomes drafts, and the answer is their preview."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from benchsite.common.ids import new_id
from experiments.admin.base import actor_of, page_context
from experiments.admin.batch_page import show_batch
from experiments.formats import FORMATS
from experiments.formats.guide import tool_guides
from experiments.ingest.archives import (
    NO_RESULTS,
    Archive,
    ArchiveError,
    is_archive,
    name_in_archive,
    refuse_archive,
)
from experiments.ingest.drafts import make_draft, purge_drafts
from experiments.ingest.report import Refusal, Report
from experiments.ingest.store import Received
from experiments.ingest.tally import some_of
from experiments.upload_form import UploadForm

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

TEMPLATE = "admin/experiments/upload/add_form.html"
INVALID_FORM_STATUS = 422
MOST_MESSAGES = 10


def upload_page(request: HttpRequest, model_admin: "ModelAdmin[Any]") -> HttpResponse:
    """Answer the upload form; the caller has checked that the user may upload.

    Files are checked and kept as drafts; their preview has an address of its own. Where one is
    refused, that preview is the answer, with the status of the first refusal; 422 for a form that
    cannot be sent as it is.
    """
    if request.method != "POST":
        return _show_form(request, model_admin, UploadForm(), status=200)
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return _show_form(request, model_admin, form, status=INVALID_FORM_STATUS)
    return _preview(form, request, model_admin)


def _show_form(
    request: HttpRequest, model_admin: "ModelAdmin[Any]", form: UploadForm, *, status: int
) -> TemplateResponse:
    context = {
        **page_context(request, model_admin, "Upload result files"),
        "form": form,
        "limit_bytes": settings.BENCHSITE_MAX_UPLOAD_BYTES,
        "guides": tool_guides(FORMATS, request.build_absolute_uri(reverse("api:uploads"))),
        "failed": status != 200,
    }
    return TemplateResponse(request, TEMPLATE, context, status=status)


def _preview(
    form: UploadForm, request: HttpRequest, model_admin: "ModelAdmin[Any]"
) -> HttpResponse:
    """Make a draft of each file; answer with their preview, or the form if none was kept."""
    purge_drafts()
    batch = new_id()
    reports = _make_drafts(form, request, batch)
    not_kept = [report for report in reports if report.upload_id is None]
    for report in not_kept[:MOST_MESSAGES]:
        name = report.file_name or "the pasted text"
        messages.error(request, f"Not kept: {name}. {report.summary}")
    if len(not_kept) > MOST_MESSAGES:
        messages.error(request, f"{len(not_kept) - MOST_MESSAGES} more files were not kept.")
    refusals = [report.refusal for report in reports if report.refusal]
    if not refusals:
        return redirect("admin:upload-batch", batch)
    status = refusals[0].http_status
    if len(not_kept) == len(reports):
        return _show_form(request, model_admin, form, status=status)
    response = show_batch(request, model_admin, batch, status=status)
    response["HX-Push-Url"] = reverse("admin:upload-batch", args=[batch])
    return response


def _make_drafts(form: UploadForm, request: HttpRequest, batch: UUID) -> list[Report]:
    """Make a draft of each file; an archive stands for the files in it."""
    actor, fields = actor_of(request), form.context()
    reports = []
    for sent in form.sent_files():
        received = Received(
            data=sent.data, file_name=sent.name, fields=fields, actor=actor, batch=batch
        )
        is_whole = len(sent.data) <= settings.BENCHSITE_MAX_UPLOAD_BYTES
        if is_archive(sent.data) and is_whole:
            reports += _drafts_of_archive(received, request)
        else:
            reports.append(make_draft(received))
    return reports


def _drafts_of_archive(received: Received, request: HttpRequest) -> list[Report]:
    """Make a draft of each file of an archive, and say what was left out."""
    try:
        archive = Archive(received.data, settings.BENCHSITE_MAX_UPLOAD_BYTES)
    except ArchiveError as error:
        return [refuse_archive(received, error)]
    reports = []
    skipped = []
    for member, found in archive.files():
        name = name_in_archive(received.file_name, member)
        if not isinstance(found, Report):
            data, reading = found
            reports.append(make_draft(replace(received, data=data, file_name=name), reading))
        elif found.outcome == "skipped":
            skipped.append(member.name)
        else:
            reports.append(replace(found, file_name=name))
    for tell, names, what in (
        (messages.warning, skipped, "no results in a known format"),
        (messages.info, archive.hidden, "hidden"),
        (messages.info, archive.links, "links"),
    ):
        if names:
            shown = some_of(names, len(names))
            tell(request, f"Left out of {received.file_name}, {what}: {shown}.")
    nothing = ArchiveError(Refusal.UNKNOWN_FORMAT, NO_RESULTS)
    return reports or [refuse_archive(received, nothing)]

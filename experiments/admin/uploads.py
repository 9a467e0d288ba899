"""Uploads: the form they come in by, and what became of each."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join

from benchmarks import services
from benchsite.common.review import ReviewState
from experiments.admin.base import (
    UNKNOWN,
    ReadOnlyAdmin,
    link_to_admin,
    link_to_run,
    may_curate,
)
from experiments.admin.review import ReasonForm, review_actions
from experiments.admin.upload_page import upload_page
from experiments.choices import ItemAction
from experiments.ingest.review import set_review_state
from experiments.models import Upload, UploadItem

MAX_LISTED_ITEMS = 100


def set_state_of_uploads(queryset: QuerySet[Upload], state: ReviewState, reason: str) -> str:
    """Give everything that uploads made a review state: runs and scores."""
    made = UploadItem.objects.filter(upload__in=queryset).exclude(action=ItemAction.UNCHANGED)
    run_ids = set(made.filter(run__isnull=False).values_list("run_id", flat=True))
    score_ids = set(made.filter(score__isnull=False).values_list("score_id", flat=True))
    runs = set_review_state(run_ids=run_ids, state=state, reason=reason)
    scores = services.set_review_state(score_ids=score_ids, state=state, reason=reason)
    return f"{runs} runs and {scores} scores"


@admin.register(Upload)
class UploadAdmin(ReadOnlyAdmin):
    """Received files with their reports; “add” is the upload form."""

    list_display = ("name", "format", "outcome", "sender", "created_at")
    list_filter = ("outcome", "format")
    list_select_related = ("uploaded_by", "token")
    list_per_page = 50
    search_fields = ("file_name", "=content__sha256", "^id")
    search_help_text = "A file name, a SHA-256 or the beginning of an id."
    ordering = ("-created_at", "-id")
    action_form = ReasonForm
    actions = review_actions(set_state_of_uploads)
    fields = (
        "name",
        "outcome",
        "made",
        "problems",
        "format",
        "parser_version",
        "sender",
        "created_at",
        "stated",
        "sha256",
        "bytes_received",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Upload]:
        """Leave reports out of the list, they can be long."""
        return super().get_queryset(request).defer("report")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let those in who may add uploads."""
        return request.user.has_perm("experiments.add_upload")

    def get_urls(self) -> list[URLPattern]:
        """Add the download of the bytes as they were received."""
        view = self.admin_site.admin_view(self.raw_view)
        return [path("<uuid:upload_id>/raw/", view, name="upload-raw"), *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the upload form; after POST the report of every file, with the form below."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return upload_page(request, self)

    def raw_view(self, request: HttpRequest, upload_id: UUID) -> FileResponse:
        """Send the bytes as received to their uploader and to curators."""
        upload = get_object_or_404(Upload.objects.select_related("content"), pk=upload_id)
        if upload.uploaded_by_id != request.user.pk and not may_curate(request):
            raise PermissionDenied
        name = "".join(character for character in upload.file_name if character.isprintable())
        return FileResponse(
            BytesIO(upload.content.data),
            as_attachment=True,
            filename=name or f"{upload.pk}.txt",
            content_type="application/octet-stream",
        )

    @admin.display(description="file", ordering="file_name")
    def name(self, obj: Upload) -> str:
        """Return the file's name."""
        return obj.file_name or "without a name"

    @admin.display(description="sent by")
    def sender(self, obj: Upload) -> str:
        """Return who sent it: a user, a token, or nobody that is still known."""
        return " with ".join(str(who) for who in (obj.uploaded_by, obj.token) if who) or UNKNOWN

    @admin.display(description="stated beside the file")
    def stated(self, obj: Upload) -> str:
        """Return the context that the uploader gave."""
        return format_html_join("", "{}: {}<br>", sorted(obj.context.items())) or "nothing"

    @admin.display(description="SHA-256")
    def sha256(self, obj: Upload) -> str:
        """Return the hash of the bytes."""
        return obj.content_id

    @admin.display(description="bytes")
    def bytes_received(self, obj: Upload) -> str:
        """Return a link to the bytes; the server answers 403 to those who may not have them."""
        url = reverse("admin:upload-raw", args=[obj.pk])
        return format_html('<a href="{}">{} bytes</a>', url, f"{obj.content.size_bytes:,}")

    @admin.display(description="errors and warnings")
    def problems(self, obj: Upload) -> str:
        """Return what the report found."""
        if not obj.report.get("errors") and not obj.report.get("warnings"):
            return "none"
        template = "admin/experiments/upload/_problems.html"
        return render_to_string(template, {"report": obj.report})

    @admin.display(description="made")
    def made(self, obj: Upload) -> str:
        """Return links to the runs and scores of the file, the first of them."""
        items = obj.items.select_related("run", "score__variant", "score__benchmark").order_by("id")
        shown = list(items[:MAX_LISTED_ITEMS])
        count = items.count() if len(shown) == MAX_LISTED_ITEMS else len(shown)
        return _item_list(shown) + _link_to_all(obj, count) if shown else "nothing"


def _item_list(items: Sequence[UploadItem]) -> str:
    rows = ((_link_of(item), item.get_action_display(), item.place) for item in items)
    lines = format_html_join("", "<li>{}: {} <code>{}</code></li>", rows)
    return format_html("<ul>{}</ul>", lines)


def _link_of(item: UploadItem) -> str:
    if item.run:
        return format_html("run {}", link_to_run(item.run))
    return link_to_admin(item.score) if item.score else ""


def _link_to_all(upload: Upload, count: int) -> str:
    url = reverse("admin:experiments_uploaditem_changelist")
    return format_html('<p><a href="{}?upload__id__exact={}">All {}</a></p>', url, upload.pk, count)


@admin.register(UploadItem)
class UploadItemAdmin(ReadOnlyAdmin):
    """Which place of which file made which run or score."""

    list_display = ("place", "action", "upload", "run", "score")
    list_select_related = ("upload", "run", "score__variant", "score__benchmark")
    list_filter = ("action",)
    list_per_page = 50
    search_fields = ("upload__file_name", "^upload__id", "^run__id", "^score__id")
    search_help_text = "A file name, or the beginning of the id of an upload, a run or a score."
    ordering = ("-id",)

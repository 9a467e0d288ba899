"""Uploads: the form they come in by, and what became of each."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern

from benchsite.common.admin import ReasonForm
from benchsite.common.review import ReviewState, Who
from experiments.admin.base import UNKNOWN, ReadOnlyAdmin
from experiments.admin.my_uploads import upload_report
from experiments.admin.reparses import parse_again
from experiments.admin.review import review_actions
from experiments.admin.upload_page import upload_page
from experiments.admin.upload_urls import upload_urls
from experiments.ingest.review import review_uploads
from experiments.models import Upload, UploadItem


def set_state_of_uploads(
    queryset: QuerySet[Upload], state: ReviewState, who: Who, reason: str
) -> str:
    """Give everything that uploads made, and still stand for, a review state."""
    ids = list(queryset.values_list("pk", flat=True))
    done = review_uploads(upload_ids=ids, state=state, who=who, reason=reason)
    return f"{done.runs} runs and {done.scores} scores"


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
    actions = (*review_actions(set_state_of_uploads), parse_again)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Upload]:
        """Leave reports out of the list, they can be long."""
        return super().get_queryset(request).defer("report")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let those in who may add uploads."""
        return request.user.has_perm("experiments.add_upload")

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of uploading."""
        return [*upload_urls(self), *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the upload form; after POST the preview of every file."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return upload_page(request, self)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show what became of an upload; nobody changes one."""
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        try:
            return upload_report(request, self, UUID(object_id))
        except ValueError as error:
            raise Http404(f"{object_id} is the id of no upload.") from error

    @admin.display(description="file", ordering="file_name")
    def name(self, obj: Upload) -> str:
        """Return the file's name."""
        return obj.file_name or "without a name"

    @admin.display(description="sent by")
    def sender(self, obj: Upload) -> str:
        """Return who sent it: a user, a token, or nobody that is still known."""
        return " with ".join(str(who) for who in (obj.uploaded_by, obj.token) if who) or UNKNOWN


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

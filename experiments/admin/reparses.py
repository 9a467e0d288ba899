"""Reading stored uploads again: what it would change, and the buttons that do and undo it."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, Sum
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from benchsite.common.exports import Table
from benchsite.common.lists import BoundedPaginator
from experiments.admin.base import ReadOnlyAdmin, actor_of, may_curate, page_context
from experiments.choices import ReparseEffect, ReparseState
from experiments.models import Reparse, ReparseItem, Upload
from experiments.reparse.selection import Selection
from experiments.reparse.services import ReparseError, apply, preview, undo
from experiments.views.exports import table_file, wants_file

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

PER_PAGE = 50
MOST_AT_ONCE = 200
"""Uploads that one request reads again; a command does more, and shows how far it is."""
MOST_BYTES_AT_ONCE = 20_000_000
MOST_ITEMS_AT_ONCE = 10_000
_COLUMNS = ("upload", "file", "subject", "id", "title", "effect", "name", "before", "after", "note")
_ALL = "all"


@admin.action(description="Parse again", permissions=["curate"])
def parse_again(
    model_admin: "ModelAdmin[Any]", request: HttpRequest, queryset: QuerySet[Upload]
) -> HttpResponseRedirect | None:
    """Preview what today's parsers make of the uploads chosen; nothing is changed by it."""
    size = queryset.order_by().aggregate(bytes=Sum("content__size_bytes"))["bytes"] or 0
    ids = list(queryset.order_by().values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
    if len(ids) > MOST_AT_ONCE or size > MOST_BYTES_AT_ONCE:
        messages.error(
            request,
            f"One request reads {MOST_AT_ONCE} uploads and {MOST_BYTES_AT_ONCE // 10**6} MB again "
            "at most. On the server, “manage.py reparse --outdated” previews any number.",
        )
        return None
    reparse = preview(Selection(upload_ids=ids), who=actor_of(request).who)
    return redirect("admin:experiments_reparse_change", reparse.pk)


@admin.register(Reparse)
class ReparseAdmin(ReadOnlyAdmin):
    """All reparses with their state, who made them and when."""

    list_display = (
        *("name", "state", "selection", "uploads", "previewed_at", "previewed_by"),
        *("applied_at", "applied_by", "undone_at", "undone_by"),
    )
    list_display_links = ("name",)
    list_filter = ("state",)
    list_per_page = 50

    @admin.display(description="reparse", ordering="id")
    def name(self, obj: Reparse) -> str:
        """Return what reasons in histories call it."""
        return str(obj)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let curators in."""
        return may_curate(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show the list to curators."""
        return may_curate(request)

    def get_urls(self) -> list[URLPattern]:
        """Add the addresses of the buttons."""
        view = self.admin_site.admin_view
        return [
            path("<uuid:reparse_id>/apply/", view(_apply), name="reparse-apply"),
            path("<uuid:reparse_id>/undo/", view(_undo), name="reparse-undo"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show what a reparse would change, or has changed."""
        if request.method not in ("GET", "HEAD") or not may_curate(request):
            raise PermissionDenied
        try:
            return _page(request, self, UUID(object_id))
        except ValueError as error:
            raise Http404(f"{object_id} is the id of no reparse.") from error


def _page(request: HttpRequest, model_admin: "ModelAdmin[Any]", pk: UUID) -> HttpResponse:
    """Show a reparse and its items; `?effect=` keeps those of one kind, `all` shows the rest too.

    `?format=csv` or `json` gives all items under the filter as a file, a change a row.
    """
    reparse = get_object_or_404(Reparse, pk=pk)
    effect = request.GET.get("effect", "")
    items = reparse.items.select_related("upload").defer("images", "upload__report")
    items = items.order_by("id")
    if effect in ReparseEffect.values:
        items = items.filter(effect=effect)
    elif effect != _ALL:
        items = items.exclude(effect=ReparseEffect.SAME)
    if wants_file(request):
        return table_file(request, [_as_table(items)], stem=f"reparse-{str(pk)[:13]}")
    context = {
        **page_context(request, model_admin, f"Reparse {str(pk)[:13]}"),
        "reparse": reparse,
        "counts": _counts(reparse),
        "page": BoundedPaginator(items, PER_PAGE).get_page(request.GET.get("page")),
        "effect": effect,
        "effects": [("", "all that changes"), *ReparseEffect.choices, (_ALL, "all")],
        "left": reparse.items.filter(left=True).count(),
        "may_apply": reparse.state == ReparseState.PREVIEW and _fits(reparse),
        "may_undo": reparse.state == ReparseState.APPLIED and _fits(reparse),
    }
    return TemplateResponse(request, "admin/experiments/reparse/page.html", context)


def _fits(reparse: Reparse) -> bool:
    """Tell whether a request is long enough for it."""
    items = sum(sum(counts.values()) for counts in reparse.counts.values())
    return reparse.uploads <= MOST_AT_ONCE and items <= MOST_ITEMS_AT_ONCE


def _counts(reparse: Reparse) -> list[tuple[str, list[int]]]:
    """Return how many uploads, runs and scores have each effect."""
    return [
        (f"{subject}s", [counts.get(effect, 0) for effect in ReparseEffect.values])
        for subject, counts in sorted(reparse.counts.items())
    ]


def _as_table(items: QuerySet[ReparseItem]) -> Table:
    """Return a row for each change of each item; an item without changes has one row."""
    rows = (
        (
            *(item.upload_id, item.upload.file_name or None, item.subject, item.subject_id),
            *(item.title, item.effect, name, before, after, item.reason or None),
        )
        for item in items.iterator(chunk_size=500)
        for name, before, after in item.changes or [(None, None, None)]
    )
    return Table(name="changes", header=_COLUMNS, rows=rows)


def _apply(request: HttpRequest, reparse_id: UUID) -> HttpResponse:
    """Do what the preview says."""

    def act() -> str:
        done = apply(reparse_id, who=actor_of(request).who)
        left = f" {done.left} were left: they changed since the preview." if done.left else ""
        return f"Applied: {done.applied} changes.{left}"

    return _act(request, reparse_id, act)


def _undo(request: HttpRequest, reparse_id: UUID) -> HttpResponse:
    """Put everything back as it was."""

    def act() -> str:
        return f"Undone: {undo(reparse_id, who=actor_of(request).who)} changes, all as before."

    return _act(request, reparse_id, act)


def _act(request: HttpRequest, reparse_id: UUID, act: Any) -> HttpResponse:
    """Let a curator do it by POST, and lead back to the page, which says how it went."""
    if not may_curate(request):
        raise PermissionDenied
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    get_object_or_404(Reparse, pk=reparse_id)
    try:
        messages.success(request, act())
    except ReparseError as error:
        messages.error(request, str(error))
    return redirect("admin:experiments_reparse_change", reparse_id)

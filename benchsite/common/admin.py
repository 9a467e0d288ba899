"""What the admin pages of several apps share."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME, ActionForm
from django.contrib.admin.utils import label_for_field, lookup_field
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import strip_tags

from benchsite.common.exports import Cell, csv_response, json_response

# Django's admin classes take no type arguments at run time, hence type-arg is ignored below.


class ReasonForm(ActionForm):
    """Asks for a reason beside the action; Django checks it before the action runs."""

    reason = forms.CharField(
        required=False,
        max_length=500,
        label="Reason:",
        help_text="Shown to who looks for what was withdrawn.",
    )


class RevisionInline(admin.TabularInline):  # type: ignore[type-arg]
    """The history of a fact, newest first, to be read."""

    fields: ClassVar[tuple[str, ...]] = (
        "at",
        "action",
        "state_before",
        "state",
        "who_label",
        "reason",
    )
    readonly_fields: ClassVar[tuple[str, ...]] = fields
    ordering = ("-id",)
    extra = 0
    can_delete = False
    verbose_name = "change"
    verbose_name_plural = "history"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: what is done writes it."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: history is not rewritten."""
        return False


@admin.action(description="Download as CSV")
def download_csv(
    model_admin: "admin.ModelAdmin[Any]", request: HttpRequest, queryset: QuerySet[Any]
) -> HttpResponse:
    """Return the rows chosen, with the columns of the list, as CSV."""
    header, rows = _listed(model_admin, request, queryset)
    return csv_response(f"{model_admin.opts.model_name}.csv", header, rows)


@admin.action(description="Download as JSON")
def download_json(
    model_admin: "admin.ModelAdmin[Any]", request: HttpRequest, queryset: QuerySet[Any]
) -> HttpResponse:
    """Return the rows chosen, with the columns of the list, as JSON."""
    header, rows = _listed(model_admin, request, queryset)
    return json_response(f"{model_admin.opts.model_name}.json", header, rows)


def _listed(
    model_admin: "admin.ModelAdmin[Any]", request: HttpRequest, queryset: QuerySet[Any]
) -> tuple[list[str], Iterator[list[Cell]]]:
    columns = [
        name
        for name in model_admin.get_list_display(request)
        if name not in ("action_checkbox", ACTION_CHECKBOX_NAME)
    ]
    header = [str(label_for_field(name, model_admin.model, model_admin)) for name in columns]
    rows = ([_cell(name, row, model_admin) for name in columns] for row in queryset)
    return header, rows


def _cell(name: Any, row: Model, model_admin: "admin.ModelAdmin[Any]") -> Cell:
    """Return what the list shows in a column, without its HTML; numbers and times stay such."""
    field, _attribute, value = lookup_field(name, row, model_admin)
    if field is not None and field.choices:
        value = getattr(row, f"get_{field.name}_display")()
    if value is None or isinstance(value, bool | int | float | datetime | UUID):
        return value
    return strip_tags(str(value))

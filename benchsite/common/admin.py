"""What the admin pages of several apps share."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.helpers import ActionForm
from django.http import HttpRequest

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

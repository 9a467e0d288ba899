"""What the admin pages of this app share."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from experiments.models import TestRun

UNKNOWN = "–"

# Django's admin classes take no type arguments at run time, hence type-arg is ignored below.


class KeptAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that come from uploads: nobody adds or deletes them here."""

    empty_value_display = UNKNOWN
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: they come from uploads."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: deleting is withdrawing."""
        return False

    def has_curate_permission(self, request: HttpRequest) -> bool:
        """Tell whether the user may publish, withdraw and replace what others sent."""
        return may_curate(request)


class ReadOnlyAdmin(KeptAdmin):
    """Rows that nobody changes."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: they are what was measured."""
        return False


def may_curate(request: HttpRequest) -> bool:
    """Tell whether the user is a curator: one who may change test runs."""
    return request.user.has_perm("experiments.change_testrun")


def link_to_run(run: TestRun) -> str:
    """Return a link to the public page of a run."""
    url = reverse("experiments:run-detail", args=[run.pk])
    return format_html('<a href="{}">{}</a>', url, run.pk)


def link_to_admin(obj: models.Model, text: object = None) -> str:
    """Return a link to the admin page of any object."""
    opts = obj._meta
    url = reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[obj.pk])
    return format_html('<a href="{}">{}</a>', url, obj if text is None else text)

"""What the admin pages of this app share."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from benchsite.common.lists import BoundedPaginator
from experiments.ingest.actor import Actor

UNKNOWN = "–"

# Django's admin classes take no type arguments at run time, hence type-arg is ignored below.


class KeptAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that come from uploads: nobody adds or deletes them here."""

    empty_value_display = UNKNOWN
    paginator = BoundedPaginator
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


def page_context(
    request: HttpRequest, model_admin: "admin.ModelAdmin[Any]", title: str
) -> dict[str, Any]:
    """Return what every page of the admin's frame needs; the side bar stays away."""
    return {
        **model_admin.admin_site.each_context(request),
        "is_nav_sidebar_enabled": False,
        "opts": model_admin.opts,
        "title": title,
    }


def actor_of(request: HttpRequest) -> Actor:
    """Return who sends the request, as the pipeline knows people."""
    user = request.user
    return Actor(user=user if isinstance(user, User) else None, is_curator=may_curate(request))


def link_to_admin(obj: models.Model, text: object = None) -> str:
    """Return a link to the admin page of any object."""
    opts = obj._meta
    url = reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[obj.pk])
    return format_html('<a href="{}">{}</a>', url, obj if text is None else text)

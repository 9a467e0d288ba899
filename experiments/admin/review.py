"""Admin actions that publish, reject and withdraw, with the reason that visitors will read."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest

from benchsite.common.review import ReviewState

VERBS = {
    ReviewState.PUBLISHED: "publish",
    ReviewState.REJECTED: "reject",
    ReviewState.WITHDRAWN: "withdraw",
}
# How many of what were given a state and a reason, in words.
SetState = Callable[[QuerySet[Any], ReviewState, str], str]
AdminAction = Callable[["admin.ModelAdmin[Any]", HttpRequest, QuerySet[Any]], None]


class ReasonForm(ActionForm):
    """Asks for a reason beside the action."""

    reason = forms.CharField(
        required=False,
        max_length=500,
        label="Reason:",
        help_text="Shown to who looks for what was withdrawn.",
    )


def review_actions(set_state: SetState) -> tuple[AdminAction, ...]:
    """Return the three actions, which call `set_state` with the rows chosen."""
    return tuple(_review_action(state, verb, set_state) for state, verb in VERBS.items())


def _review_action(state: ReviewState, verb: str, set_state: SetState) -> AdminAction:
    @admin.action(description=verb.capitalize(), permissions=["curate"])
    def action(
        modeladmin: "admin.ModelAdmin[Any]", request: HttpRequest, queryset: QuerySet[Any]
    ) -> None:
        reason = request.POST.get("reason", "").strip()
        counted = set_state(queryset, state, reason)
        modeladmin.message_user(request, f"{counted}: {state.label}.", messages.SUCCESS)

    action.__name__ = verb
    return action

"""Admin actions that publish, reject and withdraw, with the reason that visitors will read."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from benchsite.common.review import ReviewState, Who
from experiments.admin.base import actor_of

VERBS = {
    ReviewState.PUBLISHED: "publish",
    ReviewState.REJECTED: "reject",
    ReviewState.WITHDRAWN: "withdraw",
}
# How many of what were given a state, by whom and why, in words.
SetState = Callable[[QuerySet[Any], ReviewState, Who, str], str]
AdminAction = Callable[["admin.ModelAdmin[Any]", HttpRequest, QuerySet[Any]], None]


def review_actions(set_state: SetState) -> tuple[AdminAction, ...]:
    """Return the three actions, which call `set_state` with the rows chosen."""
    return tuple(_review_action(state, verb, set_state) for state, verb in VERBS.items())


def _review_action(state: ReviewState, verb: str, set_state: SetState) -> AdminAction:
    @admin.action(description=verb.capitalize(), permissions=["curate"])
    def action(
        modeladmin: "admin.ModelAdmin[Any]", request: HttpRequest, queryset: QuerySet[Any]
    ) -> None:
        reason = request.POST.get("reason", "").strip()
        counted = set_state(queryset, state, actor_of(request).who, reason)
        modeladmin.message_user(request, f"{counted}: {state.label}.", messages.SUCCESS)

    action.__name__ = verb
    return action

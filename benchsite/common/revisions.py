"""What the histories of runs and of scores have in common: rows that are added and never changed.

Each app has a table of its own; a trigger (made with the tables) refuses to rewrite their rows.
"""

from collections.abc import Collection, Mapping
from typing import Any, ClassVar, Self
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from benchsite.common.review import TAKEN_OUT, TAKING_OUT, ReviewState, RevisionAction, Who

LONGEST_LABEL = 300
_WHO = r"^(user:\d+|token:\d+|command)$"
_IN_LISTS = (ReviewState.PENDING.value, ReviewState.PUBLISHED.value)
_OUT = tuple(state.value for state in TAKEN_OUT)


def action_choices() -> list[tuple[str, str]]:
    """Return what can be done to a fact, with labels."""
    return RevisionAction.choices


def state_choices() -> list[tuple[str, str]]:
    """Return the review states, with labels."""
    return ReviewState.choices


def action_fits_states() -> Q:
    """Return the condition that an action is known, and that the states are what it makes."""
    return (
        Q(action__in=["withdrawn", "superseded", "corrected"], state="withdrawn")
        | Q(action="rejected", state="rejected")
        | Q(action="published", state_before="pending", state="published")
        | Q(action="restored", state_before__in=_OUT, state__in=_IN_LISTS)
        | Q(action="replaced", state__in=_IN_LISTS)
        | Q(action__in=["confirmed", "edited", "reparsed"], state=models.F("state_before"))
    )


class RevisionQuerySet(models.QuerySet[Any]):
    """Look-ups in a history; its model names in `subject` what it is the history of."""

    def newest_first(self) -> Self:
        """Order as it happened: writers take turns, so ids grow with time."""
        return self.order_by("-id")

    def last_taken_out(self, ids: Collection[UUID]) -> dict[UUID, "Revision"]:
        """Return the last revision that took each of these out of the lists, if there is one."""
        return self._last_of(self.filter(action__in=TAKING_OUT), ids) if ids else {}

    def states_before_taken_out(self, ids: Collection[UUID]) -> dict[UUID, ReviewState]:
        """Return the state in which each of these was when it last left the lists."""
        left = self.filter(action__in=TAKING_OUT, state_before__in=_IN_LISTS)
        return {pk: ReviewState(row.state_before) for pk, row in self._last_of(left, ids).items()}

    def _last_of(self, rows: models.QuerySet[Any], ids: Collection[UUID]) -> dict[UUID, Any]:
        if not ids:
            return {}
        name = f"{self.model.subject}_id"
        rows = rows.filter(**{f"{name}__in": ids}).order_by(name, "-id").distinct(name)
        return {getattr(row, name): row for row in rows}


class Revision(models.Model):
    """One change of a run or a score: what, when, by whom, why."""

    subject: ClassVar[str]

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(default=timezone.now)
    action = models.CharField(max_length=10, choices=action_choices)
    state_before = models.CharField(max_length=10, choices=state_choices)
    state = models.CharField("state after", max_length=10, choices=state_choices)
    reason = models.TextField(blank=True)
    who_label = models.CharField("by", max_length=LONGEST_LABEL)
    who_key = models.CharField(max_length=40, help_text="By which it is the same one again.")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )

    objects = RevisionQuerySet.as_manager()

    class Meta:
        abstract = True
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state_before__in=ReviewState.values),
                name="%(class)s_state_before_known",
            ),
            models.CheckConstraint(
                condition=action_fits_states(), name="%(class)s_action_fits_states"
            ),
            models.CheckConstraint(condition=Q(who_key__regex=_WHO), name="%(class)s_who_known"),
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()} by {self.who_label}"


def by(who: Who) -> Mapping[str, Any]:
    """Return the columns of a revision that say who did it."""
    return {
        "who_label": who.label[:LONGEST_LABEL],
        "who_key": who.key,
        "user_id": who.user_id,
    }

"""The review state that uploaded facts (runs and scores) share, and who changes it how."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


class ReviewState(models.TextChoices):
    """Who may see an uploaded fact: only `published` ones appear on public pages."""

    PENDING = "pending", "waits for review"
    PUBLISHED = "published", "published"
    REJECTED = "rejected", "rejected by a curator"
    WITHDRAWN = "withdrawn", "withdrawn"


TAKEN_OUT = (ReviewState.WITHDRAWN, ReviewState.REJECTED)
"""The states of what is in no list any more."""


class RevisionAction(models.TextChoices):
    """What was done to a fact after it was created."""

    PUBLISHED = "published", "published"
    REJECTED = "rejected", "rejected"
    WITHDRAWN = "withdrawn", "withdrawn"
    SUPERSEDED = "superseded", "superseded"
    CORRECTED = "corrected", "corrected"
    RESTORED = "restored", "restored"
    REPLACED = "replaced", "replaced"
    CONFIRMED = "confirmed", "confirmed"
    EDITED = "edited", "edited"
    REPARSED = "reparsed", "read again"


SUPERSEDING = (RevisionAction.SUPERSEDED, RevisionAction.CORRECTED)
"""The actions after which another version stands in the place of a fact: of its run or its file."""

TAKING_OUT = (RevisionAction.WITHDRAWN, RevisionAction.REJECTED, *SUPERSEDING)
"""The actions after which a fact is in no list any more."""


@dataclass(frozen=True)
class Who:
    """Who does something: a name for people, and a key by which it is the same one again.

    The key is "user:<pk>", "token:<pk>" (of a token without an owner) or "command".
    `is_curator` tells whether it acts with the rights of a curator.
    """

    label: str
    key: str
    user_id: int | None = None
    is_curator: bool = False

    @classmethod
    def of_user(cls, user: "AbstractBaseUser", *, is_curator: bool) -> "Who":
        """Return who a person is that is logged in."""
        return cls(
            label=user.get_username(),
            key=user_key(user.pk),
            user_id=user.pk,
            is_curator=is_curator,
        )


COMMAND = "command"
"""The key of what the operator does by a command."""


def user_key(user_id: int) -> str:
    """Return the key of an account."""
    return f"user:{user_id}"


def token_key(token_id: int) -> str:
    """Return the key of an API token."""
    return f"token:{token_id}"


def action_between(before: str, after: str) -> RevisionAction:
    """Return what a change of the review state is called.

    ValueError for sending published facts back to review, which nobody does.
    """
    if after == ReviewState.WITHDRAWN:
        return RevisionAction.WITHDRAWN
    if after == ReviewState.REJECTED:
        return RevisionAction.REJECTED
    if before in TAKEN_OUT:
        return RevisionAction.RESTORED
    if after == ReviewState.PUBLISHED:
        return RevisionAction.PUBLISHED
    raise ValueError(f"Nothing that is {before} becomes {after}.")

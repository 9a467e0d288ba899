"""Who sends files, and what that person or program may do."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Q

from benchsite.common.review import (
    COMMAND,
    ReviewState,
    RevisionAction,
    Who,
    token_key,
    user_key,
)
from benchsite.common.revisions import Revision
from experiments.choices import ItemAction
from experiments.models import ApiToken, Upload, UploadItem

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


@dataclass(frozen=True, kw_only=True)
class Actor:
    """A person, a token, or (with neither) a command run by the operator."""

    user: "AbstractBaseUser | None" = None
    token: ApiToken | None = None
    review_state: ReviewState = ReviewState.PUBLISHED
    is_curator: bool = False

    @property
    def who(self) -> Who:
        """Who it is: the account, also behind a token of its own; else the token."""
        token = f"the token {self.token.name}" if self.token is not None else ""
        if self.user is not None:
            who = Who.of_user(self.user, is_curator=self.is_curator)
            return replace(who, label=f"{who.label} with {token}") if token else who
        if self.token is not None:
            return Who(token, token_key(self.token.pk), is_curator=self.is_curator)
        return Who("a command", COMMAND, is_curator=self.is_curator)

    @property
    def keys(self) -> frozenset[str]:
        """All keys under which the actor may have acted before."""
        if self.token is None:
            return frozenset({self.who.key})
        return frozenset({self.who.key, token_key(self.token.pk)})

    def changeable(self, run_ids: Collection[UUID]) -> set[UUID]:
        """Return those of the runs that the actor may change: all for a curator, else its own."""
        if self.is_curator or not run_ids:
            return set(run_ids)
        made = UploadItem.objects.filter(self._sent_upload(), run_id__in=run_ids)
        return set(made.exclude(action=ItemAction.UNCHANGED).values_list("run_id", flat=True))

    def may_restore(self, taken_out: Revision | None) -> bool:
        """Tell whether the actor may bring back what this revision took out of the lists.

        A curator may; others what they withdrew, or put a correction in the place of, themselves.
        """
        if self.is_curator or taken_out is None:
            return self.is_curator
        by_choice = (RevisionAction.WITHDRAWN, RevisionAction.CORRECTED)
        return taken_out.action in by_choice and taken_out.who_key in self.keys

    def may_correct(self, upload: Upload) -> bool:
        """Tell whether the actor may mend what an upload made: its sender and curators may."""
        return self.is_curator or not self.keys.isdisjoint(keys_of_sender(upload))

    def _sent_upload(self) -> Q:
        """Return the condition on items that the actor sent their upload."""
        sent = Q(pk=None)
        if self.token is not None:
            sent |= Q(upload__token=self.token)
        if self.user is not None:
            sent |= Q(upload__uploaded_by_id=self.user.pk)
        return sent


def keys_of_sender(upload: Upload) -> frozenset[str]:
    """Return the keys of who sent an upload; none for a command, and for accounts that are gone."""
    account = {user_key(upload.uploaded_by_id)} if upload.uploaded_by_id else set()
    token = {token_key(upload.token_id)} if upload.token_id else set()
    return frozenset({*account, *token})

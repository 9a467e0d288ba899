"""Who sends files, and what that person or program may do."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Q

from benchsite.common.review import ReviewState
from experiments.choices import ItemAction
from experiments.models import ApiToken, UploadItem

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


@dataclass(frozen=True, kw_only=True)
class Actor:
    """A person, a token, or (with neither) a command run by the operator."""

    user: "AbstractBaseUser | None" = None
    token: ApiToken | None = None
    review_state: ReviewState = ReviewState.PUBLISHED
    is_curator: bool = False

    def changeable(self, run_ids: Collection[UUID]) -> set[UUID]:
        """Return those of the runs that the actor may change: all for a curator, else its own."""
        if self.is_curator or not run_ids:
            return set(run_ids)
        sent = Q(pk=None)
        if self.token is not None:
            sent |= Q(upload__token=self.token)
        if self.user is not None:
            sent |= Q(upload__uploaded_by_id=self.user.pk)
        made = UploadItem.objects.filter(sent, run_id__in=run_ids)
        return set(made.exclude(action=ItemAction.UNCHANGED).values_list("run_id", flat=True))

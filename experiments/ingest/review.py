"""Publishing, rejecting and withdrawing runs, with their summaries kept in step."""

from collections.abc import Collection
from uuid import UUID

from django.db import transaction

from benchsite.common.locks import take_write_lock
from benchsite.common.review import ReviewState
from experiments.models import TestRun
from experiments.summaries import refresh_configurations


def set_review_state(*, run_ids: Collection[UUID], state: ReviewState, reason: str = "") -> int:
    """Give runs a review state and a reason; returns how many there were."""
    with transaction.atomic():
        take_write_lock()
        runs = TestRun.objects.filter(id__in=run_ids)
        configurations = set(runs.values_list("configuration_id", flat=True))
        changed = runs.update(review_state=state, review_reason=reason)
        refresh_configurations(configurations)
    return changed


def withdraw_run(*, run: TestRun, reason: str = "") -> None:
    """Take a run out of every list; its page answers 410 with the reason from now on."""
    set_review_state(run_ids=[run.pk], state=ReviewState.WITHDRAWN, reason=reason)

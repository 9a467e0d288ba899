"""The history of scores: what each service writes, and what the table refuses."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from pytest_django import DjangoAssertNumQueries

from benchmarks.models import BenchmarkScore, ScoreRevision
from benchmarks.services import (
    confirm_scores,
    restore_scores,
    set_review_state,
    withdraw_score,
)
from benchsite.common.review import ReviewState, RevisionAction, Who, action_between
from tests.benchmarks.factories import make_score, make_variant
from tests.people import OPERATOR

pytestmark = pytest.mark.django_db


def told(score: BenchmarkScore) -> list[tuple[str, str, str]]:
    rows = ScoreRevision.objects.filter(score=score).order_by("id")
    return list(rows.values_list("action", "state_before", "state"))


def test_each_change_of_state_is_told() -> None:
    score = make_score(review_state=ReviewState.PENDING)
    for state in ("published", "published", "withdrawn", "rejected", "published"):
        set_review_state(score_ids=[score.pk], state=ReviewState(state), who=OPERATOR)
    assert told(score) == [
        ("published", "pending", "published"),
        ("withdrawn", "published", "withdrawn"),
        ("rejected", "withdrawn", "rejected"),
        ("restored", "rejected", "published"),
    ]


def test_what_is_in_the_state_already_does_not_change() -> None:
    score = make_score()
    ids = [score.pk]
    assert set_review_state(score_ids=ids, state=ReviewState.PUBLISHED, who=OPERATOR) == 0
    assert not told(score)
    score.refresh_from_db()
    assert score.is_current


def test_a_second_withdrawal_gives_the_reason_that_counts() -> None:
    score = make_score()
    ann = Who.of_user(User.objects.create_user("ann"), is_curator=False)
    withdraw_score(score_id=score.pk, who=ann, reason="mine")
    withdraw_score(score_id=score.pk, who=OPERATOR, reason="made up")
    score.refresh_from_db()
    assert score.review_reason == "made up"
    last = ScoreRevision.objects.last_taken_out([score.pk])[score.pk]
    assert (last.who_key, last.reason) == ("command", "made up")


@pytest.mark.parametrize("state", [ReviewState.PENDING, ReviewState.PUBLISHED])
def test_restoring_brings_back_the_state_that_was(state: ReviewState) -> None:
    score = make_score(review_state=state)
    withdraw_score(score_id=score.pk, who=OPERATOR, reason="")
    set_review_state(score_ids=[score.pk], state=ReviewState.REJECTED, who=OPERATOR)
    assert restore_scores(score_ids=[score.pk], who=OPERATOR) == 1
    score.refresh_from_db()
    assert (score.review_state, score.is_current) == (state, state == ReviewState.PUBLISHED)
    assert restore_scores(score_ids=[score.pk], who=OPERATOR) == 0
    assert len(told(score)) == 3


def test_what_was_taken_out_before_there_was_a_history_is_published_again() -> None:
    score = make_score()
    BenchmarkScore.objects.update(review_state=ReviewState.WITHDRAWN, is_current=False)
    assert restore_scores(score_ids=[score.pk], who=OPERATOR) == 1
    score.refresh_from_db()
    assert score.is_current


@pytest.mark.parametrize(
    ("as_fractions", "reason"),
    [(True, "fractions: multiplied by 100"), (False, "right as they are")],
)
def test_confirming_is_told(as_fractions: bool, reason: str) -> None:
    score = make_score(score=0.5, needs_confirmation=True)
    confirm_scores(score_ids=[score.pk], as_fractions=as_fractions, who=OPERATOR)
    confirm_scores(score_ids=[score.pk], as_fractions=as_fractions, who=OPERATOR)
    row = ScoreRevision.objects.get()
    assert (row.action, row.reason, row.state) == ("confirmed", reason, "published")


@pytest.mark.parametrize("count", [1, 6])
def test_taking_out_many_takes_as_many_queries_as_one(
    count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    ids = [make_score(variant=make_variant()).pk for _ in range(count)]
    with django_assert_num_queries(11):
        set_review_state(score_ids=ids, state=ReviewState.WITHDRAWN, who=OPERATOR)
    assert ScoreRevision.objects.count() == count


def test_nothing_published_goes_back_to_review() -> None:
    with pytest.raises(ValueError, match="published becomes pending"):
        action_between(ReviewState.PUBLISHED, ReviewState.PENDING)


def revision(**changes: Any) -> ScoreRevision:
    values = {
        "score": make_score(),
        "action": RevisionAction.WITHDRAWN,
        "state_before": "published",
        "state": "withdrawn",
        "who_label": "ann",
        "who_key": "user:1",
        **changes,
    }
    return ScoreRevision.objects.create(**values)


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("scorerevision_state_before_known", {"state_before": "maybe"}),
        ("scorerevision_action_fits_states", {"action": "lost"}),
        ("scorerevision_action_fits_states", {"action": "corrected", "state": "rejected"}),
        ("scorerevision_action_fits_states", {"action": "confirmed"}),
        ("scorerevision_who_known", {"who_key": "user:"}),
    ],
)
def test_revision_constraints(constraint: str, changes: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        revision(**changes)


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.update(reason="another"),
        lambda rows: rows.update(state="rejected", action="rejected"),
        lambda rows: rows.update(user=User.objects.create_user("bob")),
    ],
)
def test_history_is_not_rewritten(change: Callable[[Any], int]) -> None:
    rows = ScoreRevision.objects.filter(pk=revision().pk)
    with pytest.raises(IntegrityError, match="revision_kept"), transaction.atomic():
        change(rows)


def test_history_outlives_accounts() -> None:
    ann = User.objects.create_user("ann")
    row = revision(user=ann)
    ann.delete()
    row.refresh_from_db()
    assert (row.user, row.who_label) == (None, "ann")

"""Publishing, taking out, bringing back and confirming scores; each change leaves a revision."""

from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from django.db import transaction
from django.db.models import F

from benchmarks.current import choose_current, lock_variants, variant_ids_of
from benchmarks.models import (
    BenchmarkScore,
    BenchmarkScoreQuerySet,
    ScoreCategory,
    ScoreRevision,
)
from benchsite.common.locks import take_write_lock
from benchsite.common.review import (
    TAKEN_OUT,
    ReviewState,
    RevisionAction,
    Who,
    action_between,
)
from benchsite.common.revisions import by


def set_review_state(
    *,
    score_ids: Collection[UUID],
    state: ReviewState,
    who: Who,
    reason: str = "",
    action: RevisionAction | None = None,
) -> int:
    """Set the review state of scores, choose the current ones anew, return how many changed.

    What is in the state already stays as it is, but for what is taken out once more: then the new
    reason counts, and who gave it. `action` is what to call it, where the states do not tell.
    """
    with transaction.atomic():
        take_write_lock()
        scores = _locked_scores(score_ids)
        before = dict(scores.values_list("pk", "review_state"))
        if state not in TAKEN_OUT:
            before = {pk: old for pk, old in before.items() if old != state}
        actions = {pk: action or action_between(old, state) for pk, old in before.items()}
        _write_states(dict.fromkeys(before, state), reason)
        _write_revisions(
            ScoreRevision(
                score_id=pk,
                action=actions[pk],
                state_before=old,
                state=state,
                reason=reason,
                **by(who),
            )
            for pk, old in before.items()
        )
    return len(before)


def restore_scores(*, score_ids: Collection[UUID], who: Who) -> int:
    """Bring taken-out scores back into the state they were in before; return how many there were.

    A score of which no history says that state is published again.
    """
    with transaction.atomic():
        take_write_lock()
        out = _locked_scores(score_ids).filter(review_state__in=TAKEN_OUT)
        before = dict(out.values_list("pk", "review_state"))
        earlier = ScoreRevision.objects.states_before_taken_out(before)
        states = {pk: earlier.get(pk, ReviewState.PUBLISHED) for pk in before}
        _write_states(states, "")
        _write_revisions(
            ScoreRevision(
                score_id=pk,
                action=RevisionAction.RESTORED,
                state_before=old,
                state=states[pk],
                **by(who),
            )
            for pk, old in before.items()
        )
    return len(before)


def withdraw_score(*, score_id: UUID, who: Who, reason: str) -> int:
    """Take a score out of every list, keeping it and the reason; return 1, or 0 if unknown."""
    return set_review_state(
        score_ids=[score_id], state=ReviewState.WITHDRAWN, who=who, reason=reason
    )


def confirm_scores(*, score_ids: Collection[UUID], as_fractions: bool, who: Who) -> int:
    """Settle scores that wait for confirmation and return how many did.

    `as_fractions`: the values were fractions, so totals, standard errors and category scores
    (those within 0 and 1) become percentages. Else they are right as they are. The content key
    stays that of the values received, so sending the file again still finds the score.
    """
    with transaction.atomic():
        take_write_lock()
        scores = _locked_scores(score_ids).filter(needs_confirmation=True)
        waiting = dict(scores.values_list("pk", "review_state"))
        scores = BenchmarkScore.objects.filter(pk__in=waiting)
        if as_fractions:
            ScoreCategory.objects.filter(
                benchmark_score_id__in=waiting, score__lte=1, score__gte=0
            ).update(score=F("score") * 100)
            scores.filter(score__lte=1).update(score=F("score") * 100, stderr=F("stderr") * 100)
        scores.update(needs_confirmation=False)
        choose_current(variant_ids_of(scores))
        reason = "fractions: multiplied by 100" if as_fractions else "right as they are"
        _write_revisions(
            ScoreRevision(
                score_id=pk,
                action=RevisionAction.CONFIRMED,
                state_before=state,
                state=state,
                reason=reason,
                **by(who),
            )
            for pk, state in waiting.items()
        )
    return len(waiting)


def _write_states(states: Mapping[UUID, ReviewState], reason: str) -> None:
    """Give each score its state, and choose the current ones of their variants anew."""
    for state in sorted(set(states.values())):
        chosen = [pk for pk, wanted in states.items() if wanted == state]
        BenchmarkScore.objects.filter(pk__in=chosen).update(
            review_state=state, review_reason=reason, is_current=False
        )
    choose_current(variant_ids_of(BenchmarkScore.objects.filter(pk__in=states)))


def _write_revisions(rows: Iterable[ScoreRevision]) -> None:
    ScoreRevision.objects.bulk_create(rows, batch_size=2000)


def _locked_scores(score_ids: Collection[UUID]) -> BenchmarkScoreQuerySet:
    """Lock the variants of these scores and return the scores."""
    scores = BenchmarkScore.objects.filter(pk__in=score_ids).order_by()
    lock_variants(variant_ids_of(scores))
    return scores

"""Publishing, rejecting, withdrawing and restoring what was uploaded, with summaries in step.

Every change leaves a revision that says who did it and why. All of it happens under the lock of
writers, so that what was checked is what is changed.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from benchmarks import services
from benchmarks.models import BenchmarkScore, ScoreRevision
from benchsite.common.locks import take_write_lock
from benchsite.common.review import (
    TAKEN_OUT,
    ReviewState,
    RevisionAction,
    Who,
    action_between,
)
from benchsite.common.revisions import by
from experiments.choices import ItemAction
from experiments.ingest.actor import Actor, keys_of_sender
from experiments.ingest.history import revisions, write_history
from experiments.ingest.scores import is_superseded
from experiments.models import RunRevision, TestRun, Upload, UploadItem
from experiments.summaries import refresh_configurations


class NotYoursError(Exception):
    """Only who sent an upload, and curators, may change what it made."""


@dataclass(frozen=True, kw_only=True)
class Reviewed:
    """How many runs and scores changed, and how many were left as they are."""

    runs: int
    scores: int
    skipped: int = 0


@dataclass(frozen=True, kw_only=True)
class _Made:
    """What uploads made and still stand for; `skipped` is what later uploads stand for."""

    run_ids: frozenset[UUID]
    score_ids: frozenset[UUID]
    skipped: int

    @property
    def total(self) -> int:
        return len(self.run_ids) + len(self.score_ids) + self.skipped


def set_review_state(
    *, run_ids: Collection[UUID], state: ReviewState, who: Who, reason: str = ""
) -> int:
    """Give runs a review state and a reason; returns how many changed.

    What is in the state already stays as it is, but for what is taken out once more: then the new
    reason counts, and who gave it.
    """
    with transaction.atomic():
        take_write_lock()
        before = _states(run_ids)
        if state not in TAKEN_OUT:
            before = {pk: old for pk, old in before.items() if old != state}
        actions = {pk: action_between(old, state) for pk, old in before.items()}
        _change(before, dict.fromkeys(before, state), actions, who, reason)
    return len(before)


def restore_runs(*, run_ids: Collection[UUID], who: Who) -> int:
    """Bring taken-out runs back into the state they were in before; returns how many there were.

    A run of which no history says that state is published again.
    """
    with transaction.atomic():
        take_write_lock()
        before = {pk: old for pk, old in _states(run_ids).items() if old in TAKEN_OUT}
        earlier = RunRevision.objects.states_before_taken_out(before)
        states = {pk: earlier.get(pk, ReviewState.PUBLISHED) for pk in before}
        _change(before, states, dict.fromkeys(before, RevisionAction.RESTORED), who, "")
    return len(before)


def edit_run(*, run_id: UUID, changes: Mapping[str, Any], who: Who) -> None:
    """Mend columns of a run that are no measurement (notes, source), keeping what was there."""
    with transaction.atomic():
        take_write_lock()
        run = TestRun.objects.get(pk=run_id)
        facts = {name: getattr(run, name) for name in changes}
        if facts == dict(changes):
            return
        TestRun.objects.filter(pk=run_id).update(**changes)
        edited = revisions(
            [run],
            action=RevisionAction.EDITED,
            state=run.review_state,
            who=who,
            before={run.pk: {"facts": facts}},
        )
        write_history(edited)


def withdraw(
    *,
    run_ids: Collection[UUID] = (),
    score_ids: Collection[UUID] = (),
    who: Who,
    reason: str = "",
) -> Reviewed:
    """Take runs and scores out of every list; their pages answer 410 with the reason.

    What is withdrawn already keeps its reason, and what a curator rejected is withdrawn by
    curators only: who withdraws it could bring it back.
    """
    stays = [ReviewState.WITHDRAWN] if who.is_curator else list(TAKEN_OUT)
    with transaction.atomic():
        take_write_lock()
        runs = TestRun.objects.filter(pk__in=run_ids).exclude(review_state__in=stays)
        scores = BenchmarkScore.objects.filter(pk__in=score_ids).exclude(review_state__in=stays)
        state = ReviewState.WITHDRAWN
        done = Reviewed(
            runs=set_review_state(run_ids=_ids(runs), state=state, who=who, reason=reason),
            scores=services.set_review_state(
                score_ids=_ids(scores), state=state, who=who, reason=reason
            ),
        )
    return _with_skipped(done, len(set(run_ids)) + len(set(score_ids)))


def restore(
    *, run_ids: Collection[UUID] = (), score_ids: Collection[UUID] = (), actor: Actor
) -> Reviewed:
    """Bring back what the actor may: a curator anything, others what they withdrew themselves."""
    with transaction.atomic():
        take_write_lock()
        runs = RunRevision.objects.last_taken_out(run_ids)
        scores = ScoreRevision.objects.last_taken_out(score_ids)
        done = Reviewed(
            runs=restore_runs(
                run_ids=[pk for pk in run_ids if actor.may_restore(runs.get(pk))], who=actor.who
            ),
            scores=services.restore_scores(
                score_ids=[pk for pk in score_ids if actor.may_restore(scores.get(pk))],
                who=actor.who,
            ),
        )
    return _with_skipped(done, len(set(run_ids)) + len(set(score_ids)))


def withdraw_upload(*, upload: Upload, who: Who, reason: str = "") -> Reviewed:
    """Withdraw the runs and scores that an upload made and no later upload replaced or restored.

    NotYoursError for others than who sent it and curators.
    """
    if not who.is_curator and who.key not in keys_of_sender(upload):
        raise NotYoursError("Only a curator, and who sent an upload, can withdraw it.")
    with transaction.atomic():
        take_write_lock()
        made = _made_by([upload.pk])
        done = withdraw(run_ids=made.run_ids, score_ids=made.score_ids, who=who, reason=reason)
    return _with_skipped(done, made.total)


def restore_upload(*, upload: Upload, actor: Actor) -> Reviewed:
    """Bring back what an upload made, as far as the actor may.

    What later uploads replaced is theirs, and superseded scores come back with the version that
    brought them. NotYoursError for others than who sent it and curators.
    """
    if not actor.may_correct(upload):
        raise NotYoursError("Only a curator, and who sent an upload, can restore it.")
    with transaction.atomic():
        take_write_lock()
        made = _made_by([upload.pk])
        done = restore(run_ids=made.run_ids, score_ids=_not_superseded(made.score_ids), actor=actor)
    return _with_skipped(done, made.total)


def can_restore(upload: Upload) -> bool:
    """Tell whether anything is out that an upload made and that no newer version superseded."""
    made = _made_by([upload.pk])
    out = BenchmarkScore.objects.filter(
        pk__in=_not_superseded(made.score_ids), review_state__in=TAKEN_OUT
    )
    runs = TestRun.objects.filter(pk__in=made.run_ids, review_state__in=TAKEN_OUT)
    return runs.exists() or out.exists()


def review_uploads(
    *, upload_ids: Collection[UUID], state: ReviewState, who: Who, reason: str = ""
) -> Reviewed:
    """Give what uploads made, and still stand for, a review state."""
    with transaction.atomic():
        take_write_lock()
        made = _made_by(upload_ids)
        done = Reviewed(
            runs=set_review_state(run_ids=made.run_ids, state=state, who=who, reason=reason),
            scores=services.set_review_state(
                score_ids=_not_superseded(made.score_ids), state=state, who=who, reason=reason
            ),
        )
    return _with_skipped(done, made.total)


def _states(run_ids: Collection[UUID]) -> dict[UUID, str]:
    return dict(TestRun.objects.filter(pk__in=run_ids).values_list("pk", "review_state"))


def _change(
    before: Mapping[UUID, str],
    states: Mapping[UUID, ReviewState],
    actions: Mapping[UUID, RevisionAction],
    who: Who,
    reason: str,
) -> None:
    """Write the states with their revisions, and refresh the configurations."""
    for state in sorted(set(states.values())):
        chosen = [pk for pk, wanted in states.items() if wanted == state]
        TestRun.objects.filter(pk__in=chosen).update(review_state=state, review_reason=reason)
    write_history(
        [
            RunRevision(
                run_id=pk,
                action=actions[pk],
                state_before=old,
                state=states[pk],
                reason=reason,
                **by(who),
            )
            for pk, old in before.items()
        ]
    )
    runs = TestRun.objects.filter(pk__in=before)
    refresh_configurations(set(runs.values_list("configuration_id", flat=True)))


def _made_by(upload_ids: Collection[UUID]) -> _Made:
    """Return what uploads made: not what was there before them, nor what later ones changed."""
    later = UploadItem.objects.filter(
        pk__gt=OuterRef("pk"), action__in=[ItemAction.REPLACED, ItemAction.RESTORED]
    ).exclude(upload=OuterRef("upload"))
    items = UploadItem.objects.filter(upload__in=upload_ids).exclude(action=ItemAction.UNCHANGED)
    runs = items.filter(run__isnull=False)
    scores = items.filter(score__isnull=False)
    own_runs = runs.exclude(Exists(later.filter(run=OuterRef("run"))))
    own_scores = scores.exclude(Exists(later.filter(score=OuterRef("score"))))
    run_ids = frozenset(own_runs.values_list("run_id", flat=True))
    score_ids = frozenset(own_scores.values_list("score_id", flat=True))
    total = runs.values("run").distinct().count() + scores.values("score").distinct().count()
    return _Made(
        run_ids=frozenset(filter(None, run_ids)),
        score_ids=frozenset(filter(None, score_ids)),
        skipped=total - len(run_ids) - len(score_ids),
    )


def _not_superseded(score_ids: Iterable[UUID]) -> list[UUID]:
    """Leave out scores that are out because a newer version came."""
    out = BenchmarkScore.objects.filter(pk__in=score_ids, review_state__in=TAKEN_OUT)
    taken_out = ScoreRevision.objects.last_taken_out(_ids(out))
    return [pk for pk in score_ids if not is_superseded(taken_out.get(pk))]


def _ids(rows: QuerySet[Any]) -> list[UUID]:
    return list(rows.values_list("pk", flat=True))


def _with_skipped(done: Reviewed, total: int) -> Reviewed:
    return Reviewed(runs=done.runs, scores=done.scores, skipped=total - done.runs - done.scores)

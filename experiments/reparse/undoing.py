"""Putting back what a reparse changed: every row as it was, or nothing."""

from collections.abc import Collection, Sequence
from itertools import islice
from uuid import UUID

from benchmarks.models import BenchmarkScore, ScoreCategory, ScoreRevision
from benchmarks.services import refresh_current_scores
from benchsite.common.review import RevisionAction, Who
from benchsite.common.revisions import by
from experiments.choices import ReparseEffect, ReparseSubject
from experiments.ingest.history import earlier_versions, revisions
from experiments.ingest.scores import scores_brought_by_runs
from experiments.models import (
    Measurement,
    ReparseItem,
    RunRevision,
    TestRun,
    Upload,
    UploadItem,
)
from experiments.reparse.images import (
    Images,
    delete_rows,
    differences,
    ids_in,
    insert_rows,
    rows_in,
    take_images,
    update_rows,
)
from experiments.summaries import refresh_configurations

MOST_NAMED = 10


class UndoError(Exception):
    """Something changed since the reparse was applied; the text names it."""


def check_as_applied(items: Sequence[ReparseItem], places: Collection[int]) -> None:
    """Raise UndoError where a row is not as the reparse left it, naming the first of them."""
    found = take_images({item.subject_id for item in items if item.subject_id})
    touched = _touched_since(items, places)
    problems = []
    for item in items:
        if item.subject_id is None:
            continue
        names = differences(item.sides["after"], found.get(item.subject_id, {}))
        if item.subject_id in touched:
            names = names or ["others refer to it"]
        if names:
            problems.append(f"{item.title} ({item.subject_id}): {', '.join(names)}")
    if problems:
        more = len(problems) - MOST_NAMED
        named = "; ".join(islice(problems, MOST_NAMED)) + (f"; and {more} more" * (more > 0))
        raise UndoError(f"Something changed since, so nothing was undone: {named}.")


def put_back(items: Sequence[ReparseItem], places: Collection[int], *, who: Who, name: str) -> None:
    """Write every row as it was before, with summaries and current scores in step."""
    before = [item.sides["before"] for item in items]
    after = [item.sides["after"] for item in items]
    _note_history(items, who, f"{name} undone")
    configurations = ids_in([*before, *after], TestRun, "configuration_id")
    variants = ids_in([*before, *after], BenchmarkScore, "variant_id")
    for model in (Measurement, ScoreCategory):
        _put_back_parts(model, before, after)
    for changed in (TestRun, BenchmarkScore, Upload):
        if changed is BenchmarkScore:
            BenchmarkScore.objects.filter(pk__in=ids_in(before, BenchmarkScore)).update(
                is_current=False
            )
        update_rows(changed, rows_in(before, changed))
    UploadItem.objects.filter(pk__in=places).delete()
    made = _made(items)
    TestRun.objects.filter(pk__in=made).delete()
    BenchmarkScore.objects.filter(pk__in=made).delete()
    refresh_configurations(configurations)
    refresh_current_scores(variants)


def _put_back_parts(
    model: type[Measurement] | type[ScoreCategory],
    before: Sequence[Images],
    after: Sequence[Images],
) -> None:
    """Delete parts that were added and insert those that were deleted; the same ones stay."""
    old, new = rows_in(before, model), rows_in(after, model)
    stays = set(old) & set(new)
    added = [row for row in new if row not in stays]
    deleted = [row for row in old if row not in stays]
    delete_rows(model, ids_in([{model._meta.db_table: added}], model))
    insert_rows(model, deleted)


def _made(items: Sequence[ReparseItem]) -> list[UUID]:
    """Return the ids of runs and scores that were not there before."""
    return [
        item.subject_id
        for item in items
        if item.subject_id and item.effect == ReparseEffect.FOUND and not item.sides["before"]
    ]


def _touched_since(items: Sequence[ReparseItem], places: Collection[int]) -> set[UUID | None]:
    """Return which of the found runs and scores have a history or came with other uploads."""
    made = _made(items)
    touched: set[UUID | None] = set(
        RunRevision.objects.filter(run__in=made).values_list("run_id", flat=True)
    )
    touched |= set(ScoreRevision.objects.filter(score__in=made).values_list("score_id", flat=True))
    others = UploadItem.objects.exclude(pk__in=places)
    touched |= set(others.filter(run__in=made).values_list("run_id", flat=True))
    touched |= set(others.filter(score__in=made).values_list("score_id", flat=True))
    return touched


def _note_history(items: Sequence[ReparseItem], who: Who, reason: str) -> None:
    """Say of each run and score that stays what was done to it."""
    of_runs = {
        item.subject_id: item
        for item in items
        if item.subject_id and item.subject == ReparseSubject.RUN and item.sides["before"]
    }
    runs = TestRun.objects.with_names().select_related("sweep").filter(pk__in=of_runs)
    changed = [run for run in runs if of_runs[run.pk].effect == ReparseEffect.CHANGED]
    versions = earlier_versions(changed, scores_brought_by_runs([run.pk for run in changed]))
    rows = revisions(runs, action=RevisionAction.REPARSED, state="", who=who, before=versions)
    for row in rows:
        state = _state_before(of_runs[row.run_id], TestRun)
        row.state, row.reason, row.upload = state, reason, of_runs[row.run_id].upload
        row.action = _action(row.state_before, state)
    RunRevision.objects.bulk_create(rows, batch_size=500)
    of_scores = {
        item.subject_id: item
        for item in items
        if item.subject_id and item.subject == ReparseSubject.SCORE and item.sides["before"]
    }
    states = BenchmarkScore.objects.filter(pk__in=of_scores).values_list("pk", "review_state")
    ScoreRevision.objects.bulk_create(
        ScoreRevision(
            score_id=pk,
            action=_action(now, state := _state_before(of_scores[pk], BenchmarkScore)),
            state_before=now,
            state=state,
            reason=reason,
            **by(who),
        )
        for pk, now in states
    )


def _state_before(item: ReparseItem, model: type[TestRun] | type[BenchmarkScore]) -> str:
    (state,) = ids_in([item.sides["before"]], model, "review_state")
    return str(state)


def _action(now: str, before: str) -> RevisionAction:
    """Name a step back: read again, taken out once more, or brought back."""
    if now == before:
        return RevisionAction.REPARSED
    in_lists = ("pending", "published")
    return RevisionAction.RESTORED if before in in_lists else RevisionAction.SUPERSEDED

"""Writing the history of runs: one row for each change, in the transaction that makes it."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

from benchsite.common.review import RevisionAction, Who
from benchsite.common.revisions import by
from experiments.ingest.scores import BroughtScore
from experiments.ingest.versions import figures, stored_facts
from experiments.models import Measurement, RunRevision, TestRun


def revisions(
    runs: Iterable[TestRun],
    *,
    action: RevisionAction,
    state: str,
    who: Who,
    before: Mapping[UUID, Any] | None = None,
) -> list[RunRevision]:
    """Return a row for each run that is as it was before the change, not yet saved."""
    versions = before or {}
    return [
        RunRevision(
            run_id=run.pk,
            action=action,
            state_before=run.review_state,
            state=state,
            before=versions.get(run.pk),
            **by(who),
        )
        for run in runs
    ]


def earlier_versions(
    runs: Collection[TestRun], brought: Iterable[BroughtScore]
) -> dict[UUID, dict[str, Any]]:
    """Return all that is told of runs loaded `with_names`: facts, measurements, score ids.

    One query, none without runs. Single samples are left out; the uploaded bytes have them.
    """
    if not runs:
        return {}
    measured: dict[UUID, list[Measurement]] = {run.pk: [] for run in runs}
    items = Measurement.objects.filter(run_id__in=measured).defer("samples").order_by("id")
    for item in items:
        measured[item.run_id].append(item)
    scores: dict[UUID, list[str]] = {run.pk: [] for run in runs}
    for score in brought:
        if score.is_newest and score.run_id in scores:
            scores[score.run_id].append(str(score.score_id))
    return {
        run.pk: {
            "content_hash": run.content_hash,
            "facts": stored_facts(run),
            "measurements": figures(measured[run.pk]),
            "scores": scores[run.pk],
        }
        for run in runs
    }


def write_history(rows: Collection[RunRevision]) -> None:
    """Save the rows of a change, in one statement for many."""
    RunRevision.objects.bulk_create(rows, batch_size=500)

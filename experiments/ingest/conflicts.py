"""What a file may not change: runs with other content, and what a curator took out."""

from collections.abc import Collection, Mapping, Sequence
from itertools import islice
from typing import Any
from uuid import UUID

from benchsite.common.review import TAKEN_OUT, ReviewState
from benchsite.common.revisions import Revision
from experiments.choices import RunStatus
from experiments.formats.documents import FormatError, Problem
from experiments.ingest.actor import Actor
from experiments.ingest.report import Refusal
from experiments.ingest.resolve import ResolvedRun
from experiments.ingest.versions import differences
from experiments.models import Measurement, RunRevision, TestRun

REVIEWED_OUT = TAKEN_OUT
MOST_COMPARED = 20
"""In how many runs of a file a conflict is shown by what differs."""

_UNFINISHED = (RunStatus.PENDING, RunStatus.RUNNING)


class ConflictError(FormatError):
    """A run of the file is in the database with other content, or was withdrawn."""

    def __init__(self, refusal: Refusal, *problems: Problem) -> None:
        super().__init__(*problems)
        self.refusal = refusal


def refuse_conflicts(
    runs: Sequence[ResolvedRun],
    existing: Mapping[UUID, TestRun],
    actor: Actor,
    *,
    replacing: bool,
) -> None:
    """Raise ConflictError for runs that are there and may not be changed."""
    problems = _same_id_twice(runs)
    changed = {run.id: run for run in runs if would_change(run, existing.get(run.id))}
    changeable = actor.changeable(changed)
    out = [pk for pk in changed if existing[pk].review_state in TAKEN_OUT]
    taken_out = RunRevision.objects.last_taken_out(out)
    refusal = Refusal.CONFLICT
    conflicts = []
    for run_id, run in changed.items():
        before = existing[run_id]
        same = before.content_hash == run.content_hash
        if run_id in out:
            may = actor.may_restore(taken_out.get(run_id)) and (same or run_id in changeable)
            if may and replacing:
                continue
            refusal = Refusal.WITHDRAWN
            message = _why_out(before.review_state, taken_out.get(run_id), actor, "run", same=same)
            problems.append(Problem(run.document.path, message, str(run_id)))
        elif run_id not in changeable or not (replacing or before.status in _UNFINISHED):
            conflicts.append(run)
    problems += _described(conflicts, existing, changeable)
    if problems:
        raise ConflictError(refusal, *problems)


def would_change(run: ResolvedRun, before: TestRun | None) -> bool:
    """Whether writing the run would change a row that is there."""
    return before is not None and (
        before.content_hash != run.content_hash or before.review_state in TAKEN_OUT
    )


def why_score_is_out(state: str, taken_out: Revision | None, actor: Actor) -> str:
    """Say that a score was taken out, and who can bring it back."""
    return _why_out(state, taken_out, actor, "score", same=True)


def _why_out(state: str, taken_out: Revision | None, actor: Actor, kind: str, *, same: bool) -> str:
    if not actor.is_curator and not actor.may_restore(taken_out):
        return f"This {kind} was {state}; only a curator can bring it back (replace=true)."
    if actor.is_curator or same:
        return f"This {kind} was {state}; you can bring it back with replace=true."
    return (
        f"This {kind} was {state}, and yours has other content; who sent it, or a curator, can "
        "replace it (replace=true)."
    )


def _same_id_twice(runs: Sequence[ResolvedRun]) -> list[Problem]:
    problems = []
    seen: dict[UUID, str] = {}
    for run in runs:
        if seen.setdefault(run.id, run.content_hash) != run.content_hash:
            message = "Two different runs of this file have the same id."
            problems.append(Problem(f"{run.document.path}.id", message, str(run.id)))
    return problems


def _described(
    runs: Sequence[ResolvedRun], existing: Mapping[UUID, TestRun], changeable: Collection[UUID]
) -> list[Problem]:
    """Return a problem for each run with other content; its value holds both versions.

    What is stored is shown to those who may see it: everybody if it is published, else who sent
    it and curators. One query for all of them.
    """
    may_see = [
        run
        for run in runs
        if run.id in changeable or existing[run.id].review_state == ReviewState.PUBLISHED
    ]
    compared = {run.id for run in islice(may_see, MOST_COMPARED)}
    measured: dict[UUID, list[Measurement]] = {run_id: [] for run_id in compared}
    if compared:
        rows = Measurement.objects.filter(run_id__in=compared).defer("samples").order_by("id")
        for item in rows:
            measured[item.run_id].append(item)
    problems = []
    for run in runs:
        before = existing[run.id]
        value: dict[str, Any] = {
            "id": str(run.id),
            "stored_hash": before.content_hash,
            "sent_hash": run.content_hash,
        }
        if run.id in compared:
            value |= differences(before, measured[run.id], run)
        message = (
            f"This run is here with other content{_in_words(value)}; a curator, or who sent it, "
            "can replace it (replace=true). Else give yours an id of its own."
        )
        problems.append(Problem(run.document.path, message, value))
    return problems


def _in_words(value: Mapping[str, Any]) -> str:
    """Name the first things that differ: ": notes is None here and “again” in yours"."""
    stored, sent = value.get("stored"), value.get("sent")
    if not stored or not sent:
        return ""
    parts = [
        f"{name} is {_word(stored[name])} here and {_word(sent[name])} in yours"
        for name in islice(stored, 3)
    ]
    more = ", and more" if len(stored) > len(parts) else ""
    return f": {', '.join(parts)}{more}"


def _word(value: Any) -> str:
    if value is None:
        return "not known"
    return f"“{value}”" if isinstance(value, str) else str(value)

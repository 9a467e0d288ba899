"""What a file may not change: runs with other content, and what a curator took out."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from benchsite.common.review import ReviewState
from experiments.choices import RunStatus
from experiments.formats.documents import FormatError, Problem
from experiments.ingest.actor import Actor
from experiments.ingest.report import Refusal
from experiments.ingest.resolve import ResolvedRun
from experiments.models import TestRun

REVIEWED_OUT = (ReviewState.WITHDRAWN, ReviewState.REJECTED)
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
    seen: dict[UUID, str] = {}
    problems = []
    refusal = Refusal.CONFLICT
    changed = {run.id for run in runs if would_change(run, existing.get(run.id))}
    changeable = actor.changeable(changed)
    for run in runs:
        path, run_id = run.document.path, str(run.id)
        if seen.setdefault(run.id, run.content_hash) != run.content_hash:
            message = "Two different runs of this file have the same id."
            problems.append(Problem(f"{path}.id", message, run_id))
        if run.id not in changed:
            continue
        before = existing[run.id]
        if before.review_state in REVIEWED_OUT:
            if actor.is_curator and replacing:
                continue
            refusal = Refusal.WITHDRAWN
            message = (
                f"This run was {before.review_state}; a curator can restore it (replace=true)."
            )
        elif run.id in changeable and (replacing or before.status in _UNFINISHED):
            continue
        else:
            message = (
                "This run is here with other content "
                f"(stored {before.content_hash[:12]}, sent {run.content_hash[:12]}); a curator, or "
                "who sent it, can replace it (replace=true). Else give yours an id of its own."
            )
        problems.append(Problem(path, message, run_id))
    if problems:
        raise ConflictError(refusal, *problems)


def would_change(run: ResolvedRun, before: TestRun | None) -> bool:
    """Whether writing the run would change a row that is there."""
    return before is not None and (
        before.content_hash != run.content_hash or before.review_state == ReviewState.WITHDRAWN
    )

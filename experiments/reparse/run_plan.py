"""What reading an upload again means for its runs."""

from collections.abc import Sequence
from uuid import UUID

from benchsite.common.review import TAKEN_OUT, ReviewState
from experiments.choices import ReparseEffect, ReparseSubject
from experiments.ingest.keys import digest
from experiments.ingest.origins import stored_origin
from experiments.ingest.resolve import ResolvedRun
from experiments.models import Measurement, TestRun
from experiments.reparse.items import PlannedItem, row_hash, with_states
from experiments.reparse.known import Known
from experiments.reparse.owned import Owned
from experiments.reparse.reading import Reading
from experiments.reparse.states import (
    changes_between,
    figures_of,
    read_run_state,
    stored_run_state,
)


def plan_runs(reading: Reading, owned: Owned, known: Known) -> list[PlannedItem]:
    """Return what becomes of each run of the file, and of those that it does not make any more."""
    upload = reading.upload
    stored = owned.runs[upload.pk]
    items: dict[UUID, PlannedItem] = {}
    for run in reading.resolved.runs:
        if run.id in items or (run.id not in stored and known.has_run(run.id)):
            continue  # twice in the file, or the run of another upload
        before = stored.get(run.id)
        state = owned.state_for_new(upload.pk)
        if before is None and state is None:
            continue  # all that the upload made is out of the lists
        known.course.found.add(run.id.hex)
        items[run.id] = _run(reading, run, before, owned, known)
        items[run.id].state = ReviewState(before.review_state) if before else state
    gone = [run for run_id, run in stored.items() if run_id not in items]
    return [*items.values(), *(_gone_run(reading, run, owned) for run in gone)]


def _run(
    reading: Reading, run: ResolvedRun, before: TestRun | None, owned: Owned, known: Known
) -> PlannedItem:
    edited = owned.edited.get(run.id, set())
    kept = {name: getattr(before, name) for name in edited} if before else {}
    key = known.sweep_key(run, reading.upload)
    old = stored_run_state(before, owned.measured[run.id]) if before else {}
    new = read_run_state(run, sweep_key=key, kept=kept)
    item = PlannedItem(
        upload=reading.upload,
        reading=reading,
        subject=ReparseSubject.RUN,
        subject_id=run.id,
        key=run.id.hex,
        title=_title(run.model.key, run.hardware.platform_name, run.document.path),
        effect=ReparseEffect.FOUND,
        run=run,
        stored_run=before,
        edited=edited,
        place=run.document.path,
        origin=stored_origin(run.document),
        other_figures=figures_of(old) != figures_of(new),
    )
    if before is not None:
        item.before_hash = _run_hash(before, owned.measured[run.id])
        with_states(item, old, new)
    else:
        item.changes = changes_between({}, figures_of(new))
    # The key of a sweep depends on ids, which applying may make; what makes it one does not.
    item.after_hash = digest([new | {"sweep": None}, run.document.sweep, run.document.sweep_group])
    return item


def _gone_run(reading: Reading, run: TestRun, owned: Owned) -> PlannedItem:
    """Plan a run that is not in the file any more; what is out of the lists stays so."""
    out = run.review_state in TAKEN_OUT
    variant = run.variant
    names = (variant.model_name, variant.quantization, variant.lora_adapter)
    return PlannedItem(
        upload=reading.upload,
        reading=reading,
        subject=ReparseSubject.RUN,
        subject_id=run.pk,
        key=run.pk.hex,
        title=_title(names, run.hardware.platform.name, ""),
        effect=ReparseEffect.SAME if out else ReparseEffect.GONE,
        stored_run=run,
        before_hash=_run_hash(run, owned.measured[run.pk]),
        changes=[] if out else [["review state", run.review_state, "withdrawn"]],
    )


def _run_hash(run: TestRun, measured: Sequence[Measurement]) -> str:
    return digest([row_hash(run), *map(row_hash, measured)])


def _title(names: tuple[str, str, str], platform: str, place: str) -> str:
    model = " · ".join(filter(None, names))
    return f"{model} on {platform}{f' ({place})' if place else ''}"[:600]

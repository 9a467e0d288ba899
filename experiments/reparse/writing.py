"""Writing what reading uploads again found, under the lock of writers, with its history."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from benchmarks import services
from benchmarks.models import BenchmarkScore, ScoreRevision
from benchsite.common.review import ReviewState, RevisionAction, Who
from benchsite.common.revisions import by
from experiments.choices import ItemAction, ReparseEffect, ReparseSubject
from experiments.formats import format_title
from experiments.ingest.history import earlier_versions, revisions
from experiments.ingest.review import set_review_state
from experiments.ingest.rows import (
    Placed,
    get_or_create_configurations,
    get_or_create_sweeps,
    get_or_create_variants,
    replace_rows,
    run_values,
    sweep_key,
    write_figures,
)
from experiments.ingest.scores import scores_brought_by_runs
from experiments.models import (
    Measurement,
    RunRevision,
    Sweep,
    TestRun,
    Upload,
    UploadItem,
)
from experiments.reparse.items import PlannedItem, score_ids
from experiments.reparse.states import SCORE_FIELDS
from experiments.summaries import refresh_configurations
from hardware.models import HardwareProfile
from hardware.services import ResolvedHardware, get_or_create_profile


@dataclass(frozen=True, kw_only=True)
class Writer:
    """Writes the items of a reparse, many uploads at a time; `name` is what reasons call it."""

    who: Who
    name: str

    def write(self, items: Sequence[PlannedItem]) -> None:
        """Write planned items that have an effect, in a constant number of queries for all."""
        runs = [item for item in items if item.subject == ReparseSubject.RUN]
        scores = [item for item in items if item.subject == ReparseSubject.SCORE]
        self._write_runs([item for item in runs if item.run is not None])
        self._withdraw_runs([item for item in runs if item.effect == ReparseEffect.GONE])
        self._write_scores(scores)
        uploads = [item for item in items if item.subject == ReparseSubject.UPLOAD]
        _write_uploads(uploads)
        _link_scores(uploads)

    def _write_runs(self, items: Sequence[PlannedItem]) -> None:
        """Write runs over what is stored of them, or for the first time; summaries follow."""
        placed = _placed(items)
        configurations = get_or_create_configurations(list(placed.values()))
        sweeps = get_or_create_sweeps(placed.values())
        rows = {
            item.key: _row(
                item,
                place := placed[item.key],
                configurations[place.configuration_identity],
                sweeps.get(place.sweep_key),
            )
            for item in items
        }
        known = [item for item in items if item.stored_run is not None]
        found = [item for item in items if item.stored_run is None]
        self._note_history(known)
        replace_rows([rows[item.key] for item in known])
        TestRun.objects.bulk_create([rows[item.key] for item in found], batch_size=500)
        _write_figures(items)
        _add_items(found)
        touched = {row.configuration_id for row in rows.values()}
        touched |= {item.stored_run.configuration_id for item in known if item.stored_run}
        refresh_configurations(touched)

    def _note_history(self, items: Sequence[PlannedItem]) -> None:
        """Keep the versions that are written over."""
        by_run = {item.stored_run.pk: item for item in items if item.stored_run}
        runs = [item.stored_run for item in by_run.values() if item.stored_run]
        rows = revisions(
            runs,
            action=RevisionAction.REPARSED,
            state="",
            who=self.who,
            before=earlier_versions(runs, scores_brought_by_runs(by_run)),
        )
        for row in rows:
            item = by_run[row.run_id]
            row.state, row.reason, row.upload = row.state_before, self._reason(item), item.upload
        RunRevision.objects.bulk_create(rows, batch_size=500)

    def _reason(self, item: PlannedItem) -> str:
        """Say which parser read the upload again, and which one had before."""
        upload = item.upload
        version = item.reading.version if item.reading else None
        title = format_title(upload.format or "")
        return f"{self.name}: {title}, parser {upload.parser_version} → {version}"

    def _withdraw_runs(self, items: Sequence[PlannedItem]) -> None:
        """Take out runs that the parser of today does not make."""
        for reason, chosen in _by_reason(items, self._gone).items():
            set_review_state(
                run_ids=[item.subject_id for item in chosen if item.subject_id],
                state=ReviewState.WITHDRAWN,
                who=self.who,
                reason=reason,
            )

    def _gone(self, item: PlannedItem) -> str:
        return f"{self._reason(item)}, which makes no such {item.subject}"

    def _write_scores(self, items: Sequence[PlannedItem]) -> None:
        """Take out what is read no more, record what is new, and mend the rest in place."""
        gone = [item for item in items if item.effect == ReparseEffect.GONE]
        for reason, chosen in _by_reason(gone, self._gone).items():
            services.set_review_state(
                score_ids=[item.subject_id for item in chosen if item.subject_id],
                state=ReviewState.WITHDRAWN,
                who=self.who,
                reason=reason,
                action=RevisionAction.SUPERSEDED,
            )
        found = [item for item in items if item.effect == ReparseEffect.FOUND]
        _record_scores([item for item in found if item.stored_score is None])
        self._bring_back([item for item in found if item.stored_score is not None])
        self._mend([item for item in items if item.effect == ReparseEffect.CHANGED])

    def _bring_back(self, items: Sequence[PlannedItem]) -> None:
        """Bring superseded scores back that are read again."""
        for state in {item.state for item in items if item.state}:
            services.set_review_state(
                score_ids=[
                    item.subject_id for item in items if item.state == state and item.subject_id
                ],
                state=state,
                who=self.who,
                reason=self.name,
            )

    def _mend(self, items: Sequence[PlannedItem]) -> None:
        """Write what changed of scores that stay the same by their values."""
        scores = []
        for item in items:
            score = item.stored_score
            if score is None:
                continue
            for name, value in item.score_state.items():
                setattr(score, name, value)
            score.is_current = False
            scores.append(score)
        BenchmarkScore.objects.bulk_update(scores, [*SCORE_FIELDS, "is_current"], batch_size=500)
        services.refresh_current_scores({score.variant_id for score in scores})
        reasons = {item.subject_id: self._reason(item) for item in items}
        ScoreRevision.objects.bulk_create(
            ScoreRevision(
                score_id=score.pk,
                action=RevisionAction.REPARSED,
                state_before=score.review_state,
                state=score.review_state,
                reason=reasons[score.pk],
                **by(self.who),
            )
            for score in scores
        )


def _row(item: PlannedItem, placed: Placed, configuration_id: int, sweep: Sweep | None) -> TestRun:
    """Return the row of a run, with what a curator edited and decided."""
    state = item.state or ReviewState.PUBLISHED
    row = TestRun(**run_values(placed, configuration_id, sweep, state))
    if item.stored_run is not None:
        kept = ("created_at", "review_state", "review_reason", *item.edited)
        for name in kept:
            setattr(row, name, getattr(item.stored_run, name))
    return row


def _write_figures(items: Iterable[PlannedItem]) -> None:
    """Write the figures of runs whose figures differ; the others keep their rows."""
    runs = [item.run for item in items if item.run and item.other_figures]
    Measurement.objects.filter(run__in=[run.id for run in runs]).delete()
    write_figures(runs)


def _placed(items: Sequence[PlannedItem]) -> dict[str, Placed]:
    """Return each run with its variant and its machine, which are made if need be."""
    runs = [(item, item.run) for item in items if item.run]
    variants = get_or_create_variants(
        (run.model, item.state == ReviewState.PUBLISHED) for item, run in runs
    )
    profiles: dict[ResolvedHardware, HardwareProfile] = {}
    placed = {}
    for item, run in runs:
        if run.hardware not in profiles:
            profiles[run.hardware] = get_or_create_profile(run.hardware)
        variant, profile = variants[run.model.key], profiles[run.hardware]
        key = sweep_key(run, item.upload.content_id, variant, profile)
        placed[item.key] = Placed(run, variant, profile, key)
    return placed


def _record_scores(items: Sequence[PlannedItem]) -> None:
    """Record scores that are new, and which place of which file brought them."""
    groups: dict[tuple[tuple[str, str, str], ReviewState], list[PlannedItem]] = defaultdict(list)
    for item in items:
        if item.model and item.state:
            groups[item.model.key, item.state].append(item)
    variants = get_or_create_variants(
        (item.model, item.state == ReviewState.PUBLISHED) for item in items if item.model
    )
    for (names, state), chosen in groups.items():
        data = [item.score for item in chosen if item.score]
        recorded = services.record_scores(variant=variants[names], scores=data, review_state=state)
        for item, result in zip(chosen, recorded, strict=True):
            item.subject_id = result.score.pk
    _add_items(items)


def _add_items(items: Iterable[PlannedItem]) -> None:
    """Keep which place of a file made what was found in it."""
    UploadItem.objects.bulk_create(
        [
            UploadItem(
                upload=item.upload,
                place=item.place[:255],
                run_id=item.subject_id if item.subject == ReparseSubject.RUN else None,
                score_id=item.subject_id if item.subject == ReparseSubject.SCORE else None,
                action=ItemAction.CREATED,
                origin=item.origin,
            )
            for item in items
        ],
        batch_size=2000,
    )


def _link_scores(items: Sequence[PlannedItem]) -> None:
    """Keep that files bring scores, too, which other uploads brought first."""
    if not any(item.also for item in items):
        return
    readings = [item.reading for item in items if item.also and item.reading]
    ids = score_ids({model.key for reading in readings for model, _score in reading.scores})
    UploadItem.objects.bulk_create(
        [
            UploadItem(
                upload=item.upload,
                place=place[:255],
                score_id=ids[key],
                action=ItemAction.UNCHANGED,
            )
            for item in items
            for key, place in item.also
            if key in ids
        ],
        batch_size=2000,
    )


def _write_uploads(items: Iterable[PlannedItem]) -> None:
    """Note in uploads which parser read them last, and its warnings."""
    uploads = []
    for item in items:
        if item.reading is None or item.reading.version is None:
            continue
        warnings = [warning.as_dict() for warning in item.reading.warnings]
        upload = item.upload
        version = item.reading.version
        upload.parser_version = version
        upload.report = upload.report | {"parser_version": version, "warnings": warnings}
        uploads.append(upload)
    Upload.objects.bulk_update(uploads, ["parser_version", "report"], batch_size=500)


def _by_reason(
    items: Iterable[PlannedItem], reason: Callable[[PlannedItem], str]
) -> dict[str, list[PlannedItem]]:
    found: dict[str, list[PlannedItem]] = defaultdict(list)
    for item in items:
        found[reason(item)].append(item)
    return found

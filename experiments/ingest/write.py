"""Writing the resolved facts of one file: everything or nothing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from benchmarks.models import ModelVariant
from benchmarks.services import get_or_create_variant
from benchsite.common.review import TAKEN_OUT, ReviewState, RevisionAction
from experiments.choices import ItemAction
from experiments.formats.documents import Problem, RunDocument, ScoreDocument
from experiments.ingest.actor import Actor
from experiments.ingest.conflicts import ConflictError, refuse_conflicts, would_change
from experiments.ingest.history import earlier_versions, revisions
from experiments.ingest.origins import stored_origin, with_known_content
from experiments.ingest.report import Refusal, RunResult, ScoreResult
from experiments.ingest.resolve import ResolvedFile, ResolvedModel, ResolvedRun
from experiments.ingest.rows import (
    Placed,
    get_or_create_configurations,
    get_or_create_sweeps,
    get_or_create_variants,
    replace_rows,
    run_values,
    sweep_key,
    write_figures,
    write_runs,
)
from experiments.ingest.scores import (
    BroughtScore,
    scores_brought_by_file,
    scores_brought_by_runs,
    settle_scores,
    supersede_scores,
    write_scores,
)
from experiments.models import (
    Measurement,
    RunRevision,
    TestRun,
    Upload,
)
from experiments.summaries import refresh_configurations
from hardware.models import HardwareProfile
from hardware.services import ResolvedHardware, get_or_create_profile


@dataclass(kw_only=True)
class Written:
    """What a file made: results for the report, in the order of the file, with their places."""

    runs: list[RunResult] = field(default_factory=list)
    run_places: list[str] = field(default_factory=list)
    scores: list[ScoreResult] = field(default_factory=list)
    score_places: list[str] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    origins: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What an export says of where the run or score at a place comes from."""
    history: list[RunRevision] = field(default_factory=list)
    """What it did to runs that were here; to be saved once the upload is."""

    @property
    def changed(self) -> bool:
        """Whether anything was created or replaced."""
        actions = [run.action for run in self.runs] + [score.action for score in self.scores]
        return any(action != ItemAction.UNCHANGED for action in actions)


@dataclass(frozen=True, kw_only=True)
class FileToWrite:
    """The facts of a file, and on whose word they are written.

    `corrects` is an earlier upload of the same bytes with another context: what that one brought
    and this one does not is superseded.
    """

    resolved: ResolvedFile
    sha256: str
    actor: Actor
    replacing: bool = False
    corrects: Upload | None = None


def write_files(files: Sequence[FileToWrite]) -> list[Written]:
    """Write the runs and scores of files, all of one actor, in few queries for all of them.

    Runs inside the caller's transaction, which holds the write lock. Several files are written as
    one after the other would be, if each holds only runs that are new, also among the others, or
    here unchanged: see `fit_together`. Raises ConflictError when a run exists with other content
    or was taken out (unless `replacing` by who may), and InvalidFileError for scores that cannot
    be right; the caller rolls back. `Written.history` is left for the caller to save.
    """
    stored = TestRun.objects.with_names().select_related("sweep")
    existing = stored.in_bulk([run.id for file in files for run in file.resolved.runs])
    writer = _Writer(files[0].actor)
    writer.find_variants(model for file in files for model in file.resolved.models)
    for file in files:
        file.resolved.runs = [
            with_known_content(run, existing.get(run.id)) for run in file.resolved.runs
        ]
    parts = [_FileWriter(writer, file) for file in files]
    for part in parts:
        _refuse(part.file, existing)
        for run in part.file.resolved.runs:
            part.add_run(run, existing.get(run.id))
    writer.flush()
    for part in parts:
        for run in part.file.resolved.runs:
            if run.document.scores:
                part.add_scores(run.model, run.document.scores)
        for score_set in part.file.resolved.score_sets:
            part.add_scores(score_set.model, score_set.scores)
        part.supersede_scores()
    return [part.written for part in parts]


def fit_together(files: Mapping[int, FileToWrite]) -> Iterator[list[int]]:
    """Part the places of files, in their order, into those written together: one query."""
    ids = [run.id for file in files.values() for run in file.resolved.runs]
    here = TestRun.objects.in_bulk(ids) if len(files) > 1 else {}
    together: list[int] = []
    seen: set[UUID | str] = set()
    for place, file in files.items():
        runs = file.resolved.runs
        own: set[UUID | str] = {file.sha256, *(run.id for run in runs)}
        changes = file.corrects is not None
        changes = changes or any(would_change(run, here.get(run.id)) for run in runs)
        if together and (changes or not seen.isdisjoint(own)):
            yield together
            together, seen = [], set()
        together.append(place)
        seen |= own
        if changes:
            yield together
            together, seen = [], set()
    if together:
        yield together


def _refuse(file: FileToWrite, existing: Mapping[UUID, TestRun]) -> None:
    """Raise ConflictError where a file may not change what is here."""
    if file.corrects is not None and not file.actor.may_correct(file.corrects):
        message = "Only a curator, and who sent the earlier upload, can correct it."
        raise ConflictError(Refusal.CONFLICT, Problem("", message, str(file.corrects.pk)))
    refuse_conflicts(file.resolved.runs, existing, file.actor, replacing=file.replacing)


@dataclass(frozen=True)
class _Prepared(Placed):
    """A run to be written; `before` is the row it replaces, `written` what its file made."""

    before: TestRun | None
    written: Written


class _Writer:
    """Gathers rows and inserts them in bulk; look-ups are made once for each distinct name."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        self.review_state = actor.review_state
        self.prepared: dict[UUID, _Prepared] = {}
        self.settled: dict[UUID, tuple[TestRun, RevisionAction, Written]] = {}
        self.replaced_scores: list[BroughtScore] = []
        self._variants: dict[tuple[str, str, str], ModelVariant] = {}
        self._profiles: dict[ResolvedHardware, HardwareProfile] = {}

    def flush(self) -> None:
        """Write what was prepared and refresh the summaries of the configurations touched."""
        prepared = self.prepared.values()
        configurations = get_or_create_configurations(prepared)
        sweeps = get_or_create_sweeps(prepared)
        rows = [
            run_values(
                item,
                configurations[item.configuration_identity],
                sweeps.get(item.sweep_key),
                self.review_state,
            )
            for item in prepared
        ]
        replaced = {item.before.pk: item for item in prepared if item.before}
        touched = {row["configuration_id"] for row in rows}
        touched |= {item.before.configuration_id for item in prepared if item.before}
        touched |= {run.configuration_id for run, *_rest in self.settled.values()}
        self._keep_versions(replaced)
        _replace([TestRun(**row) for row in rows if row["id"] in replaced])
        write_runs([row for row in rows if row["id"] not in replaced])
        write_figures(item.run for item in prepared)
        self._settle()
        refresh_configurations(touched)

    def _keep_versions(self, replaced: Mapping[UUID, _Prepared]) -> None:
        """Put the versions that go into the history."""
        runs = [item.before for item in replaced.values() if item.before]
        self.replaced_scores = scores_brought_by_runs([run.pk for run in runs])
        for revision in revisions(
            runs,
            action=RevisionAction.REPLACED,
            state=self.review_state,
            who=self.actor.who,
            before=earlier_versions(runs, self.replaced_scores),
        ):
            replaced[revision.run_id].written.history.append(revision)

    def _settle(self) -> None:
        """Publish what waited for review, and bring back what was taken out."""
        if self.settled:
            TestRun.objects.filter(pk__in=self.settled).update(
                review_state=self.review_state, review_reason=""
            )
        for run, action, written in self.settled.values():
            written.history += revisions(
                [run], action=action, state=self.review_state, who=self.actor.who
            )

    def find_variants(self, models: Iterable[ResolvedModel]) -> None:
        """Read the variants that are here, and make the others."""
        self._variants = get_or_create_variants((model, self._is_public) for model in models)

    @property
    def _is_public(self) -> bool:
        return self.review_state == ReviewState.PUBLISHED

    def variant(self, model: ResolvedModel) -> ModelVariant:
        """Return the variant of a model, which learns what it tells for the first time."""
        if self._is_public and model.facts.adds_to(self._variants[model.key]):
            self._variants[model.key] = get_or_create_variant(
                model_name=model.model_name,
                quantization=model.quantization.name,
                lora_adapter=model.lora_adapter,
                facts=model.facts,
            )
        return self._variants[model.key]

    def profile(self, hardware: ResolvedHardware) -> HardwareProfile:
        """Return the stored machine of resolved hardware."""
        if hardware not in self._profiles:
            self._profiles[hardware] = get_or_create_profile(hardware)
        return self._profiles[hardware]


class _FileWriter:
    """What is written for one file: its runs go to the writer of all, its scores at once."""

    def __init__(self, writer: _Writer, file: FileToWrite) -> None:
        self.writer = writer
        self.file = file
        self.written = Written()
        self._seen: set[UUID] = set()

    def add_run(self, run: ResolvedRun, before: TestRun | None) -> None:
        """Prepare a run: new, replaced, restored, published, or left as it is."""
        if run.id in self._seen:
            message = "This run stands twice in the file; it is taken once."
            self.written.warnings.append(Problem(run.document.path, message, str(run.id)))
        action = self._action(run, before)
        self._seen.add(run.id)
        variant = self.writer.variant(run.model)
        if before is not None and action in (ItemAction.RESTORED, ItemAction.PUBLISHED):
            self.writer.settled[run.id] = (before, RevisionAction(action), self.written)
        elif action != ItemAction.UNCHANGED:
            profile = self.writer.profile(run.hardware)
            key = sweep_key(run, self.file.sha256, variant, profile)
            self.writer.prepared[run.id] = _Prepared(
                run, variant, profile, key, before, self.written
            )
        title = f"{variant} on {run.hardware.platform_name}"
        self.written.runs.append(RunResult(id=run.id, title=title, action=action))
        self.written.run_places.append(run.document.path)
        self._keep_origin(run.document)

    def _keep_origin(self, document: RunDocument | ScoreDocument) -> None:
        if origin := stored_origin(document):
            self.written.origins[document.path] = origin

    def _action(self, run: ResolvedRun, before: TestRun | None) -> ItemAction:
        """Tell what becomes of a run; the same one a second time in the file is left as it is."""
        if run.id in self._seen:
            return ItemAction.UNCHANGED
        if before is None:
            return ItemAction.CREATED
        if before.content_hash != run.content_hash:
            return ItemAction.REPLACED
        if before.review_state in TAKEN_OUT:
            return ItemAction.RESTORED
        waits = before.review_state == ReviewState.PENDING
        if waits and self.writer.review_state == ReviewState.PUBLISHED:
            return ItemAction.PUBLISHED
        return ItemAction.UNCHANGED

    def add_scores(self, model: ResolvedModel, documents: Sequence[Any]) -> None:
        """Store scores of a variant, and publish or restore those that this file may."""
        variant = self.writer.variant(model)
        recorded, warnings = write_scores(variant, documents, self.writer.review_state)
        actions = settle_scores(documents, recorded, self.file.actor, replacing=self.file.replacing)
        self.written.warnings += warnings
        for document, item, action in zip(documents, recorded, actions, strict=True):
            self.written.scores.append(
                ScoreResult(
                    id=item.score.pk,
                    variant_id=variant.pk,
                    model_name=variant.model_name,
                    quantization=variant.quantization,
                    benchmark=item.score.benchmark.slug,
                    score=item.score.score,
                    action=action,
                    complete=item.score.complete,
                    needs_confirmation=item.score.needs_confirmation,
                )
            )
            self.written.score_places.append(document.path)
            self._keep_origin(document)

    def supersede_scores(self) -> None:
        """Withdraw scores that only earlier versions of the runs, or of the file, brought."""
        brought = list(self.writer.replaced_scores)
        if self.file.corrects is not None:
            brought += scores_brought_by_file(self.file.corrects)
        if brought:
            made = {score.id for score in self.written.scores}
            supersede_scores(brought, keep=made, who=self.file.actor.who)


def _replace(rows: Sequence[TestRun]) -> None:
    """Write rows over those of the same ids, without the figures of these."""
    if not rows:
        return
    Measurement.objects.filter(run_id__in=[row.pk for row in rows]).delete()
    replace_rows(rows)

"""Writing the resolved facts of one file: everything or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from benchmarks.models import ModelVariant
from benchmarks.services import VariantFacts, get_or_create_variant
from benchsite.common.review import TAKEN_OUT, ReviewState, RevisionAction
from experiments.choices import ItemAction
from experiments.formats.documents import Problem
from experiments.ingest.actor import Actor
from experiments.ingest.conflicts import ConflictError, refuse_conflicts
from experiments.ingest.history import earlier_versions, revisions
from experiments.ingest.report import Refusal, RunResult, ScoreResult
from experiments.ingest.resolve import ResolvedFile, ResolvedModel, ResolvedRun
from experiments.ingest.rows import (
    Placed,
    get_or_create_configurations,
    get_or_create_sweeps,
    measurement_rows,
    replace_rows,
    run_row,
    sweep_key,
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
    history: list[RunRevision] = field(default_factory=list)
    """What it did to runs that were here; to be saved once the upload is."""

    @property
    def changed(self) -> bool:
        """Whether anything was created or replaced."""
        actions = [run.action for run in self.runs] + [score.action for score in self.scores]
        return any(action != ItemAction.UNCHANGED for action in actions)


def write_file(
    resolved: ResolvedFile,
    *,
    sha256: str,
    actor: Actor,
    replacing: bool,
    corrects: Upload | None = None,
) -> Written:
    """Write runs and scores inside the caller's transaction, which holds the write lock.

    `corrects` is an earlier upload of the same bytes with another context: what that one brought
    and this one does not is superseded. Raises ConflictError when a run exists with other content
    or was taken out (unless `replacing` by who may), and InvalidFileError for scores that cannot
    be right; the caller rolls back. `Written.history` is left for the caller to save.
    """
    if corrects is not None and not actor.may_correct(corrects):
        message = "Only a curator, and who sent the earlier upload, can correct it."
        raise ConflictError(Refusal.CONFLICT, Problem("", message, str(corrects.pk)))
    writer = _Writer(sha256, actor, replacing=replacing)
    stored = TestRun.objects.with_names().select_related("sweep")
    existing = stored.in_bulk([run.id for run in resolved.runs])
    refuse_conflicts(resolved.runs, existing, actor, replacing=replacing)
    for run in resolved.runs:
        writer.add_run(run, existing.get(run.id))
    writer.flush()
    for run in resolved.runs:
        if run.document.scores:
            writer.add_scores(run.model, run.document.scores)
    for score_set in resolved.score_sets:
        writer.add_scores(score_set.model, score_set.scores)
    writer.supersede_scores(corrects)
    return writer.written


@dataclass(frozen=True)
class _Prepared(Placed):
    """A run to be written; `before` is the row it replaces."""

    before: TestRun | None


class _Writer:
    """Gathers rows and inserts them in bulk; look-ups are made once for each distinct name."""

    def __init__(self, sha256: str, actor: Actor, *, replacing: bool) -> None:
        self.sha256 = sha256
        self.actor = actor
        self.review_state = actor.review_state
        self.replacing = replacing
        self.written = Written()
        self._variants: dict[tuple[str, str, str], ModelVariant] = {}
        self._profiles: dict[ResolvedHardware, HardwareProfile] = {}
        self._prepared: dict[UUID, _Prepared] = {}
        self._settled: dict[UUID, tuple[TestRun, RevisionAction]] = {}
        self._replaced_scores: list[BroughtScore] = []
        self._seen: set[UUID] = set()

    def add_run(self, run: ResolvedRun, before: TestRun | None) -> None:
        """Prepare a run: new, replaced, restored, published, or left as it is."""
        if run.id in self._seen:
            message = "This run stands twice in the file; it is taken once."
            self.written.warnings.append(Problem(run.document.path, message, str(run.id)))
        self._seen.add(run.id)
        variant = self._variant(run.model)
        action = self._action(run, before)
        if before is not None and action in (ItemAction.RESTORED, ItemAction.PUBLISHED):
            self._settled[run.id] = (before, RevisionAction(action))
        elif action != ItemAction.UNCHANGED:
            profile = self._profile(run.hardware)
            key = sweep_key(run, self.sha256, variant, profile)
            self._prepared[run.id] = _Prepared(run, variant, profile, key, before)
        title = f"{variant} on {run.hardware.platform_name}"
        self.written.runs.append(RunResult(id=run.id, title=title, action=action))
        self.written.run_places.append(run.document.path)

    def _action(self, run: ResolvedRun, before: TestRun | None) -> ItemAction:
        """Tell what becomes of a run; the same one a second time in the file is left as it is."""
        if run.id in self._prepared or run.id in self._settled:
            return ItemAction.UNCHANGED
        if before is None:
            return ItemAction.CREATED
        if before.content_hash != run.content_hash:
            return ItemAction.REPLACED
        if before.review_state in TAKEN_OUT:
            return ItemAction.RESTORED
        waits = before.review_state == ReviewState.PENDING
        if waits and self.review_state == ReviewState.PUBLISHED:
            return ItemAction.PUBLISHED
        return ItemAction.UNCHANGED

    def flush(self) -> None:
        """Write what was prepared and refresh the summaries of the configurations touched."""
        prepared = self._prepared.values()
        configurations = get_or_create_configurations(prepared)
        sweeps = get_or_create_sweeps(prepared)
        rows = {
            item.run.id: run_row(
                item,
                configurations[item.configuration_identity],
                sweeps.get(item.sweep_key),
                self.review_state,
            )
            for item in prepared
        }
        replaced = [item.before for item in prepared if item.before]
        touched = {row.configuration_id for row in rows.values()}
        touched |= {run.configuration_id for run in replaced}
        touched |= {run.configuration_id for run, _action in self._settled.values()}
        self._keep_versions(replaced)
        _replace([rows[run.pk] for run in replaced])
        new = [rows[item.run.id] for item in prepared if item.before is None]
        TestRun.objects.bulk_create(new, batch_size=500)
        Measurement.objects.bulk_create(
            [measurement for item in prepared for measurement in measurement_rows(item.run)],
            batch_size=2000,
        )
        self._settle()
        refresh_configurations(touched)

    def _keep_versions(self, replaced: Sequence[TestRun]) -> None:
        """Put the versions that go into the history."""
        self._replaced_scores = scores_brought_by_runs([run.pk for run in replaced])
        self.written.history += revisions(
            replaced,
            action=RevisionAction.REPLACED,
            state=self.review_state,
            who=self.actor.who,
            before=earlier_versions(replaced, self._replaced_scores),
        )

    def _settle(self) -> None:
        """Publish what waited for review, and bring back what was taken out."""
        TestRun.objects.filter(pk__in=self._settled).update(
            review_state=self.review_state, review_reason=""
        )
        for run, action in self._settled.values():
            self.written.history += revisions(
                [run], action=action, state=self.review_state, who=self.actor.who
            )

    def add_scores(self, model: ResolvedModel, documents: Sequence[Any]) -> None:
        """Store scores of a variant, and publish or restore those that this file may."""
        variant = self._variant(model)
        recorded, warnings = write_scores(variant, documents, self.review_state)
        actions = settle_scores(documents, recorded, self.actor, replacing=self.replacing)
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

    def supersede_scores(self, corrects: Upload | None) -> None:
        """Withdraw scores that only earlier versions of the runs, or of the file, brought."""
        brought = list(self._replaced_scores)
        if corrects is not None:
            brought += scores_brought_by_file(corrects)
        made = {score.id for score in self.written.scores}
        supersede_scores(brought, keep=made, who=self.actor.who)

    def _variant(self, model: ResolvedModel) -> ModelVariant:
        key = (model.model_name, model.quantization.name, model.lora_adapter)
        if key not in self._variants:
            self._variants[key] = get_or_create_variant(
                model_name=model.model_name,
                quantization=model.quantization.name,
                lora_adapter=model.lora_adapter,
                # What waits for review says nothing about a variant that everybody sees.
                facts=VariantFacts(parameters=model.parameters, weights_gb=model.weights_gb)
                if self.review_state == ReviewState.PUBLISHED
                else None,
            )
        return self._variants[key]

    def _profile(self, hardware: ResolvedHardware) -> HardwareProfile:
        if hardware not in self._profiles:
            self._profiles[hardware] = get_or_create_profile(hardware)
        return self._profiles[hardware]


def _replace(rows: Sequence[TestRun]) -> None:
    """Write rows over those of the same ids, without the figures of these."""
    if not rows:
        return
    Measurement.objects.filter(run_id__in=[row.pk for row in rows]).delete()
    replace_rows(rows)

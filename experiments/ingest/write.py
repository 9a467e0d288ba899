"""Writing the resolved facts of one file: everything or nothing."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from benchmarks.models import ModelVariant
from benchmarks.services import VariantFacts, get_or_create_variant
from benchsite.common.review import ReviewState
from experiments.choices import ItemAction, RunStatus
from experiments.formats.documents import FormatError, Problem
from experiments.ingest.actor import Actor
from experiments.ingest.keys import digest
from experiments.ingest.report import Refusal, RunResult, ScoreResult
from experiments.ingest.resolve import ResolvedFile, ResolvedModel, ResolvedRun
from experiments.ingest.scores import write_scores
from experiments.ingest.times import as_stored_time
from experiments.models import Configuration, Measurement, Sweep, TestRun
from experiments.summaries import refresh_configurations
from hardware.models import HardwareProfile
from hardware.services import ResolvedHardware, get_or_create_profile

_WORKLOAD_FIELDS = (
    "load_kind",
    "concurrent_requests",
    "request_rate",
    "input_tokens",
    "output_tokens",
    "configured_input_tokens",
    "configured_output_tokens",
    "context_depth",
    "max_context_length",
    "batch_size",
    "load_pattern",
    "dataset_name",
)
_SETUP_FIELDS = (
    "tensor_parallel",
    "pipeline_parallel",
    "expert_parallel",
    "nodes",
    "speculation",
    "kv_cache_type",
    "gpu_power_limit_watts",
)
_RUN_FIELDS = (
    "backend_version",
    "tool",
    "tool_version",
    "status",
    "complete",
    "zone_known",
    "notes",
    "source_url",
)
_CONFIGURATION_FIELDS = (
    "variant_id",
    "platform_id",
    "backend",
    "backend_version",
    "workload_key",
    "settings_key",
)
_UNFINISHED = (RunStatus.PENDING, RunStatus.RUNNING)
_REVIEWED_OUT = (ReviewState.WITHDRAWN, ReviewState.REJECTED)


class ConflictError(FormatError):
    """A run of the file is in the database with other content, or was withdrawn."""

    def __init__(self, refusal: Refusal, *problems: Problem) -> None:
        super().__init__(*problems)
        self.refusal = refusal


@dataclass(kw_only=True)
class Written:
    """What a file made: results for the report, in the order of the file, with their places."""

    runs: list[RunResult] = field(default_factory=list)
    run_places: list[str] = field(default_factory=list)
    scores: list[ScoreResult] = field(default_factory=list)
    score_places: list[str] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether anything was created or replaced."""
        actions = [run.action for run in self.runs] + [score.action for score in self.scores]
        return any(action != ItemAction.UNCHANGED for action in actions)


def write_file(resolved: ResolvedFile, *, sha256: str, actor: Actor, replacing: bool) -> Written:
    """Write runs and scores inside the caller's transaction, which holds the write lock.

    Raises ConflictError when a run exists with other content or was withdrawn (unless `replacing`
    by a curator or by who made it), and InvalidFileError for scores that cannot be right; the
    caller rolls back.
    """
    writer = _Writer(sha256, actor.review_state)
    existing = TestRun.objects.in_bulk([run.id for run in resolved.runs])
    _refuse_conflicts(resolved.runs, existing, actor, replacing=replacing)
    for run in resolved.runs:
        writer.add_run(run, existing.get(run.id))
    writer.flush()
    for run in resolved.runs:
        if run.document.scores:
            writer.add_scores(run.model, run.document.scores)
    for score_set in resolved.score_sets:
        writer.add_scores(score_set.model, score_set.scores)
    return writer.written


def _refuse_conflicts(
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
    changed = {run.id for run in runs if _would_change(run, existing.get(run.id))}
    changeable = actor.changeable(changed)
    for run in runs:
        path, run_id = run.document.path, str(run.id)
        if seen.setdefault(run.id, run.content_hash) != run.content_hash:
            message = "Two different runs of this file have the same id."
            problems.append(Problem(f"{path}.id", message, run_id))
        if run.id not in changed:
            continue
        before = existing[run.id]
        if before.review_state in _REVIEWED_OUT:
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


def _would_change(run: ResolvedRun, before: TestRun | None) -> bool:
    """Whether writing the run would change a row that is there."""
    return before is not None and (
        before.content_hash != run.content_hash or before.review_state == ReviewState.WITHDRAWN
    )


@dataclass(frozen=True)
class _Prepared:
    """A run to be written, with the rows it belongs to; `before` is the row it replaces."""

    run: ResolvedRun
    variant: ModelVariant
    profile: HardwareProfile
    before: TestRun | None

    @property
    def configuration_identity(self) -> tuple[Any, ...]:
        """What makes a configuration, in the order of _CONFIGURATION_FIELDS."""
        return (
            self.variant.pk,
            self.profile.platform_id,
            self.run.backend,
            self.run.document.backend_version,
            self.run.workload_key,
            self.run.settings_key,
        )


class _Writer:
    """Gathers rows and inserts them in bulk; look-ups are made once for each distinct name."""

    def __init__(self, sha256: str, review_state: ReviewState) -> None:
        self.sha256 = sha256
        self.review_state = review_state
        self.written = Written()
        self._variants: dict[tuple[str, str, str], ModelVariant] = {}
        self._profiles: dict[ResolvedHardware, HardwareProfile] = {}
        self._sweeps: dict[str, Sweep] = {}
        self._prepared: dict[UUID, _Prepared] = {}

    def add_run(self, run: ResolvedRun, before: TestRun | None) -> None:
        """Prepare a run: new, replaced, or left as it is."""
        variant = self._variant(run.model)
        if run.id in self._prepared or (before is not None and not _would_change(run, before)):
            action = ItemAction.UNCHANGED
        else:
            action = ItemAction.REPLACED if before else ItemAction.CREATED
            profile = self._profile(run.hardware)
            self._prepared[run.id] = _Prepared(run, variant, profile, before)
        title = f"{variant} on {run.hardware.platform_name}"
        self.written.runs.append(RunResult(id=run.id, title=title, action=action))
        self.written.run_places.append(run.document.path)

    def flush(self) -> None:
        """Write what was prepared and refresh the summaries of the configurations touched."""
        prepared = self._prepared.values()
        configurations = _configurations(prepared)
        rows = []
        touched = set()
        for item in prepared:
            configuration = configurations[item.configuration_identity]
            touched.add(configuration.pk)
            row = self._row(item, configuration)
            if item.before is None:
                rows.append(row)
                continue
            touched.add(item.before.configuration_id)
            row.created_at = item.before.created_at
            item.before.measurements.all().delete()
            row.save(force_update=True)
        TestRun.objects.bulk_create(rows, batch_size=500)
        Measurement.objects.bulk_create(
            [measurement for item in prepared for measurement in _measurements(item.run)],
            batch_size=2000,
        )
        refresh_configurations(touched)

    def _row(self, item: _Prepared, configuration: Configuration) -> TestRun:
        """Return the row of a run, not yet saved."""
        run, document = item.run, item.run.document
        return TestRun(
            id=run.id,
            variant=item.variant,
            hardware=item.profile,
            configuration=configuration,
            sweep=self._sweep(run, item.variant, item.profile),
            backend=run.backend,
            reported_names=run.reported_names,
            content_hash=run.content_hash,
            review_state=self.review_state,
            warnings=[warning.as_dict() for warning in run.warnings],
            started_at=as_stored_time(document.started_at),
            optimizations=list(document.setup.optimizations),
            settings=dict(document.setup.settings),
            **_attributes(document, _RUN_FIELDS),
            **_attributes(document.workload, _WORKLOAD_FIELDS),
            **_attributes(document.setup, _SETUP_FIELDS),
        )

    def add_scores(self, model: ResolvedModel, documents: Sequence[Any]) -> None:
        """Store scores of a variant; scores that are there already are left as they are."""
        variant = self._variant(model)
        recorded, warnings = write_scores(variant, documents, self.review_state)
        self.written.warnings += warnings
        for document, item in zip(documents, recorded, strict=True):
            self.written.scores.append(
                ScoreResult(
                    id=item.score.pk,
                    variant_id=variant.pk,
                    model_name=variant.model_name,
                    quantization=variant.quantization,
                    benchmark=item.score.benchmark.slug,
                    score=item.score.score,
                    action=ItemAction.CREATED if item.created else ItemAction.UNCHANGED,
                )
            )
            self.written.score_places.append(document.path)

    def _variant(self, model: ResolvedModel) -> ModelVariant:
        key = (model.model_name, model.quantization.name, model.lora_adapter)
        if key not in self._variants:
            self._variants[key] = get_or_create_variant(
                model_name=model.model_name,
                quantization=model.quantization.name,
                lora_adapter=model.lora_adapter,
                facts=VariantFacts(parameters=model.parameters, weights_gb=model.weights_gb),
            )
        return self._variants[key]

    def _profile(self, hardware: ResolvedHardware) -> HardwareProfile:
        if hardware not in self._profiles:
            self._profiles[hardware] = get_or_create_profile(hardware)
        return self._profiles[hardware]

    def _sweep(
        self, run: ResolvedRun, variant: ModelVariant, profile: HardwareProfile
    ) -> Sweep | None:
        """Return the sweep of a run: by the label given, else by its group in this file."""
        document = run.document
        if document.sweep:
            key = digest(["label", document.sweep, variant.pk, profile.pk, run.backend])
        elif document.sweep_group:
            key = digest(["file", self.sha256, document.sweep_group, variant.pk, profile.pk])
        else:
            return None
        if key not in self._sweeps:
            self._sweeps[key] = Sweep.objects.get_or_create(
                key=key, defaults={"label": document.sweep}
            )[0]
        return self._sweeps[key]


def _configurations(prepared: Collection[_Prepared]) -> dict[tuple[Any, ...], Configuration]:
    """Return the configuration of each identity, made if need be: three queries at most."""
    wanted = {item.configuration_identity: item for item in prepared}

    def stored() -> dict[tuple[Any, ...], Configuration]:
        candidates = Configuration.objects.filter(
            variant__in={item.variant for item in prepared},
            workload_key__in={item.run.workload_key for item in prepared},
        )
        return {
            tuple(getattr(row, name) for name in _CONFIGURATION_FIELDS): row for row in candidates
        }

    found = stored() if wanted else {}
    missing = [item for identity, item in wanted.items() if identity not in found]
    if missing:
        Configuration.objects.bulk_create(
            [
                Configuration(
                    **dict(zip(_CONFIGURATION_FIELDS, item.configuration_identity, strict=True)),
                    load_class=item.run.load_class,
                )
                for item in missing
            ],
            batch_size=1000,
        )
        found = stored()
    return found


def _measurements(run: ResolvedRun) -> list[Measurement]:
    """Return the rows of a run's figures, not yet saved."""
    return [
        Measurement(
            run_id=run.id,
            metric=item.metric,
            statistic=item.statistic,
            definition=item.definition,
            value=item.value,
            unit=item.unit,
            sample_count=item.sample_count,
            samples=item.samples,
            derived_from=item.derived_from,
            context=dict(item.context),
        )
        for item in run.document.measurements
    ]


def _attributes(source: object, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(source, name) for name in names}

"""From names as reported to canonical ones, and what is missing, before anything is written."""

import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.utils import timezone

from benchmarks.models import ModelVariant
from benchmarks.quantization import Quantization, resolve_quantization, tidy_name
from benchmarks.services import VariantFacts
from experiments.backends import resolve_backend
from experiments.choices import LoadClass
from experiments.formats.documents import (
    InvalidFileError,
    MeasurementDocument,
    ModelDocument,
    ParsedFile,
    Problem,
    RunDocument,
    ScoreDocument,
    ScoreSetDocument,
)
from experiments.formats.problems import join_path, short_value
from experiments.formats.stored import DescribedModel, StoredRun
from experiments.ingest.context import UploadContext, apply_to_run, apply_to_scores
from experiments.ingest.keys import content_hash, load_class, run_ids, settings_key, workload_key
from experiments.ingest.origins import as_stored
from experiments.ingest.plausibility import KnownFacts, doubts
from experiments.ingest.public_names import with_public_model, with_public_names
from experiments.ingest.times import as_stored_time
from experiments.metrics import definition_rank
from hardware.services import (
    HardwareError,
    HardwareFacts,
    ResolvedHardware,
    resolve_hardware,
)

SECONDS_PER_KWH_OF_ONE_WATT = 3.6e6
_OF_ENERGY = ("tokens_per_second", "gpu_power_watts", "tokens_per_kwh")
_LONGEST_NAMES = {"model_name": 200, "quantization": 100, "backend": 100}
_PATH_STEP = re.compile(r"[.\[:]")


@dataclass(frozen=True, kw_only=True)
class ResolvedModel:
    """A model variant by its canonical names, and what the source called it."""

    model_name: str
    quantization: Quantization
    lora_adapter: str
    parameters: int | None
    weights_gb: float | None
    more_facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, str]:
        """The names that make the variant."""
        return (self.model_name, self.quantization.name, self.lora_adapter)

    @property
    def facts(self) -> VariantFacts:
        """What the source tells of the variant."""
        return VariantFacts(
            parameters=self.parameters, weights_gb=self.weights_gb, **self.more_facts
        )


@dataclass(frozen=True, kw_only=True)
class ResolvedRun:
    """A run that is ready to be written."""

    id: UUID
    document: RunDocument
    content_hash: str
    model: ResolvedModel
    hardware: ResolvedHardware
    backend: str
    workload_key: str
    settings_key: str
    load_class: LoadClass
    reported_names: dict[str, str]
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ResolvedScoreSet:
    """Scores that are ready to be written."""

    model: ResolvedModel
    scores: tuple[ScoreDocument, ...]


@dataclass(kw_only=True)
class ResolvedFile:
    """All that a file says, by canonical names; `missing` names required fields it lacks."""

    runs: list[ResolvedRun] = field(default_factory=list)
    score_sets: list[ResolvedScoreSet] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def models(self) -> Iterator[ResolvedModel]:
        """The model of each run and of each set of scores."""
        yield from (run.model for run in self.runs)
        yield from (scores.model for scores in self.score_sets)


class LookedUp:
    """What the database says of machines and models: read once for files resolved together."""

    def __init__(self) -> None:
        self.machines: dict[HardwareFacts, ResolvedHardware] = {}
        self._variants: dict[str, dict[tuple[str, str], VariantFacts]] = {}

    def read_models(self, names: Collection[str]) -> None:
        """Read the facts of all variants of some models that were not read before: one query."""
        new = {name for name in names if name not in self._variants}
        self._variants |= {name: {} for name in new}
        for variant in ModelVariant.objects.filter(model_name__in=new) if new else ():
            key = (variant.quantization, variant.lora_adapter)
            self._variants[variant.model_name][key] = VariantFacts(
                parameters=variant.parameters,
                active_parameters=variant.active_parameters,
                weights_gb=variant.weights_gb,
            )

    def variants(self, model_name: str) -> Mapping[tuple[str, str], VariantFacts]:
        """Return what is known of each variant of a model, by quantization and LoRA adapter."""
        return self._variants[model_name]

    def learn(self, resolved: "ResolvedFile") -> None:
        """Take in what a file tells of its models, as writing it will."""
        for model in resolved.models:
            known = self._variants.setdefault(model.model_name, {})
            key = (model.quantization.name, model.lora_adapter)
            before = known.get(key, VariantFacts())
            known[key] = replace(
                before,
                parameters=before.parameters or model.parameters,
                weights_gb=before.weights_gb or model.weights_gb,
            )


def resolve_file(
    parsed: ParsedFile, context: UploadContext, looked_up: LookedUp | None = None
) -> ResolvedFile:
    """Apply the context, resolve every name, and gather warnings and missing fields.

    Reads the catalogue of accelerators once for each distinct machine, and what is known of the
    models once; `looked_up` holds both for files that are resolved together.
    """
    looked_up = looked_up or LookedUp()
    resolved = ResolvedFile()
    machines = looked_up.machines
    given = context.stated()
    named: set[HardwareFacts] = set()
    for run_id, original in zip(run_ids(parsed.runs), parsed.runs, strict=True):
        stated, warnings = apply_to_run(original, context) if given else (original, [])
        run, hidden = with_public_names(stated)
        resolved.warnings += [*warnings, *hidden]
        missing = _missing_of_run(run)
        if missing:
            resolved.missing += [name for name in missing if name not in resolved.missing]
            continue
        if run.hardware not in machines:
            machines[run.hardware] = _resolve_machine(run)
        if run.hardware not in named:
            named.add(run.hardware)
            resolved.warnings += [
                Problem(run.path, message) for message in machines[run.hardware].warnings
            ]
        resolved.runs.append(_resolve_run(run, run_id, content_hash(original, given), machines))
    for original_set in parsed.score_sets:
        stated_set, warnings = apply_to_scores(original_set, context)
        score_set, hidden = with_public_model(stated_set)
        resolved.warnings += [*warnings, *hidden]
        missing = _missing_of_model(score_set.model)
        resolved.missing += [name for name in missing if name not in resolved.missing]
        if not missing:
            resolved.score_sets.append(_resolve_scores(score_set))
    resolved.warnings += [*_unknown_names(resolved), *_from_the_future(resolved)]
    resolved.warnings += _implausible(resolved.runs, looked_up)
    _keep_with_runs(resolved, (*parsed.warnings, *resolved.warnings))
    resolved.runs = [as_stored(run) for run in resolved.runs]
    return resolved


def _from_the_future(resolved: ResolvedFile) -> list[Problem]:
    """Warn of times that lie ahead of this machine's clock, whatever their zone."""
    latest = timezone.now() + timedelta(days=1)
    message = "This time lies in the future; was the clock of the machine right?"
    moments = [(run.document.path, run.document.started_at) for run in resolved.runs]
    moments += [
        (score.path, score.measured_at) for item in resolved.score_sets for score in item.scores
    ]
    return [
        Problem(path, message, moment.isoformat())
        for path, moment in moments
        if (stored := as_stored_time(moment)) and moment and stored > latest
    ]


def _implausible(runs: Sequence[ResolvedRun], looked_up: LookedUp) -> list[Problem]:
    """Warn of figures that cannot be true together, by what is known of their models."""
    looked_up.read_models({run.model.model_name for run in runs})
    return [warning for run in runs for warning in doubts(run.document, _known(run, looked_up))]


def _known(run: ResolvedRun, looked_up: LookedUp) -> KnownFacts:
    """Return what is known of a run's model and machine; quantizing changes no parameters."""
    model = run.model
    variants = looked_up.variants(model.model_name)
    same_model = list(variants.values())
    same = [facts for (name, _lora), facts in variants.items() if name == model.quantization.name]
    return KnownFacts(
        weights_gb=next((item.weights_gb for item in same if item.weights_gb), None),
        parameters=next((item.parameters for item in same_model if item.parameters), None),
        active_parameters=next(
            (item.active_parameters for item in same_model if item.active_parameters), None
        ),
        bits_per_weight=model.quantization.bits_per_weight,
        bandwidth_gb_per_s=run.hardware.bandwidth_gb_per_s,
    )


def _keep_with_runs(resolved: ResolvedFile, warnings: Sequence[Problem]) -> None:
    """Give each run the warnings whose path is its own or lies within it.

    A run that is the whole file, with the path "", has every warning of the file.
    """
    if [run.document.path for run in resolved.runs] == [""]:
        resolved.runs = [replace(resolved.runs[0], warnings=tuple(warnings))]
        return
    places = {run.document.path for run in resolved.runs} - {""}
    by_place: dict[str, list[Problem]] = {}
    for warning in warnings:
        ends = [found.start() for found in _PATH_STEP.finditer(warning.path)]
        prefixes = [warning.path[:end] for end in ends] + [warning.path]
        for place in places.intersection(prefixes):
            by_place.setdefault(place, []).append(warning)
    resolved.runs = [
        replace(run, warnings=tuple(by_place[run.document.path]))
        if run.document.path in by_place
        else run
        for run in resolved.runs
    ]


def _missing_of_model(model: ModelDocument) -> list[str]:
    return [name for name in ("model_name", "quantization") if not getattr(model, name)]


def _missing_of_run(run: RunDocument) -> list[str]:
    missing = _missing_of_model(run.model)
    if not run.backend:
        missing.append("backend")
    if not run.hardware.gpu_models and not run.hardware.cpu_model:
        missing.append("gpu_model")
    return missing


def _resolve_machine(run: RunDocument) -> ResolvedHardware:
    try:
        return resolve_hardware(run.hardware)
    except HardwareError as error:
        raise InvalidFileError(Problem(join_path(run.path, "hardware"), str(error))) from error


def _resolve_run(
    run: RunDocument,
    run_id: UUID,
    run_hash: str,
    machines: Mapping[HardwareFacts, ResolvedHardware],
) -> ResolvedRun:
    hardware = machines[run.hardware]
    backend = resolve_backend(_name(run.backend, "backend", run.path))
    model = _resolve_model(run.model, run.path)
    reported = {
        "quantization": (run.model.quantization, model.quantization.name),
        "backend": (run.backend, backend),
        "gpu_model": (", ".join(run.hardware.gpu_models) or None, hardware.gpu_model),
        "cpu_model": (run.hardware.cpu_model, hardware.cpu_model),
    }
    different = {name: raw for name, (raw, used) in reported.items() if raw and raw != used}
    return ResolvedRun(
        id=run_id,
        document=run
        if isinstance(run, StoredRun)
        else replace(run, measurements=_with_derived(run.measurements)),
        content_hash=run_hash,
        model=model,
        hardware=hardware,
        backend=backend,
        workload_key=workload_key(run.workload, run.setup.gpu_power_limit_watts),
        settings_key=settings_key(run.setup),
        load_class=load_class(run.workload),
        reported_names={**run.extra_names, **different},
    )


def _resolve_model(model: ModelDocument, path: str) -> ResolvedModel:
    return ResolvedModel(
        model_name=_name(model.model_name, "model_name", path),
        quantization=_quantization(_name(model.quantization, "quantization", path)),
        lora_adapter=tidy_name(model.lora_adapter),
        parameters=model.parameters,
        weights_gb=model.weights_gb,
        more_facts=model.more_facts if isinstance(model, DescribedModel) else {},
    )


_quantization = lru_cache(maxsize=256)(resolve_quantization)  # of names that are not too long


def _name(raw: str | None, field_name: str, path: str) -> str:
    """Return a name tidied; InvalidFileError where nothing visible is left, or too much."""
    name = tidy_name(raw or "")
    if not name or len(name) > _LONGEST_NAMES[field_name]:
        problem = "has no visible character" if not name else "is too long"
        message = f"{field_name} {problem}; it has 1 to {_LONGEST_NAMES[field_name]} characters."
        raise InvalidFileError(Problem(join_path(path, field_name), message, short_value(raw)))
    return name


def _resolve_scores(score_set: ScoreSetDocument) -> ResolvedScoreSet:
    model = _resolve_model(score_set.model, score_set.path)
    return ResolvedScoreSet(model=model, scores=score_set.scores)


def _unknown_names(resolved: ResolvedFile) -> list[Problem]:
    """Warn once of each quantization that the site does not know."""
    quantizations = (model.quantization for model in resolved.models)
    unknown = {quantization.name for quantization in quantizations if not quantization.known}
    message = "The site does not know this quantization; it is kept as written. Is it right?"
    return [Problem("quantization", message, name) for name in sorted(unknown)]


def _with_derived(
    measurements: tuple[MeasurementDocument, ...],
) -> tuple[MeasurementDocument, ...]:
    """Add tokens per kWh where a run states both its speed (the leading one) and its power.

    tokens_per_kwh = tokens_per_second × 3.6e6 ÷ mean watts; its definition is that of the power.
    """
    figures: dict[str, list[MeasurementDocument]] = {}
    for item in measurements:
        if item.statistic == "mean" and item.metric in _OF_ENERGY:
            figures.setdefault(item.metric, []).append(item)
    speeds = figures.get("tokens_per_second", [])
    if "tokens_per_kwh" in figures or not speeds:
        return measurements
    leading = min(speeds, key=lambda item: definition_rank(item.metric, item.definition))
    derived = [
        MeasurementDocument(
            metric="tokens_per_kwh",
            statistic="mean",
            definition=power.definition,
            value=leading.value * SECONDS_PER_KWH_OF_ONE_WATT / power.value,
            unit="tok/kWh",
            derived_from=("tokens_per_second mean", "gpu_power_watts mean"),
        )
        for power in figures.get("gpu_power_watts", [])
        if power.value > 0
    ]
    return (*measurements, *(item for item in derived if math.isfinite(item.value)))

"""The site's own experiment JSON: one run, several runs, or scores alone."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.documents import (
    FormatError,
    InvalidFileError,
    MeasurementDocument,
    ModelDocument,
    ParsedFile,
    Problem,
    RunDocument,
    ScoreSetDocument,
    SetupDocument,
    WorkloadDocument,
)
from experiments.formats.numbers import nonfinite_problems
from experiments.formats.problems import join_path, problems_of, short_value
from experiments.formats.site_schema import (
    ExperimentFile,
    ExperimentRun,
    ExperimentsFile,
    HardwareConfig,
    PerformanceMetric,
    ScoreSet,
)
from experiments.formats.site_scores import ScoreSource, score_documents
from experiments.metrics import METRICS, UnitError, convert, get_metric, parse_metric_name
from experiments.metrics.names import normalise_statistic
from hardware.resolution import HardwareFacts

_BARE_RUN_KEYS = {"performance_metrics", "hardware_config", "model_name"}
_SCORE_SET_KEYS = {"model_name", "benchmark_scores"}
_M = TypeVar("_M", bound=BaseModel)


def _detect(content: Content) -> bool:
    documents, _skipped = content.json
    if not documents or not isinstance(documents[0].value, dict):
        return False
    keys = documents[0].value.keys()
    return bool(
        keys & {"experiment_run", "experiment_runs"}
        or keys >= _BARE_RUN_KEYS
        or keys >= _SCORE_SET_KEYS
    )


def _parse(content: Content) -> ParsedFile:
    documents, skipped = content.json
    problems: list[Problem] = []
    runs: list[RunDocument] = []
    score_sets: list[ScoreSetDocument] = []
    warnings: list[Problem] = []
    if skipped:
        warnings.append(Problem("", "Lines between JSON documents were skipped.", skipped))
    for document in documents:
        try:
            parsed = _parse_document(document.value, document.place)
        except FormatError as error:
            problems += error.problems
            continue
        runs += parsed.runs
        score_sets += parsed.score_sets
        warnings += parsed.warnings
    if problems:
        raise InvalidFileError(*problems)
    return ParsedFile(runs=tuple(runs), score_sets=tuple(score_sets), warnings=tuple(warnings))


def _parse_document(value: Any, place: str) -> ParsedFile:
    """Read one JSON document: a wrapped or bare run, several runs, or a set of scores."""
    if not isinstance(value, dict):
        raise InvalidFileError(
            Problem(place, "An experiment is a JSON object.", short_value(value))
        )
    if problems := tuple(nonfinite_problems(value, place)):
        raise InvalidFileError(*problems)
    if "experiment_run" in value:
        run = _validated(ExperimentFile, value, place).experiment_run
        placed = [(join_path(place, "experiment_run"), run, value["experiment_run"])]
    elif "experiment_runs" in value:
        runs = _validated(ExperimentsFile, value, place).experiment_runs
        placed = [
            (join_path(place, "experiment_runs", index), run, record)
            for index, (run, record) in enumerate(zip(runs, value["experiment_runs"], strict=True))
        ]
    elif "performance_metrics" in value or "hardware_config" in value:
        placed = [(place, _validated(ExperimentRun, value, place), value)]
    else:
        return _parse_score_set(_validated(ScoreSet, value, place), place)
    return _parse_runs(placed)


def _validated(model: type[_M], value: Any, place: str) -> _M:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise InvalidFileError(*problems_of(error, place)) from error


def _parse_runs(placed: list[tuple[str, ExperimentRun, Mapping[str, Any]]]) -> ParsedFile:
    """Turn validated runs into documents, gathering the problems of all of them."""
    runs: list[RunDocument] = []
    warnings: list[Problem] = []
    problems: list[Problem] = []
    for path, run, record in placed:
        measurements, run_warnings, run_problems = _measurements(run, path)
        source = ScoreSource(measured_at=run.timestamp, source_url=run.source_url, notes=run.notes)
        scores, score_problems = score_documents(
            run.benchmark_scores, join_path(path, "benchmark_scores"), source
        )
        warnings += run_warnings
        problems += [*run_problems, *score_problems]
        runs.append(
            RunDocument(
                path=path,
                given_id=str(run.id) if run.id else None,
                identity_record=record,
                source_records=(record,),
                model=_model(run),
                hardware=_hardware(run.hardware_config),
                backend=run.backend,
                backend_version=run.backend_version,
                workload=_workload(run),
                setup=_setup(run),
                measurements=measurements,
                scores=scores,
                status=run.status,
                complete=run.complete,
                started_at=run.timestamp,
                zone_known=run.timestamp.tzinfo is not None,
                notes=run.notes,
                source_url=run.source_url,
                tool=run.tool,
                tool_version=run.tool_version,
                sweep=run.sweep,
            )
        )
    if problems:
        raise InvalidFileError(*problems)
    return ParsedFile(runs=tuple(runs), warnings=tuple(warnings))


def _parse_score_set(score_set: ScoreSet, place: str) -> ParsedFile:
    source = ScoreSource(
        measured_at=score_set.timestamp,
        source_url=score_set.source_url,
        notes=score_set.notes,
    )
    scores, problems = score_documents(
        score_set.benchmark_scores, join_path(place, "benchmark_scores"), source
    )
    if problems:
        raise InvalidFileError(*problems)
    document = ScoreSetDocument(path=place, model=_model(score_set), scores=scores)
    return ParsedFile(score_sets=(document,))


def _measurements(
    run: ExperimentRun, path: str
) -> tuple[tuple[MeasurementDocument, ...], list[Problem], list[Problem]]:
    """Return the measurements in the units of the registry, warnings and problems."""
    measurements: dict[tuple[str, str, str | None], MeasurementDocument] = {}
    warnings: list[Problem] = []
    problems: list[Problem] = []
    for index, metric in enumerate(run.performance_metrics):
        place = join_path(path, "performance_metrics", index)
        try:
            measurement, warning = _measurement(metric, place)
        except InvalidFileError as error:
            problems += error.problems
            continue
        warnings += [warning] if warning else []
        if measurement.identity in measurements:
            problems.append(
                Problem(
                    join_path(place, "metric_name"),
                    "The same metric, statistic and definition stands twice in this run.",
                    metric.metric_name,
                )
            )
        measurements[measurement.identity] = measurement
    return tuple(measurements.values()), warnings, problems


def _measurement(item: PerformanceMetric, place: str) -> tuple[MeasurementDocument, Problem | None]:
    """Return one measurement, with a warning where the registry does not know or doubts it.

    Raises InvalidFileError for a unit, statistic, definition or value that cannot be right.
    """
    name = parse_metric_name(item.metric_name)
    stated = normalise_statistic(item.statistic) if item.statistic else None
    if (item.statistic and not stated) or (stated and name.statistic not in (None, stated)):
        raise InvalidFileError(
            Problem(
                join_path(place, "statistic"),
                "A statistic is mean, min, max, std, p50 or any other pNN, "
                "and the same as in metric_name.",
                item.statistic,
            )
        )
    metric = get_metric(name.metric)
    document = MeasurementDocument(
        metric=name.metric,
        statistic=stated or name.statistic or "mean",
        definition=item.definition,
        value=item.value,
        unit=item.unit,
        sample_count=item.sample_count or (len(item.samples) if item.samples else None),
        samples=tuple(item.samples) if item.samples else None,
        derived_from=tuple(item.derived_from) if item.derived_from else None,
        context=_context(item),
    )
    if metric is None:
        warning = "The site does not know this metric; it is kept and shown under “Other”."
        return document, Problem(join_path(place, "metric_name"), warning, item.metric_name)
    never_zero = metric.plausible[0] > 0 and document.statistic != "std"
    if item.value < 0 or (item.value == 0 and never_zero):
        message = f"{metric.label} is {'above 0' if never_zero else 'never negative'}."
        if item.value == 0:
            message += " Leave out what is not known."
        raise InvalidFileError(Problem(join_path(place, "value"), message, item.value))
    if item.definition and metric.definitions and not metric.definition(item.definition):
        known = ", ".join(definition.id for definition in metric.definitions)
        raise InvalidFileError(
            Problem(
                join_path(place, "definition"),
                f"{metric.label} knows these definitions: {known}.",
                item.definition,
            )
        )
    return _in_registry_unit(document, metric.unit, place)


def _context(item: PerformanceMetric) -> dict[str, Any]:
    """Return what was said beside a figure, its time included."""
    context = dict(item.context or {})
    return context | {"timestamp": item.timestamp.isoformat()} if item.timestamp else context


def _in_registry_unit(
    document: MeasurementDocument, unit: str, place: str
) -> tuple[MeasurementDocument, Problem | None]:
    """Convert a measurement to the registry's unit; an implausible value earns a warning."""
    metric = METRICS[document.metric]
    try:
        value = convert(document.value, document.unit, unit)
        samples = (
            tuple(convert(sample, document.unit, unit) for sample in document.samples)
            if document.samples
            else None
        )
    except UnitError as error:
        raise InvalidFileError(
            Problem(join_path(place, "unit"), str(error), document.unit)
        ) from error
    if not all(math.isfinite(figure) for figure in (value, *(samples or ()))):
        raise InvalidFileError(
            Problem(join_path(place, "value"), f"This is too large in {unit}.", document.value)
        )
    low, high = metric.plausible
    warning = None
    if document.statistic != "std" and not low <= value <= high:
        warning = Problem(
            join_path(place, "value"),
            f"{metric.label} usually lies between {low:g} and {high:g} {unit}; please check.",
            value,
        )
    return replace(document, value=value, unit=unit, samples=samples), warning


def _model(source: ExperimentRun | ScoreSet) -> ModelDocument:
    return ModelDocument(
        model_name=source.model_name,
        quantization=source.quantization,
        lora_adapter=source.lora_adapter,
    )


def _hardware(config: HardwareConfig) -> HardwareFacts:
    return HardwareFacts(
        gpu_models=(config.gpu_model,) if config.has_gpu and config.gpu_model else (),
        gpu_count=config.gpu_count if config.has_gpu else None,
        gpu_memory_gb=(config.gpu_memory_gb or None) if config.has_gpu else None,
        cpu_model=config.cpu_model,
        cpu_sockets=config.cpu_sockets,
        cpu_arch=config.cpu_arch,
        ram_gb=config.ram_gb,
        ram_type=config.ram_type,
        virtualization_type=config.virtualization_type,
        label=config.label,
    )


def _workload(run: ExperimentRun) -> WorkloadDocument:
    return WorkloadDocument(
        load_kind=run.load_kind,
        concurrent_requests=run.concurrent_requests,
        request_rate=run.request_rate,
        input_tokens=run.input_tokens,
        output_tokens=run.output_tokens,
        configured_input_tokens=run.configured_input_tokens,
        configured_output_tokens=run.configured_output_tokens,
        context_depth=run.context_depth,
        max_context_length=run.max_context_length,
        batch_size=run.batch_size,
        load_pattern=run.load_pattern,
        dataset_name=run.dataset_name,
    )


def _setup(run: ExperimentRun) -> SetupDocument:
    return SetupDocument(
        tensor_parallel=run.parallelism.tensor,
        pipeline_parallel=run.parallelism.pipeline,
        expert_parallel=run.parallelism.expert,
        nodes=run.parallelism.nodes,
        speculation=run.speculation,
        kv_cache_type=run.kv_cache_type,
        gpu_power_limit_watts=run.gpu_power_limit_watts,
        optimizations=tuple(run.hardware_config.optimizations),
        settings=run.settings,
        speed_settings=run.settings,
    )


FORMAT = Format(
    name="experiment-json",
    title="the site's experiment JSON",
    version=1,
    detect=_detect,
    parse=_parse,
)

"""The site's own experiment JSON: one run, several runs, or scores alone."""

from collections.abc import Mapping
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.documents import (
    MOST_PROBLEMS,
    FormatError,
    InvalidFileError,
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
from experiments.formats.site import about
from experiments.formats.site.metrics import measurement_documents
from experiments.formats.site.schema import (
    FIELD_NAMES,
    ExperimentFile,
    ExperimentRun,
    ExperimentsFile,
    HardwareConfig,
    ScoreSet,
)
from experiments.formats.site.scores import ScoreSource, score_documents
from experiments.metrics import METRICS
from hardware.resolution import HardwareFacts

_FACTS = (
    *("model_name", "quantization", "lora_adapter", "backend", "backend_version", "gpu_model"),
    *("gpu_count", "gpu_memory_gb", "cpu_model", "cpu_arch", "ram_gb", "ram_type"),
    *("virtualization_type", "concurrent_requests", "input_tokens", "output_tokens"),
    *("dataset_name", "sweep", "notes", "source_url"),
)
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
    documents, _skipped = content.json
    problems: list[Problem] = []
    runs: list[RunDocument] = []
    score_sets: list[ScoreSetDocument] = []
    warnings: list[Problem] = []
    for document in documents:
        try:
            parsed = _parse_document(document.value, document.place)
        except FormatError as error:
            problems += error.problems
            if len(problems) > MOST_PROBLEMS:
                break
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
    if problems := tuple(islice(nonfinite_problems(value, place), MOST_PROBLEMS + 1)):
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
        return _parse_score_set(_validated(ScoreSet, value, place), value, place)
    return _parse_runs(placed)


def _validated(model: type[_M], value: Any, place: str) -> _M:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        problems = problems_of(error, place, source=value, names=FIELD_NAMES)
        raise InvalidFileError(*problems) from error


def _parse_runs(placed: list[tuple[str, ExperimentRun, Mapping[str, Any]]]) -> ParsedFile:
    """Turn validated runs into documents, gathering the problems of all of them."""
    runs: list[RunDocument] = []
    warnings: list[Problem] = []
    problems: list[Problem] = []
    for path, run, record in placed:
        measurements, run_warnings, run_problems = measurement_documents(
            run.performance_metrics, join_path(path, "performance_metrics")
        )
        source = ScoreSource(measured_at=run.timestamp, source_url=run.source_url, notes=run.notes)
        scores, score_problems = score_documents(
            run.benchmark_scores, join_path(path, "benchmark_scores"), source
        )
        warnings += [*_without_zone(run.timestamp, record, path), *run_warnings]
        problems += [*run_problems, *score_problems]
        if len(problems) > MOST_PROBLEMS:
            break
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


def _parse_score_set(score_set: ScoreSet, record: Mapping[str, Any], place: str) -> ParsedFile:
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
    warnings = _without_zone(score_set.timestamp, record, place)
    return ParsedFile(score_sets=(document,), warnings=tuple(warnings))


def _without_zone(moment: datetime | None, record: Mapping[str, Any], path: str) -> list[Problem]:
    """Return a warning where the time of a record names no zone."""
    if moment is None or moment.tzinfo is not None:
        return []
    message = "The time names no zone: it is kept as written and marked so. Z stands for UTC."
    return [Problem(join_path(path, "timestamp"), message, record["timestamp"])]


def _model(source: ExperimentRun | ScoreSet) -> ModelDocument:
    return ModelDocument(
        model_name=source.model_name,
        quantization=source.quantization,
        lora_adapter=source.lora_adapter or "",
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
    about=about.JSON,
    tool="anything else",
    file_name="experiment.json",
    fills=(*_FACTS, "scores", *METRICS),
)

"""The site's own experiment JSON: one run, several runs, or scores alone."""

from collections.abc import Mapping
from dataclasses import replace
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
    ParsedFile,
    Problem,
    RunDocument,
    ScoreSetDocument,
)
from experiments.formats.numbers import nonfinite_problems
from experiments.formats.problems import join_path, problems_of, short_value
from experiments.formats.site import about
from experiments.formats.site.checksums import changed_problems, is_export
from experiments.formats.site.documents import model_document, run_document
from experiments.formats.site.metrics import measurement_documents
from experiments.formats.site.schema import (
    FIELD_NAMES,
    ExperimentFile,
    ExperimentRun,
    ExperimentsFile,
    ExportHead,
    ScoreSet,
)
from experiments.formats.site.scores import ScoreSource, score_documents
from experiments.formats.stored import StoredScore
from experiments.metrics import METRICS

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
        or is_export(documents[0].value)
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
        return _parse_several(_validated(ExperimentsFile, value, place), value, place)
    elif "export" in value:
        _validated(ExportHead, value, place)
        return ParsedFile()
    elif "performance_metrics" in value or "hardware_config" in value:
        placed = [(place, _validated(ExperimentRun, value, place), value)]
    else:
        return _parse_score_set(_validated(ScoreSet, value, place), value, place)
    return _parse_runs(placed)


def _parse_several(file: ExperimentsFile, value: Mapping[str, Any], place: str) -> ParsedFile:
    """Read several runs of one document, and the scores that an export puts beside them."""
    pairs = zip(file.experiment_runs, value["experiment_runs"], strict=True)
    runs = _parse_runs(
        [
            (join_path(place, "experiment_runs", index), run, record)
            for index, (run, record) in enumerate(pairs)
        ]
    )
    with_records = zip(file.score_sets, value.get("score_sets", ()), strict=True)
    sets = [
        _parse_score_set(item, record, join_path(place, "score_sets", index))
        for index, (item, record) in enumerate(with_records)
    ]
    score_sets = tuple(item for found in sets for item in found.score_sets)
    warnings = (*runs.warnings, *(item for found in sets for item in found.warnings))
    return replace(runs, score_sets=score_sets, warnings=warnings)


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
        problems += [
            *run_problems,
            *score_problems,
            *changed_problems(run.origin is not None, run.checksum, record, path),
        ]
        if len(problems) > MOST_PROBLEMS:
            break
        runs.append(run_document(path, run, record, measurements, scores))
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
    is_exported = any(isinstance(score, StoredScore) for score in scores)
    problems += changed_problems(is_exported, score_set.checksum, record, place)
    if problems:
        raise InvalidFileError(*problems)
    document = ScoreSetDocument(path=place, model=model_document(score_set), scores=scores)
    warnings = _without_zone(score_set.timestamp, record, place)
    return ParsedFile(score_sets=(document,), warnings=tuple(warnings))


def _without_zone(moment: datetime | None, record: Mapping[str, Any], path: str) -> list[Problem]:
    """Return a warning where the time of a record names no zone."""
    if moment is None or moment.tzinfo is not None:
        return []
    message = "The time names no zone: it is kept as written and marked so. Z stands for UTC."
    return [Problem(join_path(path, "timestamp"), message, record["timestamp"])]


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

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
    ParsedFile,
    Problem,
    RunDocument,
    ScoreSetDocument,
)
from experiments.formats.numbers import nonfinite_problems
from experiments.formats.problems import join_path, problems_of, short_value
from experiments.formats.site import about
from experiments.formats.site.documents import model_document, run_document
from experiments.formats.site.metrics import measurement_documents
from experiments.formats.site.schema import (
    FIELD_NAMES,
    ExperimentFile,
    ExperimentRun,
    ExperimentsFile,
    ScoreSet,
)
from experiments.formats.site.scores import ScoreSource, score_documents
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

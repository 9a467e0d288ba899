"""The runs of optimum-benchmark: a config and a report each; what failed has a traceback."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from experiments.formats.documents import (
    InvalidFileError,
    ParsedFile,
    Problem,
    RunDocument,
    SetupDocument,
)
from experiments.formats.optimum.config import Config, speed_settings
from experiments.formats.optimum.figures import Record, figures_of, part
from experiments.formats.private import hidden_warning, public_settings
from experiments.formats.problems import join_path
from experiments.formats.serving.runs import RunCollector

TOOL = "optimum-benchmark"
FILLS = (
    *("model_name", "backend", "gpu_model", "gpu_count", "cpu_model", "input_tokens"),
    *("output_tokens", "concurrent_requests", "tokens_per_second", "prompt_processing_speed"),
    *("ttft_ms", "itl_ms", "e2e_latency_ms", "model_loading_time", "peak_memory_gb"),
    "tokens_per_kwh",
)
_FAILED = "The benchmark failed: the file holds its traceback and no result."
_ALL_FAILED = "All {} benchmarks of the file failed: they hold a traceback and no result."
_LEFT_OUT = "Benchmarks that failed were left out: they hold a traceback and no result."
_OTHER_TASK = "The report has neither prefill nor decode: it is of no text generation."


def parse_records(sources: Iterable[tuple[str, Record | Problem]]) -> ParsedFile:
    """Return a run for each result; those that failed are counted, a file of them is refused."""
    found = RunCollector()
    failed = total = 0
    for place, record in sources:
        if found.is_full:
            break
        total += 1
        if isinstance(record, Problem):
            found.problems.append(record)
        elif _has_failed(record):
            failed += 1
        else:
            _add(found, place, record)
    if failed and failed == total:
        message = _FAILED if total == 1 else _ALL_FAILED.format(f"{total:,}")
        raise InvalidFileError(Problem("report.traceback", message))
    if failed:
        found.warnings.append(Problem("", _LEFT_OUT, failed))
    return found.parsed()


def _has_failed(record: Record) -> bool:
    return bool(record.get("traceback") or part(record, "report").get("traceback"))


def _add(found: RunCollector, place: str, record: Record) -> None:
    report = part(record, "report")
    if not report.keys() & {"prefill", "decode"}:
        found.problems.append(Problem(join_path(place, "report"), _OTHER_TASK))
        return
    config = found.read(Config, join_path(place, "config"), record.get("config") or {})
    if config is None:
        return
    plain = {"config": record.get("config"), "report": _without_values(report)}
    settings, hidden = public_settings(
        part(record, "config"), skip=("name", "environment", "print_report", "log_report")
    )
    found.warnings += hidden_warning(place, hidden)
    speed = speed_settings(part(record, "config", "backend"))
    run = RunDocument(
        path=place,
        given_id=None,
        identity_record=plain,
        source_records=(plain,),
        model=config.model,
        hardware=config.hardware,
        backend=config.backend.name,
        backend_version=config.engine_version,
        workload=config.workload,
        setup=SetupDocument(settings=settings, speed_settings=speed),
        measurements=(),
        tool=TOOL,
        tool_version=config.environment.optimum_benchmark_version,
        sweep_group=_group(config, speed),
    )
    found.add(run, figures_of(place, report, config))


def _without_values(report: Record) -> dict[str, Any]:
    """Return a report without the latency of every single repetition."""
    return {
        phase: {
            name: {key: item for key, item in block.items() if key != "values"}
            if isinstance(block, Mapping)
            else block
            for name, block in blocks.items()
        }
        if isinstance(blocks, Mapping)
        else blocks
        for phase, blocks in report.items()
    }


def _group(config: Config, speed: Record) -> str:
    """Return what the points of a sweep over batch sizes share."""
    shared = [config.backend.model_dump(mode="json"), config.environment.model_dump(mode="json")]
    lengths = [config.shapes.sequence_length, config.generation.max_new_tokens]
    return json.dumps([*shared, lengths, dict(speed)], sort_keys=True, default=str)

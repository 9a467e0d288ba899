"""Results of GenAI-Perf and AIPerf turned into runs, however they are written.

A result is one run. Readings of GPUs stay out of what makes it this run, so that a copy without
them is the same one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from experiments.formats.documents import (
    ParsedFile,
    Problem,
    RunDocument,
    SetupDocument,
)
from experiments.formats.figures import Figures
from experiments.formats.genai_perf.config import read_config
from experiments.formats.genai_perf.figures import (
    Metrics,
    Requests,
    add_figures,
    read_requests,
)
from experiments.formats.genai_perf.telemetry import Machine, add_readings
from experiments.formats.loads import serving_workload
from experiments.formats.model_names import served_model
from experiments.formats.private import hidden_warning, public_settings
from experiments.formats.problems import join_path, short_value
from experiments.formats.runs import file_of_runs

# Where the client keeps and sends things, beside what every tool's record may hold.
_NO_SETTINGS = ("u", "gpu_telemetry", "server_metrics", "artifacts", "output", "zmq", "service")
_CANCELLED = "The benchmark was cancelled before it was through: its figures cover a part of it."
_NOTHING = "No request was completed; nothing was measured."
_NO_FIGURE = "The file holds no figure of a speed or latency; nothing was measured."
_SEVERAL_MODELS = "Requests went to several models; a run measures one. The first is taken."
_SEVERAL_LOADS = "Phases of different load went into one result: its load is not known."


@dataclass(frozen=True, kw_only=True)
class Result:
    """One result as a format found it; `record` is all of it, `identity` makes it this run."""

    place: str
    record: Any
    identity: Any
    tool: str
    metrics: Metrics
    config: Mapping[str, Any] = field(default_factory=dict)
    machine: Machine = field(default_factory=Machine)
    version: str | None = None
    started_at: datetime | None = None
    cancelled: bool = False
    failed: int | None = None
    context: Mapping[str, Any] = field(default_factory=dict)


def parse_results(results: Sequence[Result], problems: Sequence[Problem]) -> ParsedFile:
    """Return a run for each result; raises InvalidFileError with every problem of them.

    A result without a completed request is kept as failed where another one measured something.
    """
    runs: list[RunDocument] = []
    warnings: list[Problem] = []
    problems = list(problems)
    for result in results:
        requests = read_requests(result.metrics, failed=result.failed)
        figures = Figures(sample_count=requests.completed)
        nothing = requests.completed == 0 or (
            requests.completed is None and bool(result.failed) and not _was_answered(result)
        )
        if requests.completed is not None or nothing:
            at = join_path(result.place, "error_request_count")
            figures.add_error_rate(requests.completed or 0, requests.failed, at=at)
        runs.append(_run(result, figures, requests, warnings, nothing=nothing))
        warnings += [*figures.warnings, *result.machine.warnings]
        problems += [*figures.problems, *result.machine.problems]
        if nothing:
            failed = requests.failed if requests.failed is not None else 0
            warnings.append(Problem(result.place, _NOTHING, f"{failed} failed"))
        elif not problems and not any(
            item.metric != "error_rate" for item in runs[-1].measurements
        ):
            problems.append(Problem(result.place, _NO_FIGURE))
    return file_of_runs(runs, warnings, problems, failed=_NOTHING)


def _run(
    result: Result,
    figures: Figures,
    requests: Requests,
    warnings: list[Problem],
    *,
    nothing: bool,
) -> RunDocument:
    config = read_config(result.config)
    settings, hidden = public_settings(result.config, skip=_NO_SETTINGS)
    warnings += hidden_warning(join_path(result.place, "input_config"), hidden)
    place = join_path(result.place, "input_config")
    if len(config.model_names) > 1:
        warnings.append(Problem(place, _SEVERAL_MODELS, short_value(list(config.model_names))))
    if config.several_loads:
        warnings.append(Problem(place, _SEVERAL_LOADS))
    if not nothing:
        add_figures(
            figures,
            result.metrics,
            requests,
            result.place,
            streamed=config.streamed,
            context=result.context,
        )
        add_readings(figures, result.machine.gpus, join_path(result.place, "telemetry"))
    if result.cancelled:
        warnings.append(Problem(join_path(result.place, "was_cancelled"), _CANCELLED))
    return RunDocument(
        path=result.place,
        given_id=None,
        identity_record=result.identity,
        source_records=(result.record,),
        model=served_model(*config.model_names[:1]),
        hardware=result.machine.hardware,
        backend=config.backend,
        backend_version=None,
        workload=serving_workload(
            config.load,
            input_tokens=requests.input_tokens,
            output_tokens=requests.output_tokens,
            configured_input_tokens=config.input_tokens,
            configured_output_tokens=config.output_tokens,
            dataset_name=config.dataset_name,
        ),
        setup=SetupDocument(
            gpu_power_limit_watts=result.machine.power_limit_watts, settings=settings
        ),
        measurements=figures.measurements,
        status="failed" if nothing else "cancelled" if result.cancelled else "completed",
        complete=not result.cancelled,
        started_at=result.started_at,
        zone_known=result.started_at is None or result.started_at.tzinfo is not None,
        tool=result.tool,
        tool_version=result.version,
        sweep_group=_shared(config.model_names, settings),
    )


def _was_answered(result: Result) -> bool:
    return bool(result.metrics.get("request_latency") or result.metrics.get("request_throughput"))


def _shared(model_names: Sequence[str], settings: Mapping[str, Any]) -> str:
    """Return what the points of a sweep share: all that is configured but the load."""
    load = ("concurrency", "rate", "requests", "request_count", "num", "artifact")
    rest = {key: value for key, value in settings.items() if not any(word in key for word in load)}
    return repr([list(model_names), sorted(rest.items(), key=lambda item: item[0])])

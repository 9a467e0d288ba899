"""inference-perf's lifecycle report, YAML or JSON, of a stage or of a whole run: one run each.

It is what the llm-d benchmark report wraps, and has the same figures, all times in seconds.
Source: `inference_perf/reportgen/base.py` of kubernetes-sigs/inference-perf.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from experiments.formats.documents import (
    ModelDocument,
    ParsedFile,
    Problem,
    RunDocument,
    SetupDocument,
)
from experiments.formats.fields import Count
from experiments.formats.inference_perf import about
from experiments.formats.llmd.figures import (
    FILLS,
    FLAT_RATES,
    Latency,
    Measured,
    Requests,
    Statistics,
    figures_of,
)
from experiments.formats.llmd.load import Load, workload_of
from experiments.formats.private import public_settings
from experiments.formats.problems import join_path, problems_of, short_value
from experiments.formats.reports import Reports, report_formats
from experiments.formats.runs import file_of_runs
from hardware.resolution import HardwareFacts

TOOL = "inference-perf"
_KEYS = frozenset({"load_summary", "successes", "failures"})
_NO_REPORT = "An inference-perf report is an object with load_summary, successes and failures."
_NOTHING = "None of the {total:,} requests was answered; nothing was measured."


class _Tolerant(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)


class _LoadSummary(_Tolerant):
    count: Count
    requested_rate: float | None = None
    concurrency: float | None = None


class _Failures(_Tolerant):
    count: Count = 0


class _Successes(_Tolerant):
    count: Count
    latency: dict[str, Any] = Field(default_factory=dict)
    throughput: dict[str, Any] = Field(default_factory=dict)
    prompt_len: dict[str, Any] | None = None
    output_len: dict[str, Any] | None = None


class _Report(_Tolerant):
    load_summary: _LoadSummary
    successes: _Successes
    failures: _Failures


def _is_report(value: Any) -> bool:
    return isinstance(value, Mapping) and value.keys() >= _KEYS


def _parse(reports: Reports) -> ParsedFile:
    runs: list[RunDocument] = []
    problems: list[Problem] = []
    warnings: list[Problem] = []
    for place, report in reports:
        if not _is_report(report):
            problems.append(Problem(place, _NO_REPORT, short_value(report)))
            continue
        try:
            read = _Report.model_validate(report)
            measured = _measured(read, place)
        except ValidationError as error:
            problems += problems_of(error, place, source=report)
            continue
        if not measured.requests.completed:
            message = _NOTHING.format(total=measured.requests.total)
            problems.append(Problem(join_path(place, "successes", "count"), message))
            continue
        runs.append(_run(read, report, measured, problems, warnings))
    return file_of_runs(runs, warnings, problems)


def _measured(read: _Report, place: str) -> Measured:
    successes = read.successes
    return Measured(
        place=join_path(place, "successes"),
        tool=TOOL,
        tool_version=None,
        requests=Requests(
            total=successes.count + read.failures.count,
            failures=read.failures.count,
            input_length=_statistics(successes.prompt_len, "count"),
            output_length=_statistics(successes.output_len, "count"),
        ),
        latency=Latency(
            **{name: _statistics(successes.latency.get(name), "s") for name in Latency.model_fields}
        ),
        throughput={
            name: Statistics(units=unit, mean=successes.throughput.get(key))
            for key, (name, unit) in FLAT_RATES.items()
        },
        seconds=None,
    )


def _statistics(value: Any, unit: str) -> Statistics | None:
    """Return the statistics of a figure, None where nothing was measured (not streamed)."""
    return Statistics.model_validate({**value, "units": unit}) if isinstance(value, dict) else None


def _run(
    read: _Report,
    report: Mapping[str, Any],
    measured: Measured,
    problems: list[Problem],
    warnings: list[Problem],
) -> RunDocument:
    figures = figures_of(measured)
    problems += figures.problems
    warnings += figures.warnings
    summary = read.load_summary
    load = Load(tool=TOOL, native={}, rate=summary.requested_rate, concurrency=summary.concurrency)
    settings, _hidden = public_settings({"load": summary.model_dump()})
    return RunDocument(
        path=measured.place,
        given_id=None,
        identity_record=dict(report),
        source_records=(dict(report),),
        model=ModelDocument(model_name=None, quantization=None),
        hardware=HardwareFacts(),
        backend=None,
        backend_version=None,
        workload=workload_of(load, measured.requests),
        setup=SetupDocument(settings=settings),
        measurements=figures.measurements,
        tool=TOOL,
    )


FORMAT, YAML_FORMAT = report_formats(
    name="inference-perf",
    title="inference-perf lifecycle report",
    version=1,
    keys=(_KEYS,),
    is_report=_is_report,
    parse=_parse,
    about=about.REPORT,
    tool=TOOL,
    command="inference-perf --config_file config.yml",
    file_name="stage_0_lifecycle_metrics",
    fills=FILLS,
    lacks=("model_name", "quantization", "backend", "gpu_model"),
)

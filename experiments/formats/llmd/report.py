"""llm-d benchmark reports, YAML or JSON, of the versions 0.1, 0.2 and 0.2.1: one run each."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from experiments.formats.documents import ParsedFile, Problem, RunDocument
from experiments.formats.llmd import about
from experiments.formats.llmd.figures import FILLS, figures_of
from experiments.formats.llmd.first import read_first
from experiments.formats.llmd.later import read_later
from experiments.formats.llmd.load import workload_of
from experiments.formats.llmd.reading import Reading
from experiments.formats.llmd.stack import engine_of, hardware_of, setup_of
from experiments.formats.model_names import served_model
from experiments.formats.private import hidden_warning
from experiments.formats.problems import join_path, problems_of, short_value
from experiments.formats.reports import Reports, report_formats
from experiments.formats.runs import file_of_runs

_FIRST_KEYS = frozenset({"version", "scenario", "metrics"})
_LATER_KEYS = frozenset({"version", "run", "results"})
_NOTHING = "None of the {total:,} requests was answered; nothing was measured."
_COMBINED = "Other treatments ran against the same servers at the same time; it is not ranked."
_NO_REPORT = "An llm-d benchmark report is an object with a version."


def _is_report(value: Any) -> bool:
    """Tell a report by its sections; "metrics" and "results" are names that others use, too."""
    if not isinstance(value, Mapping):
        return False
    if value.keys() >= _FIRST_KEYS:
        metrics, scenario = value["metrics"], value["scenario"]
        return (
            isinstance(metrics, Mapping)
            and isinstance(scenario, Mapping)
            and {"requests", "latency"} <= metrics.keys()
            and "load" in scenario
        )
    results = value.get("results")
    return (
        value.keys() >= _LATER_KEYS
        and isinstance(results, Mapping)
        and "request_performance" in results
    )


def _parse(reports: Reports) -> ParsedFile:
    problems: list[Problem] = []
    warnings: list[Problem] = []
    readings = list(_readings(reports, problems))
    runs = [_run(reading, problems, warnings) for reading in readings]
    return file_of_runs(runs, warnings, problems)


def _readings(reports: Reports, problems: list[Problem]) -> Iterator[Reading]:
    """Yield what each report says; one in which nothing was measured is a problem."""
    for place, report in reports:
        if not _is_report(report):
            problems.append(Problem(place, _NO_REPORT, short_value(report)))
            continue
        read = read_first if "metrics" in report else read_later
        try:
            reading = read(report, place)
        except ValidationError as error:
            problems += problems_of(error, place, source=report)
            continue
        requests = reading.measured.requests
        if not requests.completed:
            where = join_path(reading.measured.place, "requests")
            problems.append(Problem(where, _NOTHING.format(total=requests.total)))
            continue
        yield reading


def _run(reading: Reading, problems: list[Problem], warnings: list[Problem]) -> RunDocument:
    measured = reading.measured
    figures = figures_of(measured)
    hardware, wrong = hardware_of(reading.servers)
    setup, hidden = setup_of(reading.servers, reading.load_settings, reading.shape)
    problems += [*figures.problems, *wrong]
    warnings += [*figures.warnings, *hidden_warning(measured.place, hidden)]
    if reading.combined:
        warnings.append(Problem(measured.place, _COMBINED, ", ".join(reading.combined)))
    backend, backend_version = engine_of(reading.servers)
    return RunDocument(
        path=measured.place,
        given_id=reading.given_id,
        identity_record=reading.record,
        source_records=(reading.record,),
        model=reading.variant or served_model(*reading.models),
        hardware=hardware,
        backend=backend,
        backend_version=backend_version,
        workload=workload_of(reading.load, measured.requests),
        setup=setup,
        measurements=figures.measurements,
        complete=not reading.combined,
        started_at=reading.started_at,
        zone_known=reading.started_at is None or reading.started_at.tzinfo is not None,
        notes=reading.notes,
        tool=measured.tool,
        tool_version=measured.tool_version,
        sweep_group=reading.experiment,
    )


FORMAT, YAML_FORMAT = report_formats(
    name="llmd-report",
    title="llm-d benchmark report",
    version=1,
    keys=(_FIRST_KEYS, _LATER_KEYS),
    is_report=_is_report,
    parse=_parse,
    about=about.REPORT,
    tool="llm-d-benchmark",
    file_name="benchmark_report",
    fills=("model_name", "quantization", "backend", "backend_version", "gpu_model", *FILLS),
    lacks=("quantization",),
)

"""From the benchmarks of a GuideLLM report, 0.2 and later, to runs: one for each."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from experiments.formats.documents import (
    MeasurementDocument,
    ParsedFile,
    Problem,
    RunDocument,
    SetupDocument,
)
from experiments.formats.guidellm.figures import error_rate_of, figures_of
from experiments.formats.guidellm.load import DataSet, rate_is_lost, workload_of
from experiments.formats.guidellm.records import (
    data_set_of,
    engine_of,
    measured_record,
    models_of,
    settings_record,
)
from experiments.formats.guidellm.rows import Row, Totals
from experiments.formats.model_names import clean_name, served_model
from experiments.formats.private import hidden_warning, public_settings
from experiments.formats.problems import checked, join_path, short_value
from experiments.formats.runs import file_of_runs
from hardware.resolution import HardwareFacts

TOOL = "GuideLLM"
FILLS = (
    *("model_name", "concurrent_requests", "input_tokens", "output_tokens", "dataset_name"),
    *("tokens_per_second", "prompt_processing_speed", "total_tokens_per_second"),
    *("requests_per_second", "ttft_ms", "tpot_ms", "e2e_latency_ms", "error_rate"),
)
LACKS = ("quantization", "backend", "gpu_model")
_NOT_GENERATIVE = "Only benchmarks of the type generative_benchmark are results of an LLM."
_NO_SETUP = "The benchmark names no strategy; send the file as GuideLLM wrote it."
_NO_TOTALS = "The benchmark does not say how many requests succeeded."
_NOTHING = "None of the {sent:,} requests succeeded; nothing was measured."
_FAILED = "None of the {sent:,} requests succeeded; the run is kept as failed."
_NO_RATE = "The file does not state the rate of this benchmark; the JSON of the same run does."


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A benchmark, where it stands, and what its report says of all its benchmarks."""

    place: str
    record: Mapping[str, Any]
    report: Mapping[str, Any]
    tool_version: str | None = None


@dataclass(frozen=True, kw_only=True)
class _Read:
    placed: Placed
    row: Row
    totals: Totals


def parse_benchmarks(benchmarks: Sequence[Placed]) -> ParsedFile:
    """Return the runs of a file.

    Raises InvalidFileError with every problem of every benchmark, and where nothing was measured.
    """
    problems: list[Problem] = []
    rows = [row for placed in benchmarks if (row := _read(placed, problems))]
    if not problems and not any(item.totals.successful for item in rows):
        problems += [
            Problem(item.placed.place, _NOTHING.format(sent=_sent(item.totals))) for item in rows
        ]
    runs: list[RunDocument] = []
    warnings: list[Problem] = []
    for item in rows:
        runs.append(_run(item, problems, warnings))
    return file_of_runs(runs, warnings, problems)


def _read(placed: Placed, problems: list[Problem]) -> _Read | None:
    """Return a benchmark's fields, or None with what is wrong with them."""
    kind = placed.record.get("type_")
    if kind not in (None, "generative_benchmark"):
        problems.append(
            Problem(join_path(placed.place, "type_"), _NOT_GENERATIVE, short_value(kind))
        )
        return None
    row = checked(Row, placed.record, placed.place, problems)
    if row is None:
        return None
    if row.setup is None:
        problems.append(Problem(placed.place, _NO_SETUP))
    elif row.totals is None:
        problems.append(Problem(join_path(placed.place, "metrics", "request_totals"), _NO_TOTALS))
    else:
        return _Read(placed=placed, row=row, totals=row.totals)
    return None


def _run(item: _Read, problems: list[Problem], warnings: list[Problem]) -> RunDocument:
    placed, row = item.placed, item.row
    data = data_set_of(row, placed.report)
    settings, hidden = public_settings(settings_record(row, placed.report))
    warnings += hidden_warning(placed.place, hidden)
    if rate_is_lost(row):
        warnings.append(Problem(placed.place, _NO_RATE))
    failed = not item.totals.successful
    measurements = _measurements(item, problems, warnings)
    record = measured_record(placed.record)
    names = (*row.models, *models_of(placed.report))
    started_at = row.start_time
    return RunDocument(
        path=placed.place,
        given_id=_uuid(row),
        identity_record=record,
        source_records=(record,),
        model=served_model(*names),
        hardware=HardwareFacts(),
        backend=engine_of(placed.report),
        backend_version=None,
        workload=workload_of(row, data),
        setup=SetupDocument(settings=settings, speed_settings=data.shape),
        measurements=measurements,
        status="failed" if failed else "completed",
        started_at=started_at,
        zone_known=started_at is None or started_at.tzinfo is not None,
        tool=TOOL,
        tool_version=placed.tool_version,
        sweep_group=_invocation(row, names, data),
        extra_names=_served_name(names),
    )


def _measurements(
    item: _Read, problems: list[Problem], warnings: list[Problem]
) -> tuple[MeasurementDocument, ...]:
    """Return the figures of a benchmark; of one in which no request succeeded its errors alone."""
    if not item.totals.successful:
        message = _FAILED.format(sent=_sent(item.totals))
        warnings.append(Problem(item.placed.place, message))
        return error_rate_of(item.totals, item.placed.place)
    figures = figures_of(item.row, item.totals, item.placed.place)
    problems += figures.problems
    warnings += figures.warnings
    return figures.measurements


def _sent(totals: Totals) -> int:
    return totals.successful + totals.errored + totals.incomplete


def _uuid(row: Row) -> str | None:
    """Return the id that GuideLLM gave the benchmark, in all forms in which it writes it."""
    setup = row.setup
    try:
        return str(UUID((setup.id_ if setup else None) or row.id_ or ""))
    except ValueError:
        return None


def _invocation(row: Row, names: Sequence[Any], data: DataSet) -> str:
    """Return what the benchmarks of one invocation share."""
    run_id = (row.setup.run_id if row.setup else None) or row.run_id
    asked = [data.name, data.prompt_tokens, data.output_tokens, data.shape]
    return json.dumps([run_id, names, asked], default=str)


def _served_name(names: Sequence[Any]) -> dict[str, str]:
    """Return what the server calls the model, without the folders of a path."""
    served = next((name for value in names if (name := clean_name(value))), None)
    return {"served_model": served} if served else {}

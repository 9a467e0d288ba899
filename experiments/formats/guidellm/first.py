"""GuideLLM 0.1: reports that hold every request and no figure over them; a run a benchmark."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from experiments.formats.documents import (
    ParsedFile,
    Problem,
    RunDocument,
    SetupDocument,
    WorkloadDocument,
)
from experiments.formats.fields import EpochTime
from experiments.formats.guidellm.first_requests import Benchmark, Placed, figures_of
from experiments.formats.guidellm.load import DataSet, read_data_set
from experiments.formats.loads import ALL_AT_ONCE, ClientLoad, serving_workload
from experiments.formats.model_names import served_model
from experiments.formats.private import hidden_warning, public_settings
from experiments.formats.problems import checked, join_path, short_value
from experiments.formats.runs import file_of_runs
from hardware.resolution import HardwareFacts

_KEYS = {"mode", "results", "errors", "concurrencies"}
_NO_BENCHMARK = "A benchmark of GuideLLM 0.1 is an object with mode, results and errors."
_NOTHING = "None of the {sent:,} requests succeeded; nothing was measured."
_FAILED = "None of the {sent:,} requests succeeded; the run is kept as failed."


class _Moment(BaseModel):
    at: EpochTime


def is_first_report(report: Any) -> bool:
    """Whether this is a report of 0.1: benchmarks of requests, or a list of such reports."""
    benchmarks = report.get("benchmarks") if isinstance(report, Mapping) else None
    first = benchmarks[0] if isinstance(benchmarks, list) and benchmarks else None
    if not isinstance(first, Mapping):
        return False
    return first.keys() >= _KEYS or ("type_" not in first and is_first_report(first))


def parse_first_report(reports: Sequence[tuple[str, Any]]) -> ParsedFile:
    """Return the runs of reports of 0.1; raises InvalidFileError with every problem."""
    problems: list[Problem] = []
    warnings: list[Problem] = []
    placed = [
        item for place, report in reports for item in _benchmarks(report, place, {}, problems)
    ]
    if not problems and not any(item.benchmark.results for item in placed):
        problems += [Problem(item.place, _NOTHING.format(sent=_sent(item))) for item in placed]
    runs = [_run(item, problems, warnings) for item in placed] if not problems else []
    return file_of_runs(runs, warnings, problems)


def _benchmarks(
    value: Any, place: str, args: Mapping[str, Any], problems: list[Problem]
) -> Iterator[Placed]:
    """Yield the benchmarks of a report, or of the reports within it, with the report's args."""
    if isinstance(value, Mapping) and isinstance(value.get("benchmarks"), list):
        own = value.get("args")
        for index, item in enumerate(value["benchmarks"]):
            inside = own if isinstance(own, Mapping) else args
            yield from _benchmarks(item, join_path(place, "benchmarks", index), inside, problems)
    elif isinstance(value, Mapping) and value.keys() >= _KEYS:
        benchmark = checked(Benchmark, value, place, problems)
        if benchmark is not None:
            yield Placed(place=place, benchmark=benchmark, args=args)
    else:
        problems.append(Problem(place, _NO_BENCHMARK, short_value(value)))


def _sent(item: Placed) -> int:
    return len(item.benchmark.results) + len(item.benchmark.errors)


def _run(item: Placed, problems: list[Problem], warnings: list[Problem]) -> RunDocument:
    benchmark, data = item.benchmark, read_data_set(item.args.get("data"))
    settings, hidden = public_settings({**item.args, "data": None, "rate": None})
    warnings += hidden_warning(item.place, hidden)
    figures = figures_of(item)
    problems += figures.problems
    warnings += figures.warnings
    record = {
        "mode": benchmark.mode,
        "rate": benchmark.rate,
        "args": dict(item.args),
        "errors": len(benchmark.errors),
        "results": [result.model_dump() for result in benchmark.results],
    }
    started_at = _started_at(item, problems)
    if not benchmark.results:
        warnings.append(Problem(item.place, _FAILED.format(sent=_sent(item))))
    return RunDocument(
        path=item.place,
        given_id=None,
        identity_record=record,
        source_records=(record,),
        model=served_model(item.args.get("model")),
        hardware=HardwareFacts(),
        backend=None,
        backend_version=None,
        workload=_workload(item, data),
        setup=SetupDocument(settings=settings, speed_settings=data.shape),
        measurements=figures.measurements,
        status="completed" if benchmark.results else "failed",
        started_at=started_at,
        tool="GuideLLM",
        tool_version="0.1",
        sweep_group=json.dumps(item.args, sort_keys=True, default=str),
    )


def _started_at(item: Placed, problems: list[Problem]) -> datetime | None:
    """Return when the first request was sent; a time that cannot be joins the problems."""
    if not item.benchmark.results:
        return None
    first = min(result.start_time for result in item.benchmark.results)
    place = join_path(item.place, "results", 0, "start_time")
    moment = checked(_Moment, {"at": first}, place, problems)
    return moment.at if moment else None


def _workload(item: Placed, data: DataSet) -> WorkloadDocument:
    benchmark = item.benchmark
    results = benchmark.results
    rate, limit = benchmark.rate, None
    if benchmark.mode == "synchronous":
        rate, limit = None, 1
    elif benchmark.mode == "throughput":
        in_flight = item.in_flight if results else None
        rate, limit = None, max(1, round(in_flight)) if in_flight else None
    count = len(results) or None
    workload = serving_workload(
        ClientLoad(rate=rate, limit=limit, requests=None, constant=True),
        input_tokens=sum(one.prompt_token_count for one in results) / count if count else None,
        output_tokens=sum(one.output_token_count for one in results) / count if count else None,
        configured_input_tokens=data.prompt_tokens,
        configured_output_tokens=data.output_tokens,
        dataset_name=data.name,
    )
    if benchmark.mode == "throughput":
        return replace(workload, load_pattern=ALL_AT_ONCE)
    is_poisson = item.args.get("mode") == "poisson"
    return replace(workload, load_pattern="Poisson arrivals") if rate and is_poisson else workload

"""`vllm bench serve --save-result`, formerly benchmark_serving.py, in all its generations.

A file holds one result, several appended ones, or the array of `vllm bench sweep`. What it calls
backend is the protocol of the client: engine, GPU and parallelism are not in it.
Source: https://github.com/vllm-project/vllm/blob/main/vllm/benchmarks/serve.py
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic import Field

from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.documents import (
    ModelDocument,
    ParsedFile,
    Problem,
    RunDocument,
    SetupDocument,
    WorkloadDocument,
)
from experiments.formats.fields import check_year, epoch_moment
from experiments.formats.model_names import clean_name, served_model
from experiments.formats.private import hidden_warning
from experiments.formats.problems import join_path, short_value
from experiments.formats.serving.figures import is_figure, serving_figures
from experiments.formats.serving.fills import SERVING_FILLS
from experiments.formats.serving.rows import ServingRow
from experiments.formats.serving.runs import (
    PER_REQUEST,
    RunCollector,
    hidden_requests,
    parse_records,
    without_requests,
)
from experiments.formats.vllm import about
from experiments.formats.vllm.settings import length, parallelism, vllm_setup
from hardware.resolution import HardwareFacts

TOOL = "vllm bench serve"
_KEYS = {"model_id", "request_throughput", "duration", "completed"}
_READ = {"date", "model_id", "rtfx", "benchmark_start_time_unix", "benchmark_end_time_unix"}
_LONGEST_NAME = 500


class Row(ServingRow):
    """The keys of a result that are neither figures nor settings."""

    model_id: str | None = Field(default=None, max_length=_LONGEST_NAME)
    tokenizer_id: str | None = Field(default=None, max_length=_LONGEST_NAME)


def _detect(content: Content) -> bool:
    return bool(content.json[0]) and content.first_record.keys() >= _KEYS


def _parse(content: Content) -> ParsedFile:
    return parse_records(content, add_run)


def add_run(
    found: RunCollector, place: str, record: Mapping[str, Any], *, complete: bool = True
) -> None:
    """Read one result and add its run to those of the file."""
    row = found.read(Row, place, record)
    if row is None:
        return
    read = {key for key in record if is_figure(key)} | _READ | PER_REQUEST
    setup, hidden = vllm_setup(record, skip=read | set(ServingRow.model_fields))
    found.warnings += hidden_warning(place, [*hidden, *hidden_requests(record)])
    found.warnings += row.limit_warnings(place)
    started_at, zone_known = _started_at(record, place, found)
    figures = serving_figures(record, row, place)
    plain = without_requests(record)
    model = _model(row, setup)
    name = clean_name(row.model_id)
    run = RunDocument(
        path=place,
        given_id=None,
        identity_record=plain,
        source_records=(plain,),
        model=model,
        hardware=HardwareFacts(gpu_count=parallelism(setup.settings).gpus),
        backend=None,
        backend_version=None,
        workload=_workload(row, setup.settings),
        setup=setup,
        measurements=(),
        started_at=started_at,
        zone_known=zone_known,
        complete=complete,
        tool=TOOL,
        sweep_group=_sweep_group(row, setup),
        extra_names={"model_id": name} if name and name != model.model_name else {},
    )
    found.add(run, figures)


def _model(row: Row, setup: SetupDocument) -> ModelDocument:
    """Return the model by its name, else its tokenizer's; a flag may tell the quantization."""
    model = served_model(row.model_id, row.tokenizer_id)
    flag = setup.settings.get("quantization")
    if model.quantization is None and isinstance(flag, str) and flag:
        return replace(model, quantization=flag)
    return model


def _workload(row: Row, settings: Mapping[str, Any]) -> WorkloadDocument:
    """Return the load; lengths as configured are only there where a sweep changes them."""
    workload = replace(
        row.workload(
            configured_input=length(settings, "random_input_len", "input_len"),
            configured_output=length(
                settings, "random_output_len", "sharegpt_output_len", "output_len"
            ),
        ),
        max_context_length=length(settings, "max_model_len"),
    )
    strategy = settings.get("ramp_up_strategy")
    if not strategy:
        return workload
    rates = [settings.get(f"ramp_up_{end}_rps") for end in ("start", "end")]
    pattern = f"{strategy} ramp-up from {rates[0]} to {rates[1]} req/s"
    return replace(
        workload,
        request_rate=None,
        concurrent_requests=row.max_concurrency,
        load_pattern=pattern[:100],
    )


def _sweep_group(row: Row, setup: SetupDocument) -> str:
    """Return what the points of one curve share: the model and all settings but the load."""
    settings = setup.settings
    shared = {
        **setup.speed_settings,
        "model": row.model_id,
        "dataset": row.dataset_name,
        "client": settings.get("endpoint_type", settings.get("backend")),
        "lengths": [settings.get(f"random_{side}_len") for side in ("input", "output")],
    }
    return json.dumps(shared, sort_keys=True, default=str)


def _started_at(
    record: Mapping[str, Any], place: str, found: RunCollector
) -> tuple[datetime | None, bool]:
    """Return when the run was, and whether its zone is known: `date` is local time."""
    epoch = record.get("benchmark_start_time_unix")
    with suppress(ValueError):
        return epoch_moment(epoch), True
    date = record.get("date")
    if date is None:
        return None, True
    try:
        return check_year(datetime.strptime(date, "%Y%m%d-%H%M%S")), False
    except (TypeError, ValueError):
        message = "This is no time like 20260820-011114; when the run was is left out."
        found.warnings.append(Problem(join_path(place, "date"), message, short_value(date)))
        return None, True


FORMAT = Format(
    name="vllm-bench-serve",
    title="vLLM bench serve JSON",
    version=1,
    detect=_detect,
    parse=_parse,
    about=about.SERVE,
    tool="vLLM",
    command="vllm bench serve --model MODEL --dataset-name random --max-concurrency 8 "
    "--percentile-metrics ttft,tpot,itl,e2el --save-result --result-filename result.json",
    fills=("model_name", *SERVING_FILLS, "prompt_processing_speed", "itl_ms"),
    lacks=("quantization", "backend", "gpu_model"),
)

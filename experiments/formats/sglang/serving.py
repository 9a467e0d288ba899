"""SGLang's `bench_serving --output-file`: a JSON line a run, with what the server says of itself.

Source: https://github.com/sgl-project/sglang/blob/main/python/sglang/bench_serving.py
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import Field

from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.documents import ParsedFile, Problem, RunDocument, WorkloadDocument
from experiments.formats.numbers import is_number
from experiments.formats.private import hidden_warning, public_settings
from experiments.formats.problems import join_path
from experiments.formats.serving.figures import is_figure, serving_figures
from experiments.formats.serving.fills import SERVING_FILLS
from experiments.formats.serving.rows import TRACE, TRACE_PATTERN, Length, ServingRow, TokenCount
from experiments.formats.serving.runs import (
    PER_REQUEST,
    RunCollector,
    hidden_requests,
    parse_records,
    without_requests,
)
from experiments.formats.sglang import about
from experiments.formats.sglang.server import (
    Server,
    add_memory,
    gpus_used,
    model_of,
    servers_of,
    setup_of,
    version_of,
)
from hardware.resolution import HardwareFacts

TOOL = "sglang.bench_serving"
_RETOKENIZED = "total_output_tokens_retokenized"
_KEYS = {"mean_ttft_ms", "request_throughput"}
# What the client's --backend says of the engine behind it.
_ENGINES = {"sglang": "sglang", "vllm": "vllm", "lmdeploy": "lmdeploy", "trt": "tensorrt-llm"}
_NATIVE = ("sglang", "sglang-native")  # whose answers tell how many tokens a piece has
_FAR_APART = 0.2


class Row(ServingRow):
    """The keys of a run that are neither figures nor settings."""

    backend: str | None = Field(default=None, max_length=100)
    total_output_tokens_retokenized: TokenCount | None = None
    random_input_len: Length = None
    random_output_len: Length = None
    sharegpt_output_len: Length = None

    @property
    def configured(self) -> tuple[int | None, int | None]:
        """Input and output length as configured; SGLang writes those of other datasets, too."""
        dataset = self.dataset_name or ""
        if dataset.startswith("random"):
            return self.random_input_len, self.random_output_len
        return None, self.sharegpt_output_len if dataset == "sharegpt" else None


def _detect(content: Content) -> bool:
    if not content.json[0] or not content.first_record.keys() >= _KEYS:
        return False
    keys = content.first_record.keys()
    return _RETOKENIZED in keys or ("dataset_name" in keys and "model_id" not in keys)


def _parse(content: Content) -> ParsedFile:
    return parse_records(content, add_run)


def add_run(
    found: RunCollector, place: str, record: Mapping[str, Any], *, complete: bool = True
) -> None:
    """Read one record and add its run to those of the file."""
    row = found.read(Row, place, record)
    if row is None:
        return
    servers = servers_of(record.get("server_info"))
    read = {key for key in record if is_figure(key)} | PER_REQUEST | {"server_info"}
    settings, hidden = public_settings(record, skip=read | set(ServingRow.model_fields))
    setup, hidden_of_servers = setup_of(servers, settings)
    if setup.speculation is None and _accepts_drafts(record):
        setup = replace(setup, speculation="method not stated")
    hidden_names = [*hidden, *hidden_of_servers, *hidden_requests(record)]
    found.warnings += [*hidden_warning(place, hidden_names), *_doubts(row, place)]
    figures = serving_figures(
        record, row, place, itl="gaps_by_token" if row.backend in _NATIVE else "all_gaps"
    )
    if row.completed:
        add_memory(figures, servers, place)
    plain = without_requests(record)
    run = RunDocument(
        path=place,
        given_id=None,
        identity_record=plain,
        source_records=(plain,),
        model=model_of(servers, record.get("model_id"), record.get("model")),
        hardware=HardwareFacts(gpu_count=gpus_used(servers)),
        backend=_engine(row, servers),
        backend_version=version_of(servers),
        workload=_workload(row, record),
        setup=setup,
        measurements=(),
        complete=complete,
        tool=TOOL,
        sweep_group=_sweep_group(row, servers, setup.speed_settings, settings),
    )
    found.add(run, figures)


def _engine(row: Row, servers: tuple[Server, ...]) -> str | None:
    """Return what ran the model: SGLang where its server answered, else what the client called."""
    if servers:
        return "sglang"
    return _ENGINES.get((row.backend or "").split("-", 1)[0])


def _workload(row: Row, record: Mapping[str, Any]) -> WorkloadDocument:
    configured_input, configured_output = row.configured
    workload = row.workload(configured_input=configured_input, configured_output=configured_output)
    if record.get("request_rate") != TRACE:
        return workload
    return replace(workload, concurrent_requests=row.max_concurrency, load_pattern=TRACE_PATTERN)


def _doubts(row: Row, place: str) -> list[Problem]:
    """Warn where load and lengths were not those configured, or tokens not those counted."""
    doubts = row.limit_warnings(place)
    lengths = zip(
        ("input", "output"),
        row.configured,
        (row.mean_tokens(row.total_input_tokens), row.mean_tokens(row.total_output_tokens)),
        strict=True,
    )
    for side, configured, mean in lengths:
        if configured and mean and abs(mean - configured) > _FAR_APART * configured:
            message = (
                f"The requests had {mean:.1f} {side} tokens on average, not the {configured} "
                "configured (random_range_ratio draws shorter ones); the mean is what counts."
            )
            doubts.append(Problem(join_path(place, f"total_{side}_tokens"), message, mean))
    counted, again = row.total_output_tokens, row.total_output_tokens_retokenized
    if counted and again is not None and abs(counted - again) > _FAR_APART * counted:
        message = (
            f"The answers have {again:,} tokens when their text is counted again, not {counted:,}: "
            "random texts may, but the server may also have stopped before the length asked for."
        )
        doubts.append(Problem(join_path(place, _RETOKENIZED), message, again))
    return doubts


def _accepts_drafts(record: Mapping[str, Any]) -> bool:
    """Tell whether more than one token was accepted a step, as only speculation does."""
    accepted = record.get("accept_length")
    return is_number(accepted) and accepted > 1


def _sweep_group(
    row: Row, servers: tuple[Server, ...], speed: Mapping[str, Any], settings: Mapping[str, Any]
) -> str:
    """Return what the points of one curve share: servers, dataset, lengths as configured."""
    shared = {
        **speed,
        "models": [server.info.get("model_path") for server in servers],
        "version": version_of(servers),
        "backend": row.backend,
        "dataset": row.dataset_name,
        "lengths": [*row.configured, settings.get("random_range_ratio")],
        "tag": settings.get("tag"),
    }
    return json.dumps(shared, sort_keys=True, default=str)


FORMAT = Format(
    name="sglang-bench-serving",
    title="SGLang bench_serving JSON Lines",
    version=1,
    detect=_detect,
    parse=_parse,
    about=about.SERVING,
    tool="SGLang",
    command="python -m sglang.bench_serving --backend sglang --output-file result.jsonl",
    file_name="result.jsonl",
    fills=(
        *("model_name", "backend", "backend_version", *SERVING_FILLS),
        *("prompt_processing_speed", "itl_ms", "memory_usage_gb"),
    ),
    lacks=("model_name", "quantization", "gpu_model"),
)

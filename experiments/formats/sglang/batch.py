"""SGLang's bench_one_batch and bench_one_batch_server: a JSON line for each batch.

The first times a batch inside the engine, the second through a server.
Sources: https://github.com/sgl-project/sglang/tree/main/python/sglang (bench_one_batch*.py)
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict

from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.documents import (
    ParsedFile,
    WorkloadDocument,
)
from experiments.formats.fields import NotBoolean, PositiveCount
from experiments.formats.figures import Figures
from experiments.formats.numbers import positive
from experiments.formats.problems import join_path
from experiments.formats.serving.runs import RunCollector, parse_rows
from experiments.formats.sglang import about
from experiments.formats.sglang.runs import FILLS, LACKS, Keys, Record, add_run, figures_of

_KEYS = {"batch_size", "input_len", "output_len", "overall_throughput"}
_OVERALL = ("total_tokens_per_second", "mean", "wall_clock", "tok/s")
_WHOLE_BATCH = ("e2e_latency_ms", "mean", "whole_batch", "s")
_ENGINE_FIGURES: Keys = {
    "prefill_latency": ("ttft_ms", "mean", "whole_batch", "s"),
    "prefill_throughput": ("prompt_processing_speed", "mean", "prefill", "tok/s"),
    "median_decode_latency": ("itl_ms", "p50", "decode_steps", "s"),
    "median_decode_throughput": ("tokens_per_second", "p50", "decode", "tok/s"),
    "total_latency": _WHOLE_BATCH,
    "overall_throughput": _OVERALL,
}
_SERVER_FIGURES: Keys = {
    "latency": _WHOLE_BATCH,
    "last_ttft": ("ttft_ms", "mean", "whole_batch", "s"),
    "input_throughput": ("prompt_processing_speed", "mean", "prefill", "tok/s"),
    "output_throughput": ("tokens_per_second", "mean", "decode", "tok/s"),
    "overall_throughput": _OVERALL,
}
# Until 2025 the server's version divided by the whole latency, the time of the prompts included.
_OLD_SERVER_FIGURES: Keys = {
    **_SERVER_FIGURES,
    "output_throughput": ("tokens_per_second", "mean", "wall_clock", "tok/s"),
}


class _Batch(BaseModel):
    """One batch: every request has the same lengths."""

    model_config = ConfigDict(extra="allow", protected_namespaces=())

    batch_size: Annotated[PositiveCount, NotBoolean]
    input_len: Annotated[PositiveCount, NotBoolean]
    output_len: Annotated[PositiveCount, NotBoolean]


def _detect(content: Content) -> bool:
    return bool(content.json[0]) and content.first_record.keys() >= _KEYS


def _parse(content: Content) -> ParsedFile:
    return parse_rows(content, _Batch, _add_batch)


def _add_batch(found: RunCollector, place: str, record: Record, row: _Batch) -> None:
    if "latency" not in record:
        tool = "sglang.bench_one_batch"
        keys = _ENGINE_FIGURES
    else:
        tool = "sglang.bench_one_batch_server"
        keys = _SERVER_FIGURES if "last_ttft" in record else _OLD_SERVER_FIGURES
        if row.output_len == 1 and keys is _SERVER_FIGURES:  # nothing was decoded
            keys = {key: what for key, what in keys.items() if key != "output_throughput"}
    figures = figures_of(record, keys, place)
    if keys is _ENGINE_FIGURES:
        _add_mean_decode_speed(figures, record, row, place)
    workload = WorkloadDocument(
        load_kind="batch",
        concurrent_requests=row.batch_size,
        batch_size=row.batch_size,
        input_tokens=row.input_len,
        output_tokens=row.output_len,
    )
    add_run(
        found,
        place,
        record,
        tool,
        workload,
        figures,
        skip={*_SERVER_FIGURES, *keys, *_Batch.model_fields},
    )


def _add_mean_decode_speed(figures: Figures, record: Record, row: _Batch, place: str) -> None:
    """Derive the mean speed of the decode steps, which the tool states as a median only.

    The first token of each request comes with the prefill; the steps take the rest of the time.
    """
    total, prefill = positive(record.get("total_latency")), positive(record.get("prefill_latency"))
    if total is None or prefill is None or row.output_len < 2 or not prefill < total:
        return
    figures.add(
        "tokens_per_second",
        row.batch_size * (row.output_len - 1) / (total - prefill),
        "tok/s",
        at=join_path(place, "total_latency"),
        definition="decode",
        derived_from=("batch_size", "output_len", "total_latency", "prefill_latency"),
    )


FORMAT = Format(
    name="sglang-one-batch",
    title="SGLang bench_one_batch and bench_one_batch_server JSON Lines",
    version=1,
    detect=_detect,
    parse=_parse,
    about=about.BATCH,
    tool="SGLang",
    command="python -m sglang.bench_one_batch --model-path MODEL --result-filename batch.jsonl",
    file_name="batch.jsonl",
    fills=(*FILLS, "e2e_latency_ms"),
    lacks=LACKS,
)

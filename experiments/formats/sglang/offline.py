"""SGLang's bench_offline_throughput: all requests handed over at once, a JSON line a run.

Source: https://github.com/sgl-project/sglang/blob/main/python/sglang/bench_offline_throughput.py
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict

from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.documents import ParsedFile, WorkloadDocument
from experiments.formats.fields import NotBoolean, PositiveCount
from experiments.formats.loads import ALL_AT_ONCE
from experiments.formats.serving.rows import TokenCount
from experiments.formats.serving.runs import RunCollector, parse_rows
from experiments.formats.sglang import about
from experiments.formats.sglang.runs import FILLS, LACKS, Keys, add_run, figures_of

_KEYS = {
    "last_gen_throughput",
    "total_input_tokens",
    "total_latency",
    "total_output_tokens",
    "total_throughput",
}
_FIGURES: Keys = {
    "request_throughput": ("requests_per_second", "mean", "wall_clock", "req/s"),
    "input_throughput": ("prompt_processing_speed", "mean", "wall_clock", "tok/s"),
    "output_throughput": ("tokens_per_second", "mean", "wall_clock", "tok/s"),
    "total_throughput": ("total_tokens_per_second", "mean", "wall_clock", "tok/s"),
}


class _Row(BaseModel):
    """The counts of an invocation."""

    model_config = ConfigDict(extra="allow", protected_namespaces=())

    successful_requests: Annotated[PositiveCount, NotBoolean]
    total_input_tokens: TokenCount
    total_output_tokens: TokenCount


def _detect(content: Content) -> bool:
    return bool(content.json[0]) and content.first_record.keys() >= _KEYS


def _parse(content: Content) -> ParsedFile:
    return parse_rows(content, _Row, _add)


def _add(found: RunCollector, place: str, record: Mapping[str, Any], row: _Row) -> None:
    requests = row.successful_requests
    workload = WorkloadDocument(
        load_kind="batch",
        concurrent_requests=requests,
        load_pattern=ALL_AT_ONCE,
        input_tokens=row.total_input_tokens / requests or None,
        output_tokens=row.total_output_tokens / requests or None,
    )
    figures = figures_of(record, _FIGURES, place, sample_count=requests)
    skip = {*_FIGURES, *_Row.model_fields, "total_latency"}
    tool = "sglang.bench_offline_throughput"
    add_run(found, place, record, tool, workload, figures, skip=skip)


FORMAT = Format(
    name="sglang-offline-throughput",
    title="SGLang bench_offline_throughput JSON Lines",
    version=1,
    detect=_detect,
    parse=_parse,
    about=about.OFFLINE,
    tool="SGLang",
    command="python -m sglang.bench_offline_throughput --model-path MODEL "
    "--result-filename offline.jsonl",
    file_name="offline.jsonl",
    fills=(*FILLS, "requests_per_second"),
    lacks=LACKS,
)

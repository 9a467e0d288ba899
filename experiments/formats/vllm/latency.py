"""`vllm bench latency --output-json`: how long a whole batch takes, in seconds.

Source: https://github.com/vllm-project/vllm/blob/main/vllm/benchmarks/latency.py
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict

from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.documents import ParsedFile, WorkloadDocument
from experiments.formats.fields import NotBoolean
from experiments.formats.figures import Figures
from experiments.formats.problems import join_path
from experiments.formats.serving.runs import RunCollector, parse_rows
from experiments.formats.vllm import about
from experiments.formats.vllm.offline import add_offline_run, stated_lengths
from experiments.formats.vllm.settings import length

_KEYS = {"avg_latency", "latencies", "percentiles"}
_BATCH = ("batch_size", "batch")


class _Row(BaseModel):
    """The keys of a result; `latencies` are one for each iteration, and none where cut out."""

    model_config = ConfigDict(extra="allow")

    avg_latency: Annotated[float, NotBoolean]
    latencies: list[float | None]
    percentiles: dict[str, float | None]


def _detect(content: Content) -> bool:
    return bool(content.json[0]) and content.first_record.keys() >= _KEYS


def _parse(content: Content) -> ParsedFile:
    return parse_rows(content, _Row, _add)


def _add(found: RunCollector, place: str, record: Mapping[str, Any], row: _Row) -> None:
    figures = Figures(sample_count=len(row.latencies) or None)
    figures.add(
        "e2e_latency_ms",
        row.avg_latency,
        "s",
        at=join_path(place, "avg_latency"),
        definition="whole_batch",
    )
    for percentile, seconds in row.percentiles.items():
        figures.add(
            "e2e_latency_ms",
            seconds,
            "s",
            at=join_path(place, "percentiles", percentile),
            statistic=percentile,
            definition="whole_batch",
        )
    batch_size = length(record, *_BATCH)
    input_tokens, output_tokens = stated_lengths(record)
    workload = WorkloadDocument(
        load_kind="batch",
        concurrent_requests=batch_size,
        batch_size=batch_size,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
    )
    add_offline_run(
        found,
        place,
        record,
        tool="vllm bench latency",
        workload=workload,
        figures=figures,
        skip={*_Row.model_fields, *_BATCH},
    )


FORMAT = Format(
    name="vllm-bench-latency",
    title="vLLM bench latency JSON",
    version=1,
    detect=_detect,
    parse=_parse,
    about=about.LATENCY,
    tool="vLLM",
    command="vllm bench latency --model MODEL --output-json latency.json",
    file_name="latency.json",
    fills=("e2e_latency_ms",),
    lacks=("model_name", "quantization", "backend", "gpu_model"),
)

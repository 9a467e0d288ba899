"""`vllm bench throughput --output-json`: all requests handed over at once, in and out together.

Its tokens per second count prompt and generated tokens; the newest files say both apart.
Source: https://github.com/vllm-project/vllm/blob/main/vllm/benchmarks/throughput.py
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict

from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.documents import ParsedFile, WorkloadDocument
from experiments.formats.fields import NotBoolean, PositiveCount
from experiments.formats.figures import Figures
from experiments.formats.loads import ALL_AT_ONCE
from experiments.formats.problems import join_path
from experiments.formats.serving.rows import TokenCount
from experiments.formats.serving.runs import RunCollector, parse_rows
from experiments.formats.vllm import about
from experiments.formats.vllm.offline import add_offline_run, stated_lengths

_KEYS = {"elapsed_time", "num_requests", "total_num_tokens", "requests_per_second"}
_WALL_CLOCK = "wall_clock"
_RATES = {
    "requests_per_second": ("requests_per_second", "req/s"),
    "tokens_per_second": ("total_tokens_per_second", "tok/s"),
    "output_tokens_per_second": ("tokens_per_second", "tok/s"),
}


class _Row(BaseModel):
    """The keys of a result; only the newest tell prompt and generated tokens apart."""

    model_config = ConfigDict(extra="allow")

    elapsed_time: Annotated[float, NotBoolean]
    num_requests: Annotated[PositiveCount, NotBoolean]
    total_num_tokens: TokenCount
    total_prompt_tokens: TokenCount | None = None
    total_output_tokens: TokenCount | None = None


def _detect(content: Content) -> bool:
    return bool(content.json[0]) and content.first_record.keys() >= _KEYS


def _parse(content: Content) -> ParsedFile:
    return parse_rows(content, _Row, _add)


def _add(found: RunCollector, place: str, record: Mapping[str, Any], row: _Row) -> None:
    prompt_tokens, output_tokens = _tokens(record, row)
    add_offline_run(
        found,
        place,
        record,
        tool="vllm bench throughput",
        workload=WorkloadDocument(
            load_kind="batch",
            concurrent_requests=row.num_requests,
            load_pattern=ALL_AT_ONCE,
            input_tokens=prompt_tokens / row.num_requests if prompt_tokens else None,
            output_tokens=output_tokens / row.num_requests if output_tokens else None,
        ),
        figures=_figures(record, row, place, output_tokens),
        skip={*_Row.model_fields, *_RATES},
    )


def _figures(
    record: Mapping[str, Any], row: _Row, place: str, output_tokens: int | None
) -> Figures:
    figures = Figures(sample_count=row.num_requests)
    for key, (metric, unit) in _RATES.items():
        at = join_path(place, key)
        figures.add(metric, record.get(key), unit, at=at, definition=_WALL_CLOCK)
    if "output_tokens_per_second" not in record and output_tokens and row.elapsed_time > 0:
        figures.add(
            "tokens_per_second",
            output_tokens / row.elapsed_time,
            "tok/s",
            at=join_path(place, "elapsed_time"),
            definition=_WALL_CLOCK,
            derived_from=("generated tokens", "elapsed_time"),
        )
    return figures


def _tokens(record: Mapping[str, Any], row: _Row) -> tuple[int | None, int | None]:
    """Return all prompt and all generated tokens.

    Lengths that a script noted count if they make up the total; otherwise they are not those of
    these requests.
    """
    if row.total_output_tokens is not None:
        prompt_tokens = row.total_num_tokens - row.total_output_tokens
        return row.total_prompt_tokens or max(prompt_tokens, 0), row.total_output_tokens
    of_input, of_output = stated_lengths(record)
    if of_input is None or of_output is None:
        return None, None
    if row.num_requests * (of_input + of_output) != row.total_num_tokens:
        return None, None
    return row.num_requests * of_input, row.num_requests * of_output


FORMAT = Format(
    name="vllm-bench-throughput",
    title="vLLM bench throughput JSON",
    version=1,
    detect=_detect,
    parse=_parse,
    about=about.THROUGHPUT,
    tool="vLLM",
    command="vllm bench throughput --model MODEL --output-json throughput.json",
    file_name="throughput.json",
    fills=("concurrent_requests", "total_tokens_per_second", "requests_per_second"),
    lacks=("model_name", "quantization", "backend", "gpu_model"),
)

"""One summary of llmperf: its keys, checked, and its figures.

Times are in seconds. Per request, llmperf divides tokens by the whole latency, TTFT included, and
its inter-token latency is the whole latency divided by the tokens: a TPOT with the first token.
Source: https://github.com/ray-project/llmperf/blob/main/token_benchmark_ray.py
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from experiments.formats.documents import Problem
from experiments.formats.fields import Count, EpochTime, NotBoolean
from experiments.formats.figures import Figures
from experiments.formats.numbers import positive
from experiments.formats.problems import join_path

SECONDS_PER_MINUTE = 60
# Where these shares are passed, figures contradict each other.
_NOT_STREAMED_FROM = 0.9
_CHUNKS_BELOW = 0.8
_FIGURES = {
    "ttft_s": ("ttft_ms", "client", "s"),
    "inter_token_latency_s": ("tpot_ms", "incl_first", "s"),
    "end_to_end_latency_s": ("e2e_latency_ms", "client", "s"),
    "request_output_throughput_token_per_s": (
        "tokens_per_second_per_user", "per_request_e2e", "tok/s",
    ),
}  # fmt: skip
_KEY = re.compile(rf"results_({'|'.join(_FIGURES)})_(?:quantiles_)?(p\d+|mean|min|max|stddev)")
_NOT_STREAMED = (
    "The first token came with the last: the answers were not streamed, and this is no time to a "
    "first token."
)
_CHUNKS = (
    "Tokens a second × latency is far below the tokens of an answer: the tool counted chunks, of "
    "which one holds many tokens. This is not how fast a user reads."
)
_FEWER = "Fewer requests were sent than may be in flight: that many never were."

Number = Annotated[float, NotBoolean]


def _count_of_number(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[Count, BeforeValidator(_count_of_number), NotBoolean]


class Summary(BaseModel):
    """The keys of a summary that say what ran; every other is a figure or a setting."""

    model_config = ConfigDict(extra="allow", protected_namespaces=())

    version: str | None = Field(default=None, max_length=200)
    model: str | None = Field(default=None, max_length=500)
    mean_input_tokens: Whole | None = None
    mean_output_tokens: Whole | None = None
    num_concurrent_requests: Whole | None = None
    timestamp: EpochTime | None = None
    results_num_requests_started: Whole | None = None
    results_number_errors: Whole | None = None
    results_num_completed_requests: Whole
    results_number_input_tokens_mean: Number | None = None
    results_number_output_tokens_mean: Number | None = None

    @property
    def failed(self) -> int | None:
        """How many requests failed, None where it is not known."""
        if self.results_number_errors is not None:
            return self.results_number_errors
        if self.results_num_requests_started is None:
            return None
        return max(self.results_num_requests_started - self.results_num_completed_requests, 0)


def is_result(key: str) -> bool:
    """Tell whether a key is an outcome, not a setting."""
    return key.startswith("results_")


def summary_figures(record: Mapping[str, Any], summary: Summary, place: str) -> Figures:
    """Return the figures of a summary; one without a completed request has its failures only."""
    figures = Figures(sample_count=summary.results_num_completed_requests)
    figures.add_error_rate(
        summary.results_num_completed_requests,
        summary.failed,
        at=join_path(place, "results_number_errors"),
    )
    if not summary.results_num_completed_requests:
        return figures
    for key, value in record.items():
        if found := _KEY.fullmatch(key):
            metric, definition, unit = _FIGURES[found[1]]
            at = join_path(place, key)
            figures.add(metric, value, unit, at=at, statistic=found[2], definition=definition)
    for key, metric, unit in (
        ("results_mean_output_throughput_token_per_s", "tokens_per_second", "tok/s"),
        ("results_num_completed_requests_per_min", "requests_per_second", "req/min"),
    ):
        at = join_path(place, key)
        figures.add(metric, record.get(key), unit, at=at, definition="wall_clock")
    figures.warnings += _contradictions(record, summary, place)
    return figures


def _contradictions(record: Mapping[str, Any], summary: Summary, place: str) -> list[Problem]:
    """Return a warning for each figure that cannot be what its name says."""
    warnings = []
    first, whole, speed = (
        positive(record.get(f"results_{name}_mean"))
        for name in ("ttft_s", "end_to_end_latency_s", "request_output_throughput_token_per_s")
    )
    tokens = positive(summary.results_number_output_tokens_mean)
    if first and whole and first >= _NOT_STREAMED_FROM * whole:
        at = join_path(place, "results_ttft_s_mean")
        warnings.append(Problem(at, _NOT_STREAMED, first))
    if speed and whole and tokens and speed * whole < _CHUNKS_BELOW * tokens:
        at = join_path(place, "results_request_output_throughput_token_per_s_mean")
        warnings.append(Problem(at, _CHUNKS, speed))
    sent, limit = summary.results_num_requests_started, summary.num_concurrent_requests
    if sent and limit and sent < limit:
        at = join_path(place, "num_concurrent_requests")
        warnings.append(Problem(at, _FEWER, f"{sent} sent, {limit} allowed"))
    return warnings

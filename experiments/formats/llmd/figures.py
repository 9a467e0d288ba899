"""The figures of an llm-d benchmark report, each under the definition of the tool that measured.

The report names a unit with every figure, but not how it was computed. Sources: llm-d's
`native_to_br0_1.py` and `native_to_br0_2.py` say which figure of a tool goes where.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from experiments.formats import wall_clock
from experiments.formats.documents import Problem
from experiments.formats.fields import Count
from experiments.formats.figures import Figures
from experiments.formats.numbers import positive
from experiments.formats.problems import join_path
from experiments.formats.wall_clock import add_wall_clock, doubt_stated_rate

FILLS = (
    *("concurrent_requests", "input_tokens", "output_tokens", "tokens_per_second"),
    *("prompt_processing_speed", "total_tokens_per_second", "requests_per_second"),
    *("ttft_ms", "tpot_ms", "itl_ms", "e2e_latency_ms", "error_rate"),
)
GUIDELLM = "guidellm"
_WALL_CLOCK_TOOLS = ("vllm-benchmark", "inferencemax", "inference-perf", "aiperf")
_RATES = {
    "output_token_rate": "tokens_per_second",
    "input_token_rate": "prompt_processing_speed",
    "total_token_rate": "total_tokens_per_second",
    "request_rate": "requests_per_second",
}
FLAT_RATES = {
    "input_tokens_per_sec": ("input_token_rate", "tokens/s"),
    "output_tokens_per_sec": ("output_token_rate", "tokens/s"),
    "total_tokens_per_sec": ("total_token_rate", "tokens/s"),
    "requests_per_sec": ("request_rate", "queries/s"),
}
"""Rates that older reports give as bare numbers: the names and units of the newer ones."""
# Tools whose inter-token latency is a mean for each request: what others call TPOT.
_ITL_IS_TPOT = (GUIDELLM, "aiperf")
_ITL_OVER_GAPS = ("vllm-benchmark", "inferencemax", "inference-perf")
_FIRST_GUIDELLM = ("0.2", "0.3", "v0.2", "v0.3")
_DECIMAL = re.compile(r"p(\d+)p(\d+)")
_BOTH = "{tool} has one such figure: inter_token_latency is kept, time_per_output_token left out."


class Statistics(BaseModel):
    """The statistics of one figure in a unit of its own."""

    model_config = ConfigDict(extra="allow", strict=True)

    units: str
    mean: Any = None

    def all(self) -> dict[str, Any]:
        """Return the figures by statistic: `p0p1` is the percentile 0.1; a mode is none."""
        named = {key.lower(): value for key, value in (self.model_extra or {}).items()}
        named.pop("mode", None)
        return {"mean": self.mean} | {
            _DECIMAL.sub(r"p\1.\2", key): value for key, value in named.items()
        }


class Requests(BaseModel):
    """How many requests were sent and what became of them, and how long they were."""

    model_config = ConfigDict(extra="allow", strict=True)

    total: Count
    failures: Count | None = None
    incomplete: Count | None = None
    input_length: Statistics | None = None
    output_length: Statistics | None = None

    @property
    def completed(self) -> int:
        """How many requests were answered."""
        return max(0, self.total - (self.failures or 0) - (self.incomplete or 0))


class Latency(BaseModel):
    """How long requests took."""

    model_config = ConfigDict(extra="allow", strict=True)

    request_latency: Statistics | None = None
    time_to_first_token: Statistics | None = None
    time_per_output_token: Statistics | None = None
    normalized_time_per_output_token: Statistics | None = None
    inter_token_latency: Statistics | None = None


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a report measured, where it stands, and with what."""

    place: str
    tool: str
    tool_version: str | None
    requests: Requests
    latency: Latency
    throughput: Mapping[str, Statistics]
    seconds: float | None


def figures_of(measured: Measured) -> Figures:
    """Return the figures of a report; of rates the mean alone is a rate of the benchmark."""
    figures = Figures(sample_count=measured.requests.completed)
    definition = None
    if measured.tool in _WALL_CLOCK_TOOLS:
        definition = "wall_clock"
    elif measured.tool == GUIDELLM:
        definition = "rate_over_time"
    at = join_path(measured.place, "throughput")
    for name, metric in _RATES.items():
        if found := measured.throughput.get(name):
            where = join_path(at, name, "mean")
            figures.add(metric, found.mean, found.units, at=where, definition=definition)
    if measured.tool == GUIDELLM:
        _add_wall_clock(figures, measured)
    for name, (metric, kind) in _latencies(measured, figures).items():
        if found := getattr(measured.latency, name):
            for statistic, value in found.all().items():
                where = join_path(measured.place, "latency", name, statistic)
                figures.add(
                    metric, value, found.units, at=where, statistic=statistic, definition=kind
                )
    requests = measured.requests
    where = join_path(measured.place, "requests")
    figures.add_error_rate(requests.completed, requests.failures, at=where)
    return figures


def _latencies(measured: Measured, figures: Figures) -> dict[str, tuple[str, str | None]]:
    """Return metric and definition of each latency, as the tool that measured computes it."""
    tool = measured.tool
    is_first = tool == GUIDELLM and (measured.tool_version or "").startswith(_FIRST_GUIDELLM)
    found: dict[str, tuple[str, str | None]] = {
        "request_latency": ("e2e_latency_ms", "client"),
        "time_to_first_token": ("ttft_ms", "client"),
        "inter_token_latency": ("itl_ms", "all_gaps" if tool in _ITL_OVER_GAPS else None),
        "time_per_output_token": ("tpot_ms", "excl_first"),
        "normalized_time_per_output_token": (
            "tpot_ms",
            "decode_over_all" if is_first else "incl_first",
        ),
    }
    if tool in _ITL_IS_TPOT:
        found["inter_token_latency"] = ("tpot_ms", "excl_first")
        latency = measured.latency
        if latency.inter_token_latency and latency.time_per_output_token:
            where = join_path(measured.place, "latency", "time_per_output_token")
            figures.warnings.append(Problem(where, _BOTH.format(tool=tool)))
            del found["time_per_output_token"]
    return found


def _add_wall_clock(figures: Figures, measured: Measured) -> None:
    requests = measured.requests
    totals = wall_clock.Totals(
        tool="GuideLLM",
        seconds=measured.seconds,
        requests=requests.completed,
        prompt_tokens=_total(requests.input_length, requests.completed),
        generated_tokens=_total(requests.output_length, requests.completed),
    )
    add_wall_clock(figures, totals, at=join_path(measured.place, "requests"))
    for name in ("output_token_rate", "total_token_rate"):
        if stated := measured.throughput.get(name):
            where = join_path(measured.place, "throughput", name, "mean")
            doubt_stated_rate(figures, totals, _RATES[name], stated.mean, at=where)


def _total(length: Statistics | None, completed: int) -> float | None:
    mean = mean_of(length)
    return mean * completed if mean else None


def mean_of(length: Statistics | None) -> float | None:
    """Return the mean length of requests, None where it can be none."""
    return positive(length.mean, below=2**31) if length else None

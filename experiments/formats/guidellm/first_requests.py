"""The requests of a benchmark of GuideLLM 0.1, and the figures over them.

Source of the formulas: `guidellm/core/result.py` of 0.1.0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from experiments.formats.documents import Problem
from experiments.formats.fields import Count
from experiments.formats.figures import Figures
from experiments.formats.guidellm.samples import statistics_of
from experiments.formats.problems import join_path

_WORDS = (
    "As many tokens as words in every answer: GuideLLM 0.1 counts words where the server states no "
    "tokens; check the token figures."
)
_RESULTS = ("results",)


class _Gaps(BaseModel):
    data: list[float] = Field(default_factory=list)


class Result(BaseModel):
    """One request that succeeded; `first_token_time` is how long it took, in seconds."""

    model_config = ConfigDict(strict=True)

    start_time: float
    end_time: float
    first_token_time: float | None = None
    decode_times: _Gaps | None = None
    prompt_token_count: Count = 0
    output_token_count: Count = 0
    output_word_count: Count = 0


class Benchmark(BaseModel):
    """A benchmark: how requests were sent, each that succeeded, each that failed."""

    model_config = ConfigDict(strict=True)

    mode: str
    rate: float | None = None
    results: list[Result]
    errors: list[Any]


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A benchmark, where it stands, and the arguments of its report."""

    place: str
    benchmark: Benchmark
    args: Mapping[str, Any]

    @property
    def seconds(self) -> float:
        """From the first request sent to the last one answered."""
        results = self.benchmark.results
        return max(item.end_time for item in results) - min(item.start_time for item in results)

    @property
    def in_flight(self) -> float | None:
        """How many requests were in flight on average: all their time by the time that passed."""
        together = sum(item.end_time - item.start_time for item in self.benchmark.results)
        return together / self.seconds if self.seconds > 0 else None


def figures_of(item: Placed) -> Figures:
    """Make the figures of all requests of a benchmark."""
    results = item.benchmark.results
    figures = Figures(sample_count=len(results))
    at = join_path(item.place, "results")
    figures.add_error_rate(len(results), len(item.benchmark.errors), at=at)
    if not results:
        return figures
    gaps = [gap for one in results for gap in (one.decode_times.data if one.decode_times else ())]
    firsts = [one.first_token_time for one in results if one.first_token_time is not None]
    ends = [one.end_time - one.start_time for one in results]
    for metric, definition, values in (
        ("ttft_ms", "client", firsts),
        ("itl_ms", "all_gaps", gaps),
        ("e2e_latency_ms", "client", ends),
    ):
        for statistic, value in statistics_of(values).items():
            figures.add(
                metric, value, "s", at=at, statistic=statistic, definition=definition,
                sample_count=len(values), derived_from=_RESULTS,
            )  # fmt: skip
    generated = sum(one.output_token_count for one in results)
    prompts = sum(one.prompt_token_count for one in results)
    if item.seconds > 0:
        for metric, amount, unit in (
            ("tokens_per_second", generated, "tok/s"),
            ("total_tokens_per_second", generated + prompts, "tok/s"),
            ("requests_per_second", len(results), "req/s"),
        ):
            figures.add(
                metric, amount / item.seconds, unit, at=at, definition="wall_clock",
                derived_from=_RESULTS,
            )  # fmt: skip
        figures.add("mean_concurrency", item.in_flight, "requests", at=at, derived_from=_RESULTS)
    if all(one.output_token_count == one.output_word_count > 1 for one in results):
        figures.warnings.append(Problem(at, _WORDS))
    return figures

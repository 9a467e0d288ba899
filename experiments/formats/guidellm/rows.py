"""A benchmark of a GuideLLM report as the tool writes it, 0.2 and later: its fields by name."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from experiments.formats.fields import AnyTime, Count, PositiveCount

# GuideLLM names percentiles p001 … p999; the middle ones are named as everywhere.
_STATISTICS = {
    "mean": "mean", "median": "p50", "std_dev": "std", "min": "min", "max": "max",
}  # fmt: skip
_PERCENTILES = {
    "p001": "p0.1", "p01": "p1", "p05": "p5", "p10": "p10", "p25": "p25", "p75": "p75",
    "p90": "p90", "p95": "p95", "p99": "p99", "p999": "p99.9",
}  # fmt: skip


class _Tolerant(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)


class Strategy(_Tolerant):
    """How requests were scheduled: `rate` in requests per second, `streams` at a time."""

    type_: str
    rate: float | None = None
    streams: PositiveCount | None = None
    max_concurrency: PositiveCount | None = None


class Totals(_Tolerant):
    """How many requests ended how; incomplete ones were cut off when the benchmark ended."""

    successful: Count
    errored: Count = 0
    incomplete: Count = 0


class Distribution(_Tolerant):
    """What GuideLLM says of one metric over the requests of one outcome; figures as they came."""

    mean: Any = None
    median: Any = None
    std_dev: Any = None
    min: Any = None
    max: Any = None
    count: float | None = None
    total_sum: float | None = None
    percentiles: dict[str, Any] | None = None

    def statistics(self) -> dict[str, tuple[str, Any]]:
        """Return the place and the figure of each statistic, by the name the site gives it."""
        found = {name: (key, getattr(self, key)) for key, name in _STATISTICS.items()}
        for key, name in _PERCENTILES.items():
            found[name] = (f"percentiles.{key}", (self.percentiles or {}).get(key))
        return found


class ByOutcome(_Tolerant):
    """A metric over the requests of each outcome; only those that succeeded are read."""

    successful: Distribution | None = None


class Metrics(_Tolerant):
    """The metrics that are read; the others (words, characters, images …) are no LLM figures."""

    request_totals: Totals | None = None
    requests_per_second: ByOutcome | None = None
    request_concurrency: ByOutcome | None = None
    request_latency: ByOutcome | None = None
    request_goodput: ByOutcome | None = None
    prompt_token_count: ByOutcome | None = None
    output_token_count: ByOutcome | None = None
    time_to_first_token_ms: ByOutcome | None = None
    time_to_first_output_token_ms: ByOutcome | None = None
    time_per_output_token_ms: ByOutcome | None = None
    inter_token_latency_ms: ByOutcome | None = None
    prompt_tokens_per_second: ByOutcome | None = None
    output_tokens_per_second: ByOutcome | None = None
    tokens_per_second: ByOutcome | None = None

    def successful(self, name: str) -> Distribution | None:
        """Return a metric over the requests that succeeded, None where the file has none."""
        outcomes: ByOutcome | None = getattr(self, name)
        return outcomes.successful if outcomes else None


class _Setup(_Tolerant):
    """Where a benchmark says what it was to do: `config` from 0.4 on, `args` before."""

    id_: str | None = None
    run_id: str | None = None
    strategy: Strategy
    profile: dict[str, Any] = Field(default_factory=dict)
    requests: dict[str, Any] = Field(default_factory=dict)
    backend: dict[str, Any] = Field(default_factory=dict)


class Row(_Tolerant):
    """A benchmark. What only some versions write is None where the file lacks it."""

    type_: str | None = None
    id_: str | None = None
    run_id: str | None = None
    config: _Setup | None = None
    args: _Setup | None = None
    worker: dict[str, Any] = Field(default_factory=dict)
    request_loader: dict[str, Any] = Field(default_factory=dict)
    request_totals: Totals | None = None
    metrics: Metrics
    start_time: AnyTime | None = None
    duration: float | None = None

    @property
    def setup(self) -> _Setup | None:
        """What the benchmark was to do."""
        return self.config or self.args

    @property
    def is_first_schema(self) -> bool:
        """Whether this is the schema of 0.2 and 0.3."""
        return self.config is None

    @property
    def totals(self) -> Totals | None:
        """How many requests ended how."""
        return self.metrics.request_totals or self.request_totals

    @property
    def models(self) -> tuple[Any, ...]:
        """The names that the benchmark gives its model."""
        backend: Mapping[str, Any] = self.config.backend if self.config else {}
        return backend.get("model"), self.worker.get("backend_model")

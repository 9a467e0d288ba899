"""What the serving benchmarks of vLLM and SGLang both write of a run: counts and load."""

import math
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from experiments.formats.documents import Problem, WorkloadDocument
from experiments.formats.fields import Count, NotBoolean, PositiveCount
from experiments.formats.loads import ClientLoad, serving_workload
from experiments.formats.problems import join_path

_RATE = 'A rate is a number of requests per second above 0, or "inf".'
# Words for "when the trace says", which is a rate of its own for every request.
TRACE = "trace"
TRACE_PATTERN = "timestamps of a trace"


def _rate(value: Any) -> Any:
    """Read a rate; what is sent by the timestamps of a trace, or at no known rate, has none."""
    if value is None or value == TRACE:
        return None
    try:
        rate = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(_RATE) from None
    if not rate > 0:
        raise ValueError(_RATE)
    return rate


Rate = Annotated[float | None, BeforeValidator(_rate)]
TokenCount = Annotated[int, Field(ge=0, lt=10**15), NotBoolean]
Length = Annotated[PositiveCount | None, NotBoolean]


class ServingRow(BaseModel):
    """The counts and the load of a run; every other key is a figure or a setting."""

    model_config = ConfigDict(extra="allow", protected_namespaces=())

    completed: Annotated[Count, NotBoolean]
    failed: Annotated[Count | None, NotBoolean] = None
    num_prompts: Annotated[Count | None, NotBoolean] = None
    duration: Annotated[float | None, NotBoolean] = None
    total_input_tokens: TokenCount | None = None
    total_output_tokens: TokenCount | None = None
    request_rate: Rate = None
    max_concurrency: Annotated[PositiveCount | None, NotBoolean] = None
    burstiness: Annotated[float | None, NotBoolean] = None
    dataset_name: str | None = Field(default=None, max_length=200)

    @property
    def requests_failed(self) -> int | None:
        """How many requests failed; those that are not completed where the file has no count."""
        if self.failed is not None or self.num_prompts is None:
            return self.failed
        return max(self.num_prompts - self.completed, 0)

    @property
    def requests_sent(self) -> int:
        """How many requests there were."""
        return max(self.completed + (self.requests_failed or 0), self.num_prompts or 0)

    @property
    def limit(self) -> int | None:
        """How many requests may be in flight; None where there were too few to reach the limit."""
        reachable = self.max_concurrency is None or self.max_concurrency <= self.requests_sent
        return self.max_concurrency if reachable or not self.requests_sent else None

    def limit_warnings(self, place: str) -> list[Problem]:
        """Return a warning where the limit was above the number of requests."""
        if self.limit == self.max_concurrency:
            return []
        message = (
            f"Only {self.requests_sent} requests were sent: the limit of {self.max_concurrency} in "
            "flight was never reached, and they count as sent all at once."
        )
        return [Problem(join_path(place, "max_concurrency"), message, self.max_concurrency)]

    def mean_tokens(self, total: int | None) -> float | None:
        """Return the mean of a completed request; None where nothing was counted."""
        return total / self.completed if total and self.completed else None

    def workload(
        self, *, configured_input: int | None = None, configured_output: int | None = None
    ) -> WorkloadDocument:
        """Return the load with the real mean lengths and the configured ones."""
        load = ClientLoad(
            rate=self.request_rate,
            limit=self.limit,
            requests=self.requests_sent,
            burstiness=self.burstiness,
        )
        return serving_workload(
            load,
            input_tokens=self.mean_tokens(self.total_input_tokens),
            output_tokens=self.mean_tokens(self.total_output_tokens),
            configured_input_tokens=configured_input,
            configured_output_tokens=configured_output,
            dataset_name=self.dataset_name,
        )

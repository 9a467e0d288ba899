"""The sections of an llm-d benchmark report 0.2 and 0.2.1 that are read."""

import re
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from experiments.formats.fields import Count, OptionalName, PositiveCount, Time
from experiments.formats.llmd.figures import Latency, Requests, Statistics

_DURATION = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?")
_SECONDS = (3600, 60, 1)


class _Tolerant(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)


class RunTime(_Tolerant):
    """When a run was, and how long."""

    start: Time | None = None
    duration: str | None = None

    @property
    def seconds(self) -> float | None:
        """The duration, of ISO 8601 as the converters write it."""
        found = _DURATION.fullmatch(self.duration or "")
        parts = found.groups() if found else ()
        seconds = sum(
            float(part) * unit for part, unit in zip(parts, _SECONDS, strict=False) if part
        )
        return seconds or None


class Run(_Tolerant):
    """The run: its ids, when it was."""

    uid: str | None = None
    eid: str | None = None
    time: RunTime = Field(default_factory=RunTime)
    description: str | None = None


class Accelerator(_Tolerant):
    """Accelerators of one replica, and how the model is spread over them."""

    model: str | None = None
    count: Count = 0
    parallelism: dict[str, Count] = Field(default_factory=dict)


class Named(_Tolerant):
    """A thing with a name."""

    name: str | None = None


class Standardized(_Tolerant):
    """What is known alike of every inference engine."""

    kind: str | None = None
    tool: str | None = None
    tool_version: OptionalName | None = None
    role: str | None = None
    replicas: PositiveCount = 1
    model: Named = Field(default_factory=Named)
    accelerator: Accelerator = Field(default_factory=Accelerator)


class Native(_Tolerant):
    """A component or a load in the words of the tool itself."""

    args: dict[str, Any] | None = None
    envars: dict[str, Any] | None = None
    config: Any = None


def _kind_of(value: Any) -> str:
    """Tell engines from routers and the like, which answer no requests and are not read."""
    is_engine = isinstance(value, dict) and value.get("kind") == "inference_engine"
    return "engine" if is_engine else "other"


class Component(_Tolerant):
    """A part of what was measured: an engine, a router …"""

    standardized: Annotated[
        Annotated[Standardized, Tag("engine")] | Annotated[Any, Tag("other")],
        Discriminator(_kind_of),
    ] = None
    native: Native = Field(default_factory=Native)


class Length(_Tolerant):
    """A length asked for."""

    value: float | None = None


class StandardLoad(_Tolerant):
    """What is known alike of every load."""

    tool: str
    tool_version: str | None = None
    source: str | None = None
    stage: int | None = None
    input_seq_len: Length | None = None
    output_seq_len: Length | None = None
    prefix: dict[str, Any] | None = None
    multi_turn: dict[str, Any] | None = None
    rate_qps: float | None = None
    concurrency: float | None = None


class LoadMetadata(_Tolerant):
    """What is said about the load; loads that ran together are named."""

    concurrent_with: list[str] | None = None


class LoadSection(_Tolerant):
    """The load that was put on the servers."""

    metadata: LoadMetadata = Field(default_factory=LoadMetadata)
    standardized: StandardLoad
    native: Native = Field(default_factory=Native)


class Scenario(_Tolerant):
    """What was measured under which load."""

    stack: list[Component] = Field(default_factory=list)
    load: LoadSection


class Aggregate(_Tolerant):
    """What was measured over the whole run."""

    requests: Requests
    latency: Latency = Field(default_factory=Latency)
    throughput: dict[str, Statistics | None] = Field(default_factory=dict)


class Performance(_Tolerant):
    """What users of the servers saw."""

    aggregate: Aggregate


class Results(_Tolerant):
    """What was measured; what components observed of themselves is not read."""

    request_performance: Performance


class Report(_Tolerant):
    """A report."""

    run: Run
    scenario: Scenario
    results: Results

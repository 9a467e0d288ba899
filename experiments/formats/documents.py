"""Canonical documents: what every format is parsed into, before any name is resolved."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from benchmarks.protocol import Protocol
from benchmarks.totals import CategoryData
from hardware.resolution import HardwareFacts

MOST_PROBLEMS = 100
"""How many problems of one file are told; who sent it corrects them and sends it again."""


@dataclass(frozen=True)
class Problem:
    """Something to tell the uploader: where, what is wrong and what would be right, which value."""

    path: str
    message: str
    value: Any = None

    def as_dict(self) -> dict[str, Any]:
        """Return the shape in which reports and API errors carry a problem."""
        return {"path": self.path, "message": self.message, "value": self.value}


class FormatError(Exception):
    """A file that cannot be taken, with its first problems; subclasses say of which kind."""

    def __init__(self, *problems: Problem) -> None:
        if len(problems) > MOST_PROBLEMS:
            more = Problem("", "There are more problems than these; correct them first.")
            problems = (*problems[:MOST_PROBLEMS], more)
        super().__init__("; ".join(f"{p.path}: {p.message}" for p in problems))
        self.problems = problems


class UnreadableError(FormatError):
    """The bytes are not what they claim to be: not text, not JSON, cut off."""


class UnknownFormatError(FormatError):
    """The bytes are readable, but of no known format."""


class InvalidFileError(FormatError):
    """The format is known, but what the file says cannot be right."""


@dataclass(frozen=True, kw_only=True)
class MeasurementDocument:
    """One figure, in the unit of the registry where the metric is known."""

    metric: str
    statistic: str
    value: float
    unit: str
    definition: str | None = None
    sample_count: int | None = None
    samples: tuple[float, ...] | None = None
    derived_from: tuple[str, ...] | None = None
    context: Mapping[str, Any] = field(default_factory=dict)

    @property
    def identity(self) -> tuple[str, str, str | None]:
        """What may stand only once in a run."""
        return (self.metric, self.statistic, self.definition)


@dataclass(frozen=True, kw_only=True)
class ScoreDocument:
    """The result of one benchmark, under the name that the source gives it.

    `partial_reason` says why it does not cover the benchmark, `doubt` what a curator has to confirm
    first. `scale_known`: 0.3 is surely 0.3 %. `higher_is_better` is for a benchmark not yet known.
    """

    path: str
    benchmark: str
    stated_score: float | None = None
    correct: int | None = None
    total: int | None = None
    stderr: float | None = None
    protocol: Protocol = field(default_factory=Protocol)
    complete: bool | None = None
    partial_reason: str | None = None
    scale_known: bool = False
    doubt: str | None = None
    higher_is_better: bool | None = None
    measured_at: datetime | None = None
    zone_known: bool = True
    source_url: str | None = None
    notes: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    categories: tuple[CategoryData, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ModelDocument:
    """Which model variant: names as reported, None where the source does not say."""

    model_name: str | None
    quantization: str | None
    lora_adapter: str = ""
    parameters: int | None = None
    weights_gb: float | None = None


@dataclass(frozen=True, kw_only=True)
class WorkloadDocument:
    """Under which load; fields are named as those of TestRun."""

    load_kind: str | None = None
    concurrent_requests: int | None = None
    request_rate: float | None = None
    input_tokens: float | None = None
    output_tokens: float | None = None
    configured_input_tokens: int | None = None
    configured_output_tokens: int | None = None
    context_depth: int | None = None
    max_context_length: int | None = None
    batch_size: int | None = None
    load_pattern: str | None = None
    dataset_name: str | None = None


@dataclass(frozen=True, kw_only=True)
class SetupDocument:
    """How the server was set up; `speed_settings` are those flags that change speed."""

    tensor_parallel: int | None = None
    pipeline_parallel: int | None = None
    expert_parallel: int | None = None
    nodes: int | None = None
    speculation: str | None = None
    kv_cache_type: str | None = None
    gpu_power_limit_watts: float | None = None
    optimizations: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    speed_settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RunDocument:
    """One test run as a source tells it.

    `identity_record` is the record that makes it this run, `source_records` all that was read
    for it. `sweep` is the label an uploader gave, `sweep_group` tells the runs of one invocation
    in this file from those of another.
    """

    path: str
    given_id: str | None
    identity_record: Any
    source_records: tuple[Any, ...]
    model: ModelDocument
    hardware: HardwareFacts
    backend: str | None
    backend_version: str | None
    workload: WorkloadDocument
    setup: SetupDocument
    measurements: tuple[MeasurementDocument, ...]
    scores: tuple[ScoreDocument, ...] = ()
    status: str = "completed"
    complete: bool = True
    started_at: datetime | None = None
    zone_known: bool = True
    notes: str | None = None
    source_url: str | None = None
    tool: str | None = None
    tool_version: str | None = None
    sweep: str | None = None
    sweep_group: str | None = None
    extra_names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ScoreSetDocument:
    """Scores uploaded without a run."""

    path: str
    model: ModelDocument
    scores: tuple[ScoreDocument, ...]


@dataclass(frozen=True, kw_only=True)
class ParsedFile:
    """All that a file says."""

    runs: tuple[RunDocument, ...] = ()
    score_sets: tuple[ScoreSetDocument, ...] = ()
    warnings: tuple[Problem, ...] = ()

    @property
    def models(self) -> Iterator[ModelDocument]:
        """The model of each run and of each set of scores."""
        yield from (run.model for run in self.runs)
        yield from (scores.model for scores in self.score_sets)

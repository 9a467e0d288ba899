"""The site's own experiment JSON as pydantic models; its JSON Schema is made from them.

A field is required here exactly where an upload without it is refused. All numbers are finite,
no text is blank, and unknown fields are refused: a misspelt name would lose its value quietly.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, ValidationInfo, field_validator

from experiments.formats.fields import (
    Amount,
    Count,
    Figure,
    Name,
    OptionalName,
    PositiveCount,
    ShortName,
    Text,
    Time,
    Unit,
    Url,
    Word,
)
from experiments.formats.origin import Export, ModelFacts, RunOrigin, Sha256
from experiments.formats.site.hardware_schema import HardwareConfig
from experiments.formats.site.score_schema import Score
from experiments.formats.site.strict import StrictModel


def _no_nil(value: UUID) -> UUID:
    """Refuse the id of all zeros: programs write it for “none”, and every such run would be one."""
    if value.int == 0:
        raise ValueError("An id of zeros is none; leave the field out to have one made.")
    return value


RunId = Annotated[UUID, Field(strict=False), AfterValidator(_no_nil)]


class PerformanceMetric(StrictModel):
    """One figure; the name may hold the statistic (`ttft_p95_ms`)."""

    metric_name: ShortName
    value: Figure
    unit: Unit
    statistic: ShortName | None = None
    definition: Word | None = None
    samples: list[Figure] | None = Field(default=None, max_length=100_000)
    sample_count: PositiveCount | None = None
    derived_from: list[ShortName] | None = None
    timestamp: Time | None = None
    context: dict[str, Any] | None = None

    @field_validator("sample_count")
    @classmethod
    def _counts_its_samples(cls, value: int | None, info: ValidationInfo) -> int | None:
        samples = info.data.get("samples")
        if samples and value not in (None, len(samples)):
            raise ValueError(f"This is the number of samples, and there are {len(samples)}.")
        return value


class Parallelism(StrictModel):
    """Over how many devices and machines the model was spread."""

    tensor: PositiveCount | None = None
    pipeline: PositiveCount | None = None
    expert: PositiveCount | None = None
    nodes: PositiveCount | None = None


class ExperimentRun(StrictModel):
    """One test run, with the scores of its variant if there are any.

    An export adds `origin`, and `checksum` over all of it; then the time may be unknown.
    """

    id: RunId | None = None
    origin: RunOrigin | None = None
    checksum: Sha256 | None = None
    model_name: Name
    quantization: ShortName
    lora_adapter: OptionalName | None = None
    model_facts: ModelFacts = Field(default_factory=ModelFacts)
    backend: ShortName
    backend_version: Name | None = None
    tool: ShortName | None = None
    tool_version: Name | None = None
    source_url: Url | None = None
    sweep: Name | None = None
    hardware_config: HardwareConfig
    status: Literal["pending", "running", "completed", "failed", "cancelled"] = "completed"
    performance_metrics: list[PerformanceMetric] = Field(max_length=10_000)
    benchmark_scores: list[Score] = Field(default_factory=list, max_length=1000)
    timestamp: Time | None
    complete: bool = True
    notes: Text | None = None
    load_kind: Literal["isolated", "serving", "batch"] | None = None
    concurrent_requests: PositiveCount | None = None
    request_rate: Amount | None = None
    input_tokens: Annotated[float, Field(ge=0, lt=1e12)] | None = None
    output_tokens: Annotated[float, Field(ge=0, lt=1e12)] | None = None
    configured_input_tokens: Count | None = None
    configured_output_tokens: Count | None = None
    context_depth: Count | None = None
    max_context_length: PositiveCount | None = None
    batch_size: PositiveCount | None = None
    load_pattern: ShortName | None = None
    dataset_name: Name | None = None
    gpu_power_limit_watts: Amount | None = None
    parallelism: Parallelism = Field(default_factory=Parallelism)
    speculation: Name | None = None
    kv_cache_type: Word | None = None
    settings: dict[str, Any] = Field(default_factory=dict)

    @field_validator("performance_metrics")
    @classmethod
    def _completed_has_figures(
        cls, value: list[PerformanceMetric], info: ValidationInfo
    ) -> list[PerformanceMetric]:
        if not value and info.data.get("status") == "completed" and not info.data.get("origin"):
            raise ValueError("A completed run has at least one performance metric.")
        return value

    @field_validator("timestamp")
    @classmethod
    def _says_when(cls, value: datetime | None, info: ValidationInfo) -> datetime | None:
        if value is None and not info.data.get("origin"):
            raise ValueError("A time is written like 2026-11-20T09:30:00Z.")
        return value


class ScoreSet(StrictModel):
    """Scores of one variant, uploaded without a run."""

    model_name: Name
    quantization: ShortName
    lora_adapter: OptionalName | None = None
    model_facts: ModelFacts = Field(default_factory=ModelFacts)
    checksum: Sha256 | None = None
    benchmark_scores: list[Score] = Field(min_length=1, max_length=1000)
    timestamp: Time | None = None
    source_url: Url | None = None
    notes: Text | None = None


class ExperimentFile(StrictModel):
    """A file with one run."""

    experiment_run: ExperimentRun


class ExperimentsFile(StrictModel):
    """A file with several runs; an export adds its citation, and scores of their variants."""

    export: Export | None = None
    experiment_runs: list[ExperimentRun] = Field(max_length=100_000)
    score_sets: list[ScoreSet] = Field(default_factory=list, max_length=100_000)

    @field_validator("experiment_runs")
    @classmethod
    def _holds_runs(cls, value: list[ExperimentRun], info: ValidationInfo) -> list[ExperimentRun]:
        if not value and not info.data.get("export"):
            raise ValueError("There is at least one run.")
        return value


class ExportHead(StrictModel):
    """The citation of an export as a line of its own, the first of JSON Lines."""

    export: Export


def _field_names(model: type[BaseModel]) -> set[str]:
    """Return the names of all fields of a model and of those within it."""
    schema = model.model_json_schema()
    models = [schema, *schema.get("$defs", {}).values()]
    return {name for item in models for name in item.get("properties", {})}


FIELD_NAMES = frozenset(
    _field_names(ExperimentsFile) | _field_names(ScoreSet) | _field_names(ExportHead)
)
"""Every name that a field of the format has."""

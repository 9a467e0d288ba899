"""The site's own experiment JSON as pydantic models; its JSON Schema is made from them.

A field is required here exactly where an upload without it is refused. All numbers are finite,
no text is blank, and unknown fields are refused: a misspelt name would lose its value quietly.
"""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from experiments.formats.fields import (
    MOST_GPUS,
    Amount,
    Count,
    Figure,
    Name,
    OptionalName,
    Percent,
    PositiveCount,
    ShortName,
    Text,
    Time,
    Unit,
    Url,
    Word,
)
from hardware.names import means_no_gpu

MOST_SOCKETS = 32_767


def _no_nil(value: UUID) -> UUID:
    """Refuse the id of all zeros: programs write it for “none”, and every such run would be one."""
    if value.int == 0:
        raise ValueError("An id of zeros is none; leave the field out to have one made.")
    return value


def _yes_no_or_name(value: Any) -> Any:
    """Refuse here what is neither, so that one problem is told and not one for each type."""
    if isinstance(value, bool) or (isinstance(value, str) and 0 < len(value.strip()) <= 200):
        return value
    raise ValueError("true, false or the template's name is needed here.")


RunId = Annotated[UUID, Field(strict=False), AfterValidator(_no_nil)]
ChatTemplate = Annotated[bool | Name, BeforeValidator(_yes_no_or_name)]


class _Model(BaseModel):
    model_config = ConfigDict(
        extra="forbid", allow_inf_nan=False, strict=True, protected_namespaces=()
    )


def names_gpu(gpu_model: str | None) -> bool:
    """Tell whether a gpu_model names one: "CPU Only" and "N/A" do not."""
    return not means_no_gpu(gpu_model or "")


class HardwareConfig(_Model):
    """The machine. "CPU Only" or "N/A" as gpu_model mean that no GPU was used."""

    gpu_model: OptionalName | None = None
    gpu_count: Annotated[int, Field(ge=0, le=MOST_GPUS)] | None = None
    gpu_memory_gb: Annotated[float, Field(ge=0, lt=1e6)] | None = None
    cpu_model: Name | None = None
    cpu_sockets: Annotated[int, Field(ge=1, le=MOST_SOCKETS)] | None = None
    cpu_arch: ShortName | None = None
    ram_gb: Amount | None = None
    ram_type: ShortName | None = None
    virtualization_type: ShortName | None = None
    label: ShortName | None = None
    optimizations: list[ShortName] = Field(default_factory=list, max_length=100)

    @property
    def has_gpu(self) -> bool:
        """Whether a GPU is named."""
        return names_gpu(self.gpu_model)

    @field_validator("gpu_count", "gpu_memory_gb")
    @classmethod
    def _fits_the_gpu(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value and "gpu_model" in info.data and not names_gpu(info.data["gpu_model"]):
            raise ValueError("This is 0 or absent where no GPU is named; name it as gpu_model.")
        return value

    @field_validator("gpu_count")
    @classmethod
    def _counts_the_gpu(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value == 0 and names_gpu(info.data.get("gpu_model")):
            raise ValueError("This is at least 1 where a GPU is named.")
        return value

    @model_validator(mode="after")
    def _names_a_processor(self) -> Self:
        if not self.has_gpu and not self.cpu_model:
            raise ValueError("hardware_config needs gpu_model or cpu_model.")
        return self


class PerformanceMetric(_Model):
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


def _within(count: int, total: int) -> int:
    if count > total:
        raise ValueError(f"There are {total:,} in all; no more than these can be right.")
    return count


class _Counted(_Model):
    total_questions: PositiveCount | None = None
    correct_answers: Count | None = None

    @field_validator("correct_answers")
    @classmethod
    def _correct_within_total(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is None or "total_questions" not in info.data:
            return value
        total = info.data["total_questions"]
        if total is None:
            raise ValueError("correct_answers needs total_questions beside it.")
        return _within(value, total)


class Category(_Counted):
    """The score of one category, 0–100."""

    category: ShortName
    score: Percent


class _ScoreData(_Model):
    timestamp: Time | None = None
    context: dict[str, Any] | None = None


class MmluData(_ScoreData):
    """Massive Multitask Language Understanding, by subject."""

    categories: list[Category] = Field(min_length=1, max_length=1000)


class Gsm8kData(_ScoreData):
    """Grade-school mathematics: problems solved."""

    total_problems: PositiveCount
    problems_solved: Count

    @field_validator("problems_solved")
    @classmethod
    def _solved_within_total(cls, value: int, info: ValidationInfo) -> int:
        return _within(value, info.data.get("total_problems", value))


class HumanEvalData(_ScoreData):
    """Code generation: pass@k in percent."""

    pass_at_1: Percent
    pass_at_10: Percent | None = None
    pass_at_100: Percent | None = None
    total_problems: PositiveCount


class HellaSwagData(_ScoreData, _Counted):
    """Commonsense completion: accuracy in percent."""

    accuracy: Percent


class TruthfulQaData(_ScoreData):
    """Truthfulness (and helpfulness) of answers in percent."""

    truthful_score: Percent
    helpful_score: Percent | None = None
    total_questions: PositiveCount | None = None


class GenericData(_ScoreData, _Counted):
    """Any other benchmark: 0–100 where its scale allows."""

    benchmark_name: ShortName
    score: Annotated[float, Field(ge=-1e12, le=1e12)]
    categories: list[Category] = Field(default_factory=list, max_length=1000)


class Protocol(_Model):
    """How a score was measured; scores of different protocols are not ranked together."""

    harness: ShortName | None = None
    harness_version: ShortName | None = None
    task_version: ShortName | None = None
    metric_filter: ShortName | None = None
    shots: Count | None = None
    chat_template: ChatTemplate | None = None
    thinking_mode: ShortName | None = None
    kv_cache_type: ShortName | None = None


class _Score(_Model):
    protocol: Protocol = Field(default_factory=Protocol)
    stderr: Annotated[float, Field(ge=0, le=100)] | None = None
    complete: bool | None = None


class MmluScore(_Score):
    """A score of type MMLU."""

    type: Literal["MMLU"]
    data: MmluData


class Gsm8kScore(_Score):
    """A score of type GSM8K."""

    type: Literal["GSM8K"]
    data: Gsm8kData


class HumanEvalScore(_Score):
    """A score of type HumanEval."""

    type: Literal["HumanEval"]
    data: HumanEvalData


class HellaSwagScore(_Score):
    """A score of type HellaSwag."""

    type: Literal["HellaSwag"]
    data: HellaSwagData


class TruthfulQaScore(_Score):
    """A score of type TruthfulQA."""

    type: Literal["TruthfulQA"]
    data: TruthfulQaData


class GenericScore(_Score):
    """A score of any other benchmark."""

    type: Literal["Generic"]
    data: GenericData


Score = Annotated[
    MmluScore | Gsm8kScore | HumanEvalScore | HellaSwagScore | TruthfulQaScore | GenericScore,
    Field(discriminator="type"),
]


class Parallelism(_Model):
    """Over how many devices and machines the model was spread."""

    tensor: PositiveCount | None = None
    pipeline: PositiveCount | None = None
    expert: PositiveCount | None = None
    nodes: PositiveCount | None = None


class ExperimentRun(_Model):
    """One test run, with the scores of its variant if there are any."""

    id: RunId | None = None
    model_name: Name
    quantization: ShortName
    lora_adapter: OptionalName | None = None
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
    timestamp: Time
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
        if not value and info.data.get("status") == "completed":
            raise ValueError("A completed run has at least one performance metric.")
        return value


class ScoreSet(_Model):
    """Scores of one variant, uploaded without a run."""

    model_name: Name
    quantization: ShortName
    lora_adapter: OptionalName | None = None
    benchmark_scores: list[Score] = Field(min_length=1, max_length=1000)
    timestamp: Time | None = None
    source_url: Url | None = None
    notes: Text | None = None


class ExperimentFile(_Model):
    """A file with one run."""

    experiment_run: ExperimentRun


class ExperimentsFile(_Model):
    """A file with several runs."""

    experiment_runs: list[ExperimentRun] = Field(min_length=1, max_length=100_000)


def _field_names(model: type[BaseModel]) -> set[str]:
    """Return the names of all fields of a model and of those within it."""
    schema = model.model_json_schema()
    models = [schema, *schema.get("$defs", {}).values()]
    return {name for item in models for name in item.get("properties", {})}


FIELD_NAMES = frozenset(_field_names(ExperimentsFile) | _field_names(ScoreSet))
"""Every name that a field of the format has."""

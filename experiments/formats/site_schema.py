"""The site's own experiment JSON as pydantic models; its JSON Schema is made from them.

A field is required here exactly where an upload without it is refused. All numbers are finite,
no text is blank, and unknown fields are refused: a misspelt name would lose its value quietly.
"""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from experiments.formats.fields import Time

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
ShortName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Text = Annotated[str, StringConstraints(max_length=20_000)]
Count = Annotated[int, Field(ge=0, lt=2**31)]
PositiveCount = Annotated[int, Field(ge=1, lt=2**31)]
Percent = Annotated[float, Field(ge=0, le=100)]
Figure = Annotated[float, Field(ge=-1e300, le=1e300)]
Amount = Annotated[float, Field(gt=0, lt=1e15)]
NO_GPU = {"", "cpu only", "cpu", "n/a", "none", "null"}


def _http_url(value: str) -> str:
    AnyHttpUrl(value)
    return value


Url = Annotated[str, StringConstraints(max_length=1000), AfterValidator(_http_url)]


class _Model(BaseModel):
    model_config = ConfigDict(
        extra="forbid", allow_inf_nan=False, strict=True, protected_namespaces=()
    )


class HardwareConfig(_Model):
    """The machine. "CPU Only" or "N/A" as gpu_model mean that no GPU was used."""

    gpu_model: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] | None = (
        None
    )
    gpu_count: Count | None = None
    gpu_memory_gb: Annotated[float, Field(ge=0, lt=1e6)] | None = None
    cpu_model: Name | None = None
    cpu_sockets: PositiveCount | None = None
    cpu_arch: ShortName | None = None
    ram_gb: Amount | None = None
    ram_type: ShortName | None = None
    virtualization_type: ShortName | None = None
    label: ShortName | None = None
    optimizations: list[ShortName] = Field(default_factory=list, max_length=100)

    @property
    def has_gpu(self) -> bool:
        """Whether a GPU is named."""
        return (self.gpu_model or "").lower() not in NO_GPU

    @model_validator(mode="after")
    def _names_a_processor(self) -> Self:
        if not self.has_gpu and not self.cpu_model:
            raise ValueError("hardware_config needs gpu_model or cpu_model.")
        if not self.has_gpu and (self.gpu_memory_gb or self.gpu_count):
            raise ValueError("gpu_memory_gb and gpu_count are 0 or absent where no GPU is used.")
        if self.has_gpu and self.gpu_count == 0:
            raise ValueError("gpu_count is at least 1 where a GPU is used.")
        return self


class PerformanceMetric(_Model):
    """One figure; the name may hold the statistic (`ttft_p95_ms`)."""

    metric_name: ShortName
    value: Figure
    unit: Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)]
    statistic: ShortName | None = None
    definition: Annotated[str, StringConstraints(min_length=1, max_length=40)] | None = None
    sample_count: PositiveCount | None = None
    samples: list[Figure] | None = Field(default=None, max_length=100_000)
    derived_from: list[ShortName] | None = None
    timestamp: Time | None = None
    context: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _counts_its_samples(self) -> Self:
        if self.samples and self.sample_count not in (None, len(self.samples)):
            raise ValueError("sample_count is the number of samples.")
        return self


class _Counted(_Model):
    total_questions: PositiveCount | None = None
    correct_answers: Count | None = None

    @model_validator(mode="after")
    def _correct_within_total(self) -> Self:
        if self.correct_answers is not None:
            if self.total_questions is None:
                raise ValueError("correct_answers needs total_questions beside it.")
            if self.correct_answers > self.total_questions:
                raise ValueError("correct_answers is at most total_questions.")
        return self


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

    problems_solved: Count
    total_problems: PositiveCount

    @model_validator(mode="after")
    def _solved_within_total(self) -> Self:
        if self.problems_solved > self.total_problems:
            raise ValueError("problems_solved is at most total_problems.")
        return self


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
    chat_template: bool | Name | None = None
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

    id: Annotated[UUID, Field(strict=False)] | None = None
    model_name: Name
    quantization: ShortName
    lora_adapter: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    backend: ShortName
    backend_version: Name | None = None
    tool: ShortName | None = None
    tool_version: Name | None = None
    source_url: Url | None = None
    sweep: Name | None = None
    hardware_config: HardwareConfig
    performance_metrics: list[PerformanceMetric] = Field(max_length=10_000)
    benchmark_scores: list[Score] = Field(default_factory=list, max_length=1000)
    timestamp: Time
    status: Literal["pending", "running", "completed", "failed", "cancelled"] = "completed"
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
    kv_cache_type: Annotated[str, StringConstraints(min_length=1, max_length=40)] | None = None
    settings: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _completed_has_figures(self) -> Self:
        if self.status == "completed" and not self.performance_metrics:
            raise ValueError("A completed run has at least one performance metric.")
        return self


class ScoreSet(_Model):
    """Scores of one variant, uploaded without a run."""

    model_name: Name
    quantization: ShortName
    lora_adapter: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
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

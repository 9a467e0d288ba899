"""The answers of the API; None (null) stands for what is not known."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class _Answer(BaseModel):
    model_config = ConfigDict(protected_namespaces=(), from_attributes=True)


class ProblemAnswer(_Answer):
    """Where something is wrong, what would be right, and the value that was found."""

    path: str
    message: str
    value: Any = None


class ErrorAnswer(_Answer):
    """Every error; a refused upload has the fields of an accepted one beside these."""

    error: str
    code: str
    details: list[ProblemAnswer]


class ConfigAnswer(_Answer):
    """A configuration in the grid; `id` is its newest run. Without a run `id` is null.

    Figures of another definition do not compare, nor do scores of another protocol:
    `quality_ranked` is false where the protocol is not the one that ranks.
    """

    id: UUID | None
    model_name: str
    quantization: str
    lora_adapter: str
    quality_score: float | None
    quality_protocol: str | None
    quality_ranked: bool
    tokens_per_second: float | None
    tokens_per_second_definition: str | None
    prompt_processing_speed: float | None
    prompt_processing_speed_definition: str | None
    ttft_ms: float | None
    ttft_ms_definition: str | None
    memory_gb: float | None
    backend: str | None
    backend_version: str | None
    hardware: str | None
    hardware_category: str | None
    concurrent_requests: int | None
    max_context_length: int | None
    load_pattern: str | None
    load_class: str | None
    load_kind: str | None
    dataset_name: str | None
    gpu_power_limit_watts: float | None
    gpu_power_watts: float | None
    tokens_per_kwh: float | None
    runs: int
    newest: datetime | None


class PlatformAnswer(_Answer):
    """A platform with its best configuration; `hardware` is null for scores without any run."""

    hardware: str | None
    hardware_category: str | None
    best_config: ConfigAnswer
    total_configs: int


class ModelAnswer(_Answer):
    """A model (with its LoRA adapter) and the platforms that pass the filters."""

    model_name: str
    lora_adapter: str
    best_hardware: PlatformAnswer
    total_hardware_platforms: int
    qualifying_platforms: int
    all_hardware_platforms: list[PlatformAnswer]


class _Ranking(_Answer):
    """Which speeds are ranked: their class of load, and how they were measured.

    `load_kind_used` is "any" where that was asked for; `load_kinds_mixed` then tells that isolated
    tests, served requests and offline batches stand in one order and do not compare.
    """

    load_used: str
    load_kind_used: str
    load_kinds_mixed: bool


class GroupedPerformanceAnswer(_Ranking):
    """A page of the grid by model."""

    models: list[ModelAnswer]
    total_count: int
    benchmark_used: str | None


class PerformanceGridAnswer(_Ranking):
    """A page of the grid by configuration."""

    rows: list[ConfigAnswer]
    total_count: int


class LineAnswer(_Answer):
    """A configuration or a run in a list; `id` is that of a run."""

    id: UUID
    model_name: str
    quantization: str
    backend: str
    hardware_summary: str
    overall_score: float | None
    timestamp: datetime | None
    status: str
    runs: int


class ConfigurationsAnswer(_Answer):
    """A page of configurations, newest first."""

    configurations: list[LineAnswer]
    total_count: int


class RunsAnswer(_Answer):
    """A page of runs, newest first."""

    runs: list[LineAnswer]
    total_count: int


class PerformanceAnswer(_Answer):
    """Headline figures: tok/s, GB, s, tok/s."""

    speed: float | None
    memory: float | None
    loading_time: float | None
    prompt_speed: float | None


class SubjectAnswer(_Answer):
    """A run as the subject of a comparison."""

    id: UUID
    name: str
    model: str
    quantization: str
    lora_adapter: str
    backend: str
    hardware: str
    overall_score: float | None
    performance: PerformanceAnswer


class ComparedCategory(_Answer):
    """A category of a benchmark, with a score for each subject."""

    benchmark: str
    name: str
    score_a: float | None
    score_b: float | None
    scores: list[float | None]


class DifferenceAnswer(_Answer):
    """A field of the load or a definition that differs, and what that does."""

    field: str
    values: list[Any]
    effect: str


class ComparabilityAnswer(_Answer):
    """Whether figures may stand side by side: strict, conditional or not_comparable."""

    verdict: str
    differences: list[DifferenceAnswer]
    metrics: dict[str, str]
    scores: dict[str, str]


class ComparisonAnswer(_Answer):
    """Two to eight runs side by side."""

    config_a: SubjectAnswer
    config_b: SubjectAnswer
    configs: list[SubjectAnswer]
    categories: list[ComparedCategory]
    comparability: ComparabilityAnswer
    benchmark_used: str | None


class DetailSubject(SubjectAnswer):
    """The run of a detail answer."""

    backend_version: str | None
    status: str
    test_run_date: datetime | None


class DetailCategory(_Answer):
    """A category result of the run's variant."""

    benchmark: str
    name: str
    score: float
    total_questions: int | None
    correct_answers: int | None


class DetailScore(_Answer):
    """A score of the run's variant; only a current one counts in the grid."""

    id: UUID
    benchmark: str
    score: float
    stderr: float | None
    total_questions: int | None
    correct_answers: int | None
    protocol: str
    complete: bool
    is_current: bool
    measured_at: datetime | None


class SystemInfo(_Answer):
    """What the run ran on."""

    gpu_model: str | None
    gpu_count: int | None
    gpu_memory_gb: float | None
    cpu_model: str | None
    cpu_arch: str | None
    ram_gb: float | None
    ram_type: str | None
    virtualization_type: str | None
    optimizations: list[str]
    category: str | None
    platform: str


class Workload(_Answer):
    """Under which load it ran."""

    load_kind: str | None
    concurrent_requests: int | None
    request_rate: float | None
    input_tokens: float | None
    output_tokens: float | None
    context_depth: int | None
    max_context_length: int | None
    batch_size: int | None
    load_pattern: str | None
    dataset_name: str | None
    gpu_power_limit_watts: float | None


class MetricAnswer(_Answer):
    """One figure of the run."""

    metric: str
    statistic: str
    definition: str | None
    value: float
    unit: str
    sample_count: int | None


class Provenance(_Answer):
    """Where the run came from."""

    upload_id: UUID | None
    sha256: str | None
    file_name: str | None
    format: str | None
    tool: str | None
    tool_version: str | None
    parser_version: int | None
    uploaded_at: datetime | None
    source_url: str | None


class HistoryEntry(_Answer):
    """What was done to the run; names of people are told to curators and to who sent it."""

    at: datetime
    action: str
    by: str
    reason: str
    upload_id: UUID | None


class DetailAnswer(_Answer):
    """Everything about one run; `benchmark_used` is that of the overall score.

    `warnings` are those of its reading, doubts about its figures among them.
    """

    config: DetailSubject
    categories: list[DetailCategory]
    scores: list[DetailScore]
    system_info: SystemInfo
    workload: Workload
    metrics: list[MetricAnswer]
    warnings: list[ProblemAnswer]
    provenance: Provenance
    history: list[HistoryEntry]
    benchmark_used: str | None


class RenditionAnswer(_Answer):
    """What everybody may read of a file: its JSON documents without what is private."""

    upload_id: UUID
    sha256: str
    file_name: str | None
    format: str | None
    documents: list[Any]


class FormatEntry(_Answer):
    """A format of result files. `fills` and `lacks` name fields of an upload and metrics.

    `lacks` are required fields that files never or not always tell: send them beside the file.
    `command` writes such a file, "" where there is none to type; `curl` sends it.
    """

    name: str
    title: str
    version: int
    tool: str
    command: str
    fills: list[str]
    lacks: list[str]
    curl: str


class FormatsAnswer(_Answer):
    """The formats that the site reads, in the order in which they are tried."""

    formats: list[FormatEntry]


class UploadedScore(_Answer):
    """A score that an upload made or found."""

    id: UUID
    model_name: str
    quantization: str
    benchmark: str
    score: float | None


class UploadAnswer(_Answer):
    """What became of a file."""

    upload_id: UUID | None
    sha256: str
    format: str | None
    parser_version: int | None
    outcome: str
    runs: list[UUID]
    scores: list[UploadedScore]
    warnings: list[ProblemAnswer]
    missing: list[str]
    suggestions: dict[str, str]


class MemberAnswer(UploadAnswer):
    """What became of one file of an archive; `path` is its place in there.

    `outcome` is also "skipped" for what is no result in a known format: it is not kept. `code` and
    `errors` say why a file was not taken.
    """

    path: str
    code: str | None
    errors: list[ProblemAnswer]


class LeftOutAnswer(_Answer):
    """How much of an archive nobody looked at: hidden files, folders themselves, links."""

    hidden: int
    folders: int
    links: int


class ArchiveAnswer(UploadAnswer):
    """What became of a ZIP archive: of each file, and of all together.

    Each file is taken or refused alone, and kept as an upload of its own; the archive is not
    (`upload_id` is null, `format` is "zip"). `outcome` is "created" if any file made something,
    though others were refused: `rejected` counts those, `skipped` what is no result. Paths of
    warnings begin with that of the file.
    """

    files: list[MemberAnswer]
    rejected: int
    skipped: int
    left_out: LeftOutAnswer


class ExperimentUploadAnswer(UploadAnswer):
    """What became of experiment JSON; `test_run_id` is the first of its runs."""

    success: bool
    test_run_id: UUID | None
    error: str | None


class BenchmarksUploadAnswer(UploadAnswer):
    """What became of scores; `scores_uploaded` are those that were not there before."""

    success: bool
    model_variant_id: UUID | None
    scores_uploaded: int
    error: str | None


class WithdrawnAnswer(_Answer):
    """A run or score that was taken out of every list."""

    success: bool
    id: UUID
    review_state: str
    reason: str

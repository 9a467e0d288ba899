"""llama-bench rows, as JSON and CSV carry them alike, turned into runs.

Within one upload the rows with equal settings and backend are one sweep. Per depth, each `tg` row
is a run that takes the only `pp` row, else `pp512`, as its prompt speed; where tests were
repeated, the k-th `tg` takes the k-th `pp`. Other `pp` rows are prompt-only runs, and a `pg` row
(prompt and generation timed together) is a run with a metric of its own.
Source of the keys: https://github.com/ggml-org/llama.cpp/tree/master/tools/llama-bench
"""

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    ValidationError,
)

from benchmarks.quantization import quantization_of_model_type, split_model_file_name
from experiments.formats.documents import (
    InvalidFileError,
    MeasurementDocument,
    ModelDocument,
    ParsedFile,
    Problem,
    RunDocument,
    SetupDocument,
    WorkloadDocument,
)
from experiments.formats.fields import NotBoolean, Time
from experiments.formats.numbers import without_nonfinite
from experiments.formats.problems import join_path, problems_of
from hardware.resolution import HardwareFacts

USUAL_PROMPT_LENGTH = 512
BYTES_PER_GB = 1e9
MAX_TEXT = 200

# What a test is and what it gave; every other key is a setting of the invocation.
_TEST_KEYS = {"n_prompt", "n_gen", "n_depth", "test_time"}
# What scripts add to a row (avg_power_w) is named as llama-bench names its results.
_RESULT_STARTS = ("avg_", "stddev_", "samples_")
# Flags that change speed, with the value that means "as if not given".
_SPEED_DEFAULTS: dict[str, Any] = {
    "n_batch": 2048,
    "n_ubatch": 512,
    "n_threads": None,
    "type_k": "f16",
    "type_v": "f16",
    "n_gpu_layers": None,
    "n_cpu_moe": 0,
    "split_mode": "layer",
    "main_gpu": 0,
    "no_kv_offload": 0,
    "flash_attn": 0,
    "tensor_split": "0.00",
    "tensor_buft_overrides": "none",
    "devices": "auto",
    "no_op_offload": 0,
    "mul_mat_q": 1,
    "cpu_mask": "0x0",
    "cpu_strict": 0,
}
_ALL_LAYERS = 99
_OLD_BACKEND_FLAGS = {
    "cuda": "CUDA",
    "opencl": "OpenCL",
    "vulkan": "Vulkan",
    "kompute": "Kompute",
    "metal": "Metal",
    "sycl": "SYCL",
}


def _number_list(value: Any) -> Any:
    """Read the list that some scripts store as text."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


class Row(BaseModel):
    """The keys of a llama-bench row that the site reads; others are kept as settings."""

    model_config = ConfigDict(extra="allow", protected_namespaces=())

    build_commit: str | None = Field(default=None, max_length=100)
    build_number: Annotated[int | None, NotBoolean] = Field(default=None, ge=0, lt=2**31)
    cpu_info: str | None = Field(default=None, max_length=MAX_TEXT)
    gpu_info: str | None = Field(default=None, max_length=1000)
    backends: str | None = Field(default=None, max_length=MAX_TEXT)
    model_filename: str | None = Field(default=None, max_length=1000)
    model_type: str = Field(max_length=MAX_TEXT)
    model_size: int | None = Field(default=None, gt=0, lt=2**60)
    model_n_params: int | None = Field(default=None, gt=0, lt=2**60)
    n_prompt: Annotated[int, NotBoolean] = Field(ge=0, lt=2**31)
    n_gen: Annotated[int, NotBoolean] = Field(ge=0, lt=2**31)
    n_depth: Annotated[int, NotBoolean] = Field(default=0, ge=0, lt=2**31)
    test_time: Time | None = None
    avg_ts: Annotated[float, NotBoolean] = Field(gt=0, lt=1e12, allow_inf_nan=False)
    stddev_ts: Annotated[float | None, NotBoolean] = None
    type_k: str | None = Field(default=None, max_length=20)
    type_v: str | None = Field(default=None, max_length=20)
    samples_ts: Annotated[list[FiniteFloat] | None, BeforeValidator(_number_list)] = None


@dataclass(frozen=True)
class PlacedRow:
    """A row, where it stands, and its record as it came."""

    place: str
    record: Mapping[str, Any]
    row: Row

    @property
    def test(self) -> tuple[int, int, int]:
        """Which test it is: (n_prompt, n_gen, n_depth)."""
        return (self.row.n_prompt, self.row.n_gen, self.row.n_depth)

    @property
    def is_prompt_only(self) -> bool:
        """Whether the row is a `pp` test."""
        return self.row.n_gen == 0

    @property
    def is_generation(self) -> bool:
        """Whether the row is a `tg` test."""
        return self.row.n_prompt == 0


def parse_rows(records: Iterable[tuple[str, Mapping[str, Any]]], skipped_lines: int) -> ParsedFile:
    """Return the runs that (place, record) pairs of llama-bench tell of.

    Raises InvalidFileError with a problem for each row that cannot be right.
    """
    rows: list[PlacedRow] = []
    problems: list[Problem] = []
    for place, record in records:
        try:
            row = Row.model_validate(record)
        except ValidationError as error:
            problems += problems_of(error, place)
            continue
        if row.n_prompt == 0 and row.n_gen == 0:
            problems.append(Problem(place, "A row needs n_prompt or n_gen above 0; both are 0.", 0))
        rows.append(PlacedRow(place, record, row))
    if problems:
        raise InvalidFileError(*problems)
    if not rows:
        raise InvalidFileError(
            Problem("", "The file has a header but no result row; did llama-bench fail?")
        )
    message = "The spread is no number above 0: it is left out."
    warnings = [
        Problem(join_path(item.place, "stddev_ts"), message, str(item.row.stddev_ts))
        for item in rows
        if item.row.stddev_ts and _known_spread(item.row.stddev_ts) is None
    ]
    if skipped_lines:
        message = "Lines between the results that are no JSON were skipped."
        warnings.append(Problem("", message, skipped_lines))
    runs = [run for group in _sweeps(rows) for run in _runs_of_sweep(group)]
    return ParsedFile(runs=tuple(runs), warnings=tuple(warnings))


def _known_spread(value: float | None) -> float | None:
    """Return a standard deviation that says something: 0 is what one repetition gives."""
    return value if value is not None and 0 < value < math.inf else None


def _sweeps(rows: Sequence[PlacedRow]) -> list[list[PlacedRow]]:
    """Group the rows by equal settings, backend, model and machine, in order of appearance."""
    groups: dict[str, list[PlacedRow]] = defaultdict(list)
    for row in rows:
        groups[_group_key(row)].append(row)
    return list(groups.values())


def _group_key(row: PlacedRow) -> str:
    settings = {
        key: value
        for key, value in row.record.items()
        if key not in _TEST_KEYS and not key.startswith(_RESULT_STARTS)
    }
    return json.dumps(settings, sort_keys=True, default=str)


def _runs_of_sweep(rows: Sequence[PlacedRow]) -> list[RunDocument]:
    """Pair generation tests with prompt tests of the same depth; the rest stand alone."""
    prompts: dict[int, dict[int, list[PlacedRow]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row.is_prompt_only:
            prompts[row.row.n_depth][row.row.n_prompt].append(row)
    occurrences: dict[tuple[int, int, int], int] = defaultdict(int)
    paired: dict[int, PlacedRow] = {}
    taken: set[int] = set()
    for index, row in enumerate(rows):
        if row.is_generation:
            prompt = _prompt_for(prompts[row.row.n_depth], occurrences[row.test])
            occurrences[row.test] += 1
            if prompt:
                paired[index] = prompt
                taken.add(id(prompt))
    return [
        _run(row, paired.get(index), _group_key(row))
        for index, row in enumerate(rows)
        if id(row) not in taken
    ]


def _prompt_for(prompts: Mapping[int, Sequence[PlacedRow]], occurrence: int) -> PlacedRow | None:
    """Return the prompt test that belongs to the generation test seen for the n-th time."""
    length = next(iter(prompts)) if len(prompts) == 1 else USUAL_PROMPT_LENGTH
    candidates = prompts.get(length, ())
    if len(candidates) == 1:
        return candidates[0]
    return candidates[occurrence] if occurrence < len(candidates) else None


def _run(placed: PlacedRow, prompt: PlacedRow | None, group: str) -> RunDocument:
    row = placed.row
    measured = [*_measurements(placed), *(_measurements(prompt) if prompt else ())]
    if row.model_size:
        measured.append(
            MeasurementDocument(
                metric="model_size_gb",
                statistic="mean",
                value=row.model_size / BYTES_PER_GB,
                unit="GB",
            )
        )
    return RunDocument(
        path=placed.place,
        given_id=None,
        identity_record=placed.record,
        source_records=tuple(item.record for item in (placed, prompt) if item),
        model=_model(row),
        hardware=_hardware(row),
        backend="llama.cpp",
        backend_version=_build(row),
        workload=WorkloadDocument(
            load_kind="isolated",
            concurrent_requests=1,
            input_tokens=(prompt.row if prompt else row).n_prompt or None,
            output_tokens=row.n_gen or None,
            context_depth=row.n_depth,
        ),
        setup=_setup(row),
        measurements=tuple(measured),
        started_at=row.test_time,
        zone_known=row.test_time is None or row.test_time.tzinfo is not None,
        tool="llama-bench",
        tool_version=_build(row),
        sweep_group=group,
        extra_names=_extra_names(row),
    )


def _measurements(placed: PlacedRow) -> list[MeasurementDocument]:
    """Return mean and spread of one test; one repetition has no spread that is known."""
    row = placed.row
    if placed.is_prompt_only:
        metric, definition = "prompt_processing_speed", "prefill"
    elif placed.is_generation:
        metric, definition = "tokens_per_second", "decode"
    else:
        metric, definition = "total_tokens_per_second", "isolated_mixed"
    samples = tuple(row.samples_ts) if row.samples_ts else None
    context = {"n_prompt": row.n_prompt, "n_gen": row.n_gen, "n_depth": row.n_depth}
    mean = MeasurementDocument(
        metric=metric,
        statistic="mean",
        definition=definition,
        value=row.avg_ts,
        unit="tok/s",
        sample_count=len(samples) if samples else None,
        samples=samples,
        context=context,
    )
    std = _known_spread(row.stddev_ts)
    if std is None or (samples and len(samples) == 1):
        return [mean]
    spread = MeasurementDocument(
        metric=metric,
        statistic="std",
        definition=definition,
        value=std,
        unit="tok/s",
        sample_count=mean.sample_count,
        context=context,
    )
    return [mean, spread]


def _model(row: Row) -> ModelDocument:
    name, quantization = split_model_file_name(row.model_filename or "")
    return ModelDocument(
        model_name=name or None,
        quantization=quantization or quantization_of_model_type(row.model_type),
        parameters=row.model_n_params,
        weights_gb=row.model_size / BYTES_PER_GB if row.model_size else None,
    )


def _hardware(row: Row) -> HardwareFacts:
    gpus = tuple(name.strip() for name in (row.gpu_info or "").split(",") if name.strip())
    return HardwareFacts(gpu_models=gpus, gpu_count=len(gpus) or None, cpu_model=row.cpu_info)


def _build(row: Row) -> str | None:
    """Return "b6865 (1c1409e1)"; a build made outside git knows neither."""
    if not row.build_number:
        return None
    known_commit = row.build_commit and row.build_commit != "unknown"
    return f"b{row.build_number} ({row.build_commit})" if known_commit else f"b{row.build_number}"


def _setup(row: Row) -> SetupDocument:
    settings = {
        key: without_nonfinite(value)
        for key, value in (row.model_extra or {}).items()
        if key not in ("avg_ns", "stddev_ns", "samples_ns") and value is not None
    }
    types = [kind for kind in (row.type_k, row.type_v) if kind]
    settings |= {
        key: kind for key, kind in (("type_k", row.type_k), ("type_v", row.type_v)) if kind
    }
    backends = row.backends or _old_backends(settings)
    if backends:
        settings["backends"] = backends
    return SetupDocument(
        kv_cache_type="/".join(dict.fromkeys(types)) or None,
        optimizations=tuple(part.strip() for part in (backends or "").split(",") if part.strip()),
        settings=settings,
        speed_settings=_speed_settings(settings),
    )


def _old_backends(settings: Mapping[str, Any]) -> str | None:
    """Return the backend that the booleans of 2023 builds tell of."""
    if not any(flag in settings for flag in _OLD_BACKEND_FLAGS):
        return None
    names = [name for flag, name in _OLD_BACKEND_FLAGS.items() if _plain(settings.get(flag)) == 1]
    return ",".join(names) or "CPU"


def _speed_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the flags that change speed, without those at their default.

    Builds add and drop keys, and CSV writes every value as text: both must give one key.
    """
    chosen = {"backends": settings["backends"]} if "backends" in settings else {}
    for key, default in _SPEED_DEFAULTS.items():
        value = _plain(settings.get(key))
        if key == "n_gpu_layers" and isinstance(value, int) and (value < 0 or value >= _ALL_LAYERS):
            value = "all"
        if key in settings and value != default:
            chosen[key] = value
    return chosen


def _plain(value: Any) -> Any:
    """Return booleans and numbers written as text as integers; other values as they are."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        lowered = value.strip().lower()
        if lowered in ("true", "false"):
            return int(lowered == "true")
        return int(lowered) if lowered.lstrip("-").isdecimal() and len(lowered) < 10 else value
    return value


def _extra_names(row: Row) -> dict[str, str]:
    """Return what the file calls the model; the folders of its path are the author's own."""
    names = {"model_type": row.model_type}
    if row.model_filename:
        names["model_file"] = row.model_filename.replace("\\", "/").rsplit("/", 1)[-1]
    return names

"""One row of llama-bench: its keys, checked, and what its file says around it."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
)

from experiments.formats.documents import (
    MOST_PROBLEMS,
    InvalidFileError,
    MeasurementDocument,
    Problem,
)
from experiments.formats.fields import NotBoolean, Time
from experiments.formats.problems import checked

MAX_TEXT = 200
FILLS = (
    *("model_name", "quantization", "backend", "backend_version"),
    *("gpu_model", "gpu_count", "cpu_model", "concurrent_requests", "input_tokens"),
    *("output_tokens", "tokens_per_second", "prompt_processing_speed", "model_size_gb"),
)
NO_ROWS = "The file has a header but no result row; did llama-bench fail?"

# What a test is and what it gave; every other key is a setting of the invocation.
TEST_KEYS = {"n_prompt", "n_gen", "n_depth", "test_time", "test"}
# What scripts add to a row (avg_power_w) is named as llama-bench names its results.
RESULT_STARTS = ("avg_", "stddev_", "samples_")

# ik_llama.cpp times the generation alone in this test: a `tg` test at a depth.
_GENERATION_AFTER_PROMPT = re.compile(r"tg(\d{1,9})@pp(\d{1,9})")


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


@dataclass(frozen=True, kw_only=True)
class Source:
    """A row as a format found it: `record` has the keys of llama-bench.

    `identity` makes it this run and `origin` is all that was read for it (the record itself where
    a format names no other). `settings` and those of them that change speed stand around the row
    (a title, the facts of a script), and so do `context`, kept beside the figures, and `readings`,
    which are further figures of the same test. `gpu_models` says which GPUs were used where the
    record does not.
    """

    place: str
    record: Mapping[str, Any]
    identity: Any = None
    origin: Any = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    speed_settings: Mapping[str, Any] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    readings: tuple[MeasurementDocument, ...] = ()
    gpu_models: tuple[str, ...] | None = None
    rounded: bool = False


@dataclass(frozen=True)
class PlacedRow:
    """A checked row and where it came from."""

    source: Source
    row: Row

    @property
    def place(self) -> str:
        """Where the row stands in its file."""
        return self.source.place

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

    @property
    def group(self) -> str:
        """What it shares with the rows of its sweep: settings, backend, model and machine."""
        shared = {
            key: value
            for key, value in self.source.record.items()
            if key not in TEST_KEYS and not key.startswith(RESULT_STARTS)
        }
        around = {f"around {key}": value for key, value in self.source.speed_settings.items()}
        if self.source.gpu_models is not None:
            around["around gpus"] = self.source.gpu_models
        return json.dumps(shared | around, sort_keys=True, default=str)


def check_rows(found: Iterable[Source | Problem]) -> list[PlacedRow]:
    """Return the rows, checked; a Problem stands for a row that its format could not read.

    Raises InvalidFileError with the problems of the rows, or when there is no row at all.
    """
    rows: list[PlacedRow] = []
    problems: list[Problem] = []
    for item in found:
        if len(problems) > MOST_PROBLEMS:
            break  # enough to mend first; a long file of wrong rows costs no more than this
        if isinstance(item, Problem):
            problems.append(item)
            continue
        row = checked(Row, _as_timed(item.record), item.place, problems)
        if row is None:
            continue
        if row.n_prompt == 0 and row.n_gen == 0:
            message = "A row needs n_prompt or n_gen above 0; both are 0."
            problems.append(Problem(item.place, message, 0))
        rows.append(PlacedRow(item, row))
    if problems:
        raise InvalidFileError(*problems)
    if not rows:
        raise InvalidFileError(Problem("", NO_ROWS))
    return rows


def _as_timed(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the record with the prompt of a `tg64@pp512` test as its depth."""
    label = _GENERATION_AFTER_PROMPT.fullmatch(str(record.get("test", "")))
    if label is None or str(record.get("n_prompt")) != label[2]:
        return record
    return {**record, "n_prompt": 0, "n_depth": record["n_prompt"]}

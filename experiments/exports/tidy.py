"""The tidy table: a row for each figure of each run, with all that it was measured under.

Long rather than wide: two definitions of a metric never share a column, and no metric is lost.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from benchsite.common.exports import Cell
from experiments.exports.citation import Exporting
from experiments.exports.reading import figures_of, made_by, runs_of
from experiments.ingest.run_fields import SETUP_FIELDS
from experiments.models import Measurement, TestRun
from experiments.provenance import Provenance, provenance_of
from experiments.redaction import redact_text

Kind = Literal["text", "whole", "number", "yes_no", "time"]


@dataclass(frozen=True)
class Column:
    """A column of the table: its name, what its cells hold, and where they come from."""

    name: str
    kind: Kind
    read: Callable[[TestRun, Provenance | None], Cell]


def _of(path: str) -> Callable[[TestRun, Provenance | None], Cell]:
    """Return what reads a value of the run, texts as everybody may read them."""
    steps = path.split(".")

    def read(run: TestRun, _origin: Provenance | None) -> Cell:
        value: Any = run
        for step in steps:
            value = getattr(value, step)
        return redact_text(value) if isinstance(value, str) else value

    return read


def _origin_of(name: str) -> Callable[[TestRun, Provenance | None], Cell]:
    def read(_run: TestRun, origin: Provenance | None) -> Cell:
        value: Cell = getattr(origin, name) if origin else None
        return value

    return read


def _columns(kind: Kind, **paths: str) -> tuple[Column, ...]:
    return tuple(Column(name, kind, _of(path)) for name, path in paths.items())


def _same(kind: Kind, *names: str) -> tuple[Column, ...]:
    return _columns(kind, **{name: name for name in names})


def _machine(kind: Kind, *names: str) -> tuple[Column, ...]:
    return _columns(kind, **{name: f"hardware.{name}" for name in names})


_WHOLE_SETUP = tuple(SETUP_FIELDS[:4])
RUN_COLUMNS = (
    Column("run_id", "text", lambda run, _origin: str(run.pk)),
    *_columns(
        "text",
        model_name="variant.model_name",
        quantization="variant.quantization",
        lora_adapter="variant.lora_adapter",
    ),
    *_same("text", "backend", "backend_version"),
    *_columns("text", platform="hardware.platform.name"),
    *_columns("text", hardware_category="hardware.platform.category"),
    *_machine("text", "gpu_model"),
    *_machine("whole", "gpu_count"),
    *_machine("number", "gpu_memory_gb"),
    *_machine("text", "gpu_form", "cpu_model"),
    *_machine("whole", "cpu_sockets"),
    *_machine("text", "cpu_arch"),
    *_machine("number", "ram_gb"),
    *_machine("text", "ram_type", "virtualization_type"),
    *_columns("text", hardware_label="hardware.label"),
    *_same("text", "status"),
    *_same("yes_no", "complete"),
    *_same("time", "started_at"),
    *_same("yes_no", "zone_known"),
    *_same("text", "load_kind"),
    *_same("whole", "concurrent_requests"),
    *_same("number", "request_rate", "input_tokens", "output_tokens"),
    *_same("whole", "configured_input_tokens", "configured_output_tokens", "context_depth"),
    *_same("whole", "max_context_length", "batch_size"),
    *_same("text", "load_pattern", "dataset_name"),
    *_same("whole", *_WHOLE_SETUP),
    *_same("text", "speculation", "kv_cache_type"),
    *_same("number", "gpu_power_limit_watts"),
    *_same("text", "tool", "tool_version", "source_url"),
    Column("file_sha256", "text", _origin_of("sha256")),
    Column("received_at", "time", _origin_of("received_at")),
    Column("received_from", "text", _origin_of("received_from")),
)
FIGURE_COLUMNS: tuple[tuple[str, Kind], ...] = (
    ("metric", "text"),
    ("statistic", "text"),
    ("definition", "text"),
    ("value", "number"),
    ("unit", "text"),
    ("sample_count", "whole"),
    ("is_derived", "yes_no"),
)
COLUMNS: tuple[tuple[str, Kind], ...] = (
    *((column.name, column.kind) for column in RUN_COLUMNS),
    *FIGURE_COLUMNS,
)


def tidy_rows(exporting: Exporting) -> Iterator[tuple[Cell, ...]]:
    """Yield a row for each figure; a run without any (a failed one) has one with these empty."""
    for run in runs_of(exporting.selection, with_samples=False):
        origin = provenance_of(made_by(run))
        facts = tuple(_cell(column.read(run, origin)) for column in RUN_COLUMNS)
        figures: Sequence[Measurement] = figures_of(run)
        for item in figures:
            yield (*facts, *_figure(item))
        if not figures:
            yield (*facts, *(None for _column in FIGURE_COLUMNS))


def _figure(item: Measurement) -> tuple[Cell, ...]:
    return (
        *(item.metric, item.statistic, item.definition, item.value, item.unit),
        *(item.sample_count, bool(item.derived_from)),
    )


def _cell(value: Cell) -> Cell:
    """Return what is not known, also where it is an empty text, as None."""
    return None if value == "" and not isinstance(value, datetime) else value

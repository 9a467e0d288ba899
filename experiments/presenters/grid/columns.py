"""The columns of the grid: each is defined here, for the page, the chooser, CSV and JSON alike."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.http import QueryDict

from benchsite.common.exports import Cell as ExportCell
from benchsite.common.templatetags.figures import MISSING, aligned, compact, count, day, figure
from experiments.grid import ConfigurationRow, ModelRow
from experiments.metrics import METRICS
from experiments.presenters.labels import definition_label, definition_title, load_label

FIRST = "model"
NUMBER = "table__number"
ALPHABET = ("A to Z", "Z to A")
SIZE = ("lowest first", "highest first")
MEDIAN = "The speed is the median of the runs with this definition; least and greatest beside it."
AGE = ("oldest first", "newest first")


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the columns tell of a row: a configuration, or a variant that has scores alone."""

    level: str
    row: ModelRow
    configuration: ConfigurationRow | None
    benchmark: str | None

    @property
    def quantization(self) -> str:
        """That of the variant measured; a model row's is its best configuration's."""
        return (self.configuration or self.row).quantization

    @property
    def quality(self) -> tuple[float | None, str | None, bool]:
        """Score, its protocol, and whether it is of the protocol that ranks."""
        found = self.configuration or self.row
        return (found.quality_score, found.quality_protocol, found.quality_ranked)


class Note(NamedTuple):
    """A small line below a value; `title` explains it."""

    text: str
    title: str = ""


class Cell(NamedTuple):
    """What a cell of the table shows; `style` is its column's."""

    text: str
    notes: tuple[Note, ...] = ()
    style: str = ""


Field = tuple[str, Callable[[Facts], ExportCell]]


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column: what it shows of a row, and the fields that it becomes in an export.

    `metric` names the metric that its head links to, `style` is the CSS class of its cells, `ends`
    are the words for its two directions, and `has_points` tells figures with decimals.
    """

    key: str
    label: str
    cell: Callable[[Facts], Cell]
    fields: tuple[Field, ...]
    unit: str = ""
    metric: str = ""
    style: str = NUMBER
    ends: tuple[str, str] = SIZE
    is_default: bool = True
    has_points: bool = False

    @property
    def name(self) -> str:
        """Its full name; the head has room for the short `label` only."""
        return METRICS[self.metric].label if self.metric else self.label

    @property
    def sort_key(self) -> str:
        """The name of the key that sorts by it."""
        return "name" if self.key == FIRST else self.key


def _of(name: str) -> Callable[[Facts], Any]:
    """Return a reader of a column of the configuration; None where there is none."""
    return lambda facts: getattr(facts.configuration, name, None)


def _figure(name: str) -> Callable[[Facts], Cell]:
    return lambda facts: Cell(figure(_of(name)(facts)))


def _quality(facts: Facts) -> Cell:
    score, protocol, is_ranked = facts.quality
    marked = score is not None and not is_ranked
    return Cell(figure(score), (Note("other protocol", protocol or ""),) if marked else ())


def _speed(facts: Facts) -> Cell:
    item = facts.configuration
    if item is None or item.tokens_per_second is None:
        return Cell(MISSING)
    metric, definition = "tokens_per_second", item.tokens_per_second_definition
    words = f"{definition_label(metric, definition)} · {load_label(item, item.load_class)}"
    notes = [Note(words, definition_title(metric, definition))]
    least, most = item.tokens_per_second_min, item.tokens_per_second_max
    if item.runs > 1:
        spread = f": {figure(least)}–{figure(most)}" if least != most else ""
        notes.append(Note(f"{count(item.runs)} runs{spread}", MEDIAN))
    return Cell(figure(item.tokens_per_second), tuple(notes))


def _prompt_speed(facts: Facts) -> Cell:
    item = facts.configuration
    if item is None or item.prompt_processing_speed is None:
        return Cell(MISSING)
    metric, definition = "prompt_processing_speed", item.prompt_processing_speed_definition
    note = Note(definition_label(metric, definition), definition_title(metric, definition))
    return Cell(figure(item.prompt_processing_speed), (note,))


def _backend(facts: Facts) -> Cell:
    item = facts.configuration
    if item is None:
        return Cell(MISSING)
    version = (Note(item.backend_version),) if item.backend_version else ()
    return Cell(item.backend, version)


def _platform_name(facts: Facts) -> str | None:
    return facts.configuration.platform_name if facts.configuration else None


def _load(facts: Facts) -> str | None:
    item = facts.configuration
    return load_label(item, item.load_class) if item else None


COLUMNS = {
    column.key: column
    for column in (
        Column(
            key=FIRST,
            label="Model",
            style="table__first",
            cell=lambda facts: Cell(facts.row.model_name),
            fields=(
                ("level", lambda facts: facts.level),
                ("model", lambda facts: facts.row.model_name),
                ("lora_adapter", lambda facts: facts.row.lora_adapter),
            ),
            ends=ALPHABET,
        ),
        Column(
            key="quantization",
            label="Quantization",
            style="",
            cell=lambda facts: Cell(facts.quantization),
            fields=(("quantization", lambda facts: facts.quantization),),
            ends=ALPHABET,
        ),
        Column(
            key="quality",
            has_points=True,
            label="Quality",
            cell=_quality,
            fields=(
                ("benchmark", lambda facts: facts.benchmark),
                ("quality", lambda facts: facts.quality[0]),
                ("quality_protocol", lambda facts: facts.quality[1]),
                ("quality_ranked", lambda facts: facts.quality[2]),
            ),
        ),
        Column(
            key="speed",
            has_points=True,
            label="Generation",
            unit="tok/s",
            metric="tokens_per_second",
            style=f"{NUMBER} table__lead",
            cell=_speed,
            fields=(
                ("tokens_per_second", _of("tokens_per_second")),
                ("tokens_per_second_min", _of("tokens_per_second_min")),
                ("tokens_per_second_max", _of("tokens_per_second_max")),
                ("tokens_per_second_definition", _of("tokens_per_second_definition")),
                ("load", _load),
                ("load_kind", _of("load_kind")),
            ),
        ),
        Column(
            key="prompt_speed",
            has_points=True,
            label="Prompt",
            unit="tok/s",
            metric="prompt_processing_speed",
            cell=_prompt_speed,
            fields=(
                ("prompt_processing_speed", _of("prompt_processing_speed")),
                (
                    "prompt_processing_speed_definition",
                    _of("prompt_processing_speed_definition"),
                ),
            ),
        ),
        Column(
            key="ttft",
            has_points=True,
            label="TTFT",
            unit="ms",
            metric="ttft_ms",
            cell=_figure("ttft_ms"),
            fields=(("ttft_ms", _of("ttft_ms")),),
        ),
        Column(
            key="memory",
            has_points=True,
            label="Memory",
            unit="GB",
            metric="memory_usage_gb",
            cell=_figure("memory_gb"),
            fields=(("memory_gb", _of("memory_gb")),),
        ),
        Column(
            key="power",
            has_points=True,
            label="Power",
            unit="W",
            metric="gpu_power_watts",
            cell=_figure("gpu_power_watts"),
            fields=(("gpu_power_watts", _of("gpu_power_watts")),),
            is_default=False,
        ),
        Column(
            key="efficiency",
            label="Efficiency",
            unit="tok/kWh",
            metric="tokens_per_kwh",
            cell=lambda facts: Cell(compact(_of("tokens_per_kwh")(facts))),
            fields=(("tokens_per_kwh", _of("tokens_per_kwh")),),
        ),
        Column(
            key="backend",
            label="Backend",
            style="table__version",
            cell=_backend,
            fields=(("backend", _of("backend")), ("backend_version", _of("backend_version"))),
            ends=ALPHABET,
        ),
        Column(
            key="platform",
            label="Platform",
            style="",
            cell=lambda facts: Cell(_platform_name(facts) or MISSING),
            fields=(("platform", _platform_name),),
            ends=ALPHABET,
        ),
        Column(
            key="runs",
            label="Runs",
            cell=lambda facts: Cell(count(_of("runs")(facts))),
            fields=(("runs", _of("runs")),),
        ),
        Column(
            key="when",
            label="When",
            style="",
            cell=lambda facts: Cell(day(_of("newest_at")(facts))),
            fields=(("newest_at", _of("newest_at")),),
            ends=AGE,
        ),
    )
}
DEFAULT_COLUMNS = tuple(key for key, column in COLUMNS.items() if column.is_default)
RUN_ID: Field = ("run_id", _of("run_id"))


def chosen_columns(query: QueryDict) -> tuple[str, ...]:
    """Return the columns that `columns` asks for (repeated or `a,b`), in the order of the table.

    Unknown names are left out, the model is always there, and nothing known means the default.
    """
    asked = {part.strip() for text in query.getlist("columns") for part in text.split(",")}
    known = tuple(key for key in COLUMNS if key in asked)
    return (
        tuple(key for key in COLUMNS if key in known or key == FIRST) if known else DEFAULT_COLUMNS
    )


def cells_of(columns: Sequence[Column], rows: Sequence[Facts]) -> list[tuple[Cell, ...]]:
    """Return the cells of all rows, decimal points below each other in columns of figures."""
    return list(zip(*(_aligned_cells(column, rows) for column in columns), strict=True)) or [
        () for _row in rows
    ]


def _aligned_cells(column: Column, rows: Sequence[Facts]) -> list[Cell]:
    cells = [column.cell(facts) for facts in rows]
    texts = [cell.text for cell in cells]
    shown = aligned(texts) if column.has_points else texts
    return [Cell(text, cell.notes, column.style) for cell, text in zip(cells, shown, strict=True)]

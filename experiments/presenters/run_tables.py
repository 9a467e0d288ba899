"""Runs of one kind in a table: those of a sweep, the repeats of a configuration."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchsite.common.exports import Cell, Table
from benchsite.common.templatetags.figures import aligned, count, figure
from experiments.detail import RunLine
from experiments.metrics import METRICS
from experiments.models import TestRun
from experiments.presenters.labels import (
    DefinitionLink,
    MetricLink,
    definition_link,
    load_label,
    metric_link,
)

_FACTS = (
    ("context_depth", "Depth", "tokens"),
    ("input_tokens", "Input", "tokens"),
    ("output_tokens", "Output", "tokens"),
)
_METRICS = ("tokens_per_second", "prompt_processing_speed", "ttft_ms")


@dataclass(frozen=True, kw_only=True)
class RunCell:
    """A value of a run; the definition is told here where the column has several."""

    text: str
    value: float | None
    definition: DefinitionLink | None = None


@dataclass(frozen=True, kw_only=True)
class RunColumn:
    """A column that at least one run has a value in, with the definition that all share."""

    key: str
    name: MetricLink
    unit: str
    definition: DefinitionLink | None
    definitions: tuple[DefinitionLink | None, ...]
    cells: tuple[RunCell, ...]


@dataclass(frozen=True, kw_only=True)
class RunRow:
    """A run with its cells; `is_this` marks the run that the page is about."""

    run: TestRun
    load: str
    cells: tuple[RunCell, ...]
    is_this: bool


@dataclass(frozen=True, kw_only=True)
class RunTable:
    """Runs in rows; columns that nothing is known in are left out."""

    columns: tuple[RunColumn, ...]
    rows: tuple[RunRow, ...]


def run_table(lines: Sequence[RunLine], this: TestRun) -> RunTable:
    """Lay runs of one configuration or one sweep out."""
    columns = [_fact_column(lines, *fact) for fact in _FACTS]
    columns += [_metric_column(lines, metric) for metric in _METRICS]
    shown = tuple(
        column for column in columns if any(cell.value is not None for cell in column.cells)
    )
    return RunTable(
        columns=shown,
        rows=tuple(
            RunRow(
                run=line.run,
                load=load_label(line.run, this.configuration.load_class),
                cells=tuple(column.cells[index] for column in shown),
                is_this=line.run.pk == this.pk,
            )
            for index, line in enumerate(lines)
        ),
    )


def run_table_file(name: str, table: RunTable) -> Table:
    """Return the table as it is downloaded."""
    header = ["run", "started_at", "load"]
    for column in table.columns:
        header.append(f"{column.key}, {column.unit}")
        if column.name.key:
            header.append(f"{column.key} definition")
    return Table(name=name, header=header, rows=list(_file_rows(table)))


def _file_rows(table: RunTable) -> Iterator[list[Cell]]:
    for index, row in enumerate(table.rows):
        cells: list[Cell] = [row.run.pk, row.run.started_at, row.load]
        for column in table.columns:
            cells.append(column.cells[index].value)
            if column.name.key:
                definition = column.definitions[index]
                cells.append(definition.label if definition else None)
        yield cells


def _fact_column(lines: Sequence[RunLine], field: str, label: str, unit: str) -> RunColumn:
    values = [getattr(line.run, field) for line in lines]
    texts = aligned([count(value) for value in values])
    return RunColumn(
        key=field,
        name=MetricLink(label=label, key=""),
        unit=unit,
        definition=None,
        definitions=(None,) * len(lines),
        cells=tuple(
            RunCell(text=text, value=value) for text, value in zip(texts, values, strict=True)
        ),
    )


def _metric_column(lines: Sequence[RunLine], metric: str) -> RunColumn:
    found = [line.headline(metric) for line in lines]
    texts = aligned([figure(value) for value, _definition in found])
    definitions = tuple(
        None if value is None else definition_link(metric, definition)
        for value, definition in found
    )
    stated = {item for item in definitions if item}
    is_shared = len(stated) == 1
    return RunColumn(
        key=metric,
        name=metric_link(metric),
        unit=METRICS[metric].unit,
        definition=next(iter(stated)) if is_shared else None,
        definitions=definitions,
        cells=tuple(
            RunCell(
                text=text,
                value=value,
                definition=None if is_shared else definition,
            )
            for text, (value, _name), definition in zip(texts, found, definitions, strict=True)
        ),
    )

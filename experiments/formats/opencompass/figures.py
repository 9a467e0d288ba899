"""The figures of an OpenCompass table, for one model at a time."""

import math
from dataclasses import dataclass

from experiments.formats.documents import Problem
from experiments.formats.lm_eval.tasks import Part
from experiments.formats.numbers import no_result, read_number
from experiments.formats.opencompass.names import (
    is_over_all,
    read_benchmark,
    read_metric,
    read_part,
)
from experiments.formats.opencompass.table import Row, Table, is_nothing
from experiments.formats.problems import join_path


@dataclass(frozen=True)
class Figure:
    """A row's figure of one model; `part` is set for a part of a curated benchmark."""

    row: Row
    path: str
    value: float
    part: Part | None

    @property
    def benchmark(self) -> str:
        """The benchmark that it belongs to."""
        return self.part.benchmark if self.part else read_benchmark(self.row.dataset)


def figures_of(
    table: Table, index: int, problems: list[Problem], warnings: list[Problem]
) -> list[Figure]:
    """Return the figures of a column; a row that stands twice with the same figure is one.

    "-" stands for what was not run, and for the whole row where it begins a section.
    """
    found: dict[tuple[str, ...], Figure] = {}
    for row in table.rows:
        if is_nothing(row.metric) or is_over_all(row.dataset):
            continue
        path = join_path(f"line {row.line}", table.models[index])
        value = _number(row, row.cells[index], path, problems, warnings)
        if value is None:
            continue
        figure = Figure(row, path, value, read_part(row.dataset))
        key = (row.dataset, row.version, row.metric, row.mode)
        if found.setdefault(key, figure).value != value:
            message = f"{row.dataset} stands twice with different figures; keep the right one."
            problems.append(Problem(path, message, row.cells[index]))
    return list(found.values())


def _number(
    row: Row, cell: str, path: str, problems: list[Problem], warnings: list[Problem]
) -> float | None:
    if is_nothing(cell):
        return None
    value = read_number(cell.removesuffix("%"))
    if value is None:
        problems.append(Problem(path, "A number is expected here, or - for none.", cell[:120]))
        return None
    if not math.isfinite(value):
        warnings.append(no_result(path, cell))
        return None
    if read_metric(row.metric).is_percent and not 0 <= value <= 100:
        problems.append(Problem(path, f"{row.metric} is in percent, 0 to 100.", cell))
        return None
    return value

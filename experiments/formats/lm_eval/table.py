"""Reads the console tables of lm-evaluation-harness line by line."""

import math
import re
from dataclasses import dataclass, field

from benchmarks.totals import category_key
from experiments.formats.documents import Problem
from experiments.formats.lm_eval.harness import Figure, label_depth, plain_label
from experiments.formats.lm_eval.tasks import is_curated_task
from experiments.formats.numbers import is_left_out, no_result, read_number

HEADER = re.compile(
    r"^[ \t]*\|[ \t]*(Tasks?|Groups?)[ \t]*\|[ \t]*Version[ \t]*\|.*\|[ \t]*Value[ \t]*\|",
    re.MULTILINE,
)
_RULE = re.compile(r"[\s|:\-]+")
# The line above a table, such as
# "hf (pretrained=…), gen_kwargs: (None), limit: None, num_fewshot: 5, batch_size: 8".
_INVOCATION = re.compile(
    r"(?P<model>\S+) \((?P<arguments>.*?)\)(, gen_kwargs: \(.*?\))?, limit: (?P<limit>[^,\s]+)"
    r"(, provide_description: \S+)?, num_fewshot: (?P<shots>[^,\s]+), batch_size"
)
_LONGEST_INVOCATION = 5_000


@dataclass
class TableTask:
    """A task in the making: what its first row says, and the figures of all its rows."""

    name: str
    label: str
    line: int
    version: str
    shots: str
    figures: dict[str, Figure] = field(default_factory=dict)


@dataclass
class Block:
    """The tables below one invocation: tasks by their labels from the outermost group on."""

    invocation: re.Match[str] | None
    line: int = 0
    tasks: dict[tuple[str, ...], TableTask] = field(default_factory=dict)


class TableReader:
    """Reads line by line: invocations, headers, rows."""

    def __init__(self) -> None:
        self.blocks = [Block(None)]
        self.above: list[tuple[int, str]] = []  # indent and name of the groups of this row
        self.columns: dict[str, int] | None = None
        self.task: TableTask | None = None
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []

    def read(self, number: int, line: str) -> None:
        """Take in one line of the file."""
        if found := len(line) < _LONGEST_INVOCATION and _INVOCATION.search(line):
            self.blocks.append(Block(found, number))
        elif HEADER.match(line):
            names = [cell.strip() for cell in _cells(line)]
            self.columns = {name: index for index, name in enumerate(names) if name}
            self.task, self.above = None, []
        elif not line.strip().startswith("|"):
            self.columns = None
        elif self.columns is not None and not _RULE.fullmatch(line):
            self._row(number, _cells(line), self.columns)

    def _row(self, number: int, cells: list[str], columns: dict[str, int]) -> None:
        wanted = max(columns.values()) + 1
        if len(cells) < wanted:
            message = f"The row has {len(cells)} cells, the header {wanted} columns."
            self.problems.append(Problem(f"line {number}", message, "|".join(cells)[:120]))
            return

        def cell(name: str) -> str:
            return cells[columns[name]].strip() if name in columns else ""

        if cells[0].strip():
            self.task = self._task(number, cells[0], cell("Version"), cell("n-shot"))
        if self.task is None:
            message = "The row belongs to no task: the first cell of the first row is empty."
            self.problems.append(Problem(f"line {number}", message))
        elif cell("Metric") == "alias":
            self.task.label = cells[columns["Value"]].rstrip()
        elif cell("Metric"):
            self._figure(number, cell("Metric"), cell("Filter"), cell("Value"), cell("Stderr"))

    def _task(self, number: int, label: str, version: str, shots: str) -> TableTask:
        """Return the task of a row: a table of groups repeats those of the table of tasks."""
        depth = label_depth(label)
        while self.above and self.above[-1][0] >= depth:
            self.above.pop()
        self.above.append((depth, plain_label(label)))
        labels = tuple(name for _depth, name in self.above)
        task = TableTask(_task_name(labels), label.rstrip(), number, version, shots)
        return self.blocks[-1].tasks.setdefault(labels, task)

    def _figure(self, number: int, metric: str, filtered: str, value: str, stderr: str) -> None:
        found = self._number(value, number, "Value")
        error = self._number(stderr, number, "Stderr")
        if found is None or self.task is None:
            return
        figure = Figure(
            path=f"line {number}",
            metric=metric,
            metric_filter=filtered or None,
            value=found,
            stderr=error,
        )
        before = self.task.figures.setdefault(figure.name, figure)
        if before.value != figure.value:
            message = (
                f"{self.task.name} has another {figure.name} in {before.path}; "
                "send the tables of different models or runs one by one."
            )
            self.problems.append(Problem(figure.path, message, value))

    def _number(self, text: str, number: int, column: str) -> float | None:
        if is_left_out(text):
            return None
        place = f"line {number}"
        value = read_number(text)
        if value is None:
            self.problems.append(Problem(place, f"A number is expected under {column}.", text))
            return None
        if not math.isfinite(value):
            self.warnings.append(no_result(place, text))
            return None
        return value


def _cells(line: str) -> list[str]:
    return line.strip().removeprefix("|").removesuffix("|").split("|")


def _task_name(labels: tuple[str, ...]) -> str:
    """Return the task's name, which newer tables leave out: that of the group and the label."""
    name = labels[0]
    if is_curated_task(category_key(name)):
        name = category_key(name)  # "mmlu (generative)"
    for label in labels[1:]:
        name = label if label.startswith(f"{labels[0]}_") else f"{name}_{label}"
    return name

"""lm-evaluation-harness: what its JSON and its tables have in common."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from benchmarks.protocol import Protocol
from experiments.formats.documents import ModelDocument

HARNESS = "lm-evaluation-harness"
_NESTED_LABEL = re.compile(r"(?P<indent>\s*)-\s*(?P<name>.*)")


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure of a task, on the harness's own scale."""

    path: str
    metric: str
    metric_filter: str | None
    value: float
    stderr: float | None = None

    @property
    def name(self) -> str:
        """What the harness calls the figure: "exact_match,strict-match", before 0.4 "acc"."""
        return self.metric if self.metric_filter is None else f"{self.metric},{self.metric_filter}"


@dataclass(frozen=True, kw_only=True)
class TaskResult:
    """One task or group of tasks, as the file tells it; `label` is its name within its group.

    `answered` of `questions` questions were asked; `children` are the tasks of a group.
    """

    name: str
    path: str
    label: str
    figures: tuple[Figure, ...] = ()
    version: str | None = None
    shots: int | None = None
    answered: int | None = None
    questions: int | None = None
    higher_is_better: Mapping[str, bool] = field(default_factory=dict)
    children: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """One run of the harness: a model, its tasks by name, and what holds for all of them.

    `protocol` is what the tasks share; `limit` is the limit on questions, None without one.
    `doubts_guessing`: scores that guessing would reach wait for a curator.
    """

    path: str
    model: ModelDocument
    tasks: Mapping[str, TaskResult]
    protocol: Protocol
    limit: str | None = None
    measured_at: datetime | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    doubts_guessing: bool = False

    def below(self, task: TaskResult) -> Iterator[TaskResult]:
        """Yield the tasks and groups below a group, each once, whatever circle they form."""
        seen = {task.name}
        waiting = list(reversed(task.children))
        while waiting:
            name = waiting.pop()
            if name in seen or name not in self.tasks:
                continue
            seen.add(name)
            yield self.tasks[name]
            waiting += reversed(self.tasks[name].children)


def plain_label(label: str) -> str:
    """Return the name in a label: " - humanities" gives "humanities"."""
    found = _NESTED_LABEL.fullmatch(label)
    return (found["name"] if found else label).strip()


def label_depth(label: str) -> int:
    """Return how deep a label is indented, -1 for one that is no part of a group."""
    found = _NESTED_LABEL.fullmatch(label)
    return len(found["indent"]) if found else -1


def nested(labels: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Return the children of each name, as the labels tell: " - humanities" lies below "mmlu".

    `labels` are (name, label) in the order of the file; deeper indents lie below the last shallower
    one.
    """
    children: dict[str, tuple[str, ...]] = {}
    open_groups: list[tuple[int, str]] = []
    for name, label in labels:
        depth = label_depth(label)
        while open_groups and open_groups[-1][0] >= depth:
            open_groups.pop()
        if depth >= 0 and open_groups:
            parent = open_groups[-1][1]
            children[parent] = (*children.get(parent, ()), name)
        open_groups.append((depth, name))
    return children


def version_text(version: Any) -> str | None:
    """Return a task's version as text, None where the harness had none ("Yaml", "N/A")."""
    if isinstance(version, bool) or not isinstance(version, int | float | str):
        return None
    text = f"{version:g}" if isinstance(version, float) else str(version).strip()
    text = re.sub(r"(?<=\d)\.0$", "", text)  # JSON has 3.0 where the table prints 3
    return None if text in ("", "Yaml", "N/A", "nan", "inf", "-inf") else text

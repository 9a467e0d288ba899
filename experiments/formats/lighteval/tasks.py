"""The tasks of a lighteval file: "suite|task:subset|shots" as names, figures, numbers of questions.

A row "suite|task:_average|shots" is the mean over the subsets of one task: their whole. The row
"all" is a mean over unlike tasks and is no result.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from experiments.formats.lm_eval.harness import Figure, TaskResult, version_text
from experiments.formats.lm_eval.record import Record
from experiments.formats.numbers import read_number
from experiments.formats.problems import join_path

_ALL = "all"
_AVERAGE = ":_average"
_LONGEST_SHOTS = 6
# Tasks whose name is not that of the benchmark with its subset behind it.
_NAMES = {"gpqa:main": "gpqa"}
# What one figure of several samples an answer is called: "gpqa_pass@1:8_samples",
# "pass@k:k=1&n=8", "avg@n:n=8", "maj@4".
_OF_SAMPLES = (
    re.compile(r"(?:\w+_)?(?P<kind>pass|avg|maj)@(?P<k>\d+)(?::(?P<n>\d+)(?:_samples)?)?"),
    re.compile(r"(?:\w+_)?(?P<kind>pass|avg|maj)@[kn]:[kn]=(?P<k>\d+)(?:&n=(?P<n>\d+))?"),
)

_Group = tuple[str, tuple[int, ...]]


@dataclass(frozen=True)
class TaskName:
    """A task's key taken apart; `suite` is "" where none is named (since 2025).

    `numbers` are that of examples, then until 2025 whether they may be cut to fit.
    """

    suite: str
    task: str
    numbers: tuple[int, ...]

    @property
    def shots(self) -> int | None:
        """The number of examples, None where it is not said."""
        return self.numbers[0] if self.numbers else None

    @property
    def is_average(self) -> bool:
        """Whether it is the mean over the subsets of a task."""
        return self.task.endswith(_AVERAGE)

    @property
    def plain(self) -> str:
        """The name as tasks of lm-evaluation-harness are written: "arc:challenge" has a "_"."""
        task = self.task.removesuffix(_AVERAGE)
        return _NAMES.get(task) or task.replace(":", "_")

    @property
    def whole(self) -> str:
        """The task that this is a subset of, "" for one without subsets."""
        return "" if self.is_average else self.task.rpartition(":")[0]


def read_name(key: str) -> TaskName:
    """Take a key apart: "leaderboard|arc:challenge|25", "harness|drop|3|0", "gsm8k|5", "ifeval"."""
    parts = [part.strip() for part in key.split("|")]
    numbers: list[int] = []
    while len(parts) > 1 and parts[-1].isdecimal() and len(parts[-1]) <= _LONGEST_SHOTS:
        numbers.insert(0, int(parts.pop()))
    suite = parts.pop(0) if len(parts) > 1 else ""
    return TaskName(suite, "|".join(parts), tuple(numbers))


def read_metric(name: str) -> tuple[str, str | None]:
    """Return a metric's plain name, and of how many samples or with which settings it was made."""
    for pattern in _OF_SAMPLES:
        if found := pattern.fullmatch(name):
            samples = f"{found['n']} samples" if found["n"] else None
            return f"{found['kind']}@{found['k']}", samples
    plain, colon, settings = name.partition(":")
    if colon and "=" in settings:  # "em:normalize_gold=gsm8k_normalizer"
        return plain, settings
    return name.removeprefix("truthfulqa_"), None


def read_tasks(record: Record) -> list[dict[str, TaskResult]]:
    """Return the tasks of a record by name, in a group for each suite and number of examples.

    Within a group no name stands twice, and an average is the head of its subsets. Groups without
    any figure are left out.
    """
    groups: dict[_Group, dict[str, TaskResult]] = {}
    subsets: dict[_Group, dict[str, list[str]]] = {}
    averages: list[tuple[_Group, str, str]] = []
    questions = _questions(record)
    versions = record.section("versions")
    for key, row in record.section("results").items():
        if key == _ALL:
            continue
        if not isinstance(row, dict):
            record.complain("The figures of a task are an object.", row, "results", key)
            continue
        name = read_name(key)
        group = (name.suite, name.numbers)
        if name.plain in groups.setdefault(group, {}):
            record.complain("This task stands twice; keep the right one.", key, "results", key)
        answered, asked = questions.get(key) or questions.get(_without_shots(name), (None, None))
        version = " ".join(filter(None, [name.suite, version_text(versions.get(key))])) or None
        task = TaskResult(
            name=name.plain,
            path=join_path(record.place, "results", key),
            label=name.plain,
            figures=tuple(_figures(record, row, key)),
            version=version,
            shots=name.shots,
            answered=answered,
            questions=asked,
        )
        groups[group][name.plain] = task
        if name.is_average:
            averages.append((group, name.plain, name.task.removesuffix(_AVERAGE)))
        elif name.whole:
            subsets.setdefault(group, {}).setdefault(name.whole, []).append(name.plain)
    for group, plain, whole in averages:
        children = tuple(subsets.get(group, {}).get(whole, ()))
        groups[group][plain] = replace(groups[group][plain], children=children)
    return [tasks for tasks in groups.values() if any(task.figures for task in tasks.values())]


def _without_shots(name: TaskName) -> str:
    """Return the key of a task in `config_tasks`, which had no number of examples until 2025."""
    return f"{name.suite}|{name.task}" if name.suite else name.task


def _figures(record: Record, row: Mapping[str, Any], key: str) -> Iterator[Figure]:
    for name, raw in row.items():
        if name.endswith("_stderr"):
            continue
        metric, samples = read_metric(name)
        value = _number(record, raw, key, name)
        stderr_key = f"{name}_stderr"
        stderr = _number(record, row.get(stderr_key), key, stderr_key)
        if value is not None:
            yield Figure(
                path=join_path(record.place, "results", key, name),
                metric=metric,
                metric_filter=samples,
                value=value,
                stderr=stderr,
            )


def _number(record: Record, raw: Any, key: str, name: str) -> float | None:
    """Return a figure, also one that was written as Python prints it: "np.float64(0.75)"."""
    if isinstance(raw, str) and (value := read_number(raw)) is not None:
        raw = value
    return record.number(raw, "results", key, name)


def _questions(record: Record) -> dict[str, tuple[int | None, int | None]]:
    """Return how many questions of each configured task were answered, and of how many; -1 is none.

    Old files have a text in place of a configuration ("LM Harness task").
    """
    found = {}
    for key, settings in record.section("config_tasks").items():
        if isinstance(settings, dict):
            counts = (settings.get("effective_num_docs"), settings.get("original_num_docs"))
            found[key] = (_count(counts[0]), _count(counts[1]))
    return found


def _count(value: Any) -> int | None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31
    return value if is_count else None

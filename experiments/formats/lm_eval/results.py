"""The tasks of a lm-evaluation-harness JSON: figures, versions, shots, numbers of questions."""

from collections.abc import Iterator, Mapping
from typing import Any

from experiments.formats.lm_eval.harness import (
    Figure,
    TaskResult,
    nested,
    plain_label,
    version_text,
)
from experiments.formats.lm_eval.record import Record
from experiments.formats.problems import join_path

# Old files know no groups; these tasks are the whole of those whose names go on from theirs.
_WHOLE_OF_PREFIX = ("crows_pairs_english", "crows_pairs_french")


def read_tasks(record: Record) -> dict[str, TaskResult]:
    """Return the tasks and groups of a record by name, in the order of the file."""
    groups = record.section("groups")
    rows = {**record.section("results")}
    rows |= {name: row for name, row in groups.items() if name not in rows}
    children = _children(record, rows)
    shots = _shots(record)
    versions = record.section("versions")
    samples = record.section("n-samples")
    directions = record.section("higher_is_better")
    tasks = {}
    for name, row in rows.items():
        path = (
            "results" if name not in groups or name in record.value["results"] else "groups",
            name,
        )
        if not isinstance(row, dict):
            record.complain("The figures of a task are an object.", row, *path)
            continue
        answered, questions = _questions(record, samples.get(name), name)
        ways = directions.get(name)
        tasks[name] = TaskResult(
            name=name,
            path=join_path(record.place, *path),
            label=plain_label(str(row.get("alias") or name)),
            figures=tuple(_figures(record, row, path)),
            version=version_text(versions.get(name)) or _version_in_configs(record, name),
            shots=shots.get(name),
            answered=answered,
            questions=questions,
            higher_is_better=ways if isinstance(ways, dict) else {},
            children=children.get(name, ()),
        )
    return tasks


def _figures(record: Record, row: Mapping[str, Any], path: tuple[str, str]) -> Iterator[Figure]:
    """Yield the figures of a task: "metric,filter" since 0.4, before that each number."""
    with_filters = any("," in key for key in row)
    for key, raw in row.items():
        metric, comma, metric_filter = (part.strip() for part in key.partition(","))
        if not metric or metric.endswith("_stderr") or (with_filters and not comma):
            continue
        if not comma and (metric == "alias" or (isinstance(raw, str) and not raw.strip())):
            continue
        if isinstance(raw, dict):
            message = "A figure is a number; results by prompt (bigscience's fork) are not read."
            record.complain(message, raw, *path, key)
            return
        value = record.number(raw, *path, key)
        stderr_key = f"{metric}_stderr{comma}{metric_filter}"
        stderr = record.number(row.get(stderr_key), *path, stderr_key)
        if value is not None:
            yield Figure(
                path=join_path(record.place, *path, key),
                metric=metric,
                metric_filter=metric_filter if comma else None,
                value=value,
                stderr=stderr,
            )


def _children(record: Record, rows: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the tasks of each group: as stated, else as the labels are indented."""
    stated = record.section("group_subtasks")
    if stated:
        children = {}
        for group, tasks in stated.items():
            if not isinstance(tasks, list) or not all(isinstance(task, str) for task in tasks):
                record.complain("A list of tasks is expected here.", tasks, "group_subtasks", group)
                continue
            children[group] = tuple(tasks)
        return children
    labels = [
        (name, str(row.get("alias") or name) if isinstance(row, dict) else name)
        for name, row in rows.items()
    ]
    found = nested(labels)
    for whole in _WHOLE_OF_PREFIX:
        parts = tuple(name for name in rows if name.startswith(f"{whole}_"))
        if whole in rows and parts:
            found[whole] = parts
    return found


def _shots(record: Record) -> dict[str, int]:
    """Return the number of examples of each task, where the file tells it.

    Since 0.4 a section says so; before, the configuration has one number for all tasks. A fork
    writes a list there, in the order in which the tasks ran: that of `versions`, unless that is
    sorted by name.
    """
    versions = record.section("versions")
    names = {**record.section("results"), **record.section("groups")}
    configured = record.section("config").get("num_fewshot")
    found: dict[str, Any] = {}
    if isinstance(configured, list):
        if len(configured) == len(versions) and (
            list(versions) != sorted(versions) or len(set(map(str, configured))) == 1
        ):
            found = dict(zip(versions, configured, strict=True))
    elif configured is not None:
        found = dict.fromkeys(names, configured)
    for name, settings in record.section("configs").items():
        if isinstance(settings, dict) and settings.get("num_fewshot") is not None:
            found[name] = settings["num_fewshot"]
    found |= record.section("n-shot")
    counts = {
        name: record.whole(value, "n-shot", name) for name, value in found.items() if name in names
    }
    return {name: count for name, count in counts.items() if count is not None}


def _questions(record: Record, value: Any, name: str) -> tuple[int | None, int | None]:
    """Return how many questions were answered, and of how many."""
    if value is None:
        return None, None
    if not isinstance(value, dict):
        record.complain(
            "An object with original and effective is expected.", value, "n-samples", name
        )
        return None, None
    return (
        record.whole(value.get("effective"), "n-samples", name, "effective"),
        record.whole(value.get("original"), "n-samples", name, "original"),
    )


def _version_in_configs(record: Record, name: str) -> str | None:
    """Return the version in a task's metadata, where 0.4.0 wrote only "Yaml" above."""
    settings = record.section("configs").get(name)
    metadata = settings.get("metadata") if isinstance(settings, dict) else None
    if isinstance(metadata, list):
        metadata = metadata[0] if metadata else None
    return version_text(metadata.get("version")) if isinstance(metadata, dict) else None

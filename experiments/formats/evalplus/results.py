"""EvalPlus `*_eval_results.json`: pass@k made from the results of single tasks."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.documents import (
    InvalidFileError,
    ModelDocument,
    ParsedFile,
    Problem,
    ScoreSetDocument,
)
from experiments.formats.evalplus import about
from experiments.formats.evalplus.scores import NOTHING_PASSED, Passed, pass_at_k, task_scores
from experiments.formats.evalplus.tasks import read_task
from experiments.formats.fields import EARLIEST_YEAR, LATEST_YEAR, check_year
from experiments.formats.numbers import is_number, read_number
from experiments.formats.problems import join_path, short_value
from experiments.formats.records import records_of

_DATASETS = {"humaneval": "humaneval", "mbpp": "mbpp"}
_LONGEST_HASH = 12
_TOLERANCE_POINTS = 0.05


def _detect(content: Content) -> bool:
    record = content.first_record
    return isinstance(record.get("eval"), dict) and ("hash" in record or "pass_at_k" in record)


def _parse(content: Content) -> ParsedFile:
    problems: list[Problem] = []
    warnings: list[Problem] = []
    score_sets = []
    for place, record in records_of(content):
        if isinstance(record, Problem):
            problems.append(record)
            continue
        score_set, doubts = _score_set(record, place, problems)
        score_sets.append(score_set)
        warnings += doubts
    if problems:
        raise InvalidFileError(*problems)
    return ParsedFile(score_sets=tuple(score_sets), warnings=tuple(warnings))


def _score_set(
    record: Mapping[str, Any], place: str, problems: list[Problem]
) -> tuple[ScoreSetDocument, list[Problem]]:
    """Return the scores of one run with warnings, noting what makes it unusable."""
    model = ModelDocument(model_name=None, quantization=None)
    nothing = ScoreSetDocument(path=place, model=model, scores=())
    where = join_path(place, "eval")
    entries = record.get("eval")
    if not isinstance(entries, dict) or not entries:
        problems.append(Problem(where, "The results of the tasks are missing.", None))
        return nothing, []
    before = len(problems)
    tasks = [
        task
        for name, entry in entries.items()
        if (task := read_task(entry, join_path(where, name), problems))
    ]
    dataset = _dataset(list(entries), where, problems)
    measured_at = _measured_at(record, place, problems)
    if len(problems) > before or dataset is None:
        return nothing, []
    if not any(task.base for task in tasks):
        message = f"A broken run: {NOTHING_PASSED}"
        problems.append(Problem(where, message, f"0 of {len(tasks)} tasks"))
        return nothing, []
    dataset_hash = record.get("hash")
    is_hash = isinstance(dataset_hash, str) and dataset_hash.isalnum()
    counts = sorted({task.samples for task in tasks})
    scores = task_scores(
        path=where,
        dataset=dataset,
        tasks=tasks,
        dataset_hash=str(dataset_hash)[:_LONGEST_HASH] if is_hash else None,
        measured_at=measured_at,
        context={
            "samples_per_task": counts[0] if len(counts) == 1 else f"{counts[0]}–{counts[-1]}"
        },
    )
    doubts = _disagreements(record, place, tasks)
    return ScoreSetDocument(path=place, model=model, scores=tuple(scores)), doubts


def _dataset(names: list[str], where: str, problems: list[Problem]) -> str | None:
    """Return the benchmark that all tasks are of, by their names: "HumanEval/0", "Mbpp/2"."""
    found = {name.partition("/")[0].casefold() for name in names}
    dataset = _DATASETS.get(found.pop()) if len(found) == 1 else None
    if dataset is None:
        message = "The tasks are named like HumanEval/0 or like Mbpp/2, all of them alike."
        problems.append(Problem(where, message, short_value(", ".join(names[:3]))))
    return dataset


def _measured_at(record: Mapping[str, Any], place: str, problems: list[Problem]) -> datetime | None:
    """Return when the tests ran, by the clock of the machine; the file gives no zone."""
    text = record.get("date")
    if not isinstance(text, str) or not text.strip():
        return None
    try:
        return check_year(datetime.fromisoformat(text.strip())).replace(tzinfo=None)
    except ValueError:
        message = f"A date is written like 2026-11-20 09:30, {EARLIEST_YEAR} to {LATEST_YEAR}."
        problems.append(Problem(join_path(place, "date"), message, short_value(text)))
        return None


def _disagreements(record: Mapping[str, Any], place: str, tasks: list[Passed]) -> list[Problem]:
    """Return a warning where the file states another pass@1 than its tasks give."""
    stated = record.get("pass_at_k")
    warnings = []
    for kind in ("base", "plus") if isinstance(stated, dict) else ():
        counts = [task.base if kind == "base" else task.plus for task in tasks]
        figures = stated.get(kind) if isinstance(stated, dict) else None
        value = _number(figures.get("pass@1")) if isinstance(figures, dict) else None
        if value is None or any(count is None for count in counts):
            continue
        shares = [
            pass_at_k(task.samples, count or 0, 1)
            for task, count in zip(tasks, counts, strict=True)
        ]
        made = 100 * sum(shares) / len(shares)
        if abs(100 * value - made) > _TOLERANCE_POINTS:
            path = join_path(place, "pass_at_k", kind, "pass@1")
            message = f"The tasks of the file give {made:.2f} %; that is taken."
            warnings.append(Problem(path, message, value))
    return warnings


def _number(value: Any) -> float | None:
    found = read_number(value) if isinstance(value, str) else value
    return float(found) if is_number(found) and 0 <= found <= 100 else None


FORMAT = Format(
    name="evalplus-json",
    title="EvalPlus results of tasks",
    version=1,
    detect=_detect,
    parse=_parse,
    about=about.RESULTS,
    tool="EvalPlus",
    command="evalplus.evaluate --model MODEL --dataset humaneval --backend vllm --greedy",
    file_name="MODEL_vllm_temp_0.0.eval_results.json",
    fills=("scores",),
    lacks=("model_name", "quantization"),
)

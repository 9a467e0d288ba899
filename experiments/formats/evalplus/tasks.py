"""The results of one task in an EvalPlus file, of versions before 0.3 and since.

Before 0.3 a task has `base` and `plus`, a list of [status, [passed, …]] each with an entry a
sample; since then it is a list of samples with `base_status` and `plus_status`. A sample passes
HumanEval+ and MBPP+ only if it passes the base tests, too.
"""

from typing import Any

from experiments.formats.documents import Problem
from experiments.formats.evalplus.scores import Passed
from experiments.formats.problems import join_path, short_value

_PASSED = ("pass", "success")  # "success" until 0.2


def read_task(entry: Any, path: str, problems: list[Problem]) -> Passed | None:
    """Return how many samples of a task passed."""
    if isinstance(entry, dict):
        base, plus = entry.get("base"), entry.get("plus") or []
        plus_path = join_path(path, "plus")
        samples = base if isinstance(base, list) else []
        extra = plus if isinstance(plus, list) else []
        if extra and len(extra) != len(samples):
            message = "There are as many samples as under base."
            problems.append(Problem(plus_path, message, len(extra)))
            return None
        pairs = [
            (_old_status(item), _old_status(extra[index]) if extra else None)
            for index, item in enumerate(samples)
        ]
    elif isinstance(entry, list):
        pairs = [
            (item.get("base_status"), item.get("plus_status")) if isinstance(item, dict) else (0, 0)
            for item in entry
        ]
    else:
        pairs = []
    if not pairs:
        problems.append(Problem(path, "A task has a list of samples.", short_value(entry)))
        return None
    for index, (base, plus) in enumerate(pairs):
        if not isinstance(base, str) or not isinstance(plus, str | None):
            message = "A sample has a status, such as pass, fail or timeout."
            problems.append(Problem(f"{path}[{index}]", message, short_value(base)))
            return None
    with_plus = all(plus is not None for _base, plus in pairs)
    return Passed(
        samples=len(pairs),
        base=sum(base in _PASSED for base, _plus in pairs),
        plus=sum(base in _PASSED and plus in _PASSED for base, plus in pairs)
        if with_plus
        else None,
    )


def _old_status(item: Any) -> Any:
    """Return the status of a sample before 0.3: alone, or before the list of its tests."""
    return item[0] if isinstance(item, list) and item else item

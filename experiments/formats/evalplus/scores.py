"""EvalPlus scores: HumanEval and MBPP by their own tests, HumanEval+ and MBPP+ by many more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import prod
from typing import Any

from benchmarks.protocol import Protocol
from experiments.formats.documents import ScoreDocument

HARNESS = "EvalPlus"
KS = (1, 10, 100)
NOTHING_PASSED = "no task passed its tests: were the answers cut off or written in another form?"
# MBPP+ had 399 tasks until 0.2, since then 378.
TASKS = {"humaneval": 164, "mbpp": 378}


@dataclass(frozen=True, kw_only=True)
class Passed:
    """How many of a task's samples passed: by its own tests, and by all tests (None: not run)."""

    samples: int
    base: int
    plus: int | None


def pass_at_k(samples: int, passed: int, k: int) -> float:
    """Return the chance that one of k samples passes, estimated from all samples of a task.

    1 − C(n−c, k) / C(n, k), unbiased (arXiv 2107.03374, equation 1).
    """
    if samples - passed < k:
        return 1.0
    return 1.0 - prod(1.0 - k / n for n in range(samples - passed + 1, samples + 1))


def task_scores(
    *,
    path: str,
    dataset: str,
    tasks: Sequence[Passed],
    dataset_hash: str | None,
    measured_at: datetime | None,
    context: Mapping[str, Any],
) -> list[ScoreDocument]:
    """Return the scores of a run: pass@k for every k that all tasks have samples for.

    The tests of HumanEval+ and MBPP+ change with the hash of their data set, those of HumanEval do
    not; MBPP is told apart by its number of tasks.
    """
    with_plus = all(task.plus is not None for task in tasks)
    scores = []
    for suffix in ("", "_plus") if with_plus else ("",):
        passed = [(task.plus or 0) if suffix else task.base for task in tasks]
        version = f"{len(tasks)} tasks" if dataset == "mbpp" else None
        if suffix and dataset_hash:
            version = " ".join(filter(None, [version, dataset_hash]))
        expected = TASKS[dataset]
        reason = f"{len(tasks)} of {expected} tasks" if len(tasks) < expected else None
        for k in reversed([k for k in KS if all(task.samples >= k for task in tasks)]):
            single = k == 1 and all(task.samples == 1 for task in tasks)
            shares = [
                pass_at_k(task.samples, count, k) for task, count in zip(tasks, passed, strict=True)
            ]
            scores.append(
                ScoreDocument(
                    path=path,
                    benchmark=f"{dataset}{suffix}" + (f"_pass_at_{k}" if k > 1 else ""),
                    stated_score=None if single else round(100 * sum(shares) / len(shares), 10),
                    correct=sum(passed) if single else None,
                    total=len(tasks),
                    protocol=Protocol(
                        harness=HARNESS, task_version=version, metric_filter=f"pass@{k}"
                    ),
                    complete=reason is None,
                    partial_reason=reason,
                    scale_known=True,
                    doubt=None if any(passed) else NOTHING_PASSED,
                    measured_at=measured_at,
                    zone_known=measured_at is None,
                    context=context,
                )
            )
    return scores

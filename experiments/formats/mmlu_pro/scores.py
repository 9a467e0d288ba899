"""MMLU-Pro by its own scripts: what the three kinds of result files have in common."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from benchmarks.protocol import Protocol
from benchmarks.totals import CategoryData
from experiments.formats.documents import (
    ModelDocument,
    ParsedFile,
    Problem,
    ScoreDocument,
    ScoreSetDocument,
)

BENCHMARK = "mmlu_pro"
TIGER_LAB = "TIGER-Lab MMLU-Pro"
CHIGKIM = "Ollama-MMLU-Pro"
QUESTIONS = 12_032
# Scripts that ask a server lose single questions to errors; that is no smaller test.
_COMPLETE_SHARE = 0.99


def too_few_questions(total: int | None) -> str | None:
    """Return why a result over this many questions is no whole MMLU-Pro, None when it is one."""
    if total is None or total >= _COMPLETE_SHARE * QUESTIONS:
        return None
    return f"{total} of {QUESTIONS} questions"


def score_file(
    *,
    path: str,
    harness: str,
    model: ModelDocument,
    categories: Sequence[CategoryData],
    stated_score: float | None = None,
    correct: int | None = None,
    total: int | None = None,
    chat_template: str | None = None,
    partial_reasons: Sequence[str | None] = (),
    measured_at: datetime | None = None,
    context: Mapping[str, Any] | None = None,
    warnings: Sequence[Problem] = (),
) -> ParsedFile:
    """Return a file's one score; missing categories make it partial when it is stored.

    The number of examples is not stated: the scripts give five, their forks also none.
    """
    reasons = [*partial_reasons, too_few_questions(total)]
    score = ScoreDocument(
        path=path,
        benchmark=BENCHMARK,
        stated_score=stated_score,
        correct=correct,
        total=total,
        protocol=Protocol(harness=harness, metric_filter="accuracy", chat_template=chat_template),
        complete=not any(reasons),
        partial_reason="; ".join(filter(None, reasons)) or None,
        scale_known=True,
        measured_at=measured_at,
        zone_known=measured_at is None or measured_at.tzinfo is not None,
        context=context or {},
        categories=tuple(categories),
    )
    score_set = ScoreSetDocument(path=path, model=model, scores=(score,))
    return ParsedFile(score_sets=(score_set,), warnings=tuple(warnings))

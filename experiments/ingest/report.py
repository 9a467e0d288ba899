"""What became of a file: the report that the form, the API and the command show."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from experiments.formats.documents import Problem


class Refusal(StrEnum):
    """Why a file was not taken; the value is the `code` of an API error."""

    UNREADABLE = "unreadable"
    UNKNOWN_FORMAT = "unknown_format"
    INVALID = "invalid"
    MISSING = "missing"
    CONFLICT = "conflict"
    WITHDRAWN = "withdrawn"
    TOO_LARGE = "too_large"

    @property
    def http_status(self) -> int:
        """The HTTP status that says the same."""
        return {
            Refusal.UNREADABLE: 400,
            Refusal.UNKNOWN_FORMAT: 415,
            Refusal.INVALID: 422,
            Refusal.MISSING: 422,
            Refusal.CONFLICT: 409,
            Refusal.WITHDRAWN: 409,
            Refusal.TOO_LARGE: 413,
        }[self]


def first_in_words(problems: Sequence[Problem]) -> str:
    """Return the first of some problems as a sentence, and how many more there are."""
    first = problems[0]
    place = f"{first.path}: " if first.path else ""
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{place}{first.message}{more}"


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """A run that the file made or found unchanged."""

    id: UUID
    title: str
    action: str


@dataclass(frozen=True, kw_only=True)
class ScoreResult:
    """A score that the file made or found unchanged."""

    id: UUID
    variant_id: UUID
    model_name: str
    quantization: str
    benchmark: str
    score: float | None
    action: str
    complete: bool = True
    needs_confirmation: bool = False


@dataclass(frozen=True, kw_only=True)
class Report:
    """The outcome of one file; `outcome` is created, unchanged, dry_run or rejected."""

    outcome: str
    sha256: str
    file_name: str = ""
    upload_id: UUID | None = None
    format: str | None = None
    parser_version: int | None = None
    runs: tuple[RunResult, ...] = ()
    scores: tuple[ScoreResult, ...] = ()
    warnings: tuple[Problem, ...] = ()
    errors: tuple[Problem, ...] = ()
    missing: tuple[str, ...] = ()
    suggestions: dict[str, str] = field(default_factory=dict)
    preview: dict[str, Any] = field(default_factory=dict)
    refusal: Refusal | None = None

    @property
    def accepted(self) -> bool:
        """Whether the facts of the file are in the database (or would be, in a dry run)."""
        return self.refusal is None

    @property
    def summary(self) -> str:
        """One sentence for people."""
        if self.missing:
            it = "it" if len(self.missing) == 1 else "them"
            return f"The file does not say {', '.join(self.missing)}: send {it} beside the file."
        if self.refusal:
            return first_in_words(self.errors or (Problem("", "The file was not taken."),))
        done: dict[str, list[str]] = {}
        for name, items in (("run", self.runs), ("score", self.scores)):
            for action, count in Counter(str(item.action) for item in items).items():
                done.setdefault(action, []).append(f"{count} {name}{'' if count == 1 else 's'}")
        parts = [f"{action}: {' and '.join(counts)}" for action, counts in done.items()]
        if self.outcome == "dry_run":
            return f"dry run: {'; '.join(parts) or 'nothing'}"
        return "; ".join(parts) or f"{self.outcome}: nothing"

    def as_dict(self) -> dict[str, Any]:
        """Return the fields of the API's answer, also kept with the upload."""
        return {
            "upload_id": str(self.upload_id) if self.upload_id else None,
            "sha256": self.sha256,
            "format": self.format,
            "parser_version": self.parser_version,
            "outcome": self.outcome,
            "runs": [str(run.id) for run in self.runs],
            "scores": [
                {
                    "id": str(score.id),
                    "model_name": score.model_name,
                    "quantization": score.quantization,
                    "benchmark": score.benchmark,
                    "score": score.score,
                }
                for score in self.scores
            ],
            "warnings": [problem.as_dict() for problem in self.warnings],
            "missing": list(self.missing),
            "suggestions": self.suggestions,
        }

    def as_stored(self) -> dict[str, Any]:
        """Return what is kept with the upload: the API's answer, errors, and the preview."""
        return self.as_dict() | {
            "errors": [problem.as_dict() for problem in self.errors],
            "refusal": self.refusal,
            "summary": self.summary,
            "preview": self.preview,
        }

"""What can be wrong with facts about models and their scores."""

from collections.abc import Sequence
from dataclasses import dataclass


class BenchmarksError(Exception):
    """The base of all errors of this app."""


class InvalidVariantError(BenchmarksError):
    """A model variant's name cannot be stored."""


@dataclass(frozen=True, kw_only=True)
class ScoreProblem:
    """What is wrong with one value of the score at `index` of those given."""

    index: int
    field: str
    message: str
    value: float | str | None = None


class InvalidScoresError(BenchmarksError):
    """Scores that cannot be stored, with every problem found in them."""

    def __init__(self, problems: Sequence[ScoreProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{p.index}.{p.field}: {p.message}" for p in problems))

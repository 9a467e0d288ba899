"""How a score's total is made from what a file states, and whether it covers the benchmark."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import fmean

# Files print percentages with one decimal, so two figures of one result can each be 0.05 off.
ROUNDING_TOLERANCE_POINTS = 0.1


class TotalMethod(StrEnum):
    """Where a total comes from: the file, all answers counted alike, or all categories alike."""

    STATED = "stated"
    MICRO = "micro"
    MACRO = "macro"


@dataclass(frozen=True)
class CategoryData:
    """One category of a score: percent (or the benchmark's own scale), or counts, or both."""

    category: str
    score: float | None = None
    correct: int | None = None
    total: int | None = None

    @property
    def value(self) -> float | None:
        """Return the stated score, else the share of correct answers in percent."""
        return self.score if self.score is not None else percent(self.correct, self.total)


@dataclass(frozen=True, kw_only=True)
class TotalScore:
    """A total, how it was made, and where the file's own figures disagree."""

    score: float
    method: TotalMethod
    warnings: tuple[str, ...] = ()


def percent(correct: int | None, total: int | None) -> float | None:
    """Return 100 · correct / total, None when either is unknown or there is nothing to share."""
    if correct is None or not total:
        return None
    return 100 * correct / total


def total_score(
    *,
    stated: float | None,
    correct: int | None,
    total: int | None,
    categories: Sequence[CategoryData],
) -> TotalScore | None:
    """Return the total of a score, None when nothing allows one.

    Stated, else micro (from counts: the score's own, else the sum over categories when all have
    them), else macro (the plain mean of the categories). Counts make percentages: pass None for a
    benchmark on another scale. Categories must not overlap (see `CategoryScheme.partition`).
    Micro figures that differ from the total by more than rounding are warned of; without counts
    the weights of a stated total are unknown, so it is only doubted when it lies outside the range
    of its categories, where no weighted mean can lie.
    """
    own_micro = percent(correct, total)
    category_micro = _micro_of(categories)
    values = [value for item in categories if (value := item.value) is not None]
    if stated is not None:
        score, method = stated, TotalMethod.STATED
    elif own_micro is not None:
        score, method = own_micro, TotalMethod.MICRO
    elif category_micro is not None:
        score, method = category_micro, TotalMethod.MICRO
    elif values:
        score, method = fmean(values), TotalMethod.MACRO
    else:
        return None
    warnings = [
        f"the total is {score:.2f}, but {source} give {micro:.2f}"
        for source, micro in (
            ("its counts", own_micro),
            ("the counts of its categories", category_micro),
        )
        if micro is not None and _differ(score, micro)
    ]
    if own_micro is None and category_micro is None:
        warnings += _outside_range(score, values)
    warnings += _category_warnings(categories)
    return TotalScore(score=score, method=method, warnings=tuple(warnings))


def _micro_of(categories: Sequence[CategoryData]) -> float | None:
    """Return the share of correct answers over all categories, None unless all have counts."""
    counts = [
        (item.correct, item.total)
        for item in categories
        if item.correct is not None and item.total is not None
    ]
    if len(counts) < len(categories):
        return None
    return percent(sum(correct for correct, _ in counts), sum(total for _, total in counts))


def _differ(a: float, b: float) -> bool:
    return abs(a - b) > ROUNDING_TOLERANCE_POINTS + 1e-9


def _outside_range(score: float, values: Sequence[float]) -> list[str]:
    if not values:
        return []
    low, high = min(values), max(values)
    if low - ROUNDING_TOLERANCE_POINTS <= score <= high + ROUNDING_TOLERANCE_POINTS:
        return []
    return [f"the total is {score:.2f}, but its categories lie between {low:.2f} and {high:.2f}"]


def _category_warnings(categories: Iterable[CategoryData]) -> list[str]:
    return [
        f"category {item.category}: the score is {item.score:.2f}, but its counts give {micro:.2f}"
        for item in categories
        if item.score is not None
        and (micro := percent(item.correct, item.total)) is not None
        and _differ(item.score, micro)
    ]


def looks_like_fractions(values: Iterable[float]) -> bool:
    """Tell whether values that should be percentages are rather fractions of 1.

    True when all lie within 0 and 1 and not all are 0. A real result below 1 % is doubted too:
    asking a curator costs less than ranking 0.67 for 67 %.
    """
    found = list(values)
    return any(found) and all(0 <= value <= 1 for value in found)


def category_key(name: str) -> str:
    """Return a category's name for matching: lower case, words joined by "_"."""
    return re.sub(r"[\W_]+", "_", name.casefold()).strip("_")


@dataclass(frozen=True)
class CategoryScheme:
    """The categories a complete result of a benchmark covers, and named groups of them.

    A group stands for its members, so MMLU by its four groups is as complete as MMLU by its 57
    subjects. A benchmark without expected categories is covered by any.
    """

    expected: Sequence[str] = ()
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def _leaves(self, name: str) -> frozenset[str]:
        key = category_key(name)
        members = {category_key(group): group for group in self.groups}
        if key in members:
            return frozenset(map(category_key, self.groups[members[key]]))
        return frozenset({key})

    def missing(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the expected categories that none of `names` covers, in expected order."""
        covered = {leaf for name in names for leaf in self._leaves(name)}
        return tuple(name for name in self.expected if category_key(name) not in covered)

    def partition(self, categories: Sequence[CategoryData]) -> tuple[CategoryData, ...]:
        """Return categories without overlap, the finest that lose nothing.

        A group is dropped when the categories below it are all there; those below it are dropped
        when some are not.
        """
        leaves = {item.category: self._leaves(item.category) for item in categories}
        kept = [item for item in categories if not _is_covered(leaves[item.category], leaves)]
        return tuple(
            item
            for item in kept
            if not any(leaves[item.category] < leaves[other.category] for other in kept)
        )


def _is_covered(whole: frozenset[str], leaves: Mapping[str, frozenset[str]]) -> bool:
    finer = [part for part in leaves.values() if part < whole]
    return bool(finer) and frozenset().union(*finer) >= whole

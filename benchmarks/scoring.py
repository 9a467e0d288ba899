"""From a score as a file tells it to the row that is stored: checks, total, completeness."""

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from benchmarks.errors import InvalidScoresError, ScoreProblem
from benchmarks.models import Benchmark
from benchmarks.models.conditions import LONGEST_NAME, LONGEST_SLUG
from benchmarks.protocol import Protocol
from benchmarks.totals import (
    CategoryData,
    TotalMethod,
    TotalScore,
    category_key,
    total_score,
)

LARGEST_COUNT = 2**31 - 1
MISSING_NAMED = 3
NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL text holds neither


@dataclass(frozen=True, kw_only=True)
class ScoreData:
    """A score as a file tells it; None = not known.

    `score` is what the file states (or what a parser made of it, then `total_method` says how);
    without it the total is made from the counts or categories. `higher_is_better` is used only
    when the benchmark is not known yet and is made by this score. `doubt` says why a score needs
    confirmation. `id`, `stored_key` and `received_at` are those of a score that another site had
    stored, and are kept.
    """

    benchmark_slug: str
    benchmark_name: str | None = None
    score: float | None = None
    total_method: TotalMethod | None = None
    stderr: float | None = None
    correct: int | None = None
    total: int | None = None
    protocol: Protocol = field(default_factory=Protocol)
    complete: bool = True
    partial_reason: str | None = None
    source_url: str | None = None
    notes: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    measured_at: datetime | None = None
    zone_known: bool = True
    needs_confirmation: bool = False
    doubt: str = ""
    higher_is_better: bool | None = None
    categories: tuple[CategoryData, ...] = ()
    id: UUID | None = None
    stored_key: str | None = None
    received_at: datetime | None = None

    @property
    def has_valid_slug(self) -> bool:
        """Tell whether a benchmark can be stored under the slug and name."""
        slug, name = self.benchmark_slug, self.benchmark_name or ""
        fits = bool(slug.strip()) and len(slug) <= LONGEST_SLUG
        return fits and not NOT_STORABLE.search(slug + name)

    @property
    def content_key(self) -> str:
        """Return a hash of protocol, time and values: equal for the same score sent again."""
        if self.stored_key is not None:
            return self.stored_key
        measured_at = self.measured_at and self.measured_at.astimezone(UTC).isoformat()
        values = [_as_float(self.score), _as_float(self.stderr), self.correct, self.total]
        categories = sorted(
            [item.category, _as_float(item.score), item.correct, item.total]
            for item in self.categories
        )
        content = [astuple(self.protocol), measured_at, values, categories]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _as_float(value: float | None) -> float | None:
    return None if value is None else float(value)


@dataclass(frozen=True, kw_only=True)
class PreparedScore:
    """A checked score with its total, ready to be stored."""

    data: ScoreData
    benchmark: Benchmark
    total: TotalScore
    partial_reason: str | None
    complete: bool

    @property
    def identity(self) -> tuple[int, str]:
        """Return what tells this score from the variant's other ones."""
        return self.benchmark.pk, self.data.content_key

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return what is doubtful about the score, in sentences."""
        doubts = list(self.total.warnings)
        if not self.complete:
            doubts.append(f"partial, so not ranked: {self.partial_reason or 'reason not given'}")
        if self.data.needs_confirmation:
            doubts.append(f"{self.data.doubt}; not ranked until confirmed")
        return tuple(doubts)


def prepare_scores(
    scores: Sequence[ScoreData], benchmarks: Mapping[str, Benchmark]
) -> list[PreparedScore]:
    """Check all scores and make their totals; raises InvalidScoresError with every problem.

    `benchmarks` holds the benchmark of each valid slug.
    """
    problems: list[ScoreProblem] = []
    prepared: list[PreparedScore] = []
    for index, data in enumerate(scores):
        benchmark = benchmarks.get(data.benchmark_slug)
        found = [
            ScoreProblem(index=index, field=name, message=message, value=value)
            for name, message, value in _problems_of(data, benchmark)
        ]
        total = None if found or benchmark is None else _total(data, benchmark)
        if total is None or benchmark is None:
            message = "neither a score nor counts nor categories to make one from"
            problems += found or [ScoreProblem(index=index, field="score", message=message)]
            continue
        complete, reason = _completeness(data, benchmark)
        prepared.append(
            PreparedScore(
                data=data,
                benchmark=benchmark,
                total=total,
                complete=complete,
                partial_reason=reason,
            )
        )
    if problems:
        raise InvalidScoresError(problems)
    return prepared


def _total(data: ScoreData, benchmark: Benchmark) -> TotalScore | None:
    """Return the total; counts are left out where they do not make a score of the benchmark."""
    counted = benchmark.counts_are_percent
    made = total_score(
        stated=data.score,
        correct=data.correct if counted else None,
        total=data.total if counted else None,
        categories=benchmark.category_scheme.partition(data.categories),
    )
    if made is None or data.score is None or data.total_method is None:
        return made
    return replace(made, method=data.total_method)


def _completeness(data: ScoreData, benchmark: Benchmark) -> tuple[bool, str | None]:
    """Return whether a score may stand for the benchmark, and why not.

    A result that names categories must cover all expected ones, one by one or by their groups,
    whatever total or completeness it claims: one category's file never becomes the total. A result
    without categories is as complete as the file says.
    """
    if data.categories:
        missing = benchmark.category_scheme.missing(item.category for item in data.categories)
        if missing:
            names = ", ".join(missing[:MISSING_NAMED]) + ", …" * (len(missing) > MISSING_NAMED)
            expected = len(benchmark.expected_categories)
            reason = f"{len(missing)} of {expected} categories are missing: {names}"
            if reason in (data.partial_reason or ""):  # an export tells it already
                return False, data.partial_reason
            return False, "; ".join(filter(None, [data.partial_reason, reason]))
    if data.complete and data.partial_reason is None:
        return True, None
    return False, data.partial_reason


Problem = tuple[str, str, float | str | None]  # field, message, value


def _problems_of(data: ScoreData, benchmark: Benchmark | None) -> Iterator[Problem]:
    if benchmark is None:
        message = f"a benchmark's name is plain text of 1 to {LONGEST_SLUG} characters"
        yield "benchmark", message, data.benchmark_slug
    yield from _value_problems("score", data.score, benchmark)
    yield from _count_problems("", data.correct, data.total)
    if data.stderr is not None and not 0 <= data.stderr < math.inf:
        yield "stderr", "a standard error is a finite number from 0 on", str(data.stderr)
    yield from _protocol_problems(data.protocol)
    if NOT_STORABLE.search(data.partial_reason or ""):
        yield "partial_reason", "the text holds characters that cannot be stored", None
    seen: set[str] = set()
    for index, item in enumerate(data.categories):
        yield from _category_problems(f"categories.{index}.", item, seen, benchmark)


def _protocol_problems(protocol: Protocol) -> Iterator[Problem]:
    for name, value in asdict(protocol).items():
        if isinstance(value, str) and NOT_STORABLE.search(value):
            yield f"protocol.{name}", "the text holds characters that cannot be stored", None
    if protocol.shots is not None and not 0 <= protocol.shots <= LARGEST_COUNT:
        yield "protocol.shots", "the number of examples is 0 or more", protocol.shots


def _category_problems(
    place: str, item: CategoryData, seen: set[str], benchmark: Benchmark | None
) -> Iterator[Problem]:
    """Yield what is wrong with one category; `seen` gathers the names of those before it."""
    name, key = item.category, category_key(item.category)
    if not name.strip() or len(name) > LONGEST_NAME or NOT_STORABLE.search(name):
        message = f"a category's name is plain text of 1 to {LONGEST_NAME} characters"
        yield place + "category", message, name
    elif key in seen:
        yield place + "category", "the category is given twice", name
    seen.add(key)
    if item.value is None:
        yield place + "score", "neither a score nor counts to make one from", None
    yield from _value_problems(place + "score", item.score, benchmark)
    yield from _count_problems(place, item.correct, item.total)


def _value_problems(
    place: str, value: float | None, benchmark: Benchmark | None
) -> Iterator[Problem]:
    if value is None:
        return
    if not math.isfinite(value):
        yield place, "the score is not a finite number", str(value)
        return
    low = benchmark.scale_min if benchmark else None
    high = benchmark.scale_max if benchmark else None
    if low is not None and value < low:
        yield place, f"the score is below {low:g}, the lowest of {benchmark}", value
    if high is not None and value > high:
        yield place, f"the score is above {high:g}, the highest of {benchmark}", value


def _count_problems(place: str, correct: int | None, total: int | None) -> Iterator[Problem]:
    if total is not None and not 0 < total <= LARGEST_COUNT:
        yield place + "total", f"the total is a number from 1 to {LARGEST_COUNT}", total
    elif correct is not None and not 0 <= correct <= (LARGEST_COUNT if total is None else total):
        yield place + "correct", "the correct answers are from 0 to the total", correct

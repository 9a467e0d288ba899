"""Gathers the runs of a serving tool's file: their problems, warnings and sweeps."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from experiments.formats.content import Content
from experiments.formats.documents import (
    MOST_PROBLEMS,
    InvalidFileError,
    ParsedFile,
    Problem,
    RunDocument,
)
from experiments.formats.figures import Figures
from experiments.formats.problems import ShapeT, checked, join_path
from experiments.formats.records import records_of

# What detailed results hold for each request: they make no other run of the same result.
PER_REQUEST = frozenset(
    {
        "errors",
        "generated_texts",
        "input_lens",
        "itls",
        "latencies",
        "output_lens",
        "queue_times",
        "start_times",
        "ttfts",
    }
)
# Mean lengths of one dataset differ a little from run to run, those of two settings by more.
_FACTOR_APART = 1.5
_GROUPS_LOOKED_AT = 20


def without_requests(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record without what it holds for each request."""
    return {key: value for key, value in record.items() if key not in PER_REQUEST}


def hidden_requests(record: Mapping[str, Any]) -> list[str]:
    """Return which of the lists hold texts that nobody else may see."""
    lists = {name: record.get(name) for name in ("errors", "generated_texts")}
    return [name for name, texts in lists.items() if isinstance(texts, list) and any(texts)]


class RunCollector:
    """Gathers runs with what is wrong and what is odd about them."""

    def __init__(self) -> None:
        self.warnings: list[Problem] = []
        self.problems: list[Problem] = []
        self._runs: list[RunDocument] = []

    @property
    def is_full(self) -> bool:
        """Whether there are more problems than are told: mending those comes first."""
        return len(self.problems) > MOST_PROBLEMS

    def read(self, shape: type[ShapeT], place: str, record: Mapping[str, Any]) -> ShapeT | None:
        """Return a checked record; None with its problems where it cannot be right."""
        return checked(shape, record, place, self.problems)

    def add(self, run: RunDocument, figures: Figures) -> None:
        """Take a run with its figures; one in which nothing was measured has failed."""
        self.problems += figures.problems
        self.warnings += figures.warnings
        measured = [item for item in figures.measurements if item.metric != "error_rate"]
        status = "completed" if measured else "failed"
        if not measured:
            self.warnings.append(Problem(run.path, "Nothing was measured: this run failed."))
        self._runs.append(replace(run, measurements=figures.measurements, status=status))

    def parsed(self) -> ParsedFile:
        """Return all runs with their sweeps; InvalidFileError where any cannot be right."""
        if self.problems:
            raise InvalidFileError(*self.problems)
        if not any(run.status == "completed" for run in self._runs):
            raise InvalidFileError(_all_failed(self._runs))
        return ParsedFile(runs=tuple(_split_sweeps(self._runs)), warnings=tuple(self.warnings))


def parse_records(
    content: Content, add: Callable[[RunCollector, str, Mapping[str, Any]], None]
) -> ParsedFile:
    """Return the runs of a file: `add(found, place, record)` reads each of its records."""
    found = RunCollector()
    for place, record in records_of(content):
        if found.is_full:
            break
        if isinstance(record, Problem):
            found.problems.append(record)
        else:
            add(found, place, record)
    return found.parsed()


def parse_rows(
    content: Content,
    shape: type[ShapeT],
    add: Callable[[RunCollector, str, Mapping[str, Any], ShapeT], None],
) -> ParsedFile:
    """Return the runs of a file whose records have one shape, as `add` reads each of them."""

    def add_row(found: RunCollector, place: str, record: Mapping[str, Any]) -> None:
        row = found.read(shape, place, record)
        if row is not None:
            add(found, place, record, row)

    return parse_records(content, add_row)


def _all_failed(runs: Sequence[RunDocument]) -> Problem:
    """Say that no run of a file measured anything."""
    if not runs:
        return Problem("", "The file holds no result.")
    rates = [item for run in runs for item in run.measurements if item.metric == "error_rate"]
    sent = sum(item.sample_count or 0 for item in rates)
    if not sent:  # the tool may count no requests at all
        return Problem(runs[0].path, "Nothing was measured: the file holds no figure above 0.")
    message = f"Nothing was measured: all {sent:,} requests failed. See the log of the server."
    return Problem(join_path(runs[0].path, "completed"), message, 0)


def _split_sweeps(runs: Sequence[RunDocument]) -> list[RunDocument]:
    """Tell runs of one group apart whose mean lengths are too different for one curve."""
    seen: dict[str, list[_Lengths]] = defaultdict(list)
    split = []
    for run in runs:
        if run.sweep_group is None:
            split.append(run)
            continue
        lengths = (run.workload.input_tokens, run.workload.output_tokens)
        known = seen[run.sweep_group]
        first = max(len(known) - _GROUPS_LOOKED_AT, 0)
        number = next(
            (i for i in range(first, len(known)) if _are_alike(known[i], lengths)), len(known)
        )
        if number == len(known):
            known.append(lengths)
        split.append(replace(run, sweep_group=f"{run.sweep_group}#{number}"))
    return split


_Lengths = tuple[float | None, float | None]


def _are_alike(one: _Lengths, other: _Lengths) -> bool:
    """Tell whether both lengths are about the same; what is not known differs from nothing."""
    return all(
        not a or not b or max(a, b) <= _FACTOR_APART * min(a, b)
        for a, b in zip(one, other, strict=True)
    )

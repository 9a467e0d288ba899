"""What became of many files: counts, and what to do about those that were not taken."""

import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from experiments.choices import ItemAction
from experiments.ingest.report import Refusal, Report

_NAMES_SHOWN = 5
_MOST_GROUPS = 10  # of files that lack the same, with the same suggestions
_LABELS = {
    "created": "created",
    "unchanged": "unchanged",
    "dry_run": "would be taken",
    "rejected": "rejected",
    "skipped": "skipped",
    "unread": "not read",
}
_FAILED = ("rejected", "unread")
_UNRECOGNISED = "not recognised"
_REPLACE = "--replace takes the content of these files instead of what is here"
_HINTS = {
    Refusal.CONFLICT: _REPLACE,
    Refusal.WITHDRAWN: _REPLACE,
    Refusal.UNKNOWN_FORMAT: "no results in a known format; where they are none at all, "
    "--skip-unknown passes over them",
}


@dataclass(kw_only=True)
class _Names:
    """The first few names of a group of files, and how many there are: it must not grow."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        self.count += 1
        if len(self.first) < _NAMES_SHOWN:
            self.first.append(name)

    def __str__(self) -> str:
        return some_of(self.first, self.count)


@dataclass(kw_only=True)
class Tally:
    """Counts of the reports of many files; it keeps few names, however many files there are."""

    total: int
    dry_run: bool
    done: int = 0
    runs: Counter[str] = field(default_factory=Counter)
    scores: Counter[str] = field(default_factory=Counter)
    started: float = field(default_factory=time.monotonic)
    _with_sidecar: int = 0
    _sidecars: set[str] = field(default_factory=set)
    _outcomes: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    _refusals: dict[Refusal, _Names] = field(default_factory=lambda: defaultdict(_Names))
    _missing: dict[tuple[tuple[str, str], ...], _Names] = field(
        default_factory=lambda: defaultdict(_Names)
    )

    def add(self, shown: str, report: Report, sources: Collection[str] = ()) -> None:
        """Count the report of a file that is shown to people by a name; `sources` are sidecars."""
        self.done += 1
        self._with_sidecar += bool(sources)
        self._sidecars.update(sources)
        self._outcomes[report.outcome][_kind(report)] += 1
        self.runs.update(run.action for run in report.runs)
        self.scores.update(score.action for score in report.scores)
        if report.missing:
            self._missing[self._wanted(report)].add(shown)
        elif report.refusal and report.outcome == "rejected":
            self._refusals[report.refusal].add(shown)

    def _wanted(self, report: Report) -> tuple[tuple[str, str], ...]:
        """Return the fields a file lacks, with what its name suggests unless that gets too much."""
        wanted = tuple((name, report.suggestions.get(name, "")) for name in report.missing)
        if wanted in self._missing or len(self._missing) < _MOST_GROUPS:
            return wanted
        return tuple((name, "") for name in report.missing)

    @property
    def interrupted(self) -> bool:
        """Whether files are left that nobody looked at."""
        return self.done < self.total

    @property
    def failed(self) -> int:
        """How many files were rejected or could not be read."""
        return sum(sum(self._outcomes[outcome].values()) for outcome in _FAILED)

    @property
    def taken(self) -> int:
        """How many files are in the database now."""
        return sum(sum(self._outcomes[outcome].values()) for outcome in ("created", "unchanged"))

    def as_dict(self) -> dict[str, Any]:
        """Return the counts by outcome, then by format (or why there is none), runs and scores."""
        return {
            "files": self.total,
            "done": self.done,
            "outcomes": {
                outcome: dict(sorted(kinds.items())) for outcome, kinds in self._outcomes.items()
            },
            "runs": dict(self.runs),
            "scores": dict(self.scores),
            "dry_run": self.dry_run,
            "interrupted": self.interrupted,
        }

    def lines(self) -> Iterator[str]:
        """Yield the summary for people: a line an outcome, then what was written."""
        for outcome, label in _LABELS.items():
            if kinds := self._outcomes.get(outcome):
                by_kind = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common())
                yield f"{label:<14}{sum(kinds.values()):>6}   {by_kind}"
        written = [
            _counted(sum(actions.values()) - actions[ItemAction.UNCHANGED], name)
            for name, actions in (("run", self.runs), ("score", self.scores))
        ]
        yield f"{' and '.join(written)} {'would be' if self.dry_run else 'were'} written."
        if self._sidecars:
            files, sidecars = (
                _counted(self._with_sidecar, "file"),
                _counted(len(self._sidecars), "sidecar"),
            )
            have = "has" if self._with_sidecar == 1 else "have"
            yield f"{files} {have} context from {sidecars} (benchsite.yaml)."
        seconds = time.monotonic() - self.started
        rate = self.done / seconds
        in_words = f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"
        yield f"{_counted(self.done, 'file')} in {seconds:.1f} s: {in_words} a second."

    def hints(self) -> Iterator[str]:
        """Yield how to have the files taken that were refused."""
        for wanted, names in self._missing.items():
            fields = ", ".join(name for name, _value in wanted)
            options = " ".join(
                f'{option_of(name)} "{value}"' if value else f"{option_of(name)} …"
                for name, value in wanted
            )
            doubt = " (suggested by the name: is it right?)" if '"' in options else ""
            lack = "lacks" if names.count == 1 else "lack"
            yield f"{names} {lack} {fields}: send again with {options}{doubt}"
        for refusal, hint in _HINTS.items():
            if refusal in self._refusals:
                yield f"{self._refusals[refusal]}: {hint}"


def option_of(field_name: str) -> str:
    """Return the option of the command that states a context field."""
    return "--" + field_name.replace("_", "-")


def some_of(first: list[str], count: int) -> str:
    """Return the first names of many, and how many more there are."""
    more = count - min(len(first), _NAMES_SHOWN)
    return ", ".join(first[:_NAMES_SHOWN]) + (f" and {more:,} more" if more else "")


def _kind(report: Report) -> str:
    """Return the format of a file, or why it has none."""
    if report.format:
        return report.format
    if report.refusal is Refusal.UNKNOWN_FORMAT:
        return _UNRECOGNISED
    return (report.refusal or report.outcome).replace("_", " ")


def _counted(count: int, name: str) -> str:
    return f"{count:,} {name}{'' if count == 1 else 's'}"

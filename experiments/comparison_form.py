"""The address of the comparison page: what it may hold, and the addresses one step from it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from string import ascii_uppercase
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse

from experiments.curves import LATENCIES, STATISTICS
from experiments.forms import MAX_SELECTED, ComparisonForm

DIFFERENCES = "differences"
LETTERS = ascii_uppercase[:MAX_SELECTED]


@dataclass(frozen=True, kw_only=True)
class ComparisonState:
    """All that a comparison page shows, as its address holds it.

    `letters` has one of LETTERS for each run: they, and the colours that belong to them, stay with
    their runs when these are swapped or removed.
    """

    runs: tuple[UUID, ...]
    letters: str
    benchmark: str = ""
    only_differences: bool = False
    baseline: UUID | None = None
    find: str = ""
    latency: str = ""
    statistic: str = ""

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """The parameters of the address; what is as it would be anyway is left out."""
        named = (
            ("letters", "" if self.letters == LETTERS[: len(self.runs)] else self.letters),
            ("benchmark", self.benchmark),
            ("only", DIFFERENCES if self.only_differences else ""),
            ("baseline", str(self.baseline or "")),
            ("find", self.find),
            ("latency", self.latency),
            ("statistic", self.statistic),
        )
        runs = (("run", str(run)) for run in self.runs)
        return (*runs, *((name, value) for name, value in named if value))

    @property
    def address(self) -> str:
        """The address of the page in this state."""
        return f"{reverse('experiments:comparison')}?{urlencode(self.fields)}"

    @property
    def is_full(self) -> bool:
        """Whether no other run can be added."""
        return len(self.runs) == MAX_SELECTED

    def letter(self, run: UUID) -> str:
        """Return the letter of a run."""
        return self.letters[self.runs.index(run)]

    def with_run(self, run: UUID) -> "ComparisonState":
        """Return the state with another run at the end, under the first free letter."""
        return replace(self, runs=(*self.runs, run), letters=with_free_letters(self.letters, 1))

    def without(self, run: UUID) -> "ComparisonState":
        """Return the state without a run; the others keep their letters."""
        place = self.runs.index(run)
        return replace(
            self,
            runs=self.runs[:place] + self.runs[place + 1 :],
            letters=self.letters[:place] + self.letters[place + 1 :],
            baseline=None if self.baseline == run else self.baseline,
        )

    def swapped_with_previous(self, run: UUID) -> "ComparisonState":
        """Return the state with a run (not the first) one place further to the front."""
        place = self.runs.index(run)
        order = list(range(len(self.runs)))
        order[place - 1], order[place] = order[place], order[place - 1]
        return replace(
            self,
            runs=tuple(self.runs[index] for index in order),
            letters="".join(self.letters[index] for index in order),
        )


def with_free_letters(letters: str, number: int) -> str:
    """Return the letters and, after them, the first ones that are not among them."""
    free = [letter for letter in LETTERS if letter not in letters]
    return letters + "".join(free[:number])


class ComparisonPageForm(ComparisonForm):
    """The query string of the page: the runs, and how they are shown."""

    only = forms.ChoiceField(
        choices=[(DIFFERENCES, "differences only")],
        required=False,
        error_messages={"invalid_choice": f"“only” is “{DIFFERENCES}” or left out."},
    )
    baseline = forms.UUIDField(
        required=False, error_messages={"invalid": "The baseline is the id of a compared run."}
    )
    letters = forms.CharField(required=False, max_length=MAX_SELECTED)
    find = forms.CharField(required=False, max_length=200)
    latency = forms.ChoiceField(
        choices=[(name, name) for name in LATENCIES],
        required=False,
        error_messages={"invalid_choice": f"“latency” is one of {', '.join(LATENCIES)}."},
    )
    statistic = forms.ChoiceField(
        choices=[(name, name) for name in STATISTICS],
        required=False,
        error_messages={"invalid_choice": f"“statistic” is one of {', '.join(STATISTICS)}."},
    )

    def clean(self) -> dict[str, Any]:
        """Check that the baseline and the letters belong to the runs."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        runs: Sequence[UUID] = data.get("run", ())
        if runs and data.get("baseline") not in (None, *runs):
            raise ValidationError("The baseline is not one of the compared runs.", code="baseline")
        letters: str = data.get("letters", "")
        if len(set(letters) & set(LETTERS)) < len(letters) or len(letters) > len(runs or LETTERS):
            raise ValidationError(
                f"The letters of the runs are different ones of {LETTERS}, at most one a run.",
                code="letters",
            )
        return data

    def state(self) -> ComparisonState:
        """Return the state of the page; call it on a valid form only."""
        data = self.cleaned_data
        runs = tuple(data["run"])
        return ComparisonState(
            runs=runs,
            letters=with_free_letters(data["letters"], len(runs) - len(data["letters"])),
            benchmark=data["benchmark"].slug if data["benchmark"] else "",
            only_differences=bool(data["only"]),
            baseline=data["baseline"],
            find=data["find"],
            latency=data["latency"],
            statistic=data["statistic"],
        )

"""How many models a filter would leave: for each choice of it, and without it.

A model counts as the grid would list it: under all other filters, in the chosen class and kind of
load, else in those that have most models then. Each function is one query; its cost grows with the
configurations that pass (and with the number of filters), never with runs.
"""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from django.db.models import CharField, Expression, F, Max, Min, QuerySet, Value
from django.db.models.functions import Cast

from experiments.grid.criteria import GridCriteria
from experiments.grid.filters import FilterKind, filters_of
from experiments.grid.query import GridQuery, models_by
from experiments.grid.rows import KINDS, GridPage, LoadCounts

CHOICES = {item.name: item.column for item in filters_of(FilterKind.CHOICE, FilterKind.CHOICES)}
LIMITS = {item.name: item.column for item in filters_of(FilterKind.LIMIT)}


def choice_counts(page: GridPage) -> dict[str, dict[str, int]]:
    """Return filter → choice → models that choosing it alone would leave; no model, no entry."""
    criteria = page.criteria
    found = _tally(
        _arm(page, criteria.without(name), name, F(field)) for name, field in CHOICES.items()
    )
    counts: dict[str, dict[str, int]] = {name: {} for name in CHOICES}
    for (name, choice), loads in found.items():
        if choice:
            counts[name][choice] = loads.shown(criteria)
    return counts


def counts_without(page: GridPage) -> dict[str, int]:
    """Return for each active filter how many models there are without it, and "" without any."""
    active = page.criteria.active_filters
    asked = {name: page.criteria.without(name) for name in active}
    asked[""] = page.criteria.without(*active)
    found = _tally(_arm(page, criteria, name, Value("")) for name, criteria in asked.items())
    return {
        name: found[name, ""].shown(criteria) if (name, "") in found else 0
        for name, criteria in asked.items()
    }


def limit_ranges(page: GridPage) -> dict[str, tuple[float, float] | None]:
    """Return for each limit the least and greatest value under the other kinds of filters."""
    rows = GridQuery(page.criteria.without(*LIMITS), page).joined()
    ends = rows.aggregate(
        **{f"{name}_least": Min(field) for name, field in LIMITS.items()},
        **{f"{name}_greatest": Max(field) for name, field in LIMITS.items()},
    )
    pairs = {name: (ends[f"{name}_least"], ends[f"{name}_greatest"]) for name in LIMITS}
    return {name: None if None in pair else pair for name, pair in pairs.items()}


def _arm(
    page: GridPage, criteria: GridCriteria, name: str, choice: Expression | F
) -> QuerySet[Any]:
    """Return the models under some criteria, counted by choice, class and kind of load."""
    rows = (
        GridQuery(criteria, page)
        .all_loads()
        .annotate(filter=Value(name, output_field=CharField()), choice=Cast(choice, CharField()))
    )
    return models_by(rows, "filter", "choice")


def _tally(arms: Iterable[QuerySet[Any]]) -> dict[tuple[str, str], LoadCounts]:
    """Run all arms as one query."""
    first, *others = arms
    rows = first.union(*others, all=True).values("filter", "choice", "cfg_load", *KINDS)

    def place(row: dict[str, Any]) -> tuple[str, str]:
        return (row["filter"], row["choice"] or "")

    return {
        key: LoadCounts.of((row["cfg_load"], row) for row in group)
        for key, group in groupby(sorted(rows, key=place), key=place)
    }

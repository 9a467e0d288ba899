"""The filters of the grid: what they offer, how many models that leaves, and what is active."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from benchmarks.models import BenchmarkScore
from benchsite.common.templatetags.figures import count, figure
from experiments.choices import MeasuredAs
from experiments.forms import GridForm
from experiments.grid import (
    SORT_KEYS,
    GridCriteria,
    GridPage,
    choice_counts,
    counts_without,
    limit_ranges,
)
from experiments.models import Configuration
from experiments.presenters.grid.address import Address
from hardware.models import Category, Platform


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A value to filter by; `models` is how many it would leave, None where that is not known."""

    value: str
    label: str
    is_chosen: bool
    models: int | None = None

    @property
    def text(self) -> str:
        """The choice with its number."""
        return self.label if self.models is None else f"{self.label} ({count(self.models)})"


@dataclass(frozen=True, kw_only=True)
class FilterChoices:
    """What the filters offer; `hints` are the least and greatest values that limits can meet."""

    backends: tuple[Choice, ...]
    quantizations: tuple[Choice, ...]
    platforms: tuple[Choice, ...]
    categories: tuple[Choice, ...]
    hints: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Chip:
    """A filter that is set: its words, the address without it, and the models that would leave."""

    id: str
    filter: str
    text: str
    href: str
    models: int | None = None


def filter_choices(criteria: GridCriteria, page: GridPage | None = None) -> FilterChoices:
    """Read what can be chosen and, for a page, what that would leave: five queries, else three.

    What is asked for is offered, there or not. Costs grow with configurations, never with runs.
    """
    counts = choice_counts(page) if page else {}
    ranges = limit_ranges(page) if page else {}
    platforms = list(
        Platform.objects.filter(configurations__runs__gt=0)
        .order_by("name")
        .values_list("key", "name", "category")
        .distinct()
    )
    names = {criteria.platform: criteria.platform, **{key: name for key, name, _ in platforms}}
    categories = {*criteria.hardware_categories, *(category for *_, category in platforms)}

    def choices(
        name: str, offered: Iterable[tuple[str, str]], chosen: Collection[str]
    ) -> tuple[Choice, ...]:
        known = counts.get(name)
        return tuple(
            Choice(
                value=value,
                label=label,
                is_chosen=value in chosen,
                models=None if known is None else known.get(value, 0),
            )
            for value, label in offered
            if value
        )

    return FilterChoices(
        backends=choices("backend", _backends(criteria), [criteria.backend]),
        quantizations=choices("quantization", _quantizations(criteria), [criteria.quantization]),
        platforms=choices("platform", names.items(), [criteria.platform]),
        categories=choices(
            "hardware_categories",
            [(value, label) for value, label in Category.choices if value in categories],
            criteria.hardware_categories,
        ),
        hints={
            name: f"{figure(ends[0])} to {figure(ends[1])}" if ends else "none known here"
            for name, ends in ranges.items()
        },
    )


def _backends(criteria: GridCriteria) -> list[tuple[str, str]]:
    ranked = Configuration.objects.filter(runs__gt=0)
    found = {*ranked.values_list("backend", flat=True).distinct(), criteria.backend}
    return [(name, name) for name in sorted(found)]


def _quantizations(criteria: GridCriteria) -> list[tuple[str, str]]:
    ranked = Configuration.objects.filter(runs__gt=0).values_list("variant__quantization")
    scored = BenchmarkScore.objects.published().order_by().values_list("variant__quantization")
    found = {criteria.quantization, *(name for (name,) in ranked.union(scored))}
    return [(name, name) for name in sorted(found)]


def describe_limits(form: GridForm, choices: FilterChoices) -> None:
    """Tell beside each limit which values it can meet."""
    for name, text in choices.hints.items():
        bound = form[name]
        bound.help_text = bound.field.help_text = text


def active_chips(page: GridPage, choices: FilterChoices, address: Address) -> tuple[Chip, ...]:
    """Return a chip for each filter that is set, one a value where it takes several."""
    criteria = page.criteria
    chips = [
        Chip(
            id=f"chip-{name}", filter=name, text=text, href=address.to(**{name: None, "page": None})
        )
        for name, text in _sentences(criteria, choices)
    ]
    labels = dict(Category.choices)
    chips += [
        Chip(
            id=f"chip-hardware-{value}",
            filter="hardware_categories",
            text=f"hardware: {labels[value]}",
            href=address.less("hardware_categories", value, page=None),
        )
        for value in criteria.hardware_categories
    ]
    return tuple(chips)


def _sentences(criteria: GridCriteria, choices: FilterChoices) -> Iterator[tuple[str, str]]:
    """Yield parameter and words of each filter that takes one value."""
    if criteria.q:
        yield "q", f"search: {criteria.q}"
    if criteria.min_quality is not None:
        word = "at least" if criteria.better_is_higher(SORT_KEYS["quality"]) else "at most"
        yield "min_quality", f"{criteria.benchmark or 'quality'} {word} {criteria.min_quality:g}"
    if criteria.min_speed is not None:
        yield "min_speed", f"min speed {criteria.min_speed:g} tok/s"
    if criteria.max_memory_gb is not None:
        yield "max_memory_gb", f"max memory {criteria.max_memory_gb:g} GB"
        if criteria.include_unknown:
            yield "include_unknown", "memory may be unknown"
    if criteria.backend:
        yield "backend", f"backend: {criteria.backend}"
    if criteria.quantization:
        yield "quantization", f"quantization: {criteria.quantization}"
    if criteria.platform:
        names = {choice.value: choice.label for choice in choices.platforms}
        yield "platform", f"platform: {names.get(criteria.platform, criteria.platform)}"
    if criteria.load_class:
        yield "load_class", f"load: {criteria.load_class.label}"
    if criteria.load_kind:
        words = dict(MeasuredAs.choices).get(criteria.load_kind, "in any way")
        yield "load_kind", f"measured: {words}"


@dataclass(frozen=True, kw_only=True)
class Loosening:
    """What would help where nothing matches: filters to drop, and how many models that gives.

    `all_models` is the number without any filter: 0 means that the site is empty.
    """

    chips: tuple[Chip, ...] = ()
    all_models: int = 0


def loosening(page: GridPage, address: Address, chips: Iterable[Chip]) -> Loosening:
    """Count what each filter alone keeps away, most models first: one query."""
    counts = counts_without(page)
    one_each = {chip.filter: chip for chip in chips if chip.filter in counts}
    found = [
        replace(chip, models=counts[name], href=address.to(**{name: None, "page": None}))
        for name, chip in one_each.items()
    ]
    return Loosening(
        chips=tuple(sorted(found, key=lambda chip: -(chip.models or 0))),
        all_models=counts[""],
    )

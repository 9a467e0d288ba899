"""The filters of the grid: what they offer, how many models that leaves, and what is active."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from benchsite.common.templatetags.figures import count, figure
from experiments.forms import GridForm
from experiments.grid import (
    Counts,
    Filter,
    FilterKind,
    GridCriteria,
    GridPage,
    choice_counts,
    counts_without,
    filters_of,
    limit_ranges,
    read_counts,
)
from experiments.presenters.grid.address import Address
from hardware.models import Category


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
class Offer:
    """What a filter offers to choose from; `is_many` takes several at once.

    `nothing` says what it means to choose none, `error` what is wrong with what was asked.
    """

    name: str
    label: str
    choices: tuple[Choice, ...]
    is_many: bool = False
    nothing: str = "any"
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class FilterChoices:
    """What the filters offer; `hints` are the least and greatest values that limits can meet."""

    offers: tuple[Offer, ...]
    hints: Mapping[str, str]

    def label(self, name: str, value: str) -> str:
        """Return the words for a value of a filter."""
        offered = (item for offer in self.offers if offer.name == name for item in offer.choices)
        return next((item.label for item in offered if item.value == value), value)


@dataclass(frozen=True, kw_only=True)
class Chip:
    """A filter that is set: its words, the address without it, and the models that would leave."""

    id: str
    filter: str
    text: str
    href: str
    models: int | None = None


def filter_choices(criteria: GridCriteria, page: GridPage | None = None) -> FilterChoices:
    """Tell what can be chosen, and what that would leave of a page; without one, one query.

    What is asked for is offered, there or not.
    """
    models = choice_counts(page) if page else {}
    ranges = limit_ranges(page) if page else {}
    counts = page.counts if page else read_counts(criteria, None, choices=True)
    return FilterChoices(
        offers=tuple(
            _offer(item, criteria, counts, models.get(item.name))
            for item in filters_of(FilterKind.CHOICE, FilterKind.CHOICES)
        ),
        hints={
            name: f"{figure(ends[0])} to {figure(ends[1])}" if ends else "none known here"
            for name, ends in ranges.items()
        },
    )


def _offer(
    item: Filter, criteria: GridCriteria, counts: Counts, models: Mapping[str, int] | None
) -> Offer:
    """Offer all values that have results: by name, those with words of their own in their order."""
    of_filters = {"platform": counts.platform_names, "hardware_categories": dict(Category.choices)}
    labels = of_filters.get(item.name, {})
    is_many = item.kind == FilterKind.CHOICES
    asked = getattr(criteria, item.name)
    chosen = set(asked) if is_many else {asked} - {""}
    values = chosen.union(counts.of_choices[item.name])
    return Offer(
        name=item.name,
        label=item.label,
        is_many=is_many,
        choices=tuple(
            Choice(
                value=value,
                label=labels.get(value, value),
                is_chosen=value in chosen,
                models=None if models is None else models.get(value, 0),
            )
            for value in (*sorted(values - labels.keys()), *filter(values.__contains__, labels))
        ),
    )


def benchmark_offer(form: GridForm) -> Offer:
    """Return the benchmarks whose scores can stand in the quality column."""
    bound, field = form["benchmark"], form.benchmarks
    return Offer(
        name=bound.name,
        label=str(bound.label),
        choices=tuple(
            Choice(value=item.slug, label=str(item), is_chosen=item.slug == bound.value())
            for item in field.known
        ),
        nothing=str(field.empty_label),
        error=" ".join(map(str, bound.errors)),
    )


def describe_limits(form: GridForm, choices: FilterChoices) -> None:
    """Tell beside each limit which values it can meet."""
    for name, text in choices.hints.items():
        bound = form[name]
        bound.help_text = bound.field.help_text = text


def active_chips(page: GridPage, choices: FilterChoices, address: Address) -> tuple[Chip, ...]:
    """Return a chip for each filter that is set, one a value where it takes several."""
    chips = []
    for item in page.criteria.filters:
        asked = getattr(page.criteria, item.name)
        if item.kind == FilterKind.CHOICES:
            chips += [_chip_of_many(item, page.criteria, choices, address, one) for one in asked]
            continue
        value = choices.label(item.name, asked) if item.kind == FilterKind.CHOICE else asked
        chips.append(_chip(item.name, item.words(page.criteria, value), address))
        if item.beside and getattr(page.criteria, item.beside):
            chips.append(_chip(item.beside, item.beside_chip, address))
    return tuple(chips)


def _chip(name: str, text: str, address: Address) -> Chip:
    href = address.to(**{name: None, "page": None})
    return Chip(id=f"chip-{name}", filter=name, text=text, href=href)


def _chip_of_many(
    item: Filter, criteria: GridCriteria, choices: FilterChoices, address: Address, value: str
) -> Chip:
    return Chip(
        id=f"chip-{item.name}-{value}",
        filter=item.name,
        text=item.words(criteria, choices.label(item.name, value)),
        href=address.less(item.name, value, page=None),
    )


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

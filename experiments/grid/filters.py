"""The filters of the grid: each is defined here, for form, SQL, counts, chips and API alike."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from django.db.models import Q

from experiments.choices import LoadClass, MeasuredAs

if TYPE_CHECKING:
    from experiments.grid.criteria import GridCriteria

ANY_KIND = "any"
"""The value of `load_kind` that ranks all ways of measuring together."""


class FilterKind(Enum):
    """How a filter is asked for: words, a number, one name of those there are, or several."""

    TEXT = auto()
    LIMIT = auto()
    CHOICE = auto()
    CHOICES = auto()
    LOAD = auto()


@dataclass(frozen=True, kw_only=True)
class Filter:
    """What leaves rows out of the grid; its value is the field of the criteria with its `name`.

    `label` is written at its field, and `chip` says what is active: a format of the value (for a
    choice its label), or made of the criteria. `column` is what it asks for on the joined row, and
    `passes` what a row has to meet. Only a measured configuration can pass where `needs_run`.
    `choices` are those of a kind that has fixed ones; the value `anything` lets every row in.
    `beside` is a box next to it that lets rows without a value in, with a chip of its own.
    """

    name: str
    label: str
    kind: FilterKind
    chip: "str | Callable[[GridCriteria], str]"
    passes: "Callable[[GridCriteria], Q]"
    column: str = ""
    least: float | None = None
    needs_run: bool = True
    choices: tuple[tuple[str, str], ...] = ()
    anything: str = ""
    beside: str = ""
    beside_label: str = ""
    beside_chip: str = ""

    def words(self, criteria: "GridCriteria", value: object) -> str:
        """Say in a few words what is asked of it."""
        return self.chip.format(value) if isinstance(self.chip, str) else self.chip(criteria)


def _has_words(criteria: "GridCriteria") -> Q:
    wanted = Q()
    for word in criteria.q.split():
        wanted &= (
            Q(model_name__icontains=word)
            | Q(lora_adapter__icontains=word)
            | Q(quantization__icontains=word)
            | Q(cfg_backend__icontains=word)
            | Q(cfg_platform_name__icontains=word)
        )
    return wanted


def _is_good(criteria: "GridCriteria") -> Q:
    lookup = "ranked_quality__gte" if criteria.quality_rises else "ranked_quality__lte"
    return Q(**{lookup: criteria.min_quality})


def _quality_chip(criteria: "GridCriteria") -> str:
    word = "at least" if criteria.quality_rises else "at most"
    return f"{criteria.benchmark or 'quality'} {word} {criteria.min_quality:g}"


def _fits(criteria: "GridCriteria") -> Q:
    fits = Q(cfg_memory__lte=criteria.max_memory_gb)
    return fits | Q(cfg_memory__isnull=True) if criteria.include_unknown else fits


def _kind_chip(criteria: "GridCriteria") -> str:
    words = dict(MeasuredAs.choices).get(criteria.load_kind, "in any way")
    return f"measured: {words}"


FILTERS = {
    item.name: item
    for item in (
        Filter(
            name="q",
            label="Search",
            kind=FilterKind.TEXT,
            chip="search: {}",
            passes=_has_words,
            needs_run=False,
        ),
        Filter(
            name="min_quality",
            label="Quality no worse than",
            kind=FilterKind.LIMIT,
            chip=_quality_chip,
            passes=_is_good,
            column="ranked_quality",
            needs_run=False,
        ),
        Filter(
            name="min_speed",
            label="Speed at least (tok/s)",
            kind=FilterKind.LIMIT,
            chip="min speed {:g} tok/s",
            passes=lambda criteria: Q(cfg_speed__gte=criteria.min_speed),
            column="cfg_speed",
            least=0,
        ),
        Filter(
            name="max_memory_gb",
            label="Memory at most (GB)",
            kind=FilterKind.LIMIT,
            chip="max memory {:g} GB",
            passes=_fits,
            column="cfg_memory",
            least=0,
            beside="include_unknown",
            beside_label="or not known",
            beside_chip="memory may be unknown",
        ),
        Filter(
            name="backend",
            label="Backend",
            kind=FilterKind.CHOICE,
            chip="backend: {}",
            passes=lambda criteria: Q(cfg_backend=criteria.backend),
            column="cfg_backend",
        ),
        Filter(
            name="quantization",
            label="Quantization",
            kind=FilterKind.CHOICE,
            chip="quantization: {}",
            passes=lambda criteria: Q(quantization=criteria.quantization),
            column="quantization",
            needs_run=False,
        ),
        Filter(
            name="platform",
            label="Platform",
            kind=FilterKind.CHOICE,
            chip="platform: {}",
            passes=lambda criteria: Q(cfg_platform_key=criteria.platform),
            column="cfg_platform_key",
        ),
        Filter(
            name="hardware_categories",
            label="Hardware",
            kind=FilterKind.CHOICES,
            chip="hardware: {}",
            passes=lambda criteria: Q(cfg_category__in=criteria.hardware_categories),
            column="cfg_category",
        ),
        # Class and kind of load are chosen after the others, which decide what they are by default.
        Filter(
            name="load_class",
            label="Load",
            kind=FilterKind.LOAD,
            chip="load: {.label}",
            passes=lambda criteria: Q(),
            choices=tuple(LoadClass.choices),
        ),
        Filter(
            name="load_kind",
            label="How measured",
            kind=FilterKind.LOAD,
            chip=_kind_chip,
            passes=lambda criteria: Q(),
            choices=(*MeasuredAs.choices, (ANY_KIND, "any")),
            anything=ANY_KIND,
        ),
    )
}


def filters_of(*kinds: FilterKind) -> tuple[Filter, ...]:
    """Return the filters of some kinds, in the order of the page."""
    return tuple(item for item in FILTERS.values() if item.kind in kinds)

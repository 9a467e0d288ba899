"""The filters of the grid: each is defined here, for form, SQL, counts, chips and API alike."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, IntEnum, auto
from typing import TYPE_CHECKING, Any

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


class Level(IntEnum):
    """What decides whether a filter lets something in, the coarsest first.

    `PLACE` is a variant on a platform with a backend, in one class and kind of load.
    """

    VARIANT = auto()
    PLACE = auto()
    CONFIGURATION = auto()


@dataclass(frozen=True)
class Where:
    """A condition on a joined row as SQL; `values` are those of its %s, in order."""

    sql: str
    values: tuple[Any, ...] = ()


EVERYTHING = Where("TRUE")


def all_of(*conditions: Where) -> Where:
    """Return what holds where each of the conditions does."""
    parts = [item for item in conditions if item != EVERYTHING]
    values = tuple(value for item in parts for value in item.values)
    return Where(" AND ".join(f"({item.sql})" for item in parts), values) if parts else EVERYTHING


@dataclass(frozen=True, kw_only=True)
class Filter:
    """What leaves rows out of the grid; its value is the field of the criteria with its `name`.

    `label` is written at its field, and `chip` says what is active: a format of the value (for a
    choice its label), or made of the criteria. `column` is what it asks for on the joined row, and
    `passes` what a row has to meet, `alone` what one of scores alone has to, if that is another
    thing. Only a measured configuration can pass where `needs_run`.
    `choices` are those of a kind that has fixed ones; the value `anything` lets every row in.
    `level` is what it can be decided for. Whether one of the configurations of a place passes is
    told by the place's own columns, and by the fastest alone where `fastest_decides`. `ends` are
    the columns with the least and greatest values, `ends_of_place` those of a place.
    `beside` is a box next to it that lets rows without a value in, with a chip of its own.
    """

    name: str
    label: str
    kind: FilterKind
    chip: "str | Callable[[GridCriteria], str]"
    passes: "Callable[[GridCriteria], Where]"
    level: Level
    fastest_decides: bool = False
    alone: "Callable[[GridCriteria], Where] | None" = None
    column: str = ""
    ends: tuple[str, str] = ("", "")
    ends_of_place: tuple[str, str] = ("", "")
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


def words_wanted(criteria: "GridCriteria") -> tuple[str, ...]:
    """Return the words of the search as patterns of ILIKE."""
    escaped = criteria.q.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    return tuple(f"%{word}%" for word in escaped.split())


# A word may be one of the variant, of the backend or of the platform. `v` has found those of the
# variants; the few names of the others are looked at once, not in every joined row. `backends` are
# all that there are, a table of the query.
_ON_ONE_OF = "cfg_platform = ANY(ARRAY(SELECT id FROM hardware_platform WHERE {}))"
_WORD_OF_BACKEND = "cfg_backend = ANY(ARRAY(SELECT backend FROM backends WHERE backend ILIKE %s))"


def word_of_place(word: str) -> Where:
    """Return what holds where a word (a pattern) is in the name of the backend or platform."""
    on = _is_on("name ILIKE %s", (word,))
    return Where(f"{_WORD_OF_BACKEND} OR {on.sql}", (word, *on.values))


def _has_words(criteria: "GridCriteria") -> Where:
    return all_of(
        *(
            Where(f"word_{number} OR {of_place.sql}", of_place.values)
            for number, of_place in enumerate(map(word_of_place, words_wanted(criteria)))
        )
    )


def has_words_alone(criteria: "GridCriteria") -> Where:
    """Return what a variant meets whose own names have all words."""
    return all_of(*(Where(f"word_{number}") for number in range(len(words_wanted(criteria)))))


def _is_good(criteria: "GridCriteria") -> Where:
    sign = ">=" if criteria.quality_rises else "<="
    return Where(f"ranked_quality {sign} %s", (criteria.min_quality,))


def _quality_chip(criteria: "GridCriteria") -> str:
    word = "at least" if criteria.quality_rises else "at most"
    return f"{criteria.benchmark or 'quality'} {word} {criteria.min_quality:g}"


def _fits(criteria: "GridCriteria") -> Where:
    fits = Where("cfg_memory <= %s", (criteria.max_memory_gb,))
    return (
        Where(f"{fits.sql} OR cfg_memory_unknown", fits.values)
        if criteria.include_unknown
        else fits
    )


def _is_one_of(name: str, column: str) -> "Callable[[GridCriteria], Where]":
    return lambda criteria: Where(f"{column} = %s", (getattr(criteria, name),))


def _is_on(condition: str, values: tuple[Any, ...]) -> Where:
    """Return what holds where the platform meets a condition: all that do are found once."""
    return Where(_ON_ONE_OF.format(condition), values)


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
            alone=has_words_alone,
            level=Level.PLACE,
            needs_run=False,
        ),
        Filter(
            name="min_quality",
            label="Quality no worse than",
            kind=FilterKind.LIMIT,
            chip=_quality_chip,
            passes=_is_good,
            level=Level.VARIANT,
            column="ranked_quality",
            ends=("ranked_quality", "ranked_quality"),
            needs_run=False,
        ),
        Filter(
            name="min_speed",
            label="Speed at least (tok/s)",
            kind=FilterKind.LIMIT,
            chip="min speed {:g} tok/s",
            passes=lambda criteria: Where("cfg_speed >= %s", (criteria.min_speed,)),
            level=Level.CONFIGURATION,
            fastest_decides=True,
            column="cfg_speed",
            ends=("tokens_per_second_min", "tokens_per_second_max"),
            ends_of_place=("tokens_per_second_min", "tokens_per_second"),
            least=0,
        ),
        Filter(
            name="max_memory_gb",
            label="Memory at most (GB)",
            kind=FilterKind.LIMIT,
            chip="max memory {:g} GB",
            passes=_fits,
            level=Level.CONFIGURATION,
            column="cfg_memory",
            ends=("memory_gb_min", "memory_gb_max"),
            ends_of_place=("memory_gb_min", "memory_gb_max"),
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
            passes=_is_one_of("backend", "cfg_backend"),
            level=Level.PLACE,
            column="cfg_backend",
        ),
        Filter(
            name="quantization",
            label="Quantization",
            kind=FilterKind.CHOICE,
            chip="quantization: {}",
            passes=_is_one_of("quantization", "quantization"),
            level=Level.VARIANT,
            column="quantization",
            needs_run=False,
        ),
        Filter(
            name="platform",
            label="Platform",
            kind=FilterKind.CHOICE,
            chip="platform: {}",
            passes=lambda criteria: _is_on("key = %s", (criteria.platform,)),
            level=Level.PLACE,
            column="cfg_platform_key",
        ),
        Filter(
            name="hardware_categories",
            label="Hardware",
            kind=FilterKind.CHOICES,
            chip="hardware: {}",
            passes=lambda criteria: _is_on(
                "category = ANY(%s)", (list(criteria.hardware_categories),)
            ),
            level=Level.PLACE,
            column="cfg_category",
        ),
        # Class and kind of load are chosen after the others, which decide what they are by default.
        Filter(
            name="load_class",
            label="Load",
            kind=FilterKind.LOAD,
            chip="load: {.label}",
            passes=lambda _criteria: EVERYTHING,
            level=Level.VARIANT,
            choices=tuple(LoadClass.choices),
        ),
        Filter(
            name="load_kind",
            label="How measured",
            kind=FilterKind.LOAD,
            chip=_kind_chip,
            passes=lambda _criteria: EVERYTHING,
            level=Level.VARIANT,
            choices=(*MeasuredAs.choices, (ANY_KIND, "any")),
            anything=ANY_KIND,
        ),
    )
}


def filters_of(*kinds: FilterKind) -> tuple[Filter, ...]:
    """Return the filters of some kinds, in the order of the page."""
    return tuple(item for item in FILTERS.values() if item.kind in kinds)

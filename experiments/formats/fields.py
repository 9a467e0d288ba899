"""Fields that several formats share: names that can be read, numbers, times that can be stored."""

import re
import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AnyHttpUrl, BeforeValidator, Field, StringConstraints

EARLIEST_YEAR, LATEST_YEAR = 2000, 2100
MOST_GPUS = 32_767

_TIME = "A time is written like 2026-11-20T09:30:00Z."
_EPOCH = "A time is a number of seconds since 1970."
_EPOCH_FIRST = datetime(EARLIEST_YEAR, 1, 1, tzinfo=UTC).timestamp()
_EPOCH_END = datetime(LATEST_YEAR + 1, 1, 1, tzinfo=UTC).timestamp()
_ISO_DATE = re.compile(r"^\d{4}-?\d{2}-?\d{2}")
# Letters by their category, but with nothing to see: fillers, a blank of Braille.
_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # controls, marks of direction, joiners
_REPLACEMENT = "\ufffd"  # what a decoder puts where bytes were no text
_KEPT_CONTROLS = "\t\n\r"


def _moment(value: Any) -> datetime:
    """Read an ISO 8601 time; numbers are refused, for nobody can tell seconds from days.

    A time with a zone is returned in UTC, one without as it is.
    """
    if not isinstance(value, str):
        raise ValueError(_TIME)  # noqa: TRY004 - pydantic
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        impossible = "No calendar and no clock has this moment. " if _ISO_DATE.match(value) else ""
        raise ValueError(impossible + _TIME) from None
    # A year at the edge is refused before it is moved to UTC, where it may leave the calendar.
    check_year(moment)
    return check_year(moment.astimezone(UTC) if moment.tzinfo else moment)


def check_year(moment: datetime) -> datetime:
    """Return a moment in a year that a measurement can be of; ValueError for any other."""
    if not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
        raise ValueError(
            f"The year of a measurement lies between {EARLIEST_YEAR} and {LATEST_YEAR}."
        )
    return moment


def epoch_moment(value: Any) -> datetime:
    """Read seconds since 1970 as a time in UTC; ValueError where they can be none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(_EPOCH)  # noqa: TRY004 - pydantic
    if not _EPOCH_FIRST <= value < _EPOCH_END:  # no NaN is
        raise ValueError(
            f"The year of a measurement lies between {EARLIEST_YEAR} and {LATEST_YEAR}. {_EPOCH}"
        )
    return datetime.fromtimestamp(value, UTC)


def _any_moment(value: Any) -> datetime:
    """Read a time as text, or as seconds since 1970."""
    return _moment(value) if isinstance(value, str) else epoch_moment(value)


def _no_boolean(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("A number is needed here, not true or false.")  # noqa: TRY004 - pydantic
    return value


def _readable(value: str) -> str:
    """Refuse names that show nothing, or hold what nobody can see."""
    if value.isascii() and value.isprintable() and not value.isspace():
        return value
    for character in value:
        if unicodedata.category(character) in _UNSEEN:
            raise ValueError(
                f"This holds U+{ord(character):04X}, which cannot be seen; leave it out."
            )
        if character == _REPLACEMENT:
            raise ValueError("A part of this cannot be read: it was not sent as UTF-8.")
    if value and all(_is_blank(character) for character in value):
        raise ValueError("This has no visible character.")
    return value


def _is_blank(character: str) -> bool:
    """Whether a character shows nothing by itself: a space, a filler, an accent without letter."""
    return character in _BLANK_LETTERS or unicodedata.category(character)[0] in "ZM"


def _without_controls(value: str) -> str:
    """Refuse control characters in text, but for tabs and line ends."""
    if value.isprintable():
        return value
    for character in value:
        if unicodedata.category(character) == "Cc" and character not in _KEPT_CONTROLS:
            raise ValueError(
                f"This holds the control character U+{ord(character):04X}; leave it out."
            )
    return value


def _http_url(value: str) -> str:
    if re.search(r"[\s\x00-\x1f\x7f]", value):
        raise ValueError("An address holds no spaces and no line ends.")
    AnyHttpUrl(value)
    return value


def _name(longest: int, *, shortest: int = 1) -> Any:
    """Return what makes a text a name of so many characters at most."""
    return StringConstraints(strip_whitespace=True, min_length=shortest, max_length=longest)


Time = Annotated[datetime, BeforeValidator(_moment)]
EpochTime = Annotated[datetime, BeforeValidator(epoch_moment)]
AnyTime = Annotated[datetime, BeforeValidator(_any_moment)]
NotBoolean = BeforeValidator(_no_boolean)

_Readable = AfterValidator(_readable)
Name = Annotated[str, _name(200), _Readable]
ShortName = Annotated[str, _name(100), _Readable]
Word = Annotated[str, _name(40), _Readable]
OptionalName = Annotated[str, _name(200, shortest=0), _Readable]
"""A name, or an empty text where there is none."""
Unit = Annotated[str, _name(40, shortest=0), _Readable]
Text = Annotated[str, StringConstraints(max_length=20_000), AfterValidator(_without_controls)]
Url = Annotated[str, StringConstraints(max_length=1000), AfterValidator(_http_url)]

Count = Annotated[int, Field(ge=0, lt=2**31)]
PositiveCount = Annotated[int, Field(ge=1, lt=2**31)]
GpuMemory = Annotated[float, Field(gt=0, lt=1e6)]
GpuCount = Annotated[int, Field(ge=1, le=MOST_GPUS)]
Percent = Annotated[float, Field(ge=0, le=100)]
Figure = Annotated[float, Field(ge=-1e300, le=1e300)]
Amount = Annotated[float, Field(gt=0, lt=1e15)]

"""Numbers as tools write them: in JSON, where NaN and infinity are no measurements, and as text."""

import math
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

from experiments.formats.documents import Problem
from experiments.formats.problems import join_path

_NUMPY = re.compile(r"\s*(?:np|numpy)\.float\d+\((?P<number>[^()]*)\)\s*")
_LEFT_OUT = ("", "n/a", "na", "none")
_NO_MEASUREMENT = "NaN and infinity are not measurements; leave the field out if it is not known."


def nonfinite_problems(value: Any, place: str) -> Iterator[Problem]:
    """Yield a problem for each NaN or infinity within an object or a list at `place`.

    (1e400 is read as infinity.)
    """
    if not _is_finite(value):
        yield from _nonfinite(value, place)


def _is_finite(value: Any) -> bool:
    """Tell whether no number within an object or a list is NaN or infinity."""
    waiting = [value]
    for holder in waiting:
        for item in holder.values() if isinstance(holder, dict) else holder:
            if isinstance(item, float):
                if not math.isfinite(item):
                    return False
            elif isinstance(item, dict | list):
                waiting.append(item)
    return True


def _nonfinite(value: Any, place: str) -> Iterator[Problem]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        if isinstance(item, dict | list):
            yield from _nonfinite(item, join_path(place, key))
        elif isinstance(item, float) and not math.isfinite(item):
            yield Problem(join_path(place, key), _NO_MEASUREMENT, str(item))


def without_nonfinite(value: Any) -> Any:
    """Return the value with every NaN and infinity as None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: without_nonfinite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_nonfinite(item) for item in value]
    return value


def is_left_out(cell: str) -> bool:
    """Tell whether a cell of a table says that there is no figure."""
    return cell.strip().lower() in _LEFT_OUT


def read_number(text: str) -> float | None:
    """Return what a text says as a number, NaN and infinity, too; None where it is none.

    numpy's numbers are read as Python prints them, "np.float64(0.75)".
    """
    found = _NUMPY.fullmatch(text)
    try:
        return float(found["number"] if found else text)
    except ValueError:
        return None


def no_result(place: str, value: object) -> Problem:
    """Return the warning that a figure is left out: it is NaN or infinity."""
    message = "NaN and infinity are not results; the figure is left out."
    return Problem(place, message, str(value))


def as_percent(share: float) -> float:
    """Return a share in percent: 0.7212 gives 72.12, not 72.11999999999999."""
    return round(100 * share, 10)


def is_number(value: Any) -> TypeGuard[int | float]:
    """Tell whether a value is a number, which true and false are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def positive(value: Any, *, below: float = sys.float_info.max) -> float | None:
    """Return a number between 0 and `below`, None for any other value."""
    return float(value) if is_number(value) and 0 < value < below else None


def first_whole(settings: Mapping[str, Any], *names: str, most: int) -> int | None:
    """Return the first of these settings that is a whole number above 0, also written as text."""
    return next(
        (found for name in names if (found := _whole(settings.get(name), most)) is not None), None
    )


def _whole(value: Any, most: int) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 11:
        value = int(value)
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return value if is_whole and 0 < value <= most else None

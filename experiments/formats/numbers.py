"""Numbers as Python writes them: NaN and infinities, which no database stores, and numpy's."""

import math
import re
from collections.abc import Iterator
from typing import Any

from experiments.formats.documents import Problem
from experiments.formats.problems import join_path

_NUMPY = re.compile(r"(?:np|numpy)\.float\d+\((?P<number>[^()]*)\)")
_NO_MEASUREMENT = "NaN and infinity are not measurements; leave the field out if it is not known."


def without_numpy(text: str) -> str:
    """Return a number as Python's numpy prints it without the name of its type.

    "np.float64(0.75)" gives "0.75"; any other text comes back stripped.
    """
    text = text.strip()
    found = _NUMPY.fullmatch(text)
    return found["number"].strip() if found else text


def nonfinite_problems(value: Any, place: str) -> Iterator[Problem]:
    """Yield a problem for each NaN or infinity within an object or a list at `place`.

    (1e400 is read as infinity.)
    """
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        if isinstance(item, dict | list):
            yield from nonfinite_problems(item, join_path(place, key))
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

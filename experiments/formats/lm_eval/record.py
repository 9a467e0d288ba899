"""One results object of lm-evaluation-harness, read with its problems and warnings."""

import math
from collections.abc import Mapping
from typing import Any

from experiments.formats.documents import Problem
from experiments.formats.numbers import is_left_out, is_number, no_result
from experiments.formats.problems import join_path, short_value

_LARGEST = 1e15


class Record:
    """One results object and what was found wrong or doubtful in it."""

    def __init__(self, value: Mapping[str, Any], place: str) -> None:
        self.value = value
        self.place = place
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []

    def complain(self, message: str, value: Any, *path: str) -> None:
        """Note what makes the record unusable."""
        self.problems.append(Problem(join_path(self.place, *path), message, short_value(value)))

    def section(self, name: str) -> dict[str, Any]:
        """Return an object of the record, {} where it is absent."""
        value = self.value.get(name)
        if isinstance(value, dict):
            return value
        if value is not None:
            self.complain("An object is expected here.", value, name)
        return {}

    def number(self, value: Any, *path: str) -> float | None:
        """Return a finite number; None for "N/A", and with a warning for NaN and infinity."""
        if value is None or (isinstance(value, str) and is_left_out(value)):
            return None
        if not is_number(value):
            self.complain("A number is expected here.", value, *path)
        elif isinstance(value, float) and not math.isfinite(value):
            self.warnings.append(no_result(join_path(self.place, *path), value))
        elif abs(value) > _LARGEST:
            self.complain("This number is too large.", value, *path)
        else:
            return float(value)
        return None

    def whole(self, value: Any, *path: str) -> int | None:
        """Return a count, None where none is stated."""
        number = self.number(value, *path)
        if number is None:
            return None
        if number < 0 or not number.is_integer():
            self.complain("A count is a whole number from 0 on.", value, *path)
            return None
        return int(number)

"""When a difference between two measured values says nothing: the noise of their means (pure)."""

from collections.abc import Sequence
from math import hypot, sqrt

# About 95 % of the differences between two means of the same thing are smaller than this many
# standard errors of the difference.
COVERED_ERRORS = 2.0


def standard_error(spread: float | None, sample_count: int | None) -> float | None:
    """Return the standard error of a mean from its standard deviation, None where not known.

    Where the number of samples is not known the deviation itself is taken: as of one sample.
    """
    return None if spread is None else spread / sqrt(sample_count or 1)


def is_within_noise(difference: float, errors: Sequence[float | None]) -> bool:
    """Whether a difference of two means is within the noise of both (their standard errors).

    Where an error is not known nothing can be said, and the difference stands as it is.
    """
    known = [error for error in errors if error is not None]
    return len(known) == len(errors) and abs(difference) <= COVERED_ERRORS * hypot(*known)

"""When a difference of two means says nothing."""

import pytest

from experiments.noise import is_within_noise, standard_error


@pytest.mark.parametrize(
    ("spread", "sample_count", "error"),
    [(8.0, 16, 2.0), (8.0, None, 8.0), (8.0, 0, 8.0), (None, 16, None), (0.0, 5, 0.0)],
)
def test_standard_error(
    spread: float | None, sample_count: int | None, error: float | None
) -> None:
    assert standard_error(spread, sample_count) == error


@pytest.mark.parametrize(
    ("difference", "errors", "is_noise"),
    [
        (9.9, (3.0, 4.0), True),
        (-10.0, (3.0, 4.0), True),
        (10.1, (3.0, 4.0), False),
        (0.1, (3.0, None), False),
        (0.1, (None, None), False),
        (0.1, (0.0, 0.0), False),
    ],
)
def test_is_within_noise(
    difference: float, errors: tuple[float | None, ...], is_noise: bool
) -> None:
    assert is_within_noise(difference, errors) == is_noise

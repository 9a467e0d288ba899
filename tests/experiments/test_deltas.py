"""Differences to the baseline in signs and words."""

import pytest

from experiments.presenters.deltas import change_in_points, judged, relative_change


@pytest.mark.parametrize(
    ("value", "baseline", "text"),
    [
        (112.0, 100.0, "+12\N{NO-BREAK SPACE}%"),
        (96.6, 100.0, "\N{MINUS SIGN}3.4\N{NO-BREAK SPACE}%"),
        (109.96, 100.0, "+10\N{NO-BREAK SPACE}%"),
        (0.0, 100.0, "\N{MINUS SIGN}100\N{NO-BREAK SPACE}%"),
        (100.01, 100.0, "±0"),
        (1300.0, 100.0, "+1,200\N{NO-BREAK SPACE}%"),
        (15000.0, 100.0, "×150"),
        (1e300, 1e-5, "×1e+305"),
    ],
)
def test_relative_change_is_signed(value: float, baseline: float, text: str) -> None:
    assert relative_change(value, baseline).text == text


def test_change_in_points_is_signed() -> None:
    assert change_in_points(63.2, 60.0).text == "+3.2\N{NO-BREAK SPACE}points"
    assert change_in_points(60.0, 60.0).text == "±0"
    assert change_in_points(60.0, 60.0).unit == "points"


@pytest.mark.parametrize(
    ("value", "higher_is_better", "is_noise", "told"),
    [
        (120.0, True, False, ("▲", "better")),
        (120.0, False, False, ("▼", "worse")),
        (80.0, True, False, ("▼", "worse")),
        (80.0, False, False, ("▲", "better")),
        (80.0, True, True, ("≈", "within noise")),
        (100.0, True, False, ("", "")),
        (100.0, True, True, ("", "")),
        (120.0, None, False, ("", "")),
    ],
)
def test_judged_tells_direction_by_mark_and_word(
    value: float, higher_is_better: bool | None, is_noise: bool, told: tuple[str, str]
) -> None:
    delta = judged(
        relative_change(value, 100.0), higher_is_better=higher_is_better, is_noise=is_noise
    )
    assert (delta.mark, delta.word) == told

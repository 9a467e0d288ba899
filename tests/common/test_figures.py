"""How figures and times are written."""

from datetime import UTC, datetime

import pytest

from benchsite.common.templatetags.figures import (
    aligned,
    compact,
    count,
    day,
    figure,
    known,
    moment,
    plus_minus,
)

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.0, "0"),
        (0.002134, "0.00213"),
        (0.5, "0.500"),
        (4.067, "4.07"),
        (49.94, "49.9"),
        (149.66, "149.7"),
        (12345.6, "12,346"),
        (-12.34, "-12.3"),
    ],
)
def test_figure_keeps_three_digits_and_every_whole_one(value: float | None, text: str) -> None:
    assert figure(value) == text


@pytest.mark.parametrize(
    ("value", "spread", "text"),
    [
        (190.6, 48.6, "190.6 ± 48.6"),
        (60.27, 0.53, "60.27 ± 0.53"),
        (50.2134, 0.0123, "50.213 ± 0.012"),
        (12345.6, 48.2, "12,346 ± 48"),
        (0.0123, 0.00041, "0.01230 ± 0.00041"),
        (3.0, 120.0, "3.0 ± 120.0"),
        (-4.2, 1.1, "-4.2 ± 1.1"),
        (0.0, 1.5, "0.0 ± 1.5"),
        (5.0, 0.0, "5.00 ± 0"),
        (5.0, 1e-12, "5.00 ± 1e-12"),
        (5.0, None, "5.00"),
        (None, 1.0, "–"),
        (10.0**300, 10.0**299, f"{10.0**300:,.0f} ± {10.0**299:,.0f}"),
        (float("inf"), 1.0, "inf"),
    ],
)
def test_plus_minus_rounds_to_the_digit_of_the_spread(
    value: float | None, spread: float | None, text: str
) -> None:
    assert plus_minus(value, spread) == text


def test_aligned_pads_to_the_longest_decimals_without_adding_text() -> None:
    assert aligned(["1,234", "190.6", "4.07", "–"]) == [
        '1,234<span class="pad" data-pad=".00"></span>',
        '190.6<span class="pad" data-pad="0"></span>',
        "4.07",
        '–<span class="pad" data-pad=".00"></span>',
    ]
    assert aligned(["0.00213", "4.0"]) == ["0.00213", "4.0"]
    assert aligned([]) == []
    assert aligned(["<b>"]) == ["&lt;b&gt;"]


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (1_283_143, "1.28 M"), (793_286, "793 k"), (12.34, "12.3")]
)
def test_compact_writes_the_scale(value: float | None, text: str) -> None:
    assert compact(value) == text


@pytest.mark.parametrize(("value", "text"), [(None, "–"), (8192, "8,192"), (511.52, "511.5")])
def test_count_has_no_needless_decimals(value: float | None, text: str) -> None:
    assert count(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), ("", "–"), (False, "no"), (4096, "4,096"), (24.0, "24"), (0.25, "0.250")],
)
def test_known_writes_facts_of_any_kind(value: object, text: str) -> None:
    assert known(value) == text


@pytest.mark.parametrize("value", [10**400, -(10**400), float("inf"), float("nan"), 10**308])
def test_no_number_is_beyond_the_filters(value: float) -> None:
    for write in (figure, compact, count, known):
        assert write(value)
    assert count(10**400) == "10" + ",000" * 133


def test_moment_says_utc_or_that_the_zone_is_unknown() -> None:
    assert "2026-11-20 09:30 UTC" in moment(AT)
    assert "UTC" not in moment(AT, zone_known=False)
    assert "zone unknown" in moment(AT, zone_known=False)
    assert moment(None) == "–"


def test_day_is_a_date() -> None:
    assert ">2026-11-20<" in day(AT)
    assert day(None) == "–"

"""Template filters that write figures and times: exact enough, aligned, and "–" where unknown."""

from collections.abc import Sequence
from datetime import datetime
from html import escape
from math import floor, log10
from sys import float_info

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

register = template.Library()

MISSING = "–"
SIGNIFICANT_DIGITS = 3
UNCERTAIN_DIGITS = 2
MOST_DIGITS = 6
MOST_ALIGNED = 3
_SCALES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


@register.filter
def figure(value: float | None) -> str:
    """Write a measured value with three significant digits or more: 0.00213, 4.07, 49.9, 12,346.

    The part before the decimal point is never rounded away; thousands are set apart by commas.
    """
    if value is None:
        return MISSING
    if value == 0:
        return "0"
    if _is_beyond_floats(value):
        return f"{value:,}"
    size = floor(log10(abs(value)))
    if size >= SIGNIFICANT_DIGITS:
        return f"{value:,.0f}"
    return f"{value:.{max(1, SIGNIFICANT_DIGITS - 1 - size)}f}"


def figure_with_spread(value: float | None, spread: float | None) -> tuple[str, str]:
    """Write a value and its spread to the same digit: ("190.6", "48.6"), ("60.27", "0.53").

    That digit is the spread's second significant one; as in `figure` the first decimal is never
    rounded away below 1,000. The spread is "" where it is not known, and the value as by `figure`.
    """
    if value is None or spread is None or _is_beyond_floats(value) or _is_beyond_floats(spread):
        return figure(value), ""
    largest = max(abs(value), spread)
    if spread <= largest * 10**-MOST_DIGITS:
        return figure(value), f"{spread:.1g}"
    least = 1 if largest < 10**SIGNIFICANT_DIGITS else 0
    decimals = max(least, UNCERTAIN_DIGITS - 1 - floor(log10(spread)))
    return f"{value:,.{decimals}f}", f"{spread:,.{decimals}f}"


@register.filter
def plus_minus(value: float | None, spread: float | None) -> str:
    """Write a value with its spread, "190.6 ± 48.6"; without one as `figure` does."""
    shown, uncertain = figure_with_spread(value, spread)
    return f"{shown} ± {uncertain}" if uncertain else shown


def aligned(texts: Sequence[str]) -> list[SafeString]:
    """Pad the figures of a column so that their decimal points stand below each other.

    The padding is drawn invisibly by the stylesheet and is no part of the text. Rare long tails
    (over MOST_ALIGNED) stand out rather than move all others.
    """
    decimals = [len(text.partition(".")[2]) for text in texts]
    most = max((own for own in decimals if own <= MOST_ALIGNED), default=0)
    pads = {
        own: f'<span class="pad" data-pad="{_padding(own, most)}"></span>'
        for own in set(decimals)
        if own < most
    }
    return [
        SafeString(escape(text) + pads.get(own, ""))
        for text, own in zip(texts, decimals, strict=True)
    ]


def _padding(own: int, most: int) -> str:
    return ("" if own else ".") + "0" * (most - own)


@register.filter
def compact(value: float | None) -> str:
    """Write a value of wide range by its scale: "1.24 M", "793 k"; below 1,000 as `figure` does."""
    if value is None:
        return MISSING
    if _is_beyond_floats(value):
        return f"{value:,}"
    for scale, letter in _SCALES:
        if abs(value) >= scale:
            return f"{value / scale:.3g} {letter}"
    return figure(value)


@register.filter
def count(value: float | None) -> str:
    """Write a number of things, "8,192"; a mean that is no whole number keeps one decimal."""
    if value is None:
        return MISSING
    if isinstance(value, int) or _is_beyond_floats(value):
        return f"{value:,}"
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def _is_beyond_floats(value: float) -> bool:
    """Tell infinities, NaN and integers that no float can hold from what can be rounded."""
    return not abs(value) <= float_info.max


@register.filter
def known(value: object) -> str:
    """Write a fact of any kind; "–" for None and for an empty text."""
    if value is None or value == "":
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return count(value)
    if isinstance(value, float):
        return count(value) if value.is_integer() else figure(value)
    return str(value)


@register.filter
def moment(value: datetime | None, zone_known: bool = True) -> str:
    """Write date and minute as a `time` element, in UTC or marked where the zone is unknown."""
    if value is None:
        return MISSING
    shown = f"{localtime(value):%Y-%m-%d %H:%M}"
    if not zone_known:
        return format_html(
            '<time class="nowrap" datetime="{}">{}</time> <span class="tag">zone unknown</span>',
            shown,
            shown,
        )
    return format_html('<time class="nowrap" datetime="{}">{} UTC</time>', value.isoformat(), shown)


@register.filter
def day(value: datetime | None) -> str:
    """Write the date alone as a `time` element."""
    if value is None:
        return MISSING
    shown = f"{localtime(value):%Y-%m-%d}"
    return SafeString(f'<time class="nowrap" datetime="{value.isoformat()}">{shown}</time>')

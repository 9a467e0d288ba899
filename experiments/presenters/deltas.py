"""How far a value is from the baseline's, in words and signs: never by colour alone."""

from dataclasses import dataclass, replace

_MOST_PERCENT = 10_000
_NOTHING = "±0"
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, kw_only=True)
class Delta:
    """A signed difference, "+12 %", and what it means: a mark, a word and a style, or "".

    `amount` is the difference in `unit`: percent of the baseline, or points of a bounded scale.
    """

    amount: float
    unit: str
    text: str
    mark: str = ""
    word: str = ""
    style: str = "muted"


def relative_change(value: float, baseline: float) -> Delta:
    """Return how much larger a value is than the (positive) baseline: "+12 %", "−3.4 %", "×150"."""
    percent = (value / baseline - 1) * 100
    if percent >= _MOST_PERCENT:
        return Delta(amount=percent, unit="%", text=f"×{value / baseline:.3g}")
    return Delta(amount=percent, unit="%", text=_signed(percent, "%"))


def change_in_points(value: float, baseline: float) -> Delta:
    """Return how many points of a bounded scale lie between two scores: "+3.2 points"."""
    amount = value - baseline
    return Delta(amount=amount, unit="points", text=_signed(amount, "points"))


def judged(delta: Delta, *, higher_is_better: bool | None, is_noise: bool) -> Delta:
    """Add what a difference means; nothing where no direction is better, or nothing differs."""
    is_nothing = delta.text == _NOTHING
    if is_noise and not is_nothing:
        return replace(delta, mark="≈", word="within noise")
    if higher_is_better is None or is_nothing:
        return delta
    if (delta.amount > 0) == higher_is_better:
        return replace(delta, mark="▲", word="better", style="better")
    return replace(delta, mark="▼", word="worse", style="worse")


def _signed(number: float, unit: str) -> str:
    """Write a number with its sign, a decimal below ten; "±0" where nothing is left of it."""
    shown = f"{number:+,.1f}" if abs(number) < 9.95 else f"{number:+,.0f}"
    if shown in ("+0.0", "-0.0"):
        return _NOTHING
    return f"{shown.replace('-', MINUS)}\N{NO-BREAK SPACE}{unit}"

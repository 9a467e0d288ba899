"""Rates that totals and duration give, beside those that a tool states in another way."""

import math
from dataclasses import dataclass

from experiments.formats.documents import Problem
from experiments.formats.figures import Figures
from experiments.formats.numbers import positive
from experiments.formats.problems import short_value

_DEVIATION = 0.2
_ONLY_WHILE = (
    "{tool} states {stated:.4g} tok/s, but {tokens:,.0f} tokens in {seconds:.4g} s are "
    "{wall:.4g} tok/s: it counts only the time in which tokens arrive, or other tokens. Both are "
    "kept; the wall clock is what other tools state."
)


@dataclass(frozen=True, kw_only=True)
class Totals:
    """What happened in how many seconds, as a tool counted it; None for what is not known."""

    tool: str
    seconds: float | None
    requests: int
    prompt_tokens: float | None
    generated_tokens: float | None

    @property
    def all_tokens(self) -> float | None:
        """Prompt and generated tokens together, None where one of them is not known."""
        if self.prompt_tokens is None or self.generated_tokens is None:
            return None
        return self.prompt_tokens + self.generated_tokens


def add_wall_clock(figures: Figures, totals: Totals, *, at: str) -> None:
    """Add the rates of a whole benchmark as derived, where totals and duration are there."""
    seconds = totals.seconds
    if seconds is None or not 0 < seconds < math.inf:
        return
    for metric, amount, unit, inputs in (
        ("requests_per_second", totals.requests, "req/s", ("successful requests",)),
        ("tokens_per_second", totals.generated_tokens, "tok/s", ("generated tokens",)),
        (
            "total_tokens_per_second",
            totals.all_tokens,
            "tok/s",
            ("prompt tokens", "generated tokens"),
        ),
    ):
        if amount is not None:
            figures.add(
                metric,
                amount / seconds,
                unit,
                at=at,
                definition="wall_clock",
                derived_from=(*inputs, "duration"),
            )


def doubt_stated_rate(
    figures: Figures, totals: Totals, metric: str, stated: object, *, at: str
) -> None:
    """Warn of a stated rate of tokens that is far from what totals and duration give."""
    tokens = totals.generated_tokens if metric == "tokens_per_second" else totals.all_tokens
    seconds = totals.seconds
    rate = positive(stated)
    if rate is None:
        return
    if not seconds or not tokens or not 0 < (wall := tokens / seconds) < math.inf:
        return
    if abs(rate / wall - 1) > _DEVIATION:
        message = _ONLY_WHILE.format(
            tool=totals.tool, stated=rate, tokens=tokens, seconds=seconds, wall=wall
        )
        figures.warnings.append(Problem(at, message, short_value(stated)))

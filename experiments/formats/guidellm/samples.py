"""Statistics of single samples, where a tool wrote those and no figure over them."""

import math
from collections.abc import Sequence
from statistics import fmean, quantiles, stdev

_PERCENTILES = (50, 90, 95, 99)


def statistics_of(values: Sequence[float]) -> dict[str, float]:
    """Return mean, spread, least, largest and percentiles; the mean alone of a single value.

    Percentiles lie between neighbours as numpy's do. What holds a NaN or infinity gives nothing.
    """
    if not values or not all(math.isfinite(value) for value in values):
        return {}
    if len(values) == 1:
        return {"mean": values[0]}
    cuts = quantiles(values, n=100, method="inclusive")
    return {
        "mean": fmean(values),
        "std": stdev(values),
        "min": min(values),
        "max": max(values),
        **{f"p{percent}": cuts[percent - 1] for percent in _PERCENTILES},
    }

"""What a figure can be: impossible values are errors, implausible ones earn a warning."""

import math

from experiments.formats.documents import MeasurementDocument, Problem
from experiments.formats.problems import join_path, short_value
from experiments.metrics import Metric


def is_plausible(figure: float, metric: Metric) -> bool:
    """Tell whether nothing is to be said of a figure: it lies in the range of its metric."""
    low, high = metric.plausible
    return low <= figure <= high


def impossible(figure: float, stated: float, metric: Metric, *, above_zero: bool) -> str:
    """Say why a figure (in the unit of the registry) cannot be right, "" where it can.

    `stated` is the figure before it was converted.
    """
    if not math.isfinite(figure):
        return f"This is too large in {metric.unit}."
    if figure < 0:
        return f"{metric.label} is {'above 0' if above_zero else 'never negative'}."
    if figure == 0 and above_zero:
        if stated:
            return f"This is too small in {metric.unit}."
        return f"{metric.label} is above 0. Leave out what is not known."
    if metric.unit == "%" and figure > 100:
        return f"{metric.label} is a share of 100 % at most."
    return ""


def doubt(document: MeasurementDocument, metric: Metric, place: str) -> Problem | None:
    """Return a warning of a value outside the plausible range of its metric."""
    low, high = metric.plausible
    if document.statistic == "std" or is_plausible(document.value, metric):
        return None
    message = (
        f"{metric.label} usually lies between {low:g} and {high:g} {metric.unit}; please check."
    )
    return Problem(join_path(place, "value"), message, short_value(document.value))

"""The figures of one run as a serving tool wrote them, gathered in the units of the registry.

What a tool could not measure it writes as null, NaN or 0: such figures are left out, those that
cannot be (a negative speed, a text) are problems.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from experiments.formats.documents import MeasurementDocument, Problem
from experiments.formats.numbers import is_number
from experiments.formats.possible import doubt, impossible
from experiments.formats.problems import short_value
from experiments.metrics import UnitError, convert, get_metric
from experiments.metrics.names import normalise_statistic

_NO_NUMBER = "This figure is no number (NaN or infinity): it is left out."
_ZERO = "Tools write 0 for what they did not measure: this figure is left out."
_NUMBER = "A number is needed here."
_TWICE = "The same metric, statistic and definition stands twice in this run."


class Figures:
    """Gathers the measurements of one run.

    `sample_count` is the number of requests (or repetitions) behind the figures. One request has
    no spread and no percentiles: of each metric its mean alone is kept then.
    """

    def __init__(self, *, sample_count: int | None = None) -> None:
        self._sample_count = sample_count
        self._found: dict[tuple[str, str, str | None], MeasurementDocument] = {}
        self.warnings: list[Problem] = []
        self.problems: list[Problem] = []

    @property
    def measurements(self) -> tuple[MeasurementDocument, ...]:
        """What was gathered, in the order in which it was added."""
        return tuple(self._found.values())

    def add(
        self,
        metric: str,
        value: Any,
        unit: str,
        *,
        at: str,
        statistic: str = "mean",
        definition: str | None = None,
        sample_count: int | None = None,
        derived_from: Sequence[str] = (),
        context: Mapping[str, Any] | None = None,
    ) -> None:
        """Add the figure that stands at the place `at` of the file, given in `unit`.

        `statistic` may be written as tools do ("median", "99.9", "p99"); what is no statistic
        that the site knows is left out. `derived_from` names the inputs of a derived figure.
        """
        known = normalise_statistic(statistic) or normalise_statistic(f"p{statistic}")
        count = self._sample_count if sample_count is None else sample_count
        if value is None or known is None or (count == 1 and known != "mean"):
            return
        if not is_number(value):
            self.problems.append(Problem(at, _NUMBER, short_value(value)))
            return
        found = get_metric(metric)
        if left_out := _says_nothing(
            value, may_be_zero=found is None or known == "std" or found.plausible[0] <= 0
        ):
            self.warnings.append(Problem(at, left_out, short_value(value)))
            return
        try:
            figure = convert(float(value), unit, found.unit) if found else float(value)
        except (UnitError, OverflowError) as error:
            message = str(error) if isinstance(error, UnitError) else "This number is too large."
            self.problems.append(Problem(at, message, short_value(value)))
            return
        document = MeasurementDocument(
            metric=metric,
            statistic=known,
            definition=definition,
            value=figure,
            unit=found.unit if found else unit,
            sample_count=count or None,
            derived_from=tuple(derived_from) or None,
            context=dict(context or {}),
        )
        self._keep(document, at, value)

    def add_error_rate(self, completed: int, failed: int | None, *, at: str) -> None:
        """Add the share of requests that failed; None failed is not known."""
        if failed is None or completed + failed == 0:
            return
        sent = completed + failed
        share = 100 * failed / sent
        self.add(
            "error_rate",
            share,
            "%",
            at=at,
            definition="of_sent",
            sample_count=sent,
            derived_from=("failed requests", "completed requests"),
        )

    def _keep(self, document: MeasurementDocument, at: str, stated: float) -> None:
        metric = get_metric(document.metric)
        if metric is not None:
            above_zero = metric.plausible[0] > 0 and document.statistic != "std"
            message = impossible(document.value, stated, metric, above_zero=above_zero)
            if message:
                self.problems.append(Problem(at, message, short_value(stated)))
                return
            if warning := doubt(document, metric, at):
                self.warnings.append(warning)
        if document.identity in self._found:
            self.problems.append(Problem(at, _TWICE, short_value(stated)))
            return
        self._found[document.identity] = document


def _says_nothing(value: float, *, may_be_zero: bool) -> str:
    """Say why a figure is left out, "" where it stays."""
    if isinstance(value, float) and not math.isfinite(value):
        return _NO_NUMBER
    return "" if value or may_be_zero else _ZERO

"""The figures of the site's experiment JSON as measurements in the units of the registry."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from experiments.formats.documents import InvalidFileError, MeasurementDocument, Problem
from experiments.formats.possible import doubt, impossible, is_plausible
from experiments.formats.problems import join_path, short_value
from experiments.formats.site.schema import PerformanceMetric
from experiments.metrics import Metric, UnitError, factor_between, get_metric, parse_metric_name
from experiments.metrics.names import normalise_statistic

_UNKNOWN = "The site does not know this metric; it is kept and shown under “Other”."
_TWICE = "The same metric, statistic and definition stands twice in this run."
_STATISTIC = (
    "A statistic is mean, min, max, std, p50 or any other pNN, and the same as in metric_name."
)


@dataclass(frozen=True)
class _Kind:
    """What a figure is of, as its names tell: the same for the figures of many runs.

    `metric` is None where the registry does not know it; `factor` leads to the registry's unit.
    """

    name: str
    metric: Metric | None
    statistic: str
    unit: str
    factor: float


def measurement_documents(
    metrics: Sequence[PerformanceMetric], path: str
) -> tuple[tuple[MeasurementDocument, ...], list[Problem], list[Problem]]:
    """Return the measurements of one run (its list of metrics is at `path`), warnings, problems."""
    measurements: dict[tuple[str, str, str | None], MeasurementDocument] = {}
    warnings: list[Problem] = []
    problems: list[Problem] = []
    for index, item in enumerate(metrics):
        try:
            kind = _kind(item.metric_name, item.unit, item.statistic, item.definition)
            measurement = _measurement(item, kind)
            found = list(_doubts(measurement, kind.metric, item))
        except InvalidFileError as error:
            problems += _placed(error.problems, path, index)
            continue
        if found:
            warnings += _placed(found, path, index)
        identity = measurement.identity
        if identity in measurements:
            twice = Problem("metric_name", _TWICE, item.metric_name)
            problems += _placed([twice], path, index)
        measurements[identity] = measurement
    return tuple(measurements.values()), warnings, problems


def _placed(problems: Iterable[Problem], path: str, index: int) -> list[Problem]:
    """Return problems of a figure under their paths in the file."""
    return [replace(item, path=f"{join_path(path, index)}.{item.path}") for item in problems]


@lru_cache(maxsize=1024)
def _kind(metric_name: str, unit: str, statistic: str | None, definition: str | None) -> _Kind:
    """Read the names of a figure; InvalidFileError, with its field, for one that cannot be."""
    name = parse_metric_name(metric_name)
    metric = get_metric(name.metric)
    factor = 1.0
    if metric is not None:
        _check_definition(definition, metric)
        factor = _factor(unit, metric)
    return _Kind(
        name=name.metric,
        metric=metric,
        statistic=_statistic(statistic, name.statistic),
        unit=metric.unit if metric else unit,
        factor=factor,
    )


def _statistic(text: str | None, named: str | None) -> str:
    """Return the statistic that is stated, or held by the metric's name; both must agree."""
    stated = normalise_statistic(text) if text else None
    if (text and not stated) or (stated and named not in (None, stated)):
        raise InvalidFileError(Problem("statistic", _STATISTIC, text))
    return stated or named or "mean"


def _check_definition(definition: str | None, metric: Metric) -> None:
    if definition and metric.definitions and not metric.definition(definition):
        known = ", ".join(item.id for item in metric.definitions)
        message = f"{metric.label} knows these definitions: {known}."
        raise InvalidFileError(Problem("definition", message, definition))


def _factor(unit: str, metric: Metric) -> float:
    try:
        return factor_between(unit, metric.unit)
    except UnitError as error:
        raise InvalidFileError(Problem("unit", str(error), unit)) from error


def _measurement(item: PerformanceMetric, kind: _Kind) -> MeasurementDocument:
    """Return a figure with its samples in the unit of the registry."""
    samples = tuple(figure * kind.factor for figure in item.samples) if item.samples else None
    return MeasurementDocument(
        metric=kind.name,
        statistic=kind.statistic,
        definition=item.definition,
        value=item.value * kind.factor,
        unit=kind.unit,
        sample_count=item.sample_count or (len(samples) if samples else None),
        samples=samples,
        derived_from=tuple(item.derived_from) if item.derived_from else None,
        context=_context(item),
    )


def _doubts(
    document: MeasurementDocument, metric: Metric | None, item: PerformanceMetric
) -> Iterator[Problem]:
    """Yield a warning where the registry does not know or doubts a figure.

    Raises InvalidFileError where no measurement can give it.
    """
    if metric is None:
        yield Problem("metric_name", _UNKNOWN, item.metric_name)
    elif document.samples or not is_plausible(document.value, metric):
        if problems := list(_impossible_figures(document, metric, item)):
            raise InvalidFileError(*problems)
        if warning := doubt(document, metric, ""):
            yield warning


def _impossible_figures(
    document: MeasurementDocument, metric: Metric, item: PerformanceMetric
) -> Iterator[Problem]:
    """Yield a problem for a value and for each sample that no measurement can give."""
    above_zero = metric.plausible[0] > 0
    spread = document.statistic == "std"
    message = impossible(document.value, item.value, metric, above_zero=above_zero and not spread)
    if message:
        yield Problem("value", message, short_value(item.value))
    pairs = zip(document.samples or (), item.samples or (), strict=True)
    for index, (figure, stated) in enumerate(pairs):
        if message := impossible(figure, stated, metric, above_zero=above_zero):
            yield Problem(join_path("samples", index), message, short_value(stated))


def _context(item: PerformanceMetric) -> dict[str, Any]:
    """Return what was said beside a figure, its time included."""
    context = dict(item.context or {})
    return context | {"timestamp": item.timestamp.isoformat()} if item.timestamp else context

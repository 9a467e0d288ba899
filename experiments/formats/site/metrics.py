"""The figures of the site's experiment JSON as measurements in the units of the registry."""

from collections.abc import Iterator, Sequence
from typing import Any

from experiments.formats.documents import InvalidFileError, MeasurementDocument, Problem
from experiments.formats.possible import doubt, impossible
from experiments.formats.problems import join_path, short_value
from experiments.formats.site.schema import PerformanceMetric
from experiments.metrics import Metric, UnitError, convert, get_metric, parse_metric_name
from experiments.metrics.names import normalise_statistic

_UNKNOWN = "The site does not know this metric; it is kept and shown under “Other”."
_TWICE = "The same metric, statistic and definition stands twice in this run."
_STATISTIC = (
    "A statistic is mean, min, max, std, p50 or any other pNN, and the same as in metric_name."
)


def measurement_documents(
    metrics: Sequence[PerformanceMetric], path: str
) -> tuple[tuple[MeasurementDocument, ...], list[Problem], list[Problem]]:
    """Return the measurements of one run (its list of metrics is at `path`), warnings, problems."""
    measurements: dict[tuple[str, str, str | None], MeasurementDocument] = {}
    warnings: list[Problem] = []
    problems: list[Problem] = []
    for index, item in enumerate(metrics):
        place = join_path(path, index)
        try:
            measurement, warning = _measurement(item, place)
        except InvalidFileError as error:
            problems += error.problems
            continue
        warnings += [warning] if warning else []
        if measurement.identity in measurements:
            problems.append(Problem(join_path(place, "metric_name"), _TWICE, item.metric_name))
        measurements[measurement.identity] = measurement
    return tuple(measurements.values()), warnings, problems


def _measurement(item: PerformanceMetric, place: str) -> tuple[MeasurementDocument, Problem | None]:
    """Return one measurement, with a warning where the registry does not know or doubts it.

    Raises InvalidFileError for a unit, statistic, definition or value that cannot be right.
    """
    name = parse_metric_name(item.metric_name)
    metric = get_metric(name.metric)
    value, samples, unit = item.value, item.samples, item.unit
    if metric is not None:
        _check_definition(item, metric, place)
        value, *converted = _in_unit_of(metric, item, place)
        samples, unit = converted or None, metric.unit
    document = MeasurementDocument(
        metric=name.metric,
        statistic=_statistic(item, name.statistic, place),
        definition=item.definition,
        value=value,
        unit=unit,
        sample_count=item.sample_count or (len(samples) if samples else None),
        samples=tuple(samples) if samples else None,
        derived_from=tuple(item.derived_from) if item.derived_from else None,
        context=_context(item),
    )
    if metric is None:
        return document, Problem(join_path(place, "metric_name"), _UNKNOWN, item.metric_name)
    if problems := list(_impossible_figures(document, metric, item, place)):
        raise InvalidFileError(*problems)
    return document, doubt(document, metric, place)


def _statistic(item: PerformanceMetric, named: str | None, place: str) -> str:
    """Return the statistic that is stated, or held by the metric's name; both must agree."""
    stated = normalise_statistic(item.statistic) if item.statistic else None
    if (item.statistic and not stated) or (stated and named not in (None, stated)):
        raise InvalidFileError(Problem(join_path(place, "statistic"), _STATISTIC, item.statistic))
    return stated or named or "mean"


def _check_definition(item: PerformanceMetric, metric: Metric, place: str) -> None:
    if item.definition and metric.definitions and not metric.definition(item.definition):
        known = ", ".join(definition.id for definition in metric.definitions)
        message = f"{metric.label} knows these definitions: {known}."
        raise InvalidFileError(Problem(join_path(place, "definition"), message, item.definition))


def _in_unit_of(metric: Metric, item: PerformanceMetric, place: str) -> list[float]:
    """Return the value and its samples in the unit of the registry."""
    try:
        return [
            convert(figure, item.unit, metric.unit)
            for figure in (item.value, *(item.samples or ()))
        ]
    except UnitError as error:
        raise InvalidFileError(Problem(join_path(place, "unit"), str(error), item.unit)) from error


def _impossible_figures(
    document: MeasurementDocument, metric: Metric, item: PerformanceMetric, place: str
) -> Iterator[Problem]:
    """Yield a problem for a value and for each sample that no measurement can give."""
    above_zero = metric.plausible[0] > 0
    spread = document.statistic == "std"
    message = impossible(document.value, item.value, metric, above_zero=above_zero and not spread)
    if message:
        yield Problem(join_path(place, "value"), message, short_value(item.value))
    pairs = zip(document.samples or (), item.samples or (), strict=True)
    for index, (figure, stated) in enumerate(pairs):
        if message := impossible(figure, stated, metric, above_zero=above_zero):
            yield Problem(join_path(place, "samples", index), message, short_value(stated))


def _context(item: PerformanceMetric) -> dict[str, Any]:
    """Return what was said beside a figure, its time included."""
    context = dict(item.context or {})
    return context | {"timestamp": item.timestamp.isoformat()} if item.timestamp else context

"""Every figure of a run, by group, metric and definition, the spread beside its mean."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from benchsite.common.templatetags.figures import aligned, figure_with_spread
from experiments.comparison import metric_order, spreads_of_means, without_spreads
from experiments.metrics import MetricGroup, get_metric
from experiments.models import Measurement
from experiments.presenters.labels import (
    DefinitionLink,
    MetricLink,
    definition_link,
    metric_link,
)

_STATISTIC_ORDER = {"mean": 0, "std": 1, "min": 2, "max": 99}


@dataclass(frozen=True, kw_only=True)
class FigureRow:
    """One measured figure; `spread` is the standard deviation of a mean, as both are written."""

    measurement: Measurement
    text: str
    spread_text: str
    spread: float | None
    derived_from: str


@dataclass(frozen=True, kw_only=True)
class MetricBlock:
    """All figures of a metric under one definition."""

    metric: str
    name: MetricLink
    definition: DefinitionLink | None
    rows: tuple[FigureRow, ...]


@dataclass(frozen=True, kw_only=True)
class MetricSection:
    """A group of metrics."""

    name: str
    blocks: tuple[MetricBlock, ...]


def metric_sections(measurements: Sequence[Measurement]) -> tuple[MetricSection, ...]:
    """Lay the figures out as one table in sections, decimal points below each other."""
    spreads = spreads_of_means(measurements)
    shown = sorted(without_spreads(measurements), key=_order)
    rows = _aligned([_row(item, spreads) for item in shown])
    return tuple(
        MetricSection(
            name=group.value,
            blocks=tuple(
                MetricBlock(
                    metric=metric,
                    name=metric_link(metric),
                    definition=definition_link(metric, definition),
                    rows=tuple(in_block),
                )
                for (metric, definition), in_block in groupby(
                    in_group, key=lambda row: (row.measurement.metric, row.measurement.definition)
                )
            ),
        )
        for group, in_group in groupby(rows, key=lambda row: _group(row.measurement))
    )


def _row(item: Measurement, spreads: dict[tuple[str, str | None], float]) -> FigureRow:
    spread = spreads.get((item.metric, item.definition)) if item.statistic == "mean" else None
    text, spread_text = figure_with_spread(item.value, spread)
    return FigureRow(
        measurement=item,
        text=text,
        spread_text=spread_text,
        spread=spread,
        derived_from=" and ".join(item.derived_from or ()),
    )


def _aligned(rows: Sequence[FigureRow]) -> list[FigureRow]:
    texts = aligned([row.text for row in rows])
    spreads = aligned([row.spread_text for row in rows])
    return [
        replace(row, text=text, spread_text=spread if row.spread_text else "")
        for row, text, spread in zip(rows, texts, spreads, strict=True)
    ]


def _group(item: Measurement) -> MetricGroup:
    known = get_metric(item.metric)
    return known.group if known else MetricGroup.OTHER


def _order(item: Measurement) -> tuple[int, tuple[int, str], str, int, str]:
    return (
        list(MetricGroup).index(_group(item)),
        metric_order(item.metric),
        item.definition or "",
        _STATISTIC_ORDER.get(item.statistic, 50),
        item.statistic,
    )

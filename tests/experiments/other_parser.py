"""A site whose parser of its own JSON reads the same bytes in another way."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from experiments import formats
from experiments.formats.content import Content
from experiments.formats.documents import MeasurementDocument, ParsedFile, RunDocument

Change = Callable[[ParsedFile], ParsedFile]


def use_parser(patch: pytest.MonkeyPatch, change: Change, *, version: int = 99) -> None:
    """Register the real format of the site's JSON once more, with what it parses changed."""
    (real,) = (item for item in formats.FORMATS if item.name == "experiment-json")

    def parse(content: Content) -> ParsedFile:
        return change(real.parse(content))

    other = replace(real, version=version, parse=parse)
    patch.setattr(
        formats, "FORMATS", tuple(other if item is real else item for item in formats.FORMATS)
    )


def with_runs(parsed: ParsedFile, change: Callable[[RunDocument], RunDocument]) -> ParsedFile:
    """Return the file with each run changed."""
    return replace(parsed, runs=tuple(change(run) for run in parsed.runs))


def with_figure(run: RunDocument, metric: str, value: float) -> RunDocument:
    """Return the run with another value of a metric."""
    measured = tuple(
        replace(item, value=value) if item.metric == metric else item for item in run.measurements
    )
    return replace(run, measurements=measured)


def with_more(run: RunDocument, metric: str, value: float, unit: str) -> RunDocument:
    """Return the run with a metric more, which has samples."""
    more = MeasurementDocument(
        metric=metric, statistic="mean", value=value, unit=unit, samples=(value, 0.1)
    )
    return replace(run, measurements=(*run.measurements, more))

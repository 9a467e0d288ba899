"""OpenCompass figures as scores: groups with their parts as categories, other data sets alone."""

from collections.abc import Sequence
from datetime import datetime

from benchmarks.protocol import Protocol
from benchmarks.totals import CategoryData
from experiments.formats.documents import ScoreDocument
from experiments.formats.opencompass.figures import Figure
from experiments.formats.opencompass.names import (
    is_curated,
    read_metric,
    read_model,
    task_version,
)
from experiments.formats.opencompass.table import is_nothing

_HARNESS = "OpenCompass"


def scores_of(
    figures: Sequence[Figure], column: str, measured_at: datetime | None
) -> list[ScoreDocument]:
    """Return the scores of a model; parts of a curated benchmark are its categories.

    OpenCompass means a group only where all of its parts are there. Parts without their whole
    make the total, which is complete only if they are all.
    """
    in_percent = any(read_metric(f.row.metric).is_percent and f.value > 1 for f in figures)
    wholes = [figure for figure in figures if figure.part is None]
    parts: dict[tuple[str, str], list[Figure]] = {}
    for figure in figures:
        if figure.part:
            parts.setdefault((figure.part.benchmark, figure.row.mode), []).append(figure)
    builder = _Builder(column, measured_at, in_percent)
    scores = []
    first_metrics: dict[str, str] = {}
    for figure in wholes:
        first = first_metrics.setdefault(figure.row.dataset, figure.row.metric)
        below = parts.get((figure.benchmark, figure.row.mode), [])
        scores.append(builder.score(figure, below, is_first=first == figure.row.metric))
    with_whole = {(figure.benchmark, figure.row.mode) for figure in wholes}
    scores += [builder.made(below) for key, below in parts.items() if key not in with_whole]
    return scores


class _Builder:
    """Makes the scores of one column."""

    def __init__(self, column: str, measured_at: datetime | None, in_percent: bool) -> None:
        engine = read_model(column)[1]
        self.context = {"model": column} | ({"engine": engine} if engine else {})
        self.measured_at = measured_at
        self.in_percent = in_percent

    def score(self, figure: Figure, parts: Sequence[Figure], *, is_first: bool) -> ScoreDocument:
        """Return the score that a row states."""
        metric = read_metric(figure.row.metric)
        benchmark = figure.benchmark
        own_name = is_first and (metric.is_main or not is_curated(benchmark))
        categories = self._categories(parts) if own_name else ()
        return self._document(
            figure,
            benchmark=benchmark if own_name else f"{benchmark}_{figure.row.metric}",
            version=task_version(figure.row.dataset, benchmark, _hash([figure.row.version])),
            value=figure.value,
            categories=categories,
        )

    def made(self, parts: Sequence[Figure]) -> ScoreDocument:
        """Return the score that parts without their whole make."""
        return self._document(
            parts[0],
            benchmark=parts[0].benchmark,
            version=_hash([part.row.version for part in parts]),
            value=None,
            categories=self._categories(parts),
        )

    def _document(
        self,
        figure: Figure,
        *,
        benchmark: str,
        version: str | None,
        value: float | None,
        categories: tuple[CategoryData, ...],
    ) -> ScoreDocument:
        row, metric = figure.row, read_metric(figure.row.metric)
        return ScoreDocument(
            path=figure.path,
            benchmark=benchmark,
            stated_score=value,
            protocol=Protocol(
                harness=_HARNESS,
                task_version=version,
                metric_filter=", ".join(filter(None, [row.metric, row.mode])),
            ),
            scale_known=self.in_percent or metric.has_other_scale,
            higher_is_better=metric.higher_is_better,
            measured_at=self.measured_at,
            zone_known=self.measured_at is None,
            context=self.context,
            categories=categories,
        )

    def _categories(self, parts: Sequence[Figure]) -> tuple[CategoryData, ...]:
        """Return each part once, by its first metric, which is its main one."""
        found = {part.part.category: part.value for part in reversed(parts) if part.part}
        return tuple(CategoryData(category=name, score=found[name]) for name in reversed(found))


def _hash(versions: Sequence[str]) -> str | None:
    """Return the hash of the prompts that these rows share, None where they differ or have none."""
    shared = set(versions)
    version = shared.pop() if len(shared) == 1 else ""
    return None if is_nothing(version) else version

"""The tables of the detail page as they are downloaded: exactly what the page shows."""

from collections.abc import Iterable, Iterator

from benchsite.common.exports import Cell, Table
from experiments.presenters.curves import curve_file
from experiments.presenters.detail import DetailPage, QualityBlock
from experiments.presenters.detail_metrics import FigureRow, MetricBlock, MetricSection
from experiments.presenters.facts import Fact
from experiments.presenters.heatmaps import heatmap_file
from experiments.presenters.history import HistoryRow
from experiments.presenters.run_tables import run_table_file

HEADER = ("section", "item", "statistic", "definition", "value", "unit", "samples")
_FACT_SECTIONS = ("what", "machine", "workload")


def detail_tables(page: DetailPage) -> list[Table]:
    """Return all of the page in one long table, and each table of the page."""
    return [
        Table(name="all", header=HEADER, rows=_all_rows(page)),
        Table(
            name="metrics",
            header=(
                *("group", "metric", "statistic", "value", "std", "unit", "samples"),
                *("definition", "derived_from"),
            ),
            rows=_metric_rows(page),
        ),
        _scores(page),
        *(_categories(block) for block in page.quality if block.entry.categories),
        _repeats(page),
        run_table_file("repeated-runs", page.repeats),
        run_table_file("sweep", page.sweep),
        *([curve_file(page.curve)] if page.curve else []),
        *([heatmap_file(page.heatmap)] if page.heatmap else []),
        _machines(page),
        Table(
            name="history",
            header=("when", "what", "by", "reason"),
            rows=[
                (row.line.at, row.line.action, row.line.by, row.line.reason or None)
                for row in page.history
            ],
        ),
        *(_earlier_figures(row) for row in page.history if row.figures),
    ]


def _figures(page: DetailPage) -> Iterator[tuple[MetricSection, MetricBlock, FigureRow]]:
    for section in page.sections:
        for block in section.blocks:
            for row in block.rows:
                yield section, block, row


def _metric_rows(page: DetailPage) -> Iterator[tuple[Cell, ...]]:
    for section, block, row in _figures(page):
        item = row.measurement
        yield (
            *(section.name, block.metric, item.statistic, item.value, row.spread, item.unit),
            *(item.sample_count, block.definition.label if block.definition else None),
            row.derived_from or None,
        )


def _all_rows(page: DetailPage) -> Iterator[tuple[Cell, ...]]:
    """Return facts, figures and scores, a row each, in the order of the page."""
    for section, group in zip(_FACT_SECTIONS, page.groups, strict=True):
        unknown = (Fact(label, None) for label in group.unknown)
        yield from _facts(section, (*group.known, *unknown))
    yield from _facts("setup", page.setup)
    for metrics, block, row in _figures(page):
        item = row.measurement
        definition = block.definition.label if block.definition else ""
        lead = (metrics.name, block.metric)
        yield (*lead, item.statistic, definition, item.value, item.unit, item.sample_count)
        if row.spread is not None:
            yield (*lead, "std", definition, row.spread, item.unit, item.sample_count)
    for quality in page.quality:
        score = quality.entry.score
        slug, protocol = score.benchmark.slug, score.protocol_key
        yield ("quality", slug, "total", protocol, score.score, None, score.total)
        for found in quality.entry.categories:
            name = f"{slug}/{found.category}"
            yield ("quality", name, "category", protocol, found.score, None, found.total)


def _facts(section: str, facts: Iterable[Fact]) -> Iterator[tuple[Cell, ...]]:
    for fact in facts:
        value = fact.value
        shown = value if isinstance(value, int | float | str | None) else str(value)
        yield (section, fact.label, None, None, shown, fact.unit or None, None)


def _scores(page: DetailPage) -> Table:
    scores = [block.entry.score for block in page.quality]
    return Table(
        name="scores",
        header=(
            *("benchmark", "score", "std_error", "correct", "questions", "total_method"),
            *("protocol", "complete", "measured_at"),
        ),
        rows=[
            (
                *(score.benchmark.slug, score.score, score.stderr, score.correct, score.total),
                *(score.total_method, score.protocol_key, score.complete, score.measured_at),
            )
            for score in scores
        ],
    )


def _categories(block: QualityBlock) -> Table:
    return Table(
        name=f"categories-{block.entry.score.benchmark.slug}",
        header=("benchmark", "category", "score", "correct", "questions"),
        rows=[
            (block.entry.score.benchmark.slug, item.category, item.score, item.correct, item.total)
            for item in block.entry.categories
        ],
    )


def _repeats(page: DetailPage) -> Table:
    return Table(
        name="repeats",
        header=("metric", "median", "runs", "lowest", "highest", "unit", "definition"),
        rows=[
            (
                *(row.item.metric, row.item.median, row.item.runs),
                *((row.item.lowest, row.item.highest) if row.item.runs > 1 else (None, None)),
                *(row.item.unit, row.definition.label if row.definition else None),
            )
            for row in page.repeat_rows
        ],
    )


def _machines(page: DetailPage) -> Table:
    return Table(
        name="machines",
        header=(
            *("run", "platform", "tokens_per_second", "definition", "load", "memory_gb"),
            *("backend", "backend_version", "runs"),
        ),
        rows=[
            (
                *(row.configuration.representative_id, str(row.configuration.platform)),
                *(row.speed.value, row.speed.definition or None, row.load),
                *(row.configuration.memory_gb, row.configuration.backend),
                *(row.configuration.backend_version, row.configuration.runs),
            )
            for row in page.machines
        ],
    )


def _earlier_figures(row: HistoryRow) -> Table:
    return Table(
        name=row.table,
        header=("metric", "statistic", "value", "unit", "samples", "definition"),
        rows=[
            (item.label, item.statistic, item.value, item.unit, item.sample_count, item.definition)
            for item in row.figures
        ],
    )

"""The tables of the comparison page as they are downloaded: exactly what the page shows."""

from collections.abc import Iterable, Iterator

from benchsite.common.exports import Cell, Table
from experiments.comparability import Verdict
from experiments.presenters.compared_curves import curves_file
from experiments.presenters.comparison import ComparisonPage, RunCard
from experiments.presenters.comparison_rows import ScoreLine, ValueCell
from experiments.redaction import redact

LEAD = ("section", "item", "statistic", "unit", "verdict")


def comparison_tables(page: ComparisonPage) -> list[Table]:
    """Return all of the page in one long table, and each table of the page."""
    names = tuple(f"{card.letter}: {card.subject.name}" for card in page.cards)
    besides = ("std", "samples", *(["definition"] if _has_mixed_definitions(page) else []))
    return [
        Table(name="all", header=(*LEAD, *names), rows=_all_rows(page)),
        Table(
            name="metrics",
            header=(
                *("metric", "statistic", "unit", "definition", "verdict"),
                *_value_header(page, names, *besides),
            ),
            rows=_metric_rows(page),
        ),
        Table(
            name="quality",
            header=(
                *("benchmark", "category", "protocol", "verdict"),
                *_value_header(page, names, "std. error", "note"),
            ),
            rows=_score_rows(page),
        ),
        Table(
            name="subjects",
            header=("group", "field", *names),
            rows=[(row.group, row.label, *row.values) for row in page.subject_rows],
        ),
        *([curves_file(page.curves)] if page.curves else []),
    ]


def _value_header(page: ComparisonPage, names: Iterable[str], *besides: str) -> Iterator[str]:
    """Return the columns of each run: the value, what stands beside it, and the change."""
    for name, card in zip(names, page.cards, strict=True):
        yield name
        for word in besides:
            yield f"{card.letter} {word}"
        if page.baseline and not card.is_baseline:
            yield f"{card.letter} change from {page.baseline.letter}"
            yield f"{card.letter} is"


def _all_rows(page: ComparisonPage) -> Iterator[tuple[Cell, ...]]:
    verdict = page.comparison.comparability.verdict
    ids = (card.subject.run.pk for card in page.cards)
    yield ("run", "id", None, None, verdict.value, *ids)
    for row in page.subject_rows:
        yield ("subject", row.label, None, None, None, *row.values)
    for item in page.comparison.comparability.differences:
        yield ("difference", item.field, None, None, item.verdict.value, *_stated(item.values))
    for line in page.metric_lines:
        lead = line.row.metric, line.row.statistic, line.row.unit, _word(line.row.verdict)
        yield ("metric", *lead, *line.row.values)
        if any(spread is not None for spread in line.row.spreads):
            yield ("metric", lead[0], "std", *lead[2:], *line.row.spreads)
        yield from _changes(lead[0], lead[1], line.cells)
    for score in page.score_lines:
        section = "category" if score.category else "score"
        judged = _word(page.comparison.comparability.scores.get(score.benchmark.slug))
        values = (cell.value for cell in score.cells)
        yield (section, _item(score), None, None, None if score.category else judged, *values)
        yield from _changes(_item(score), None, score.cells)


def _changes(
    item: str, statistic: str | None, cells: Iterable[ValueCell]
) -> Iterator[tuple[Cell, ...]]:
    """Return the row of changes from the baseline, where any may be told."""
    deltas = [cell.delta for cell in cells]
    unit = next((delta.unit for delta in deltas if delta), None)
    if unit:
        yield (
            *("change", item, statistic, unit, None),
            *(delta.amount if delta else None for delta in deltas),
        )


def _metric_rows(page: ComparisonPage) -> Iterator[tuple[Cell, ...]]:
    has_mixed = _has_mixed_definitions(page)
    for line in page.metric_lines:
        row = line.row
        definition = line.definition.label if line.definition else None
        cells: list[Cell] = []
        for index, (card, cell) in enumerate(zip(page.cards, line.cells, strict=True)):
            cells += [row.values[index], row.spreads[index], row.sample_counts[index]]
            if has_mixed:
                cells.append(cell.definition.label if cell.definition else None)
            cells += _change(page, card, cell)
        yield (row.metric, row.statistic, row.unit, definition, _word(row.verdict), *cells)


def _score_rows(page: ComparisonPage) -> Iterator[tuple[Cell, ...]]:
    for line in page.score_lines:
        judged = _word(page.comparison.comparability.scores.get(line.benchmark.slug))
        cells: list[Cell] = []
        for card, cell in zip(page.cards, line.cells, strict=True):
            cells += [cell.value, cell.error, cell.note or None, *_change(page, card, cell)]
        yield (
            line.benchmark.slug,
            line.category or None,
            line.protocol or None,
            None if line.category else judged,
            *cells,
        )


def _has_mixed_definitions(page: ComparisonPage) -> bool:
    return any(cell.definition for line in page.metric_lines for cell in line.cells)


def _change(page: ComparisonPage, card: RunCard, cell: ValueCell) -> list[Cell]:
    if not page.baseline or card.is_baseline:
        return []
    if not cell.delta:
        return [None, None]
    return [cell.delta.amount, cell.delta.word or None]


def _item(line: ScoreLine) -> str:
    return f"{line.benchmark.slug}/{line.category}" if line.category else line.benchmark.slug


def _word(verdict: Verdict | None) -> str | None:
    return verdict.value if verdict else None


def _stated(values: Iterable[object]) -> list[str | None]:
    return [None if value is None else str(value) for value in redact(tuple(values))]

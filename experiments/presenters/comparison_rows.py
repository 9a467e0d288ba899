"""The rows of the comparison's tables of figures and scores, and of its verdict."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from benchmarks.models import Benchmark, BenchmarkScore
from benchsite.common.templatetags.figures import (
    aligned,
    figure,
    figure_with_spread,
    known,
)
from experiments.choices import LoadKind
from experiments.comparability import Difference, Verdict
from experiments.comparison import CategoryRow, Comparison, MetricRow, ScoreRow, best_index
from experiments.noise import is_within_noise
from experiments.presenters.deltas import Delta, change_in_points, judged, relative_change
from experiments.presenters.labels import (
    DefinitionLink,
    MetricLink,
    definition_link,
    metric_link,
    scale_of,
)
from experiments.redaction import redact


@dataclass(frozen=True, kw_only=True)
class VerdictWords:
    """A verdict as people read it: never by colour alone."""

    icon: str
    title: str
    style: str


VERDICTS = {
    Verdict.STRICT: VerdictWords(icon="✓", title="Comparable", style="better"),
    Verdict.CONDITIONAL: VerdictWords(
        icon="≈", title="Comparable under conditions", style="caution"
    ),
    Verdict.NOT_COMPARABLE: VerdictWords(icon="✕", title="Not comparable", style="worse"),
}


@dataclass(frozen=True, kw_only=True)
class DifferenceRow:
    """A difference in how was measured, and what it does.

    `values` are each value after the letters of the runs that have it, "A, C".
    """

    label: str
    values: tuple[tuple[str, str], ...]
    effect: str
    words: VerdictWords


@dataclass(frozen=True, kw_only=True)
class ValueCell:
    """A value of one run as it is written; definition and note are told where runs differ in them.

    `spread` is written beside it, and `error` is a score's standard error. `delta` is the
    difference to the baseline, None where none may be told.
    """

    text: str
    value: float | None
    spread: str = ""
    error: float | None = None
    sample_count: int | None = None
    is_best: bool = False
    definition: DefinitionLink | None = None
    note: str = ""
    delta: Delta | None = None

    @property
    def shown(self) -> tuple[str, str, str, str]:
        """All that the cell tells of the run itself."""
        definition = self.definition.label if self.definition else ""
        return (self.text, self.spread, definition, self.note)


@dataclass(frozen=True, kw_only=True)
class MetricLine:
    """A statistic of a metric in every run; `words` is None where only one run has it.

    `leads` says that the metric has not been named by the line before.
    """

    row: MetricRow
    name: MetricLink
    definition: DefinitionLink | None
    direction: str
    words: VerdictWords | None
    cells: tuple[ValueCell, ...]
    leads: bool = True


@dataclass(frozen=True, kw_only=True)
class ScoreLine:
    """The scores of the variants on one benchmark, or in a category of it."""

    benchmark: Benchmark
    category: str
    protocol: str
    words: VerdictWords | None
    cells: tuple[ValueCell, ...]


def difference_row(item: Difference, letters: Sequence[str]) -> DifferenceRow:
    """Return a difference for the verdict; what is secret in it is left out."""
    kinds = dict(LoadKind.choices) if item.field == "load_kind" else {}
    holders: dict[str, list[str]] = {}
    for letter, value in zip(letters, redact(item.values), strict=True):
        text = "unknown" if value is None else known(value)
        holders.setdefault(kinds.get(text, text), []).append(letter)
    return DifferenceRow(
        label=item.label,
        values=tuple((", ".join(found), text) for text, found in holders.items()),
        effect=item.effect,
        words=VERDICTS[item.verdict],
    )


def metric_lines(
    rows: Sequence[MetricRow], *, baseline: int | None, only_differences: bool
) -> tuple[MetricLine, ...]:
    """Return the lines of the figures; `baseline` is the place of the run to measure against."""
    lines = [_metric_line(row, baseline) for row in rows]
    if only_differences:
        lines = [line for line in lines if _differ(line.cells)]
    named: list[MetricLine] = []
    for line, cells in zip(lines, _in_columns([line.cells for line in lines]), strict=True):
        leads = not named or named[-1].row.metric != line.row.metric
        named.append(replace(line, cells=cells, leads=leads))
    return tuple(named)


def score_lines(
    comparison: Comparison, *, baseline: int | None, only_differences: bool
) -> tuple[ScoreLine, ...]:
    """Return the lines of the scores, each with the lines of its categories below it."""
    lines = []
    for row in comparison.score_rows:
        lines.append(_score_line(row, baseline))
        lines += [
            _category_line(category, row, baseline)
            for category in comparison.category_rows
            if category.benchmark == row.benchmark
        ]
    if only_differences:
        kept = {line.benchmark.pk for line in lines if _differ(line.cells)}
        lines = [
            line
            for line in lines
            if _differ(line.cells) or (not line.category and line.benchmark.pk in kept)
        ]
    columns = _in_columns([line.cells for line in lines])
    return tuple(replace(line, cells=cells) for line, cells in zip(lines, columns, strict=True))


def _differ(cells: Sequence[ValueCell]) -> bool:
    return len({cell.shown for cell in cells}) > 1


def _in_columns(rows: Sequence[Sequence[ValueCell]]) -> list[tuple[ValueCell, ...]]:
    """Align the decimal points of each run's column."""
    columns = [
        [
            replace(cell, text=text)
            for cell, text in zip(column, aligned([cell.text for cell in column]), strict=True)
        ]
        for column in zip(*rows, strict=True)
    ]
    return list(zip(*columns, strict=True))


def _metric_line(row: MetricRow, baseline: int | None) -> MetricLine:
    present = {
        definition
        for definition, value in zip(row.definitions, row.values, strict=True)
        if value is not None
    }
    mixed = len(present) > 1
    return MetricLine(
        row=row,
        name=metric_link(row.metric),
        definition=None if mixed else definition_link(row.metric, next(iter(present), None)),
        direction=direction(row.higher_is_better),
        words=VERDICTS[row.verdict] if row.verdict else None,
        cells=_seen_best(
            _metric_cell(row, index, baseline, tell_definition=mixed)
            for index in range(len(row.values))
        ),
    )


def _metric_cell(
    row: MetricRow, index: int, baseline: int | None, *, tell_definition: bool
) -> ValueCell:
    value = row.values[index]
    text, spread = figure_with_spread(value, row.spreads[index])
    has_definition = tell_definition and value is not None
    return ValueCell(
        text=text,
        value=value,
        spread=spread,
        sample_count=row.sample_counts[index],
        is_best=baseline is None and index == row.best_index,
        definition=definition_link(row.metric, row.definitions[index]) if has_definition else None,
        delta=_metric_delta(row, index, baseline),
    )


def _seen_best(cells: Iterable[ValueCell]) -> tuple[ValueCell, ...]:
    """Mark no best value that is written like another one: nobody could see why it wins."""
    found = tuple(cells)
    best = {cell.text for cell in found if cell.is_best}
    if sum(cell.text in best for cell in found) < 2:
        return found
    return tuple(replace(cell, is_best=False) for cell in found)


def _metric_delta(row: MetricRow, index: int, baseline: int | None) -> Delta | None:
    """Return the relative difference to the baseline: only of what may be compared."""
    if baseline is None or index == baseline or not row.is_comparable or row.statistic == "std":
        return None
    value, base = row.values[index], row.values[baseline]
    if value is None or base is None or base <= 0:
        return None
    return judged(
        relative_change(value, base),
        higher_is_better=row.higher_is_better,
        is_noise=row.is_noise(index, baseline),
    )


def direction(higher_is_better: bool | None) -> str:
    """Say which values are the better ones, "" where none are."""
    if higher_is_better is None:
        return ""
    return "higher is better" if higher_is_better else "lower is better"


def _score_line(row: ScoreRow, baseline: int | None) -> ScoreLine:
    protocols = {score.protocol_key for score in row.scores if score}
    values = [score.score if score else None for score in row.scores]
    errors = [score.stderr if score else None for score in row.scores]
    deltas = _score_deltas(row, values, errors, baseline)
    best = None if baseline is not None else _best_score(row, values, errors)
    return ScoreLine(
        benchmark=row.benchmark,
        category="",
        protocol=next(iter(protocols)) if len(protocols) == 1 else "",
        words=VERDICTS[row.verdict] if row.verdict else None,
        cells=_seen_best(
            _score_cell(
                score,
                name_protocol=len(protocols) > 1,
                is_best=index == best,
                delta=deltas[index],
            )
            for index, score in enumerate(row.scores)
        ),
    )


def _score_cell(
    score: BenchmarkScore | None, *, name_protocol: bool, is_best: bool, delta: Delta | None
) -> ValueCell:
    if score is None:
        return ValueCell(text=figure(None), value=None)
    text, spread = figure_with_spread(score.score, score.stderr)
    notes = [] if score.complete else ["partial"]
    notes += [score.protocol_key] if name_protocol else []
    return ValueCell(
        text=text,
        value=score.score,
        spread=spread,
        error=score.stderr,
        is_best=is_best,
        note=", ".join(notes),
        delta=delta,
    )


def _best_score(
    row: ScoreRow, values: Sequence[float | None], errors: Sequence[float | None]
) -> int | None:
    if row.verdict != Verdict.STRICT:
        return None
    best = best_index(values, higher_is_better=row.benchmark.higher_is_better)
    for index, value in enumerate(values):
        if best is None or value is None or index == best:
            continue
        if is_within_noise(value - (values[best] or 0), (errors[index], errors[best])):
            return None
    return best


def _category_line(category: CategoryRow, row: ScoreRow, baseline: int | None) -> ScoreLine:
    unknown = [None] * len(category.scores)
    deltas = _score_deltas(row, category.scores, unknown, baseline)
    return ScoreLine(
        benchmark=category.benchmark,
        category=category.name,
        protocol="",
        words=None,
        cells=tuple(
            ValueCell(text=figure(score), value=score, delta=delta)
            for score, delta in zip(category.scores, deltas, strict=True)
        ),
    )


def _score_deltas(
    row: ScoreRow,
    values: Sequence[float | None],
    errors: Sequence[float | None],
    baseline: int | None,
) -> list[Delta | None]:
    """Return each score's difference to the baseline's, of whole scores in one protocol only.

    On a bounded scale it is told in points: percents of percents mislead.
    """
    base = None if baseline is None else values[baseline]
    if base is None or row.verdict != Verdict.STRICT:
        return [None] * len(values)
    bounded = scale_of(row.benchmark) is not None
    deltas: list[Delta | None] = []
    for index, value in enumerate(values):
        if index == baseline or value is None or not (bounded or base > 0):
            deltas.append(None)
            continue
        write = change_in_points if bounded else relative_change
        deltas.append(
            judged(
                write(value, base),
                higher_is_better=row.benchmark.higher_is_better,
                is_noise=is_within_noise(value - base, (errors[index], errors[baseline or 0])),
            )
        )
    return deltas

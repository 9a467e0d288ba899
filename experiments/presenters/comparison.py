"""The comparison page: the verdict in words, what is compared, and rows for charts and tables."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from benchmarks.models import Benchmark, BenchmarkScore
from benchsite.common.exports import Cell
from benchsite.common.templatetags.figures import figure, known
from experiments.charts import MIN_RADAR_AXES, Figure, Series, bars, radar, share_of_best
from experiments.choices import LoadKind
from experiments.comparability import Difference, Verdict
from experiments.comparison import (
    CategoryRow,
    Comparison,
    MetricRow,
    ScoreRow,
    Subject,
    best_index,
)
from experiments.models import TestRun
from experiments.presenters.labels import definition_label, scale_of
from experiments.redaction import redact

CSV_LEAD = ("section", "item", "statistic", "unit", "verdict")


@dataclass(frozen=True)
class VerdictWords:
    """A verdict as people read it: never by colour alone."""

    icon: str
    title: str
    style: str


VERDICTS = {
    Verdict.STRICT: VerdictWords("✓", "Comparable", "better"),
    Verdict.CONDITIONAL: VerdictWords("≈", "Comparable under conditions", "caution"),
    Verdict.NOT_COMPARABLE: VerdictWords("✕", "Not comparable", "worse"),
}
_SENTENCES = {
    Verdict.STRICT: "These runs were measured under the same load and in the same way.",
    Verdict.CONDITIONAL: "Read the figures with these differences in mind.",
    Verdict.NOT_COMPARABLE: "No metric of these runs was measured in the same way.",
}


@dataclass(frozen=True)
class LetteredSubject:
    """A compared run and the letter that stands for it in tables and charts."""

    letter: str
    subject: Subject


@dataclass(frozen=True, kw_only=True)
class SubjectRow:
    """A field of what is compared, in every run."""

    label: str
    values: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether the runs differ in it."""
        return len(set(self.values)) > 1


@dataclass(frozen=True, kw_only=True)
class DifferenceRow:
    """A difference in how was measured, and what it does."""

    label: str
    values: tuple[tuple[str, str], ...]
    effect: str
    words: VerdictWords


@dataclass(frozen=True, kw_only=True)
class ValueCell:
    """A value of one run; `definition` is told here where the runs' definitions differ."""

    value: float | None
    is_best: bool
    definition: str = ""


@dataclass(frozen=True, kw_only=True)
class MetricLine:
    """A statistic of a metric in every run; `words` is None where only one run has it."""

    label: str
    statistic: str
    unit: str
    definition: str
    direction: str
    words: VerdictWords | None
    cells: tuple[ValueCell, ...]


@dataclass(frozen=True, kw_only=True)
class ScoreLine:
    """The scores of the variants on one benchmark, and their categories below."""

    benchmark: Benchmark
    words: VerdictWords | None
    cells: tuple[ValueCell, ...]
    categories: tuple[CategoryRow, ...]
    is_chosen: bool


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A figure and the sentence that says how to read it."""

    figure: Figure
    caption: str


@dataclass(frozen=True, kw_only=True)
class ComparisonPage:
    """Everything that the comparison page shows."""

    comparison: Comparison
    subjects: tuple[LetteredSubject, ...]
    words: VerdictWords
    sentence: str
    differences: tuple[DifferenceRow, ...]
    subject_rows: tuple[SubjectRow, ...]
    metric_lines: tuple[MetricLine, ...]
    score_lines: tuple[ScoreLine, ...]
    quality_chart: Chart | None
    performance_chart: Chart | None

    @property
    def has_charts(self) -> bool:
        """Whether the page needs the chart library."""
        return bool(self.quality_chart or self.performance_chart)


def present_comparison(comparison: Comparison) -> ComparisonPage:
    """Lay a comparison out for its page."""
    letters = ascii_uppercase[: len(comparison.subjects)]
    verdict = comparison.comparability.verdict
    subjects = tuple(
        LetteredSubject(letter, subject)
        for letter, subject in zip(letters, comparison.subjects, strict=True)
    )
    names = [f"{item.letter}: {item.subject.name}" for item in subjects]
    return ComparisonPage(
        comparison=comparison,
        subjects=subjects,
        words=VERDICTS[verdict],
        sentence=_SENTENCES[verdict],
        differences=tuple(
            _difference(item, letters) for item in comparison.comparability.differences
        ),
        subject_rows=_subject_rows([subject.run for subject in comparison.subjects]),
        metric_lines=tuple(_metric_line(row) for row in comparison.metric_rows),
        score_lines=tuple(_score_line(row, comparison) for row in comparison.score_rows),
        quality_chart=_quality_chart(comparison, names),
        performance_chart=_performance_chart(comparison.metric_rows, names),
    )


def comparison_csv_header(page: ComparisonPage) -> tuple[str, ...]:
    """Return the header: what a row is, then a column for each run."""
    return (*CSV_LEAD, *(f"{item.letter}: {item.subject.name}" for item in page.subjects))


def comparison_csv_rows(page: ComparisonPage) -> Iterable[tuple[Cell, ...]]:
    """Return the rows of the page's tables, a column for each run."""
    comparison = page.comparison
    verdict = comparison.comparability.verdict
    ids = (item.run.pk for item in comparison.subjects)
    yield ("run", "id", None, None, verdict.value, *ids)
    for row in page.subject_rows:
        yield ("subject", row.label, None, None, None, *row.values)
    for item in comparison.comparability.differences:
        shown = (None if value is None else str(value) for value in redact(item.values))
        yield ("difference", item.field, None, None, item.verdict.value, *shown)
    for line in comparison.metric_rows:
        judged = line.verdict.value if line.verdict else None
        yield ("metric", line.metric, line.statistic, line.unit, judged, *line.values)
    for score_row in comparison.score_rows:
        judged = score_row.verdict.value if score_row.verdict else None
        scores = (score.score if score else None for score in score_row.scores)
        yield ("score", score_row.benchmark.slug, None, None, judged, *scores)
    for category in comparison.category_rows:
        name = f"{category.benchmark.slug}/{category.name}"
        yield ("category", name, None, None, None, *category.scores)


def _difference(item: Difference, letters: Sequence[str]) -> DifferenceRow:
    kinds = dict(LoadKind.choices) if item.field == "load_kind" else {}
    shown = ["unknown" if value is None else known(value) for value in redact(item.values)]
    return DifferenceRow(
        label=item.label,
        values=tuple(
            (letter, kinds.get(text, text)) for letter, text in zip(letters, shown, strict=True)
        ),
        effect=item.effect,
        words=VERDICTS[item.verdict],
    )


def _subject_rows(runs: Sequence[TestRun]) -> tuple[SubjectRow, ...]:
    """Return what is compared: the always named fields, and every setting that differs."""
    always: dict[str, list[object]] = {
        "Model": [run.variant.model_name for run in runs],
        "LoRA adapter": [run.variant.lora_adapter for run in runs],
        "Quantization": [run.variant.quantization for run in runs],
        "Platform": [run.hardware.platform for run in runs],
        "Machine": [run.hardware.summary for run in runs],
        "Backend": [run.backend for run in runs],
        "Backend version": [run.backend_version for run in runs],
    }
    setup: dict[str, list[object]] = {
        "Tensor parallel": [run.tensor_parallel for run in runs],
        "Pipeline parallel": [run.pipeline_parallel for run in runs],
        "Expert parallel": [run.expert_parallel for run in runs],
        "Nodes": [run.nodes for run in runs],
        "Speculation": [run.speculation for run in runs],
        "KV cache": [run.kv_cache_type for run in runs],
        "Optimizations": [", ".join(map(str, redact(run.optimizations))) for run in runs],
    }
    settings = [redact(run.settings) for run in runs]
    names = sorted({name for found in settings for name in found})
    setup |= {f"Setting {name}": [found.get(name) for found in settings] for name in names}
    rows = [_subject_row(label, values) for label, values in always.items()]
    rows += [row for label, values in setup.items() if (row := _subject_row(label, values)).differs]
    return tuple(rows)


def _subject_row(label: str, values: Iterable[object]) -> SubjectRow:
    return SubjectRow(label=label, values=tuple(known(value) for value in values))


def _metric_line(row: MetricRow) -> MetricLine:
    present = {
        definition
        for definition, value in zip(row.definitions, row.values, strict=True)
        if value is not None
    }
    mixed = len(present) > 1
    return MetricLine(
        label=row.label,
        statistic=row.statistic,
        unit=row.unit,
        definition="" if mixed else _stated(row.metric, next(iter(present), None)),
        direction=_direction(row.higher_is_better),
        words=VERDICTS[row.verdict] if row.verdict else None,
        cells=tuple(
            ValueCell(
                value=value,
                is_best=index == row.best_index,
                definition=definition_label(row.metric, definition)
                if mixed and value is not None
                else "",
            )
            for index, (value, definition) in enumerate(
                zip(row.values, row.definitions, strict=True)
            )
        ),
    )


def _stated(metric: str, definition: str | None) -> str:
    return definition_label(metric, definition) if definition else ""


def _direction(higher_is_better: bool | None) -> str:
    if higher_is_better is None:
        return ""
    return "higher is better" if higher_is_better else "lower is better"


def _score_line(row: ScoreRow, comparison: Comparison) -> ScoreLine:
    values = [score.score if score and score.complete else None for score in row.scores]
    higher_is_better = row.benchmark.higher_is_better
    strict = row.verdict == Verdict.STRICT
    best = best_index(values, higher_is_better=higher_is_better) if strict else None
    mixed = row.verdict == Verdict.NOT_COMPARABLE
    return ScoreLine(
        benchmark=row.benchmark,
        words=VERDICTS[row.verdict] if row.verdict else None,
        cells=tuple(
            ValueCell(
                value=score.score if score else None,
                is_best=index == best,
                definition=_score_mark(score, name_protocol=mixed) if score else "",
            )
            for index, score in enumerate(row.scores)
        ),
        categories=tuple(
            item for item in comparison.category_rows if item.benchmark == row.benchmark
        ),
        is_chosen=row.benchmark == comparison.benchmark,
    )


def _score_mark(score: BenchmarkScore, *, name_protocol: bool) -> str:
    marks = [] if score.complete else ["partial"]
    return ", ".join([*marks, score.protocol_key] if name_protocol else marks)


def _quality_chart(comparison: Comparison, names: Sequence[str]) -> Chart | None:
    """Return a radar of the chosen benchmark's categories, or of the first one that has enough.

    Scores of different protocols never share its axes.
    """
    rows: dict[int, list[int]] = {}
    for index, row in enumerate(comparison.category_rows):
        if comparison.comparability.scores.get(row.benchmark.slug) != Verdict.NOT_COMPARABLE:
            rows.setdefault(row.benchmark.pk, []).append(index)
    enough = {pk: found for pk, found in rows.items() if len(found) >= MIN_RADAR_AXES}
    if not enough:
        return None
    chosen = comparison.benchmark.pk if comparison.benchmark else None
    found = enough.get(chosen) if chosen in enough else next(iter(enough.values()))
    shown = [comparison.category_rows[index] for index in found or ()]
    benchmark = shown[0].benchmark
    series = [
        Series(name, scores, [figure(score) for score in scores])
        for name, scores in zip(
            names, zip(*(row.scores for row in shown), strict=True), strict=True
        )
    ]
    drawn = radar(series, [row.name for row in shown], scale=scale_of(benchmark))
    return Chart(
        figure=drawn,
        caption=f"{benchmark.name} by category; a gap is a score that is not known.",
    )


def _performance_chart(rows: Sequence[MetricRow], names: Sequence[str]) -> Chart | None:
    """Return the comparable metrics as shares of the better side: a radar, or bars below three.

    One row a metric stands for it: the mean, where it was measured.
    """
    by_metric: dict[str, MetricRow] = {}
    for row in rows:
        if row.higher_is_better is not None and row.verdict not in (None, Verdict.NOT_COMPARABLE):
            by_metric.setdefault(row.metric, row)
    if not by_metric:
        return None
    chosen = list(by_metric.values())
    shares = [
        share_of_best(row.values, higher_is_better=bool(row.higher_is_better)) for row in chosen
    ]
    series = [
        Series(
            name,
            [share[index] for share in shares],
            [_with_unit(row, row.values[index]) for row in chosen],
        )
        for index, name in enumerate(names)
    ]
    axes = [row.label for row in chosen]
    drawn = (
        radar(series, axes, scale=(0, 100))
        if len(axes) >= MIN_RADAR_AXES
        else bars(series, axes, unit="% of the better side")
    )
    return Chart(
        figure=drawn,
        caption="Comparable metrics in percent of the better side (100 is best, also for latency "
        "and memory); a gap is a value that is not known.",
    )


def _with_unit(row: MetricRow, value: float | None) -> str:
    return figure(value) if value is None else f"{figure(value)} {row.unit}"

"""The comparison page: the verdict in words, the runs with what can be done to them, its parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from urllib.parse import urlencode
from uuid import UUID

from benchsite.common.templatetags.figures import count
from experiments.comparability import Verdict
from experiments.comparison import Comparison, Subject, metric_order
from experiments.comparison_form import LETTERS, ComparisonState
from experiments.curves import Curve
from experiments.finding import MAX_FOUND
from experiments.models import Configuration, TestRun
from experiments.presenters.charts import Chart, ChartSeries
from experiments.presenters.compared_curves import ComparedCurves, compare_curves
from experiments.presenters.comparison_charts import performance_chart, quality_chart
from experiments.presenters.comparison_rows import (
    VERDICTS,
    DifferenceRow,
    MetricLine,
    ScoreLine,
    VerdictWords,
    difference_row,
    metric_lines,
    score_lines,
)
from experiments.presenters.comparison_subjects import SubjectRow, subject_rows
from experiments.presenters.labels import (
    MetricLink,
    Quantity,
    backend_label,
    configuration_speed,
    load_label,
    metric_link,
)

_SENTENCES = {
    Verdict.STRICT: "These runs were measured under the same load and in the same way.",
    Verdict.CONDITIONAL: "Read the figures with these differences in mind.",
    Verdict.NOT_COMPARABLE: "No metric of these runs was measured in the same way.",
}
_JUDGED = {
    Verdict.STRICT: "As they stand",
    Verdict.CONDITIONAL: "With the differences in mind",
    Verdict.NOT_COMPARABLE: "Not at all",
}


@dataclass(frozen=True, kw_only=True)
class RunCard:
    """A compared run with its letter and mark (`series`, from 1), and the steps from it.

    `short_name` is what tells it from the others. The addresses are "" for a step that cannot be
    taken: the first has nobody to swap with, and two runs are the least.
    """

    letter: str
    series: int
    subject: Subject
    short_name: str
    load: str
    backend: str
    is_baseline: bool
    pin_address: str
    swap_address: str
    swap_letter: str
    remove_address: str

    @property
    def trace(self) -> ChartSeries:
        """Its traces in charts."""
        return ChartSeries(self.letter, self.short_name, self.series)


@dataclass(frozen=True, kw_only=True)
class JudgedMetrics:
    """Metrics that share a verdict."""

    words: VerdictWords
    title: str
    metrics: tuple[MetricLink, ...]


@dataclass(frozen=True, kw_only=True)
class FoundRun:
    """A run that can be added, and the address with it."""

    run: TestRun
    configuration: Configuration
    load: str
    speed: Quantity
    address: str


@dataclass(frozen=True, kw_only=True)
class BenchmarkChoice:
    """A benchmark whose categories the chart can show."""

    name: str
    address: str
    is_chosen: bool


@dataclass(frozen=True, kw_only=True)
class Views:
    """The addresses of the page with other rows, and of what is left out now."""

    all_rows: str
    differences: str
    is_differences: bool
    hidden_metrics: int
    hidden_scores: int
    hidden_subjects: int


@dataclass(frozen=True, kw_only=True)
class ComparisonPage:
    """Everything that the comparison page shows."""

    comparison: Comparison
    state: ComparisonState
    cards: tuple[RunCard, ...]
    baseline: RunCard | None
    words: VerdictWords
    sentence: str
    judged: tuple[JudgedMetrics, ...]
    differences: tuple[DifferenceRow, ...]
    views: Views
    subject_rows: tuple[SubjectRow, ...]
    metric_lines: tuple[MetricLine, ...]
    score_lines: tuple[ScoreLine, ...]
    benchmarks: tuple[BenchmarkChoice, ...]
    charts: tuple[Chart, ...]
    curves: ComparedCurves | None
    found: tuple[FoundRun, ...]
    found_more: bool
    search_fields: tuple[tuple[str, str], ...]

    @property
    def whole_query(self) -> str:
        """The query that selects the compared runs."""
        runs = [str(card.subject.run.pk) for card in self.cards]
        return urlencode({"run": runs}, doseq=True)


def present_comparison(
    comparison: Comparison,
    state: ComparisonState,
    found: Sequence[Configuration] = (),
    curves: Mapping[UUID, Curve] = MappingProxyType({}),
) -> ComparisonPage:
    """Lay a comparison out for its page.

    `found` are configurations that can be added to it, `curves` those that its runs are points of.
    """
    verdict = comparison.comparability.verdict
    cards = _cards(comparison.subjects, state)
    baseline = next((card for card in cards if card.is_baseline), None)
    place = cards.index(baseline) if baseline else None
    subjects = subject_rows([subject.run for subject in comparison.subjects])
    shown_subjects = tuple(row for row in subjects if row.differs or not state.only_differences)
    metrics = metric_lines(
        comparison.metric_rows, baseline=place, only_differences=state.only_differences
    )
    scores = score_lines(comparison, baseline=place, only_differences=state.only_differences)
    score_count = len(comparison.score_rows) + len(comparison.category_rows)
    return ComparisonPage(
        comparison=comparison,
        state=state,
        cards=cards,
        baseline=baseline,
        words=VERDICTS[verdict],
        sentence=_SENTENCES[verdict],
        judged=_judged(comparison.comparability.metrics),
        differences=tuple(
            difference_row(item, state.letters) for item in comparison.comparability.differences
        ),
        views=Views(
            all_rows=replace(state, only_differences=False).address,
            differences=replace(state, only_differences=True).address,
            is_differences=state.only_differences,
            hidden_metrics=len(comparison.metric_rows) - len(metrics),
            hidden_scores=score_count - len(scores),
            hidden_subjects=len(subjects) - len(shown_subjects),
        ),
        subject_rows=shown_subjects,
        metric_lines=metrics,
        score_lines=scores,
        benchmarks=_benchmarks(comparison, state),
        charts=_charts(comparison, cards),
        curves=compare_curves([(card.trace, card.subject.run) for card in cards], curves, state),
        found=tuple(_found(item, state) for item in found[:MAX_FOUND]),
        found_more=len(found) > MAX_FOUND,
        search_fields=tuple(field for field in state.fields if field[0] != "find"),
    )


def _cards(subjects: Sequence[Subject], state: ComparisonState) -> tuple[RunCard, ...]:
    names = _short_names([subject.run for subject in subjects])
    cards = []
    for place, (subject, name) in enumerate(zip(subjects, names, strict=True)):
        run = subject.run
        letter = state.letters[place]
        is_baseline = state.baseline == run.pk
        cards.append(
            RunCard(
                letter=letter,
                series=LETTERS.index(letter) + 1,
                subject=subject,
                short_name=name,
                load=load_label(run, run.configuration.load_class),
                backend=backend_label(run.backend, run.backend_version),
                is_baseline=is_baseline,
                pin_address=replace(state, baseline=None if is_baseline else run.pk).address,
                swap_address=state.swapped_with_previous(run.pk).address if place else "",
                swap_letter=state.letters[place - 1] if place else "",
                remove_address=state.without(run.pk).address if len(subjects) > 2 else "",
            )
        )
    return tuple(cards)


def _short_names(runs: Sequence[TestRun]) -> list[str]:
    """Return what tells the runs apart, for column heads: as few of their parts as do it."""
    parts: list[list[str]] = [
        [run.variant.model_name for run in runs],
        [run.variant.quantization for run in runs],
        [run.variant.lora_adapter for run in runs],
        [str(run.hardware.platform) for run in runs],
        [load_label(run, run.configuration.load_class) for run in runs],
        [f"depth {_stated(run.context_depth)}" for run in runs],
        [run.backend for run in runs],
        [run.backend_version or "version unknown" for run in runs],
        [f"{_stated(run.input_tokens)} in, {_stated(run.output_tokens)} out" for run in runs],
        [f"{run.started_at:%Y-%m-%d %H:%M}" if run.started_at else "" for run in runs],
        [str(run.pk)[:8] for run in runs],
    ]
    names: list[tuple[str, ...]] = [()] * len(runs)
    for texts in parts:
        longer = [(*name, text) for name, text in zip(names, texts, strict=True)]
        if len(set(longer)) > len(set(names)):
            names = longer
    return [", ".join(filter(None, name)) for name in names]


def _stated(number: float | None) -> str:
    return "unknown" if number is None else count(number)


def _judged(metrics: Mapping[str, Verdict]) -> tuple[JudgedMetrics, ...]:
    """Say of which metrics the values may be compared, and how."""
    return tuple(
        JudgedMetrics(
            words=VERDICTS[verdict],
            title=title,
            metrics=tuple(
                metric_link(key)
                for key in sorted(metrics, key=metric_order)
                if metrics[key] == verdict
            ),
        )
        for verdict, title in _JUDGED.items()
        if verdict in metrics.values()
    )


def _benchmarks(comparison: Comparison, state: ComparisonState) -> tuple[BenchmarkChoice, ...]:
    return tuple(
        BenchmarkChoice(
            name=row.benchmark.name,
            address=replace(state, benchmark=row.benchmark.slug).address,
            is_chosen=row.benchmark == comparison.benchmark,
        )
        for row in comparison.score_rows
    )


def _charts(comparison: Comparison, cards: Sequence[RunCard]) -> tuple[Chart, ...]:
    traces = [card.trace for card in cards]
    charts = (quality_chart(comparison, traces), performance_chart(comparison.metric_rows, traces))
    return tuple(chart for chart in charts if chart)


def _load_in_words(run: TestRun, configuration: Configuration) -> str:
    """Return the load with the lengths and the depth that tell it from its neighbours."""
    parts = [
        load_label(run, configuration.load_class),
        "" if run.input_tokens is None else f"{count(run.input_tokens)} in",
        "" if run.output_tokens is None else f"{count(run.output_tokens)} out",
        f"depth {count(run.context_depth)}" if run.context_depth else "",
    ]
    return ", ".join(filter(None, parts))


def _found(item: Configuration, state: ComparisonState) -> FoundRun:
    run = item.representative
    if run is None:
        raise ValueError(f"{item} has no ranked run and cannot be added")
    return FoundRun(
        run=run,
        configuration=item,
        load=_load_in_words(run, item),
        speed=configuration_speed(item),
        address=state.with_run(run.pk).address,
    )

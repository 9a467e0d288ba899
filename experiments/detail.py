"""All that is known of a run, read at once: its figures, its relatives and where it came from."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import F, Q

from benchmarks.models import BenchmarkScore, ScoreCategory
from experiments.choices import ItemAction
from experiments.comparison import categories_by_variant, scores_by_variant
from experiments.curves import (
    CURVE_METRICS,
    MAX_SWEEP_RUNS,
    STATISTICS,
    FigureKey,
    Figures,
    figures_of,
    sweep_runs,
)
from experiments.history import HistoryLine, run_history, upload_items
from experiments.ingest.actor import Actor
from experiments.metrics import definition_rank
from experiments.models import Configuration, Measurement, RepeatFigures, TestRun, UploadItem

HEADLINE_METRICS = (
    "tokens_per_second",
    "prompt_processing_speed",
    "ttft_ms",
    "memory_usage_gb",
    "peak_memory_gb",
    "gpu_power_watts",
    "tokens_per_kwh",
)
MAX_REPEATS = MAX_SWEEP_RUNS


@dataclass(frozen=True, kw_only=True)
class RunLine:
    """A run in a list, with the means of its headline metrics; a sweep's with all of its curve."""

    run: TestRun
    figures: Figures

    def headline(self, metric: str) -> tuple[float | None, str | None]:
        """Return the mean of a metric and its definition, the one that stands for the metric."""
        means = [key for key in self.figures if (key.metric, key.statistic) == (metric, "mean")]
        key = min(means, key=lambda key: definition_rank(metric, key.definition), default=None)
        return (self.figures[key], key.definition) if key else (None, None)


@dataclass(frozen=True, kw_only=True)
class RepeatSummary:
    """A metric over all repeats of a configuration, under one definition."""

    metric: str
    definition: str | None
    unit: str
    runs: int
    median: float
    lowest: float
    highest: float


@dataclass(frozen=True, kw_only=True)
class ScoreWithCategories:
    """The score of a variant on a benchmark, with the newest result of each category."""

    score: BenchmarkScore
    categories: tuple[ScoreCategory, ...]


@dataclass(frozen=True, kw_only=True)
class RunDetail:
    """A run with everything that its page and its API answer show."""

    run: TestRun
    measurements: tuple[Measurement, ...]
    scores: tuple[ScoreWithCategories, ...]
    sweep_lines: tuple[RunLine, ...]
    repeat_lines: tuple[RunLine, ...]
    repeat_summaries: tuple[RepeatSummary, ...]
    other_machines: tuple[Configuration, ...]
    origin: UploadItem | None
    history: tuple[HistoryLine, ...]


def run_detail(
    run: TestRun, reader: Actor | None = None, *, most_repeats: int = MAX_REPEATS
) -> RunDetail:
    """Read all that belongs to a run loaded `with_repeats`: ten queries at most.

    Lists of runs hold published ones only: the newest `most_repeats`, and at most MAX_SWEEP_RUNS
    of the sweep with the run itself. `reader` is who looks at it, None for the public: the history
    tells names to some only.
    """
    sweep = _sweep_runs(run)
    items = upload_items(run)
    repeats = _repeats(run, most_repeats)
    figures = _figures_of_lists([item.pk for item in repeats], [item.pk for item in sweep])
    return RunDetail(
        run=run,
        measurements=tuple(run.measurements.defer("samples").order_by("id")),
        scores=_scores(run),
        sweep_lines=tuple(RunLine(run=item, figures=figures[item.pk]) for item in sweep),
        repeat_lines=tuple(RunLine(run=item, figures=figures[item.pk]) for item in repeats),
        repeat_summaries=_repeat_summaries(run),
        other_machines=_other_machines(run),
        origin=_origin(items),
        history=run_history(run, items, reader),
    )


def _scores(run: TestRun) -> tuple[ScoreWithCategories, ...]:
    chosen = scores_by_variant([run.variant_id])
    categories = categories_by_variant(chosen).get(run.variant_id, [])
    scores = chosen.get(run.variant_id, {}).values()
    return tuple(
        ScoreWithCategories(
            score=score,
            categories=tuple(
                item
                for item in categories
                if item.benchmark_score.benchmark_id == score.benchmark_id
            ),
        )
        for score in sorted(scores, key=lambda score: score.benchmark.name)
    )


def _sweep_runs(run: TestRun) -> list[TestRun]:
    return list(sweep_runs([run.sweep_id], run.pk)[:MAX_SWEEP_RUNS]) if run.sweep_id else []


def _repeats(run: TestRun, most: int) -> list[TestRun]:
    """Return the newest ranked repeats; the run itself stands for the last if it is older."""
    ranked = TestRun.objects.ranked().filter(configuration_id=run.configuration_id)
    runs = list(ranked.order_by(F("started_at").desc(nulls_last=True), "id")[:most])
    is_older = len(runs) == most and run not in runs and ranked.filter(pk=run.pk).exists()
    return [*runs[:-1], run] if is_older else runs


def _figures_of_lists(
    repeats: Collection[UUID], sweep: Collection[UUID]
) -> dict[UUID, dict[FigureKey, float]]:
    """Return the headline means of all these runs, and what curves draw of those of the sweep."""
    wanted = Q(metric__in=HEADLINE_METRICS, statistic="mean")
    drawn = Q(run_id__in=sweep, metric__in=CURVE_METRICS, statistic__in=STATISTICS)
    return figures_of({*repeats, *sweep}, wanted | drawn)


def _repeat_summaries(run: TestRun) -> tuple[RepeatSummary, ...]:
    order = {metric: place for place, metric in enumerate(HEADLINE_METRICS)}
    kept: RepeatFigures | None = getattr(run.configuration, "repeat_figures", None)
    found = [RepeatSummary(**item) for item in (kept.figures if kept else ())]
    return tuple(sorted(found, key=lambda item: (order[item.metric], item.definition or "")))


def _other_machines(run: TestRun) -> tuple[Configuration, ...]:
    """Return the variant's fastest configuration on each other platform, class and kind of load
    the same.
    """
    here = run.configuration
    fastest = (
        Configuration.objects.filter(
            variant_id=here.variant_id,
            load_class=here.load_class,
            load_kind=here.load_kind,
            runs__gt=0,
        )
        .exclude(platform_id=here.platform_id)
        .select_related("platform", "representative")
        .order_by("platform_id", F("tokens_per_second").desc(nulls_last=True), "id")
        .distinct("platform_id")
    )
    return tuple(sorted(fastest, key=lambda item: -(item.tokens_per_second or 0)))


def _origin(items: Sequence[UploadItem]) -> UploadItem | None:
    """Return the place in an upload that made the run what it is now."""
    made = (ItemAction.CREATED, ItemAction.REPLACED)
    return next((item for item in reversed(items) if item.action in made), None)

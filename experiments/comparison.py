"""Runs side by side: their facts read at once, judged, and laid out in rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from uuid import UUID

from django.db.models import F

from benchmarks.models import Benchmark, BenchmarkScore, ScoreCategory
from experiments.comparability import (
    LOAD_FIELDS,
    Comparability,
    RunFacts,
    Verdict,
    common_definitions,
    judge,
)
from experiments.grid import default_benchmark
from experiments.ingest.keys import significant
from experiments.metrics import METRICS, definition_rank, get_metric, metric_label
from experiments.models import Measurement, TestRun
from experiments.noise import is_within_noise, standard_error

_ROUNDED = {"input_tokens", "output_tokens"}
_METRIC_ORDER = {key: place for place, key in enumerate(METRICS)}
_STATISTIC_ORDER = {"mean": 0, "p50": 1, "std": 98, "min": 2, "max": 99}


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One of the runs compared, with the score of its variant and its headline figures."""

    run: TestRun
    overall_score: float | None
    performance: Mapping[str, float | None]

    @property
    def name(self) -> str:
        """What tells it from the others in one line."""
        return f"{self.run.variant} · {self.run.hardware.platform}"


@dataclass(frozen=True, kw_only=True)
class MetricRow:
    """One statistic of a metric in every run; a missing value is None and never loses.

    `definitions` has one entry a run, and so have `spreads`, the standard deviations of means, and
    `sample_counts`, of how many samples; None where not known. `best_index` is None where nothing
    may be ranked: the metric is not comparable, fewer than two runs have it, all are equal, or the
    noise covers the lead of the best.
    """

    metric: str
    label: str
    statistic: str
    unit: str
    higher_is_better: bool | None
    values: tuple[float | None, ...]
    spreads: tuple[float | None, ...]
    sample_counts: tuple[int | None, ...]
    definitions: tuple[str | None, ...]
    verdict: Verdict | None
    best_index: int | None

    @property
    def may_rank(self) -> bool:
        """Whether its values may be called better or worse than each other."""
        return self.higher_is_better is not None and self.is_comparable

    @property
    def is_comparable(self) -> bool:
        """Whether its values may be set against each other."""
        return self.verdict not in (None, Verdict.NOT_COMPARABLE)

    def is_noise(self, one: int, other: int) -> bool:
        """Whether the noise of two runs' values covers the difference between them."""
        a, b = self.values[one], self.values[other]
        if a is None or b is None:
            return False
        errors = [
            standard_error(self.spreads[index], self.sample_counts[index]) for index in (one, other)
        ]
        return is_within_noise(a - b, errors)


@dataclass(frozen=True, kw_only=True)
class ScoreRow:
    """The score of every variant on one benchmark; partial ones are marked."""

    benchmark: Benchmark
    scores: tuple[BenchmarkScore | None, ...]
    verdict: Verdict | None


@dataclass(frozen=True, kw_only=True)
class CategoryRow:
    """The score of every variant in one category of a benchmark."""

    benchmark: Benchmark
    name: str
    scores: tuple[float | None, ...]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Everything that a comparison page or answer shows, in the order of the runs."""

    subjects: tuple[Subject, ...]
    benchmark: Benchmark | None
    comparability: Comparability
    metric_rows: tuple[MetricRow, ...]
    score_rows: tuple[ScoreRow, ...]
    category_rows: tuple[CategoryRow, ...]


def compare(runs: Sequence[TestRun], benchmark: Benchmark | None = None) -> Comparison:
    """Compare two or more runs (loaded `with_names`): four queries for any number of figures."""
    benchmark = benchmark or default_benchmark()
    measurements = _measurements_by_run(runs)
    scores = scores_by_variant([run.variant_id for run in runs])
    comparability = judge([_facts(run, measurements[run.pk], scores) for run in runs])
    return Comparison(
        subjects=tuple(
            Subject(
                run=run,
                overall_score=_score_on(scores.get(run.variant_id, {}), benchmark),
                performance=headline_means(measurements[run.pk]),
            )
            for run in runs
        ),
        benchmark=benchmark,
        comparability=comparability,
        metric_rows=_metric_rows([measurements[run.pk] for run in runs], comparability),
        score_rows=_score_rows(runs, scores, comparability),
        category_rows=_category_rows(runs, scores),
    )


def scores_by_variant(variant_ids: Sequence[UUID]) -> dict[UUID, dict[int, BenchmarkScore]]:
    """Return one published score of each variant on each benchmark: the current, else the newest.

    The outer key is the variant, the inner the benchmark; one query.
    """
    chosen = (
        BenchmarkScore.objects.published()
        .filter(variant_id__in=set(variant_ids))
        .select_related("benchmark")
        .order_by(
            "variant_id",
            "benchmark_id",
            "-is_current",
            F("measured_at").desc(nulls_last=True),
            "-created_at",
        )
        .distinct("variant_id", "benchmark_id")
    )
    by_variant: dict[UUID, dict[int, BenchmarkScore]] = {}
    for score in chosen:
        by_variant.setdefault(score.variant_id, {})[score.benchmark_id] = score
    return by_variant


def categories_by_variant(
    scores: Mapping[UUID, Mapping[int, BenchmarkScore]],
) -> dict[UUID, list[ScoreCategory]]:
    """Return the newest published categories in the protocol of each chosen score; one query."""
    newest = ScoreCategory.objects.newest_published().filter(
        benchmark_score__variant_id__in=list(scores)
    )
    by_variant: dict[UUID, list[ScoreCategory]] = {variant_id: [] for variant_id in scores}
    for category in newest:
        score = category.benchmark_score
        chosen = scores[score.variant_id].get(score.benchmark_id)
        if chosen and chosen.protocol_key == score.protocol_key:
            by_variant[score.variant_id].append(category)
    return by_variant


def _measurements_by_run(runs: Sequence[TestRun]) -> dict[UUID, list[Measurement]]:
    by_run: dict[UUID, list[Measurement]] = {run.pk: [] for run in runs}
    for item in Measurement.objects.filter(run_id__in=list(by_run)).defer("samples"):
        by_run[item.run_id].append(item)
    return by_run


def _facts(
    run: TestRun,
    measurements: Sequence[Measurement],
    scores: Mapping[UUID, Mapping[int, BenchmarkScore]],
) -> RunFacts:
    definitions: dict[str, set[str | None]] = {}
    for item in measurements:
        definitions.setdefault(item.metric, set()).add(item.definition)
    return RunFacts(
        load_kind=run.load_kind,
        complete=run.complete,
        load={
            field.name: (
                significant(getattr(run, field.name))
                if field.name in _ROUNDED
                else getattr(run, field.name)
            )
            for field in LOAD_FIELDS
        },
        definitions={metric: frozenset(found) for metric, found in definitions.items()},
        scores={
            score.benchmark.slug: (score.protocol_key, score.complete)
            for score in scores.get(run.variant_id, {}).values()
        },
    )


def headline_means(measurements: Sequence[Measurement]) -> dict[str, float | None]:
    """Return the headline means of a run under the names of the API, None where not measured."""
    means: dict[str, float] = {}
    for item in sorted(
        measurements, key=lambda item: definition_rank(item.metric, item.definition)
    ):
        if item.statistic == "mean":
            means.setdefault(item.metric, item.value)
    return {
        "speed": means.get("tokens_per_second"),
        "memory": means.get("memory_usage_gb", means.get("peak_memory_gb")),
        "loading_time": means.get("model_loading_time"),
        "prompt_speed": means.get("prompt_processing_speed"),
    }


def _score_on(scores: Mapping[int, BenchmarkScore], benchmark: Benchmark | None) -> float | None:
    score = scores.get(benchmark.pk) if benchmark else None
    return score.score if score and score.is_current else None


def _metric_rows(
    measured: Sequence[Sequence[Measurement]], comparability: Comparability
) -> tuple[MetricRow, ...]:
    """Lay the figures out: a row a statistic and shared definition.

    Where runs share no definition, one row holds what each has, and nothing in it wins.
    """
    cells: dict[tuple[str, str], list[dict[str | None, Measurement]]] = {}
    for index, items in enumerate(measured):
        for item in without_spreads(items):
            key = (item.metric, item.statistic)
            cells.setdefault(key, [{} for _run in measured])[index][item.definition] = item
    spreads = [spreads_of_means(items) for items in measured]
    rows = []
    for (metric, statistic), by_run in cells.items():
        shared = common_definitions([frozenset(found) for found in by_run])
        every = {definition for found in by_run for definition in found}
        alone = sum(map(bool, by_run)) == 1
        layouts: list[list[Measurement | None]] = (
            [[found.get(name) for found in by_run] for name in sorted(every, key=str)]
            if shared or alone
            else [[next(iter(found.values()), None) for found in by_run]]
        )
        verdict = comparability.metrics.get(metric)
        rows += [_metric_row(metric, statistic, items, spreads, verdict) for items in layouts]
    return tuple(sorted(rows, key=_row_order))


def spreads_of_means(measurements: Sequence[Measurement]) -> dict[tuple[str, str | None], float]:
    """Return the standard deviation of each mean that has one, by metric and definition."""
    means = {(item.metric, item.definition) for item in measurements if item.statistic == "mean"}
    return {
        (item.metric, item.definition): item.value
        for item in measurements
        if item.statistic == "std" and (item.metric, item.definition) in means
    }


def without_spreads(measurements: Sequence[Measurement]) -> list[Measurement]:
    """Return the measurements but the standard deviations, which are shown beside their means."""
    spreads = spreads_of_means(measurements)
    return [
        item
        for item in measurements
        if item.statistic != "std" or (item.metric, item.definition) not in spreads
    ]


def _metric_row(
    metric: str,
    statistic: str,
    items: Sequence[Measurement | None],
    spreads: Sequence[Mapping[tuple[str, str | None], float]],
    verdict: Verdict | None,
) -> MetricRow:
    known = get_metric(metric)
    unit = next(item.unit for item in items if item)
    if known is None and len({item.unit for item in items if item}) > 1:
        verdict = Verdict.NOT_COMPARABLE
    is_mean = statistic == "mean"
    row = MetricRow(
        metric=metric,
        label=metric_label(metric),
        statistic=statistic,
        unit=unit,
        higher_is_better=known.higher_is_better if known and statistic != "std" else None,
        values=tuple(item.value if item else None for item in items),
        spreads=tuple(
            found.get((metric, item.definition)) if item and is_mean else None
            for item, found in zip(items, spreads, strict=True)
        ),
        sample_counts=tuple(item.sample_count if item and is_mean else None for item in items),
        definitions=tuple(item.definition if item else None for item in items),
        verdict=verdict,
        best_index=None,
    )
    return replace(row, best_index=_clear_best(row))


def _clear_best(row: MetricRow) -> int | None:
    """Return where the best value stands, None where nothing may win or the noise covers it."""
    if not row.may_rank:
        return None
    best = best_index(row.values, higher_is_better=bool(row.higher_is_better))
    others = (index for index in range(len(row.values)) if index != best)
    if best is None or any(row.is_noise(best, index) for index in others):
        return None
    return best


def best_index(values: Sequence[float | None], *, higher_is_better: bool) -> int | None:
    """Return where the best value stands; None for fewer than two values or a shared best."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return None
    best = max(known) if higher_is_better else min(known)
    return values.index(best) if known.count(best) == 1 else None


def metric_order(metric: str) -> tuple[int, str]:
    """Return the place of a metric on pages: as in the registry, and others behind by name."""
    return (_METRIC_ORDER.get(metric, len(_METRIC_ORDER)), metric)


def _row_order(row: MetricRow) -> tuple[tuple[int, str], int, str]:
    return (
        metric_order(row.metric),
        _STATISTIC_ORDER.get(row.statistic, 50),
        row.statistic,
    )


def _score_rows(
    runs: Sequence[TestRun],
    scores: Mapping[UUID, Mapping[int, BenchmarkScore]],
    comparability: Comparability,
) -> tuple[ScoreRow, ...]:
    benchmarks = {
        score.benchmark_id: score.benchmark for found in scores.values() for score in found.values()
    }
    return tuple(
        ScoreRow(
            benchmark=benchmark,
            scores=tuple(scores.get(run.variant_id, {}).get(pk) for run in runs),
            verdict=comparability.scores.get(benchmark.slug),
        )
        for pk, benchmark in sorted(benchmarks.items(), key=lambda item: item[1].name)
    )


def _category_rows(
    runs: Sequence[TestRun], scores: Mapping[UUID, Mapping[int, BenchmarkScore]]
) -> tuple[CategoryRow, ...]:
    found = [
        (category.benchmark_score.benchmark, category.category, variant_id, category.score)
        for variant_id, categories in categories_by_variant(scores).items()
        for category in categories
    ]
    found.sort(key=lambda item: (item[0].name, item[1]))
    rows = []
    for (benchmark, name), group in groupby(found, key=lambda item: (item[0], item[1])):
        by_variant = {variant_id: score for _benchmark, _name, variant_id, score in group}
        rows.append(
            CategoryRow(
                benchmark=benchmark,
                name=name,
                scores=tuple(by_variant.get(run.variant_id) for run in runs),
            )
        )
    return tuple(rows)

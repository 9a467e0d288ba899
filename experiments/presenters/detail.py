"""The detail page: a run's facts, figures, quality and relatives as labelled rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from benchsite.common.exports import Cell
from benchsite.common.templatetags.figures import figure
from experiments.charts import MIN_RADAR_AXES, Figure, Series, radar
from experiments.detail import (
    RepeatSummary,
    RunDetail,
    RunLine,
    ScoreWithCategories,
)
from experiments.metrics import METRICS, MetricGroup, get_metric, metric_label
from experiments.models import Configuration, Measurement, TestRun
from experiments.presenters.facts import (
    Fact,
    machine_facts,
    setup_facts,
    what_facts,
    workload_facts,
)
from experiments.presenters.labels import (
    Quantity,
    backend_label,
    configuration_speed,
    definition_label,
    definition_of,
    load_label,
    quantity,
    scale_of,
)
from experiments.redaction import redact, redact_text

CSV_HEADER = ("section", "item", "statistic", "definition", "value", "unit", "samples")
_STATISTIC_ORDER = {"mean": 0, "std": 1, "min": 2, "max": 99}
_METRIC_ORDER = {key: place for place, key in enumerate(METRICS)}


@dataclass(frozen=True, kw_only=True)
class FigureRow:
    """One measured figure."""

    statistic: str
    value: float
    unit: str
    sample_count: int | None
    derived_from: str


@dataclass(frozen=True, kw_only=True)
class MetricBlock:
    """All figures of a metric under one definition."""

    metric: str
    label: str
    measures: str
    definition: str
    formula: str
    source: str
    rows: tuple[FigureRow, ...]


@dataclass(frozen=True, kw_only=True)
class MetricSection:
    """A group of metrics."""

    name: str
    blocks: tuple[MetricBlock, ...]


@dataclass(frozen=True, kw_only=True)
class QualityBlock:
    """A score with its categories; `chart` is None where there are too few for a radar."""

    entry: ScoreWithCategories
    chart: Figure | None
    chart_id: str


@dataclass(frozen=True, kw_only=True)
class RunRow:
    """A run in the tables of its sweep and of its repeats."""

    run: TestRun
    load: str
    speed: Quantity
    prompt_speed: Quantity
    ttft: Quantity
    is_this: bool


@dataclass(frozen=True, kw_only=True)
class MachineRow:
    """The variant's fastest configuration on another platform."""

    configuration: Configuration
    speed: Quantity
    load: str


@dataclass(frozen=True, kw_only=True)
class DetailPage:
    """Everything that the detail page shows."""

    detail: RunDetail
    title: str
    summary: str
    headline: tuple[Quantity, ...]
    what: tuple[Fact, ...]
    machine: tuple[Fact, ...]
    workload: tuple[Fact, ...]
    setup: tuple[Fact, ...]
    notes: str | None
    file_name: str
    warnings: Sequence[Mapping[str, str]]
    sections: tuple[MetricSection, ...]
    quality: tuple[QualityBlock, ...]
    sweep: tuple[RunRow, ...]
    repeats: tuple[RunRow, ...]
    repeat_summaries: tuple[tuple[RepeatSummary, str, str], ...]
    machines: tuple[MachineRow, ...]

    @property
    def has_charts(self) -> bool:
        """Whether the page needs the chart library."""
        return any(block.chart for block in self.quality)


def present_detail(detail: RunDetail) -> DetailPage:
    """Lay a run out for its page."""
    run = detail.run
    headline = _headline(detail.measurements)
    return DetailPage(
        detail=detail,
        title=str(run.variant),
        summary=_summary(run, headline),
        headline=headline,
        what=what_facts(run),
        machine=machine_facts(run),
        workload=workload_facts(run),
        setup=setup_facts(run),
        notes=redact(run.notes),
        file_name=redact_text(detail.origin.upload.file_name) if detail.origin else "",
        warnings=redact(run.warnings),
        sections=_sections(detail.measurements),
        quality=tuple(_quality(entry) for entry in detail.scores),
        sweep=_run_rows(detail.sweep_lines, run),
        repeats=_run_rows(detail.repeat_lines, run),
        repeat_summaries=tuple(
            (item, metric_label(item.metric), definition_label(item.metric, item.definition))
            for item in detail.repeat_summaries
        ),
        machines=_machines(detail),
    )


def detail_csv_rows(page: DetailPage) -> Iterable[tuple[Cell, ...]]:
    """Return the facts, figures and scores of the page, a row each, in the order of the page."""
    sections = (
        ("what", page.what),
        ("machine", page.machine),
        ("workload", page.workload),
        ("setup", page.setup),
    )
    for name, facts in sections:
        for fact in facts:
            value = None if fact.value is None else fact.value
            shown = value if isinstance(value, int | float | str | None) else str(value)
            yield (name, fact.label, None, None, shown, fact.unit or None, None)
    for section in page.sections:
        for block in section.blocks:
            for row in block.rows:
                yield (
                    section.name,
                    block.metric,
                    row.statistic,
                    block.definition,
                    row.value,
                    row.unit,
                    row.sample_count,
                )
    for quality in page.quality:
        score = quality.entry.score
        slug = score.benchmark.slug
        yield ("quality", slug, "total", score.protocol_key, score.score, None, score.total)
        for category in quality.entry.categories:
            yield (
                "quality",
                f"{slug}/{category.category}",
                "category",
                score.protocol_key,
                category.score,
                None,
                category.total,
            )


def _summary(run: TestRun, headline: Sequence[Quantity]) -> str:
    speed = headline[0]
    load = load_label(run, run.configuration.load_class)
    backend = backend_label(run.backend, run.backend_version)
    where = f"on {run.hardware.platform} with {backend}, {load}"
    if speed.value is None:
        return f"{run.variant} {where}: generation speed not measured."
    return f"{run.variant} {where}: {figure(speed.value)} tok/s generated ({speed.definition})."


def _headline(measurements: Sequence[Measurement]) -> tuple[Quantity, ...]:
    means = {item.metric: item for item in measurements if item.statistic == "mean"}
    wanted = ["tokens_per_second", "prompt_processing_speed", "ttft_ms"]
    wanted.append("memory_usage_gb" if "memory_usage_gb" in means else "peak_memory_gb")
    wanted.append("tokens_per_kwh")
    return tuple(quantity(metric, means.get(metric)) for metric in wanted)


def _sections(measurements: Sequence[Measurement]) -> tuple[MetricSection, ...]:
    def group(item: Measurement) -> MetricGroup:
        known = get_metric(item.metric)
        return known.group if known else MetricGroup.OTHER

    def order(item: Measurement) -> tuple[int, int, str, str, tuple[int, str]]:
        place = _METRIC_ORDER.get(item.metric, len(_METRIC_ORDER))
        statistic = (_STATISTIC_ORDER.get(item.statistic, 50), item.statistic)
        groups = list(MetricGroup).index(group(item))
        return (groups, place, item.metric, item.definition or "", statistic)

    ordered = sorted(measurements, key=order)
    return tuple(
        MetricSection(
            name=name,
            blocks=tuple(
                _block(metric, definition, tuple(items))
                for (metric, definition), items in groupby(
                    in_group, key=lambda item: (item.metric, item.definition)
                )
            ),
        )
        for name, in_group in groupby(ordered, key=group)
    )


def _block(metric: str, definition_id: str | None, items: Sequence[Measurement]) -> MetricBlock:
    known = get_metric(metric)
    definition = definition_of(metric, definition_id)
    has_choice = bool(known and known.definitions) or definition_id is not None
    return MetricBlock(
        metric=metric,
        label=metric_label(metric),
        measures=known.measures if known else "Not a metric of the registry; kept as it came.",
        definition=definition_label(metric, definition_id) if has_choice else "",
        formula=definition.formula if definition else "",
        source=definition.source if definition else "",
        rows=tuple(
            FigureRow(
                statistic=item.statistic,
                value=item.value,
                unit=item.unit,
                sample_count=item.sample_count,
                derived_from=" and ".join(item.derived_from or ()),
            )
            for item in items
        ),
    )


def _quality(entry: ScoreWithCategories) -> QualityBlock:
    benchmark = entry.score.benchmark
    chart = None
    if len(entry.categories) >= MIN_RADAR_AXES:
        values = [item.score for item in entry.categories]
        series = Series(benchmark.name, values, [figure(value) for value in values])
        chart = radar(
            [series], [item.category for item in entry.categories], scale=scale_of(benchmark)
        )
    return QualityBlock(entry=entry, chart=chart, chart_id=f"quality-{benchmark.pk}")


def _run_rows(lines: Sequence[RunLine], this: TestRun) -> tuple[RunRow, ...]:
    return tuple(
        RunRow(
            run=line.run,
            load=load_label(line.run, this.configuration.load_class),
            speed=quantity("tokens_per_second", line.figures.get("tokens_per_second")),
            prompt_speed=quantity(
                "prompt_processing_speed", line.figures.get("prompt_processing_speed")
            ),
            ttft=quantity("ttft_ms", line.figures.get("ttft_ms")),
            is_this=line.run.pk == this.pk,
        )
        for line in lines
    )


def _machines(detail: RunDetail) -> tuple[MachineRow, ...]:
    return tuple(
        MachineRow(
            configuration=item,
            speed=configuration_speed(item),
            load=load_label(item.representative, item.load_class),
        )
        for item in detail.other_machines
    )

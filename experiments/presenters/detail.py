"""The detail page: a run's summary, facts, figures, quality and relatives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.urls import reverse

from benchmarks.models import ScoreCategory
from benchsite.common.templatetags.figures import aligned, figure, figure_with_spread
from experiments.charts import MIN_RADAR_AXES, Series, radar
from experiments.detail import RepeatSummary, RunDetail, ScoreWithCategories
from experiments.formats.rendition import has_rendition
from experiments.history import MAX_CHANGES
from experiments.models import Configuration, UploadItem
from experiments.presenters.charts import Chart
from experiments.presenters.curves import CurveView, present_curve
from experiments.presenters.detail_metrics import MetricSection, metric_sections
from experiments.presenters.detail_summary import Summary, summary_of
from experiments.presenters.facts import (
    Fact,
    FactGroup,
    fact_group,
    machine_facts,
    setup_facts,
    what_facts,
    workload_facts,
)
from experiments.presenters.heatmaps import HeatmapView, present_depths, present_heatmap
from experiments.presenters.history import HistoryRow, history_rows
from experiments.presenters.labels import (
    DefinitionLink,
    MetricLink,
    Quantity,
    configuration_speed,
    definition_link,
    load_label,
    metric_link,
    scale_of,
)
from experiments.presenters.run_tables import RunTable, run_table
from experiments.provenance import Provenance, claimed_origin, provenance_of
from experiments.redaction import redact, redact_text


@dataclass(frozen=True, kw_only=True)
class QualityBlock:
    """A score with its categories, as they are written; `chart` is None below three categories."""

    entry: ScoreWithCategories
    text: str
    spread: str
    categories: tuple[tuple[ScoreCategory, str], ...]
    chart: Chart | None
    table_id: str


@dataclass(frozen=True, kw_only=True)
class RepeatRow:
    """A metric over the repeats, as it is written."""

    item: RepeatSummary
    name: MetricLink
    definition: DefinitionLink | None
    median: str
    lowest: str
    highest: str


@dataclass(frozen=True, kw_only=True)
class MachineRow:
    """The variant's fastest configuration on another platform."""

    configuration: Configuration
    speed: Quantity
    speed_text: str
    memory_text: str
    load: str


@dataclass(frozen=True, kw_only=True)
class DetailPage:
    """Everything that the detail page shows."""

    detail: RunDetail
    title: str
    summary: Summary
    groups: tuple[FactGroup, ...]
    setup: tuple[Fact, ...]
    notes: str | None
    provenance: Provenance | None
    claimed: Provenance | None
    source_url: str
    is_source_whole: bool
    rendition_href: str
    warnings: Sequence[Mapping[str, str]]
    sections: tuple[MetricSection, ...]
    quality: tuple[QualityBlock, ...]
    curve: CurveView | None
    heatmap: HeatmapView | None
    depths: Chart | None
    sweep: RunTable
    repeats: RunTable
    repeat_rows: tuple[RepeatRow, ...]
    machines: tuple[MachineRow, ...]
    history: tuple[HistoryRow, ...]

    @property
    def run_id(self) -> str:
        """The id of the run, as addresses hold it."""
        return str(self.detail.run.pk)

    @property
    def newest_changes(self) -> int | None:
        """How many changes the history lists where it may have more, else None."""
        return MAX_CHANGES if len(self.history) > MAX_CHANGES else None

    @property
    def has_charts(self) -> bool:
        """Whether the page needs the script that draws charts."""
        charts = (self.curve, self.heatmap, self.depths, *(block.chart for block in self.quality))
        return any(charts)

    @property
    def has_spreads(self) -> bool:
        """Whether the table of the figures needs a column for standard deviations."""
        blocks = (block for section in self.sections for block in section.blocks)
        return any(row.spread_text for block in blocks for row in block.rows)


def present_detail(
    detail: RunDetail, *, may_view_uploads: bool = False, latency: str = ""
) -> DetailPage:
    """Lay a run out for its page; its history links to uploads that the reader may open.

    `latency` is the one that the curve of its sweep is asked to show.
    """
    run = detail.run
    heat = present_heatmap(detail)
    source_url = redact_text(run.source_url or "")
    return DetailPage(
        detail=detail,
        title=str(run.variant),
        summary=summary_of(detail),
        groups=(
            fact_group("what-ran", "What ran", what_facts(run)),
            fact_group("on-what", "On what", machine_facts(run)),
            fact_group("how", "How", workload_facts(run)),
        ),
        setup=setup_facts(run),
        notes=redact(run.notes),
        provenance=provenance_of(detail.origin),
        claimed=claimed_origin(detail.origin),
        source_url=source_url,
        is_source_whole=source_url == run.source_url,
        rendition_href=_rendition_href(detail.origin),
        warnings=redact(run.warnings),
        sections=metric_sections(detail.measurements),
        quality=_quality_blocks(detail.scores),
        curve=present_curve(detail, latency),
        heatmap=heat,
        depths=None if heat else present_depths(detail),
        sweep=run_table(detail.sweep_lines, run),
        repeats=run_table(detail.repeat_lines, run),
        repeat_rows=_repeat_rows(detail.repeat_summaries),
        machines=_machines(detail),
        history=history_rows(detail.history, run, may_view_uploads=may_view_uploads),
    )


def _rendition_href(origin: UploadItem | None) -> str:
    """Return where everybody reads the file without what is private, "" where nobody can."""
    found = provenance_of(origin)
    if origin is None or found is None or found.is_stated or not has_rendition(found.format):
        return ""
    return reverse("api:upload_rendition", args=[origin.upload_id])


def _quality_blocks(entries: Sequence[ScoreWithCategories]) -> tuple[QualityBlock, ...]:
    written = [figure_with_spread(entry.score.score, entry.score.stderr) for entry in entries]
    texts = aligned([text for text, _spread in written])
    return tuple(
        QualityBlock(
            entry=entry,
            text=text,
            spread=spread,
            categories=_written(entry.categories),
            chart=_quality_chart(entry),
            table_id=f"categories-{entry.score.benchmark.slug}",
        )
        for entry, text, (_text, spread) in zip(entries, texts, written, strict=True)
    )


def _written(categories: Sequence[ScoreCategory]) -> tuple[tuple[ScoreCategory, str], ...]:
    texts = aligned([figure(item.score) for item in categories])
    return tuple(zip(categories, texts, strict=True))


def _quality_chart(entry: ScoreWithCategories) -> Chart | None:
    if len(entry.categories) < MIN_RADAR_AXES:
        return None
    benchmark = entry.score.benchmark
    scale = scale_of(benchmark)
    values = [item.score for item in entry.categories]
    series = Series(benchmark.name, values, [figure(value) for value in values])
    on_scale = f"on a scale of {scale[0]:g} to {scale[1]:g}" if scale else "on an open scale"
    return Chart(
        id=f"quality-{benchmark.slug}",
        figure=radar([series], [item.category for item in entry.categories], scale=scale),
        title=f"{benchmark.name} by category",
        note=f"Scores {on_scale}, protocol “{entry.score.protocol_key}”.",
        table=f"categories-{benchmark.slug}",
        file_stem=f"quality-{benchmark.slug}",
    )


def _repeat_rows(items: Sequence[RepeatSummary]) -> tuple[RepeatRow, ...]:
    medians = aligned([figure(item.median) for item in items])
    lowest = aligned([figure(item.lowest if item.runs > 1 else None) for item in items])
    highest = aligned([figure(item.highest if item.runs > 1 else None) for item in items])
    return tuple(
        RepeatRow(
            item=item,
            name=metric_link(item.metric),
            definition=definition_link(item.metric, item.definition),
            median=medians[index],
            lowest=lowest[index],
            highest=highest[index],
        )
        for index, item in enumerate(items)
    )


def _machines(detail: RunDetail) -> tuple[MachineRow, ...]:
    speeds = [configuration_speed(item) for item in detail.other_machines]
    speed_texts = aligned([figure(speed.value) for speed in speeds])
    memory_texts = aligned([figure(item.memory_gb) for item in detail.other_machines])
    return tuple(
        MachineRow(
            configuration=item,
            speed=speeds[index],
            speed_text=speed_texts[index],
            memory_text=memory_texts[index],
            load=load_label(item.representative, item.load_class),
        )
        for index, item in enumerate(detail.other_machines)
    )

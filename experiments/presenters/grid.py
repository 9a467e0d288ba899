"""The grid page: rows of models, platforms and configurations, and the choices of its filters."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.http import QueryDict

from benchmarks.models import BenchmarkScore
from benchsite.common.exports import Cell
from benchsite.common.templatetags.figures import count
from experiments.choices import LoadClass
from experiments.grid import SORT_KEYS, GridCriteria, GridPage, ModelRow, PlatformRow
from experiments.models import Configuration, TestRun
from experiments.presenters.labels import (
    Quantity,
    backend_label,
    configuration_speed,
    definition_label,
    definition_title,
    load_label,
)
from experiments.redaction import redact_text
from hardware.models import Category, Platform

CSV_HEADER = (
    "level",
    "model",
    "lora_adapter",
    "quantization",
    "benchmark",
    "quality",
    "quality_protocol",
    "quality_ranked",
    "tokens_per_second",
    "tokens_per_second_definition",
    "load",
    "prompt_processing_speed",
    "ttft_ms",
    "memory_gb",
    "tokens_per_kwh",
    "backend",
    "backend_version",
    "platform",
    "runs",
    "newest_at",
    "run_id",
)
_COLUMNS = (
    ("name", "Model", ""),
    ("", "Quantization", ""),
    ("quality", "Quality", ""),
    ("speed", "Generation", "tok/s"),
    ("prompt_speed", "Prompt", "tok/s"),
    ("ttft", "TTFT", "ms"),
    ("memory", "Memory", "GB"),
    ("efficiency", "Efficiency", "tok/kWh"),
    ("", "Backend", ""),
    ("", "Platform", ""),
    ("", "Runs", ""),
    ("", "When", ""),
)
_NUMBERS = {*SORT_KEYS, "Runs"} - {"name"}
_KEPT_PARAMETERS = ("load_class", "sort_by", "sort_direction", "page_size", "expand")


@dataclass(frozen=True)
class GridState:
    """What is unfolded and what is ticked, as the query string says; junk in it is left out."""

    expanded: tuple[str, ...] = ()
    selected: tuple[UUID, ...] = ()

    @classmethod
    def from_query(cls, query: QueryDict) -> "GridState":
        """Read `expand` and `run`, both repeated."""
        return cls(
            expanded=tuple(dict.fromkeys(query.getlist("expand"))),
            selected=tuple(dict.fromkeys(_ids(query.getlist("run")))),
        )

    def toggled(self, key: str) -> list[str]:
        """Return what is unfolded after a click on the key; closing a row closes what is in it."""
        if key not in self.expanded:
            return [*self.expanded, key]
        return [item for item in self.expanded if item != key and not item.startswith(f"{key}.")]


@dataclass(frozen=True)
class Column:
    """A column head; `sort_by` is "" where rows cannot be sorted by it."""

    label: str
    unit: str
    sort_by: str
    is_number: bool
    aria_sort: str
    next_direction: str | None


@dataclass(frozen=True, kw_only=True)
class ConfigurationLine:
    """A configuration in a row of any level; its id is that of its representative run."""

    configuration: Configuration
    run_id: UUID
    title: str
    speed: Quantity
    prompt_speed: Quantity
    load: str
    backend: str
    is_selectable: bool
    is_selected: bool


@dataclass(frozen=True, kw_only=True)
class PlatformLine:
    """A platform below a model: its best configuration, and the others when unfolded."""

    platform: Platform
    key: str
    best: ConfigurationLine
    others: tuple[ConfigurationLine, ...]
    other_count: int
    is_expanded: bool
    toggled: list[str]


@dataclass(frozen=True, kw_only=True)
class ModelLine:
    """A row of the grid; `best` is None for a variant with scores and no runs."""

    row: ModelRow
    best: ConfigurationLine | None
    is_expanded: bool
    toggled: list[str]
    platforms: tuple[PlatformLine, ...]


@dataclass(frozen=True, kw_only=True)
class LoadChoice:
    """A class of load to switch to, with the number of models in it."""

    value: str
    label: str
    models: int
    is_used: bool


@dataclass(frozen=True, kw_only=True)
class GridView:
    """Everything that the results of the grid show."""

    page: GridPage
    columns: tuple[Column, ...]
    lines: tuple[ModelLine, ...]
    loads: tuple[LoadChoice, ...]
    speed_definitions: tuple[tuple[str, str], ...]
    kept: tuple[tuple[str, str], ...]
    selected_count: int
    selected_elsewhere: tuple[TestRun, ...]

    @property
    def is_filtered(self) -> bool:
        """Whether anything was asked that may leave rows out."""
        criteria = self.page.criteria
        asked = (criteria.q, criteria.quantization, criteria.max_memory_gb is not None)
        return criteria.needs_configuration or criteria.min_quality is not None or any(asked)

    @property
    def previous_page(self) -> int:
        """The number of the page before."""
        return self.page.page - 1

    @property
    def next_page(self) -> int:
        """The number of the page after."""
        return self.page.page + 1


@dataclass(frozen=True, kw_only=True)
class FilterChoices:
    """What the filters offer: values of ranked configurations and of published scores."""

    backends: tuple[str, ...]
    quantizations: tuple[str, ...]
    platforms: tuple[tuple[str, str], ...]
    categories: tuple[tuple[str, str, bool], ...]


def filter_choices(criteria: GridCriteria) -> FilterChoices:
    """Read what can be chosen: three queries. What is asked for is among it, there or not."""
    ranked = Configuration.objects.filter(runs__gt=0)
    backends = {*ranked.values_list("backend", flat=True).distinct(), criteria.backend}
    scored = BenchmarkScore.objects.published().order_by().values_list("variant__quantization")
    quantizations = {name for (name,) in ranked.values_list("variant__quantization").union(scored)}
    platforms = dict(
        Platform.objects.filter(pk__in=ranked.values("platform")).values_list("key", "name")
    )
    platforms.setdefault(criteria.platform, criteria.platform)
    return FilterChoices(
        backends=tuple(sorted(backends - {""})),
        quantizations=tuple(sorted({*quantizations, criteria.quantization} - {""})),
        platforms=tuple(
            sorted(((key, name) for key, name in platforms.items() if key), key=lambda p: p[1])
        ),
        categories=tuple(
            (value, label, value in criteria.hardware_categories)
            for value, label in Category.choices
        ),
    )


def rows_to_expand(page: GridPage, state: GridState) -> list[ModelRow]:
    """Return the rows whose platforms are wanted."""
    return [row for row in page.rows if row.best and row.key in state.expanded]


def present_grid(
    page: GridPage,
    platforms: dict[str, tuple[PlatformRow, ...]],
    state: GridState,
    query: QueryDict,
) -> GridView:
    """Lay a page of the grid out; `platforms` are those of the unfolded rows, by row key."""
    lines = tuple(_model_line(row, platforms.get(row.key, ()), state) for row in page.rows)
    shown = {line.run_id for line in configuration_lines(lines) if line.is_selectable}
    elsewhere = [run_id for run_id in state.selected if run_id not in shown]
    found = TestRun.objects.published().with_names().in_order(elsewhere) if elsewhere else []
    return GridView(
        page=page,
        columns=tuple(_column(*column, page.criteria) for column in _COLUMNS),
        lines=lines,
        loads=tuple(
            LoadChoice(
                value=item.value,
                label=item.label,
                models=page.load_counts[item],
                is_used=item == page.load_used,
            )
            for item in LoadClass
        ),
        speed_definitions=tuple(
            (
                definition_label("tokens_per_second", item),
                definition_title("tokens_per_second", item),
            )
            for item in page.speed_definitions
        ),
        kept=tuple(
            (name, value) for name in _KEPT_PARAMETERS for value in query.getlist(name) if value
        ),
        selected_count=len(found) + len(set(state.selected) & shown),
        selected_elsewhere=tuple(found),
    )


def configuration_lines(lines: Iterable[ModelLine]) -> Iterator[ConfigurationLine]:
    """Return every configuration line that the page shows, in its order."""
    for line in lines:
        if line.best:
            yield line.best
        for platform in line.platforms:
            yield platform.best
            yield from platform.others


def grid_csv_rows(view: GridView) -> Iterator[tuple[Cell, ...]]:
    """Return the rows of the page as they stand there, unfolded ones below theirs."""
    for line in view.lines:
        yield _csv_row("model", line.row, line.best, view)
        for platform in line.platforms:
            yield _csv_row("platform", line.row, platform.best, view)
            for other in platform.others:
                yield _csv_row("configuration", line.row, other, view)


def _csv_row(
    level: str, row: ModelRow, line: ConfigurationLine | None, view: GridView
) -> tuple[Cell, ...]:
    benchmark = view.page.benchmark.slug if view.page.benchmark else None
    head = (level, row.model_name, row.lora_adapter)
    if line is None:
        quality = (row.quality_score, row.quality_protocol, row.quality_ranked)
        return (*head, row.variant.quantization, benchmark, *quality, *[None] * 13)
    item = line.configuration
    return (
        *head,
        item.variant.quantization,
        benchmark,
        item.quality_score,
        item.quality_protocol,
        item.quality_ranked,
        item.tokens_per_second,
        item.tokens_per_second_definition,
        line.load,
        item.prompt_processing_speed,
        item.ttft_ms,
        item.memory_gb,
        item.tokens_per_kwh,
        item.backend,
        item.backend_version,
        item.platform.name,
        item.runs,
        item.newest_at,
        line.run_id,
    )


def _ids(texts: Sequence[str]) -> Iterator[UUID]:
    for text in texts:
        try:
            yield UUID(text)
        except ValueError:
            continue


def _column(sort_by: str, label: str, unit: str, criteria: GridCriteria) -> Column:
    is_sorted = bool(sort_by) and sort_by == criteria.sort_by
    direction = "descending" if criteria.descending else "ascending"
    return Column(
        label=label,
        unit=unit,
        sort_by=sort_by,
        is_number=sort_by in _NUMBERS or label in _NUMBERS,
        aria_sort=direction if is_sorted else "",
        next_direction=("asc" if criteria.descending else "desc") if is_sorted else None,
    )


def _model_line(row: ModelRow, platforms: Sequence[PlatformRow], state: GridState) -> ModelLine:
    is_expanded = bool(platforms)
    return ModelLine(
        row=row,
        best=_configuration_line(row.best, state, is_selectable=not is_expanded)
        if row.best
        else None,
        is_expanded=is_expanded,
        toggled=state.toggled(row.key),
        platforms=tuple(_platform_line(row, item, state) for item in platforms),
    )


def _platform_line(row: ModelRow, item: PlatformRow, state: GridState) -> PlatformLine:
    key = f"{row.key}.{item.platform.key}"
    is_expanded = key in state.expanded
    others = item.configurations[1:]
    return PlatformLine(
        platform=item.platform,
        key=key,
        best=_configuration_line(item.best, state),
        others=tuple(_configuration_line(other, state) for other in others if is_expanded),
        other_count=len(others),
        is_expanded=is_expanded,
        toggled=state.toggled(key),
    )


def _configuration_line(
    item: Configuration, state: GridState, *, is_selectable: bool = True
) -> ConfigurationLine:
    run = item.representative
    if run is None:
        raise ValueError(f"{item} has no ranked run and cannot be a row")
    prompt = item.prompt_processing_speed
    definition = item.prompt_processing_speed_definition
    metric = "prompt_processing_speed"
    return ConfigurationLine(
        configuration=item,
        run_id=run.pk,
        title=_workload(run),
        speed=configuration_speed(item),
        prompt_speed=Quantity(
            label="Prompt speed",
            value=prompt,
            unit="tok/s",
            definition="" if prompt is None else definition_label(metric, definition),
            formula=definition_title(metric, definition),
        ),
        load=load_label(run, item.load_class),
        backend=backend_label(item.backend, item.backend_version),
        is_selectable=is_selectable,
        is_selected=run.pk in state.selected,
    )


def _workload(run: TestRun) -> str:
    """Return what tells a configuration from its neighbours: depth, lengths, batch, dataset."""
    parts = [
        ("depth", run.context_depth),
        ("in", run.input_tokens),
        ("out", run.output_tokens),
        ("batch", run.batch_size),
    ]
    texts = [f"{name} {count(value)}" for name, value in parts if value is not None]
    texts += [redact_text(run.dataset_name)] if run.dataset_name else []
    if run.gpu_power_limit_watts is not None:
        texts.append(f"at most {count(run.gpu_power_limit_watts)} W")
    return " · ".join(texts) or "workload not stated"

"""The rows of the grid's table: models, their platforms, and the configurations of these."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from django.urls import reverse

from benchsite.common.templatetags.figures import count
from experiments.grid import ConfigurationRow, GridPage, ModelRow, PlatformRow
from experiments.models import TestRun
from experiments.presenters.grid.address import Address, GridState
from experiments.presenters.grid.columns import Cell, Column, Facts, cells_of
from experiments.redaction import redact_text

_ANY_RUN = str(UUID(int=0))


@dataclass(frozen=True, kw_only=True)
class Line:
    """A row of the table; `run_id` is the run that stands for its configuration, None without.

    `address` is that of its page, `name` is what it adds to the row above it, `label` all that
    tells it from other lines.
    """

    facts: Facts
    run_id: UUID | None
    address: str
    name: str
    label: str
    is_selectable: bool
    is_selected: bool
    cells: tuple[Cell, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PlatformLine:
    """A platform below a model: its best configuration, and the others when unfolded."""

    best: Line
    others: tuple[Line, ...]
    other_count: int
    is_expanded: bool
    toggle: str
    toggle_id: str


@dataclass(frozen=True, kw_only=True)
class ModelLine:
    """A model: its best configuration or its scores alone, and its platforms when unfolded."""

    row: ModelRow
    best: Line
    is_expanded: bool
    toggle: str
    platforms: tuple[PlatformLine, ...]

    @property
    def id(self) -> str:
        """The id of its part of the table."""
        return f"model-{self.row.key}"

    @property
    def toggle_id(self) -> str:
        """The id of the link that unfolds it."""
        return f"expand-{self.row.key}"

    def lines(self) -> Iterator[Line]:
        """Return its rows of the table from top to bottom."""
        yield self.best
        for platform in self.platforms:
            yield platform.best
            yield from platform.others


class LineBuilder:
    """Makes the lines of one page."""

    def __init__(self, page: GridPage, state: GridState, address: Address) -> None:
        self._benchmark = page.benchmark.slug if page.benchmark else None
        self._state = state
        self._address = address
        self._of_run = reverse("experiments:run-detail", args=[_ANY_RUN])

    def model(self, row: ModelRow, platforms: Sequence[PlatformRow]) -> ModelLine:
        """Make the line of a model; an unfolded one is ticked on the lines of its platforms."""
        is_expanded = bool(platforms)
        return ModelLine(
            row=row,
            best=self._line("model", row, row.best, row.model_name, tickable=not is_expanded),
            is_expanded=is_expanded,
            toggle=self._toggle(row.key),
            platforms=tuple(self._platform(row, item) for item in platforms),
        )

    def _platform(self, row: ModelRow, item: PlatformRow) -> PlatformLine:
        best = item.best
        key = f"{row.key}.{best.platform_key}"
        return PlatformLine(
            best=self._line("platform", row, best, best.platform_name),
            others=tuple(self._line("configuration", row, other, "") for other in item.others),
            other_count=item.total_configs - 1,
            is_expanded=key in self._state.expanded,
            toggle=self._toggle(key),
            toggle_id=f"expand-{row.key}-{best.platform_id}",
        )

    def _line(
        self,
        level: str,
        row: ModelRow,
        item: ConfigurationRow | None,
        name: str,
        *,
        tickable: bool = True,
    ) -> Line:
        facts = Facts(level=level, row=row, configuration=item, benchmark=self._benchmark)
        if item is None:
            return Line(
                facts=facts,
                run_id=None,
                address="",
                name=name,
                label="",
                is_selectable=False,
                is_selected=False,
            )
        title = workload(item)
        parts = (row.model_name, item.quantization, item.platform_name, item.backend, title)
        return Line(
            facts=facts,
            run_id=item.run_id,
            address=self._of_run.replace(_ANY_RUN, str(item.run_id)),
            name=name or title,
            label=", ".join(parts),
            is_selectable=tickable,
            is_selected=item.run_id in self._state.selected,
        )

    def _toggle(self, key: str) -> str:
        return self._address.to(expand=self._state.toggled(key))


def with_cells(lines: Sequence[ModelLine], columns: Sequence[Column]) -> tuple[ModelLine, ...]:
    """Fill in the cells of all lines, which are laid out column by column."""
    every = [line for model in lines for line in model.lines()]
    cells = iter(cells_of(columns, [line.facts for line in every]))

    def filled(line: Line) -> Line:
        return replace(line, cells=next(cells))

    return tuple(
        replace(
            model,
            best=filled(model.best),
            platforms=tuple(
                replace(
                    platform,
                    best=filled(platform.best),
                    others=tuple(filled(other) for other in platform.others),
                )
                for platform in model.platforms
            ),
        )
        for model in lines
    )


def lines_of(models: Iterable[ModelLine]) -> Iterator[Line]:
    """Return every row of the table from top to bottom."""
    for model in models:
        yield from model.lines()


def workload(run: TestRun | ConfigurationRow) -> str:
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

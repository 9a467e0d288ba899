"""Everything that the results of the grid show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse

from experiments.choices import LoadClass, MeasuredAs
from experiments.forms import MAX_SELECTED, GridForm
from experiments.grid import (
    ANY_KIND,
    FILTERS,
    KINDS,
    SORT_KEYS,
    GridPage,
    ModelRow,
    PlatformRow,
)
from experiments.models import TestRun
from experiments.presenters.grid.address import KEPT, Address, GridState
from experiments.presenters.grid.columns import COLUMNS, FIRST, Column
from experiments.presenters.grid.filters import (
    Chip,
    FilterChoices,
    Loosening,
    active_chips,
    loosening,
)
from experiments.presenters.grid.lines import LineBuilder, ModelLine, lines_of, with_cells, workload
from experiments.presenters.labels import backend_label, definition_label

SPEED = "tokens_per_second"
API_PATH = "/api/grouped-performance"


@dataclass(frozen=True, kw_only=True)
class Head:
    """A column's head: where sorting by it leads, and the direction that it is sorted in, or "".

    `href` is "" where nothing sorts by it.
    """

    column: Column
    href: str
    aria_sort: str

    @property
    def id(self) -> str:
        """The id of its link."""
        return f"sort-{self.column.sort_key}"


@dataclass(frozen=True, kw_only=True)
class LoadChoice:
    """A class or kind of load to switch to, with the number of models that it would list."""

    id: str
    value: str
    label: str
    models: int
    is_used: bool
    href: str


@dataclass(frozen=True, kw_only=True)
class Ticked:
    """A ticked configuration in the bar; `is_elsewhere` = its box is not on this page."""

    run: TestRun
    name: str
    title: str
    href: str
    is_elsewhere: bool


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What is ticked, and the comparison of it; `advice` says what is missing for one."""

    ticked: tuple[Ticked, ...]
    compare_href: str
    advice: str
    clear_href: str


@dataclass(frozen=True, kw_only=True)
class Exports:
    """The addresses of this very page as data; `whole` selects the runs of all its pages."""

    csv: str
    json: str
    api: str
    whole: str


@dataclass(frozen=True, kw_only=True)
class GridView:
    """Everything that the results of the grid show."""

    page: GridPage
    columns: tuple[Column, ...]
    heads: tuple[Head, ...]
    order: str
    lines: tuple[ModelLine, ...]
    loads: tuple[LoadChoice, ...]
    kinds: tuple[LoadChoice, ...]
    kind_used: str
    chips: tuple[Chip, ...]
    loosening: Loosening | None
    speed_definitions: tuple[str, ...]
    kept: tuple[tuple[str, str], ...]
    selection: Selection
    exports: Exports
    clear_href: str
    previous_href: str
    next_href: str

    @property
    def is_empty_site(self) -> bool:
        """Whether no model would be listed under any filter."""
        return self.loosening is not None and self.loosening.all_models == 0


@dataclass(frozen=True, kw_only=True)
class UnreadableGrid:
    """What the page keeps while its filters cannot be read."""

    kept: tuple[tuple[str, str], ...]
    clear_href: str


def rows_to_expand(page: GridPage, state: GridState) -> list[ModelRow]:
    """Return the rows whose platforms are wanted."""
    return [row for row in page.rows if row.best and row.key in state.expanded]


def unreadable_grid(query: QueryDict, state: GridState, form: GridForm) -> UnreadableGrid:
    """Keep what is unfolded, ticked and chosen beside the filters that are wrong."""
    address = Address(query, state, wrong=set(form.errors))
    return UnreadableGrid(kept=address.pairs(*KEPT, "run"), clear_href=_cleared(address))


def present_grid(
    page: GridPage,
    platforms: Mapping[str, Sequence[PlatformRow]],
    choices: FilterChoices,
    state: GridState,
    query: QueryDict,
) -> GridView:
    """Lay a page of the grid out; `platforms` are those of the unfolded rows, by row key.

    One query where something is ticked, and one where nothing matches.
    """
    found = (
        TestRun.objects.published().with_names().in_order(state.selected) if state.selected else []
    )
    state = replace(state, selected=tuple(run.pk for run in found))
    address = Address(query, state, page=page.page)
    columns = tuple(COLUMNS[key] for key in state.columns)
    builder = LineBuilder(page, state, address)
    lines = with_cells(
        [builder.model(row, platforms.get(row.key, ())) for row in page.rows],
        [column for column in columns if column.key != FIRST],
    )
    chips = active_chips(page, choices, address)
    return GridView(
        page=page,
        columns=columns,
        heads=tuple(_head(column, page, address) for column in columns),
        order=_order(page),
        lines=lines,
        loads=_loads(page, address),
        kinds=_kinds(page, address),
        kind_used=kind_label(page.kind_used),
        chips=chips,
        loosening=None if page.rows else loosening(page, address, chips),
        speed_definitions=tuple(definition_label(SPEED, item) for item in page.speed_definitions),
        kept=address.pairs(*KEPT),
        selection=_selection(found, lines, address),
        exports=_exports(address, page),
        clear_href=_cleared(address),
        previous_href=address.to(page=page.page - 1) if page.page > 1 else "",
        next_href=address.to(page=page.page + 1) if page.page < page.page_count else "",
    )


def _cleared(address: Address) -> str:
    besides = (item.beside for item in FILTERS.values() if item.beside)
    gone: dict[str, None] = dict.fromkeys((*FILTERS, *besides, "page"))
    return address.to(**gone)


def _head(column: Column, page: GridPage, address: Address) -> Head:
    """Lead to the better values first, and from there to the other direction."""
    if column.sort_key not in SORT_KEYS:
        return Head(column=column, href="", aria_sort="")
    criteria = page.criteria
    aria_sort, direction = "", None
    if column.sort_key == criteria.sort_by:
        aria_sort = "descending" if criteria.descending else "ascending"
        direction = "asc" if criteria.descending else "desc"
    href = address.to(sort_by=column.sort_key, sort_direction=direction, page=None)
    return Head(column=column, href=href, aria_sort=aria_sort)


def _order(page: GridPage) -> str:
    criteria = page.criteria
    column = next(item for item in COLUMNS.values() if item.sort_key == criteria.sort_by)
    name = column.name if column.name[:2].isupper() else column.name[0].lower() + column.name[1:]
    return f"{name}, {column.ends[criteria.descending]}"


def kind_label(kind: str) -> str:
    """Return how speeds were measured, in words."""
    return "any" if kind == ANY_KIND else MeasuredAs(kind).label


def _loads(page: GridPage, address: Address) -> tuple[LoadChoice, ...]:
    """Return the classes of load, each with what it lists in the kind asked for or its fullest."""
    counts, asked = page.load_counts, page.criteria.load_kind
    shown = {item: counts.measured[item, asked or counts.fullest_kind(item)] for item in LoadClass}
    return tuple(
        LoadChoice(
            id=f"load-{item.value}",
            value=item.value,
            label=item.label,
            models=models,
            is_used=item == page.load_used,
            href=address.to(load_class=item.value, page=None),
        )
        for item, models in shown.items()
        if item != LoadClass.UNKNOWN or models or item == page.load_used
    )


def _kinds(page: GridPage, address: Address) -> tuple[LoadChoice, ...]:
    """Return the kinds of load in the class shown, and all of them together: last, never first."""
    counts = page.load_counts
    shown = {kind: counts.measured[page.load_used, kind] for kind in KINDS}
    several = counts.kinds_of(page.load_used) > 1
    return tuple(
        LoadChoice(
            id=f"kind-{kind}",
            value=kind,
            label=kind_label(kind),
            models=shown[kind],
            is_used=kind == page.kind_used,
            href=address.to(load_kind=kind, page=None),
        )
        for kind in (*MeasuredAs.values, ANY_KIND)
        if kind == page.kind_used or (several if kind == ANY_KIND else shown[kind])
    )


def _exports(address: Address, page: GridPage) -> Exports:
    names = GridForm.base_fields.keys() - {"sort_by", "sort_direction", "load_class", "load_kind"}
    asked = address.elsewhere("", names - {"page", "page_size"}).lstrip("?")
    shown = urlencode({"load_class": page.load_used, "load_kind": page.kind_used})
    return Exports(
        csv=address.to(run=None, format="csv"),
        json=address.to(run=None, format="json"),
        api=address.elsewhere(API_PATH, GridForm.base_fields),
        whole=f"{asked}&{shown}" if asked else shown,
    )


def _selection(runs: Sequence[TestRun], lines: Sequence[ModelLine], address: Address) -> Selection:
    boxes = {line.run_id for line in lines_of(lines) if line.is_selectable}
    names = [_short_name(run) for run in runs]
    ticked = tuple(
        Ticked(
            run=run,
            name=name if names.count(name) == 1 else f"{name} · {workload(run)}",
            title=f"{backend_label(run.backend, run.backend_version)} · {workload(run)}",
            href=address.less("run", str(run.pk)),
            is_elsewhere=run.pk not in boxes,
        )
        for run, name in zip(runs, names, strict=True)
    )
    count = len(ticked)
    can_compare = 2 <= count <= MAX_SELECTED
    path = reverse("experiments:comparison")
    return Selection(
        ticked=ticked,
        compare_href=address.elsewhere(path, ("benchmark", "run")) if can_compare else "",
        advice=_advice(count),
        clear_href=address.to(run=None),
    )


def _short_name(run: TestRun) -> str:
    variant = run.variant
    adapter = f" + {variant.lora_adapter}" if variant.lora_adapter else ""
    name = variant.model_name.rsplit("/", 1)[-1]
    return f"{name}{adapter} {variant.quantization} · {run.hardware.platform}"


def _advice(count: int) -> str:
    if count > MAX_SELECTED:
        return f"At most {MAX_SELECTED} can be compared: untick {count - MAX_SELECTED}."
    if count == 1:
        return "Tick one more to compare."
    return "" if count else f"Tick 2 to {MAX_SELECTED} configurations to compare them."

"""Links of the grid that keep what is ticked, with scripts and without, and its table's rows.

The rows are written by functions: a page has hundreds of cells and dozens of links, which as
template code would take most of its time.
"""

from collections.abc import Iterable, Iterator
from html import escape
from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe

from benchsite.common.templatetags.figures import count
from experiments.presenters.grid import FOLLOW
from experiments.presenters.grid.columns import Cell, Note
from experiments.presenters.grid.filters import Choice
from experiments.presenters.grid.lines import Line, ModelLine, PlatformLine

register = template.Library()


@register.simple_block_tag(takes_context=True)
def grid_link(
    context: template.Context, content: SafeString, *, id: str, href: str, **options: Any
) -> SafeString:
    """Write a link to another state of the grid, which htmx follows in place: see `_link`."""
    is_fragment = bool(context.get("is_fragment"))
    return mark_safe(_link(content, is_fragment, id=id, href=href, **options))  # noqa: S308 - escaped


@register.simple_tag(takes_context=True)
def grid_rows(context: template.Context, models: Iterable[ModelLine]) -> SafeString:
    """Write the rows of models: the best configuration of each, its platforms, all of these."""
    is_fragment = bool(context.get("is_fragment"))
    bodies = (
        f'<tbody id="{model.id}">{"".join(_rows(model, is_fragment))}</tbody>' for model in models
    )
    return mark_safe("\n".join(bodies))  # noqa: S308 - all parts are escaped


@register.simple_tag
def grid_options(choices: Iterable[Choice]) -> SafeString:
    """Write the options of a select: hundreds of them are on a page."""
    options = (
        f'<option value="{escape(choice.value)}"{" selected" if choice.is_chosen else ""}>'
        f"{escape(choice.text)}</option>"
        for choice in choices
    )
    return mark_safe("".join(options))  # noqa: S308 - all parts are escaped


def _link(
    content: str,
    is_fragment: bool,
    *,
    id: str,
    href: str,
    style: str = "",
    at: str = "grid-results",
    focus: str = "",
    **attributes: str,
) -> str:
    """Return a link, and a button that stands for it where scripts are off.

    A link knows the ticks of its page only; with scripts every tick makes a new page. Where they
    are off, the button sends the ticks of the form along (`.with-script` is then hidden); the page
    it leads to begins `at` an id. Fragments need no such button. `focus` are the ids that take the
    focus when the link is gone after it was followed. Other attributes are written as they are,
    `aria_current` as `aria-current`; empty ones are left out.
    """
    others = "".join(_attribute(name.replace("_", "-"), text) for name, text in attributes.items())
    target = escape(href)
    link = (
        f'<a class="{escape(f"{style} with-script".strip())}" id="{escape(id)}" href="{target}"'
        f' hx-get="{target}"{_attribute("data-focus", focus)}{others}>{content}</a>'
    )
    if is_fragment:
        return link
    return (
        f'{link}<noscript><button class="{escape(style or "link-button")}" name="{FOLLOW}"'
        f' value="{target}#{escape(at)}"{others}>{content}</button></noscript>'
    )


def _rows(model: ModelLine, is_fragment: bool) -> Iterator[str]:
    yield _row(model.best, _head_of_model(model, is_fragment))
    for platform in model.platforms:
        head = _named_run(platform.best) + _others(platform, model.id, is_fragment)
        yield _row(platform.best, head, "table__row--nested")
        for other in platform.others:
            yield _row(other, _named_run(other), "table__row--nested table__row--deep")


def _row(line: Line, head: str, style: str = "") -> str:
    here = "table__row--here" if line.is_selectable and line.is_selected else ""
    cells = "".join(map(_cell, line.cells))
    return (
        f"<tr{_attribute('class', f'{style} {here}'.strip())}>"
        f'<th class="table__first" scope="row">{head}</th>{cells}</tr>\n'
    )


def _head_of_model(model: ModelLine, is_fragment: bool) -> str:
    row = model.row
    adapter = f' <span class="tag">+ {escape(row.lora_adapter)}</span>' if row.lora_adapter else ""
    if model.best.run_id is None:
        scores_only = '<span class="sub">scores only, no run yet</span>'
        return f"{escape(model.best.name)}{adapter} {scores_only}"
    toggle = _expander(
        f"{row.qualifying_platforms} of {row.total_platforms} platforms"
        '<span class="expander__rest"> qualify</span>',
        is_fragment,
        id=model.toggle_id,
        href=model.toggle,
        at=model.id,
        is_expanded=model.is_expanded,
    )
    return f"{_named_run(model.best)}{adapter} {toggle}"


def _others(platform: PlatformLine, row_id: str, is_fragment: bool) -> str:
    number = platform.other_count
    if not number:
        return ""
    return _expander(
        f"{count(number)} more configuration{'s' if number > 1 else ''}",
        is_fragment,
        id=platform.toggle_id,
        href=platform.toggle,
        at=row_id,
        is_expanded=platform.is_expanded,
    )


def _expander(
    text: str, is_fragment: bool, *, id: str, href: str, at: str, is_expanded: bool
) -> str:
    content = f'<span aria-hidden="true">{"▾" if is_expanded else "▸"}</span> {text}'
    state = "true" if is_expanded else "false"
    link = _link(
        content, is_fragment, id=id, href=href, style="expander", at=at, aria_expanded=state
    )
    return f"<div>{link}</div>"


def _named_run(line: Line) -> str:
    """Return the box that takes a line into a comparison, if there is one, and the run's link."""
    tick = ""
    if line.is_selectable:
        tick = (
            f'<input type="checkbox" name="run" value="{line.run_id}" id="tick-{line.run_id}"'
            f' aria-label="Compare {escape(line.label)}"{" checked" if line.is_selected else ""}> '
        )
    return f'{tick}<a href="{line.address}">{escape(line.name)}</a>'


def _cell(cell: Cell) -> str:
    text = cell.text if isinstance(cell.text, SafeString) else escape(cell.text)
    return f"<td{_attribute('class', cell.style)}>{text}{_notes(cell.notes)}</td>"


def _notes(notes: Iterable[Note]) -> str:
    return "".join(
        f'<span class="sub"{_attribute("title", note.title)}>{escape(note.text)}</span>'
        for note in notes
    )


def _attribute(name: str, value: str) -> str:
    return f' {name}="{escape(value)}"' if value else ""

"""Links of the grid that keep what is ticked, with scripts and without."""

from collections.abc import Iterable
from typing import Any

from django import template
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from experiments.presenters.grid import FOLLOW
from experiments.presenters.grid.columns import Cell

register = template.Library()


@register.simple_block_tag(takes_context=True)
def grid_link(
    context: template.Context,
    content: SafeString,
    *,
    id: str,
    href: str,
    style: str = "",
    at: str = "grid-results",
    focus: str = "",
    **attributes: Any,
) -> SafeString:
    """Write a link to another state of the grid, which htmx follows in place.

    A link knows the ticks of its page only; with scripts every tick makes a new page. Where they
    are off, a button stands for the link (`.with-script` is then hidden), and sends the ticks of
    the form along; the page it leads to begins `at` an id. Fragments need no such button. `focus`
    are the ids that take the focus when the link is gone after it was followed. Other attributes
    are written as they are, `aria_current` as `aria-current`; empty ones are left out.
    """
    common = format_html_join(
        "",
        ' {}="{}"',
        ((name.replace("_", "-"), value) for name, value in attributes.items() if value),
    )
    link = format_html(
        '<a class="{}" id="{}" href="{}" hx-get="{}"{}{}>{}</a>',
        f"{style} with-script".strip(),
        id,
        href,
        href,
        format_html(' data-focus="{}"', focus) if focus else "",
        common,
        content,
    )
    if context.get("is_fragment"):
        return link
    return link + format_html(
        '<noscript><button class="{}" name="{}" value="{}#{}"{}>{}</button></noscript>',
        style or "link-button",
        FOLLOW,
        href,
        at,
        common,
        content,
    )


@register.simple_tag
def grid_cells(cells: Iterable[Cell]) -> SafeString:
    """Write the cells of a row, in the order of the columns.

    A page has hundreds of them: as template code they would take half of its time.
    """
    return mark_safe("".join(map(_cell, cells)))  # noqa: S308 - _cell escapes


def _cell(cell: Cell) -> str:
    notes = "".join(
        f'<span class="sub"{_attribute("title", note.title)}>{conditional_escape(note.text)}</span>'
        for note in cell.notes
    )
    return f"<td{_attribute('class', cell.style)}>{conditional_escape(cell.text)}{notes}</td>"


def _attribute(name: str, value: str) -> str:
    return f' {name}="{conditional_escape(value)}"' if value else ""

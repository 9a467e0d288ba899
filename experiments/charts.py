"""Plotly figures as plain dicts: what is drawn, but no colours, which follow the theme (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from textwrap import wrap
from typing import Any, TypedDict

MIN_RADAR_AXES = 3
LEAST_GAP = 0.2
BARS_WITH_ROOM = 10  # fewer of them leave room free, rather than grow thick
LABEL_WIDTH_CHARS = 13
NAME_WIDTH_CHARS = 36
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "solid", "dash")
MARKERS = (
    "circle",
    "square",
    "diamond",
    "triangle-up",
    "cross",
    "x",
    "star",
    "pentagon",
)
# What tells bars apart beside their colours.
_PATTERNS = ("", "/", "x", "-", "\\", ".", "|", "+")
_ROOM_FOR_TEXTS = 1.2
_LEGEND = {"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top"}


class Figure(TypedDict):
    """A Plotly figure; `charts.js` adds the colours of the theme."""

    data: list[dict[str, Any]]
    layout: dict[str, Any]


@dataclass(frozen=True)
class Series:
    """One trace: a value for each axis, None where it is not known, and how to write each.

    `slot` chooses its colour and its second mark, so that these stay with what they stand for; by
    default it is the place among the traces. `letter` stands before what is written on bars.
    """

    name: str
    values: Sequence[float | None]
    texts: Sequence[str] = ()
    slot: int | None = None
    letter: str = ""


def radar(
    series: Sequence[Series], axes: Sequence[str], *, scale: tuple[float, float] | None = None
) -> Figure:
    """Return a radar with a closed trace for each series; an unknown value is a gap in it.

    `scale` is the range of the radius; None lets it start at 0 and fit the values.
    """
    labels = _closed([_label(axis) for axis in axes])
    between_axes = 90 - 180 / max(1, len(axes))
    radial: dict[str, Any] = {"rangemode": "tozero", "angle": between_axes, "nticks": 5}
    if scale is not None:
        radial["range"] = list(scale)
    return {
        "data": [
            {
                "type": "scatterpolar",
                "mode": "lines+markers",
                "name": _wrapped(item.name, NAME_WIDTH_CHARS),
                "theta": labels,
                "r": _closed(list(item.values)),
                "text": _closed([_text(text) for text in item.texts]),
                "hovertemplate": _hover(item, "%{theta}", "%{r:.4~g}"),
                "connectgaps": False,
                "fill": "none" if None in item.values else "toself",
                "opacity": 0.85,
                "line": {"dash": DASHES[slot % len(DASHES)], "width": 2},
                "marker": {"symbol": MARKERS[slot % len(MARKERS)], "size": 7},
                "meta": {"slot": slot},
            }
            for slot, item in _with_slots(series)
        ],
        "layout": {
            "polar": {"radialaxis": radial, "angularaxis": {"direction": "clockwise"}},
            "showlegend": len(series) > 1,
            "legend": _LEGEND,
            "margin": {"l": 80, "r": 80, "t": 40, "b": 40},
            "font": {"size": 12},
        },
    }


def bars(series: Sequence[Series], axes: Sequence[str], *, unit: str) -> Figure:
    """Return lying grouped bars, a group for each axis; an unknown value leaves its place empty."""
    longest = max((value for item in series for value in item.values if value), default=1)
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "name": _wrapped(item.name, NAME_WIDTH_CHARS),
                "y": [_label(axis) for axis in axes],
                "x": list(item.values),
                "text": [_text(text) for text in item.texts],
                "texttemplate": f"{_text(item.letter)} %{{text}}",
                "textposition": "outside",
                "cliponaxis": False,
                "hovertemplate": _hover(item, "%{y}", "%{x:.4~g}"),
                "marker": {
                    "pattern": {
                        "shape": _PATTERNS[slot % len(_PATTERNS)],
                        "fillmode": "overlay",
                        "size": 6,
                        "solidity": 0.25,
                    }
                },
                "meta": {"slot": slot},
            }
            for slot, item in _with_slots(series)
        ],
        "layout": {
            "barmode": "group",
            "bargap": max(LEAST_GAP, 1 - len(axes) * len(series) / BARS_WITH_ROOM),
            "xaxis": {"title": {"text": unit}, "range": [0, longest * _ROOM_FOR_TEXTS]},
            "yaxis": {"autorange": "reversed", "automargin": True},
            "showlegend": len(series) > 1,
            "legend": _LEGEND,
            "margin": {"l": 20, "r": 20, "t": 20, "b": 40},
            "font": {"size": 12},
        },
    }


def share_of_best(
    values: Sequence[float | None], *, higher_is_better: bool
) -> tuple[float | None, ...]:
    """Return each value as percent of the best one, which is 100; None stays None.

    Where lower is better the share is best / value, so that half the speed and twice the latency
    are both 50.
    """
    known = [value for value in values if value is not None]
    if not known:
        return tuple(values)
    best = max(known) if higher_is_better else min(known)
    return tuple(
        None if value is None else _share(value, best, higher_is_better=higher_is_better)
        for value in values
    )


def _share(value: float, best: float, *, higher_is_better: bool) -> float:
    if value == best:
        return 100.0
    part, whole = (value, best) if higher_is_better else (best, value)
    return 100.0 * part / whole


def _with_slots(series: Sequence[Series]) -> list[tuple[int, Series]]:
    return [(place if item.slot is None else item.slot, item) for place, item in enumerate(series)]


def _closed(items: list[Any]) -> list[Any]:
    return items + items[:1]


def _text(text: str) -> str:
    """Return text that Plotly shows as it is; it would read tags and entities."""
    return escape(text, quote=False)


def _label(name: str) -> str:
    return _wrapped(name.replace("_", " "), LABEL_WIDTH_CHARS)


def _wrapped(text: str, width_chars: int) -> str:
    return "<br>".join(_text(line) for line in wrap(text, width_chars) or [text])


def _hover(series: Series, axis: str, value: str) -> str:
    shown = "%{text}" if series.texts else value
    return f"{axis}: {shown}<extra>%{{fullData.name}}</extra>"

"""Plotly figures of sweeps as plain dicts, like those of `charts`: curves and heatmaps (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from experiments.charts import DASHES, MARKERS, Figure

LOG_RATIO = 50
"""Beyond this ratio of the highest to the lowest value the low ones would lie on the axis."""


@dataclass(frozen=True, kw_only=True)
class Trace:
    """A curve: its points from the lowest load on; an unknown value is a gap.

    `labels` stand at the points ("" for none), `words` say each point in full: what the pointer
    and the arrow keys show. `slot` chooses colour, dash and mark.
    """

    name: str
    slot: int
    x: Sequence[float | None]
    y: Sequence[float | None]
    words: Sequence[str]
    labels: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Heat:
    """The cells of a heatmap by row; None where nothing was measured."""

    columns: Sequence[str]
    rows: Sequence[str]
    values: Sequence[Sequence[float | None]]
    texts: Sequence[Sequence[str]]
    words: Sequence[Sequence[str]]


def curves(traces: Sequence[Trace], *, x_title: str, y_title: str) -> Figure:
    """Return curves over each other; an axis is logarithmic where `needs_log` says so."""
    y_log = needs_log([value for trace in traces for value in trace.y])
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines+markers+text" if any(trace.labels) else "lines+markers",
                "name": _text(trace.name),
                "x": list(trace.x),
                "y": list(trace.y),
                "text": [_text(label) for label in trace.labels],
                "textposition": "top center",
                "hovertext": [_text(words) for words in trace.words],
                "hoverinfo": "text",
                "cliponaxis": False,
                "connectgaps": False,
                "line": {"dash": DASHES[trace.slot % len(DASHES)], "width": 2},
                "marker": {"symbol": MARKERS[trace.slot % len(MARKERS)], "size": 8},
                "meta": {"slot": trace.slot},
            }
            for trace in traces
        ],
        "layout": {
            "xaxis": {"title": {"text": _text(x_title)}, "rangemode": "tozero"},
            "yaxis": {
                "title": {"text": _text(y_title), "standoff": 12},
                "automargin": True,
                **({"type": "log", "dtick": "D2"} if y_log else {"rangemode": "tozero"}),
            },
            "hovermode": "closest",
            "showlegend": len(traces) > 1,
            "margin": {"l": 60, "r": 30, "t": 30, "b": 50},
            "font": {"size": 12},
        },
    }


def needs_log(values: Sequence[float | None]) -> bool:
    """Tell whether values lie too far apart for an axis that starts at 0."""
    known = [value for value in values if value is not None and value > 0]
    return bool(known) and max(known) > LOG_RATIO * min(known)


def heatmap(heat: Heat, *, x_title: str, y_title: str, unit: str) -> Figure:
    """Return a table of cells coloured by their value, each with its figure."""
    return {
        "data": [
            {
                "type": "heatmap",
                "x": [_text(name) for name in heat.columns],
                "y": [_text(name) for name in heat.rows],
                "z": [list(row) for row in heat.values],
                "text": [[_text(text) for text in row] for row in heat.texts],
                "texttemplate": "%{text}",
                "hovertext": [[_text(words) for words in row] for row in heat.words],
                "hoverinfo": "text",
                "hoverongaps": False,
                "xgap": 2,
                "ygap": 2,
                "colorbar": {"title": {"text": _text(unit)}, "thickness": 12},
            }
        ],
        "layout": {
            "xaxis": {"title": {"text": _text(x_title)}, "type": "category"},
            "yaxis": {
                "title": {"text": _text(y_title), "standoff": 12},
                "type": "category",
                "automargin": True,
            },
            "margin": {"l": 60, "r": 20, "t": 20, "b": 50},
            "font": {"size": 12},
        },
    }


def _text(text: str) -> str:
    """Return text that Plotly shows as it is; it would read tags and entities."""
    return escape(text, quote=False)

"""The tables of formats in README.md and docs/formats.md, as Markdown, made from the registry."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from experiments.formats.base import About, Format, RunFacts, ScoreFacts
from experiments.formats.guide import by_tool, tool_guides

_ADDRESS = "http://127.0.0.1:8000/api/uploads"
_ABOUT_COLUMNS = ("name", "what it is", "one run for each", "the file says", "the uploader adds")
_RUN_COLUMNS = {
    "model": "model",
    "quantization": "quantization",
    "backend": "backend, version",
    "gpu": "GPU",
    "gpus_used": "GPUs used",
    "cpu": "CPU",
    "lengths": "lengths",
    "load": "load",
    "depth": "depth",
    "speeds": "speeds",
    "power": "memory, power",
    "when": "when",
}
_SCORE_COLUMNS = {
    "model": "model",
    "quantization": "quantization",
    "harness": "harness, version",
    "task_version": "task version",
    "metric": "filter, metric",
    "shots": "shots",
    "counts": "counts",
    "complete": "complete or partial",
    "when": "when",
}


def with_tables(text: str, formats: Sequence[Format]) -> str:
    """Return a Markdown text with every table between its markers made anew.

    A table stands between `<!-- table: NAME, made by make docs -->` and `<!-- end of NAME -->`.
    Raises KeyError for a name that is no table.
    """
    tables = {
        "tools": _tools(formats),
        "formats": _formats(formats),
        "runs": _facts(formats, RunFacts, _RUN_COLUMNS),
        "scores": _facts(formats, ScoreFacts, _SCORE_COLUMNS),
    }
    return re.sub(
        r"(<!-- table: (\w+), made by make docs -->\n).*?(<!-- end of \2 -->)",
        lambda found: f"{found[1]}{tables[found[2]]}{found[3]}",
        text,
        flags=re.DOTALL,
    )


def _tools(formats: Sequence[Format]) -> str:
    """Return a row a tool: what writes its files, and the line that sends one."""
    rows = (
        (
            guide.tool,
            "<br>".join(f"`{command}`" for command in guide.commands) or "–",
            f"`{guide.curl}`",
        )
        for guide in tool_guides(formats, _ADDRESS)
    )
    return _table(("tool", "what writes the file", "what sends it"), rows)


def _formats(formats: Sequence[Format]) -> str:
    """Return a row a format; formats of which the same is said share one."""
    names: defaultdict[About, list[str]] = defaultdict(list)
    for item in by_tool(formats):
        names[item.about].append(item.name)
    rows = (
        (_code(shared), about.what, about.run_for_each, about.says, about.asks)
        for about, shared in names.items()
    )
    return _table(_ABOUT_COLUMNS, rows)


def _facts(
    formats: Sequence[Format], kind: type[RunFacts | ScoreFacts], columns: Mapping[str, str]
) -> str:
    """Return a row for each version of a format, below the first that has its name."""
    names: defaultdict[tuple[RunFacts | ScoreFacts, ...], list[str]] = defaultdict(list)
    for item in by_tool(formats):
        versions = tuple(facts for facts in item.about.facts if isinstance(facts, kind))
        names[versions].append(item.name)
    rows = []
    for versions, shared in names.items():
        for place, facts in enumerate(versions):
            parts = ("the same" if place else _code(shared), facts.version)
            cells = (getattr(facts, column) for column in columns)
            rows.append((", ".join(filter(None, parts)), *cells))
    return _table(("format and version", *columns.values()), rows)


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; a bar within a cell is escaped."""
    lines = [_row(heads), "|---" * len(heads) + "|", *map(_row, rows)]
    return "\n".join(lines) + "\n"


def _row(cells: Iterable[str]) -> str:
    escaped = (cell.replace("|", r"\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"

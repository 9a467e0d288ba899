"""The history of a run as rows of a table, with what was there before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.history import HistoryLine
from experiments.ingest.versions import stored_facts
from experiments.metrics import metric_label
from experiments.models import TestRun
from experiments.presenters.facts import Fact
from experiments.presenters.labels import definition_label
from experiments.redaction import redact


@dataclass(frozen=True, kw_only=True)
class EarlierFigure:
    """A measurement of an earlier version."""

    label: str
    statistic: str
    value: float
    unit: str
    sample_count: int | None
    definition: str


@dataclass(frozen=True, kw_only=True)
class HistoryRow:
    """A change; `facts` are those of the earlier version that are other than the present ones.

    `table` names the table of the earlier `figures` in addresses.
    """

    line: HistoryLine
    table: str
    links_to_upload: bool
    facts: tuple[Fact, ...] = ()
    figures: tuple[EarlierFigure, ...] = ()


def history_rows(
    lines: Sequence[HistoryLine], run: TestRun, *, may_view_uploads: bool
) -> tuple[HistoryRow, ...]:
    """Lay the history of a run out, newest first."""
    has_versions = any(line.before for line in lines)
    present = stored_facts(run) if has_versions else {}
    return tuple(
        HistoryRow(
            line=line,
            table=f"version-{len(lines) - place}",
            links_to_upload=line.upload_id is not None and (line.is_own or may_view_uploads),
            facts=_other_facts(line.before or {}, present),
            figures=_figures(line.before or {}),
        )
        for place, line in enumerate(lines)
    )


def _other_facts(before: Mapping[str, Any], present: Mapping[str, Any]) -> tuple[Fact, ...]:
    facts = before.get("facts", {})
    return tuple(
        Fact(name.replace("_", " "), _shown(name, value))
        for name, value in facts.items()
        if value != present.get(name)
    )


def _shown(name: str, value: Any) -> object:
    shown = redact(value, name=name)
    if isinstance(shown, Mapping):
        return ", ".join(f"{key}: {item}" for key, item in sorted(shown.items())) or None
    return ", ".join(map(str, shown)) or None if isinstance(shown, list) else shown


def _figures(before: Mapping[str, Any]) -> tuple[EarlierFigure, ...]:
    return tuple(
        EarlierFigure(
            label=metric_label(item["metric"]),
            statistic=item["statistic"],
            value=item["value"],
            unit=item["unit"],
            sample_count=item["sample_count"],
            definition=definition_label(item["metric"], item["definition"]),
        )
        for item in before.get("measurements", ())
    )

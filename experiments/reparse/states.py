"""A run or a score as flat facts, stored or as it is read now, and what differs between the two.

Rows are named by what makes them (names, keys) and never by their ids, so that what is read has
the same facts whether or not its variant or its machine is in the database yet.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from benchmarks.models import BenchmarkScore
from benchmarks.scoring import PreparedScore
from experiments.formats.documents import MeasurementDocument
from experiments.formats.problems import short_value
from experiments.ingest.keys import canonical_json
from experiments.ingest.resolve import ResolvedRun
from experiments.ingest.versions import sent_facts, stored_facts
from experiments.models import Measurement, TestRun
from experiments.redaction import redact

State = dict[str, Any]
FIGURE_FIELDS = ("value", "unit", "sample_count", "samples", "derived_from", "context")
SCORE_FIELDS = (
    "score",
    "total_method",
    "complete",
    "partial_reason",
    "zone_known",
    "context",
    "source_url",
    "notes",
    "needs_confirmation",
)
"""Columns of a score that are not part of what it is known by."""
MOST_SHOWN = 60
_HASHES = ("settings_key", "content_hash")
_HASH_SHOWN = 12
_FIGURE = "figure "  # what the names of figures begin with


def stored_run_state(run: TestRun, measured: Iterable[Measurement]) -> State:
    """Return all that is stored of a run, loaded `with_names` and with its sweep."""
    return _flat(
        stored_facts(run)
        | {
            "sweep": _sweep_in_words(run.sweep.label, run.sweep.key) if run.sweep else None,
            "platform_key": run.hardware.platform.key,
            "workload_key": run.configuration.workload_key,
            "settings_key": run.configuration.settings_key,
            "content_hash": run.content_hash,
            "warnings": run.warnings,
        },
        measured,
    )


def read_run_state(run: ResolvedRun, *, sweep_key: str, kept: Mapping[str, Any]) -> State:
    """Return all that is read of a run; `kept` is what a curator edited, and stays."""
    sweep = _sweep_in_words(run.document.sweep, sweep_key) if sweep_key else None
    return _flat(
        sent_facts(run)
        | {
            "sweep": sweep,
            "platform_key": run.hardware.platform_key,
            "workload_key": run.workload_key,
            "settings_key": run.settings_key,
            "content_hash": run.content_hash,
            "warnings": [warning.as_dict() for warning in run.warnings],
        }
        | dict(kept),
        run.document.measurements,
    )


def figures_of(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a run's state that its measurements make."""
    return {name: value for name, value in state.items() if name.startswith(_FIGURE)}


def stored_score_state(score: BenchmarkScore, *, kept: Iterable[str] = ()) -> State:
    """Return what may change of a stored score, without the names in `kept`."""
    state = {name: _plain(getattr(score, name)) for name in SCORE_FIELDS}
    return {name: value for name, value in state.items() if name not in kept}


def read_score_state(score: PreparedScore, *, kept: Iterable[str] = ()) -> State:
    """Return the same of a score as it is read now."""
    data = score.data
    state = {
        "score": score.total.score,
        "total_method": score.total.method.value,
        "complete": score.complete,
        "partial_reason": score.partial_reason,
        "zone_known": data.zone_known,
        "context": _plain(data.context),
        "source_url": data.source_url,
        "notes": data.notes,
        "needs_confirmation": data.needs_confirmation,
    }
    return {name: value for name, value in state.items() if name not in kept}


def changes_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[list[Any]]:
    """Return [name, before, after] of each fact that differs, in words; None = not there."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    shown = [[_name(name), *_in_words(name, before, after)] for name in names[:MOST_SHOWN]]
    if len(names) > MOST_SHOWN:
        shown.append(["and more", None, f"{len(names) - MOST_SHOWN} more facts"])
    return shown


def _flat(facts: Mapping[str, Any], measured: Iterable[Measurement | MeasurementDocument]) -> State:
    state: State = {}
    for name, value in facts.items():
        if isinstance(value, Mapping):
            state |= {f"{name}.{key}": _plain(item) for key, item in value.items()}
        else:
            state[name] = _plain(value)
    for item in measured:
        words = (item.metric, item.statistic, item.definition)
        name = " ".join(word for word in words if word)
        state[_FIGURE + name] = {
            field: _plain(getattr(item, field)) or None for field in FIGURE_FIELDS
        } | {"value": float(item.value)}
    return state


def _plain(value: Any) -> Any:
    """Return a value as it comes back from JSON: tuples are lists, keys are texts."""
    if value is None or isinstance(value, str | int | float):
        return value
    return json.loads(canonical_json(value))


def _sweep_in_words(label: str | None, key: str) -> str:
    return label or f"of its file: {key[:12]}"


def _name(name: str) -> str:
    return name.removeprefix(_FIGURE)


def _in_words(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Any]:
    """Return both sides of a fact, short and without what nobody should read."""
    sides = [before.get(name), after.get(name)]
    if name in _HASHES:
        return [side and side[:_HASH_SHOWN] for side in sides]
    if not name.startswith(_FIGURE):
        return [short_value(redact(side, name=name.removeprefix("settings."))) for side in sides]
    old, new = sides
    if old and new and _figure_in_words(old) == _figure_in_words(new):
        # The same figure with other samples, inputs or context.
        names = [key for key in FIGURE_FIELDS if old[key] != new[key]]
        return [short_value({key: side[key] for key in names}) for side in (old, new)]
    return [_figure_in_words(side) if side else None for side in sides]


def _figure_in_words(figure: Mapping[str, Any]) -> str:
    count = f" of {figure['sample_count']} samples" if figure["sample_count"] else ""
    return f"{figure['value']!r} {figure['unit']}{count}"

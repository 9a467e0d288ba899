"""Names without secrets and home folders: they are searched, indexed and shown as they stand."""

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Any, TypeVar

from experiments.formats.documents import Problem, RunDocument, ScoreSetDocument
from experiments.formats.private import hidden_warning
from experiments.redaction import redact_text

_OF_MODEL = ("model_name", "quantization", "lora_adapter")
_OF_RUN = ("backend", "backend_version", "tool", "tool_version", "sweep")
_OF_WORKLOAD = ("dataset_name", "load_pattern")
_LONGEST_KEPT = 200
_Part = TypeVar("_Part", bound=Any)


def with_public_names(run: RunDocument) -> tuple[RunDocument, list[Problem]]:
    """Return the run with its names as everybody may read them, and a warning of what changed."""
    model, of_model = _public(run.model, _OF_MODEL)
    workload, of_workload = _public(run.workload, _OF_WORKLOAD)
    changed, of_run = _public(run, _OF_RUN)
    hidden = (*of_model, *of_workload, *of_run)
    if not hidden:
        return run, []
    return replace(changed, model=model, workload=workload), hidden_warning(run.path, hidden)


def with_public_model(scores: ScoreSetDocument) -> tuple[ScoreSetDocument, list[Problem]]:
    """Do the same for the model of scores."""
    model, hidden = _public(scores.model, _OF_MODEL)
    return replace(scores, model=model), hidden_warning(scores.path, hidden)


def _public(part: _Part, names: Iterable[str]) -> tuple[_Part, list[str]]:
    """Return a part of a document with its names redacted, and which of them changed."""
    changes = {}
    for name in names:
        value = getattr(part, name)
        if value and (public := _redacted(value)) != value:
            changes[name] = public
    return replace(part, **changes) if changes else part, list(changes)


def _redacted(text: str) -> str:
    return _short_redacted(text) if len(text) <= _LONGEST_KEPT else redact_text(text)


_short_redacted = lru_cache(maxsize=1024)(redact_text)  # the runs of a file share their names

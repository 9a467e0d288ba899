"""Runs of SGLang's tools that name neither model nor machine; −1 is what they do not know."""

import json
from collections.abc import Mapping
from typing import Any

from experiments.formats.documents import (
    ModelDocument,
    RunDocument,
    SetupDocument,
    WorkloadDocument,
)
from experiments.formats.figures import Figures
from experiments.formats.numbers import is_number
from experiments.formats.private import hidden_warning, public_settings
from experiments.formats.problems import join_path
from experiments.formats.serving.runs import RunCollector
from hardware.resolution import HardwareFacts

Record = Mapping[str, Any]
Keys = Mapping[str, tuple[str, str, str, str]]
"""By key: metric, statistic, definition, unit."""

FILLS = (
    *("backend", "concurrent_requests", "input_tokens", "output_tokens", "tokens_per_second"),
    *("prompt_processing_speed", "total_tokens_per_second"),
)
LACKS = ("model_name", "quantization", "gpu_model")
_UNKNOWN = -1


def figures_of(
    record: Record, keys: Keys, place: str, *, sample_count: int | None = None
) -> Figures:
    """Return the figures under these keys; −1 is what the tool could not know."""
    figures = Figures(sample_count=sample_count)
    for key, (metric, statistic, definition, unit) in keys.items():
        value = record.get(key)
        if value != _UNKNOWN:
            at = join_path(place, key)
            figures.add(metric, value, unit, at=at, statistic=statistic, definition=definition)
    return figures


def add_run(
    found: RunCollector,
    place: str,
    record: Record,
    tool: str,
    workload: WorkloadDocument,
    figures: Figures,
    *,
    skip: set[str],
) -> None:
    """Add the run of a record whose figures and load are read."""
    settings, hidden = public_settings(record, skip=skip)
    settings = {name: value for name, value in settings.items() if value != _UNKNOWN}
    found.warnings += hidden_warning(place, hidden)
    accepted = settings.get("acc_length")
    speculates = is_number(accepted) and accepted > 1
    shared = [tool, settings.get("run_name"), workload.input_tokens, workload.output_tokens]
    run = RunDocument(
        path=place,
        given_id=None,
        identity_record=record,
        source_records=(record,),
        model=ModelDocument(model_name=None, quantization=None),
        hardware=HardwareFacts(),
        backend="sglang",
        backend_version=None,
        workload=workload,
        setup=SetupDocument(
            settings=settings, speculation="method not stated" if speculates else None
        ),
        measurements=(),
        tool=tool,
        sweep_group=json.dumps(shared),
    )
    found.add(run, figures)

"""Rows of InferenceX turned into runs; rows that differ in concurrency alone are one sweep.

Latencies are in seconds, rates per GPU: `tput_per_gpu` counts prompt and generated tokens. What
all GPUs do together is derived from them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.formats.documents import (
    ModelDocument,
    ParsedFile,
    Problem,
    RunDocument,
    SetupDocument,
)
from experiments.formats.fields import MOST_GPUS
from experiments.formats.figures import Figures
from experiments.formats.inferencex.figures import add_figures, is_figure, ratio_of_lengths
from experiments.formats.inferencex.rows import Gpus, Row, gpu_model, gpus_of
from experiments.formats.loads import ClientLoad, serving_workload
from experiments.formats.model_names import served_model
from experiments.formats.private import hidden_warning, public_settings
from experiments.formats.problems import checked
from experiments.formats.runs import file_of_runs
from hardware.resolution import HardwareFacts

FILLS = (
    *("model_name", "quantization", "backend", "backend_version", "gpu_model", "gpu_count"),
    *("concurrent_requests", "tokens_per_second", "tokens_per_second_per_gpu"),
    *("tokens_per_second_per_user", "total_tokens_per_second", "total_tokens_per_second_per_gpu"),
    *("prompt_processing_speed", "prompt_processing_speed_per_gpu", "ttft_ms", "tpot_ms"),
    *("itl_ms", "e2e_latency_ms", "gpu_power_watts", "joules_per_token"),
)
_STATED = ("model", "framework", "precision", "conc", "isl", "osl")
_NO_SETTINGS = (
    "power_audit", "power_invalid_reasons", "workers", "benchmark_outcome", "request_accounting",
    "server_metrics", "dataset", "recipe_fingerprint", "num_requests_total",
    "num_requests_successful", "run_url",
)  # fmt: skip
# Which of the settings that are left make no difference to speed.
_NO_SPEED = frozenset({"hw", "image", "infmax_model_prefix", "date", "parallelism"})
_ADDRESS = re.compile(r"https://[^\s@]{1,900}")
_NO_LENGTHS = (
    "These rows do not say how long requests were; where the name of the file does (1k8k), give "
    "input_tokens and output_tokens. Runs of other lengths are not comparable."
)
_COUNTED = (
    "Prompt and generated tokens are counted for each GPU that prefills or decodes; how many these "
    "are follows from the total rate."
)
_NOT_COUNTED = (
    "Prompt and generated tokens are counted for each GPU that prefills or decodes; how many these "
    "are is not said, so what all GPUs do together is left out."
)
_TOO_MANY = f"A run uses {MOST_GPUS:,} GPUs at most."
_FAILED = "The benchmark failed; nothing was measured."


@dataclass(frozen=True)
class Source:
    """A row as a format found it: `record` has the keys of the JSON, `origin` is all of it."""

    place: str
    record: Mapping[str, Any]
    origin: Any


def parse_rows(sources: Sequence[Source], problems: Sequence[Problem] = ()) -> ParsedFile:
    """Return a run for each row; raises InvalidFileError with every problem of them."""
    runs: list[RunDocument] = []
    problems = list(problems)
    warnings: list[Problem] = []
    for source in sources:
        row = checked(Row, source.record, source.place, problems)
        if row is None:
            continue
        gpus = gpus_of(row, source.record)
        if gpus.total and gpus.total > MOST_GPUS:
            problems.append(Problem(source.place, _TOO_MANY, gpus.total))
            continue
        figures = Figures(sample_count=row.completed)
        failed = row.completed == 0 or bool(
            row.benchmark_outcome and row.benchmark_outcome.status == "failed"
        )
        if row.completed is not None:
            figures.add_error_rate(row.completed, row.failed, at=source.place)
        if not failed:
            add_figures(figures, source.record, row, gpus, source.place)
        runs.append(_run(source, row, gpus, figures, warnings, failed=failed))
        problems += figures.problems
        warnings += [*figures.warnings, *_about(row, gpus, source.place, failed=failed)]
    if any(not run.workload.configured_input_tokens for run in runs):
        warnings.append(Problem("", _NO_LENGTHS))
    return file_of_runs(runs, warnings, problems, failed=_FAILED)


def _about(row: Row, gpus: Gpus, place: str, *, failed: bool) -> list[Problem]:
    """Return what is to be said of a row beside its figures."""
    if failed:
        return [Problem(place, _FAILED)]
    if gpus.counted_from_rates:
        return [Problem(place, _COUNTED, f"{gpus.prefill} prefill, {gpus.decode} decode")]
    return [Problem(place, _NOT_COUNTED)] if gpus.disaggregated and not gpus.decode else []


def _run(
    source: Source,
    row: Row,
    gpus: Gpus,
    figures: Figures,
    warnings: list[Problem],
    *,
    failed: bool,
) -> RunDocument:
    flags = {key: value for key, value in source.record.items() if not is_figure(key)}
    settings, hidden = public_settings(flags, skip=(*_STATED, *_NO_SETTINGS))
    warnings += hidden_warning(source.place, hidden)
    speed = _speed_settings(settings, row, source.record)
    return RunDocument(
        path=source.place,
        given_id=None,
        identity_record=source.origin,
        source_records=(source.origin,),
        model=_model(row),
        hardware=HardwareFacts(gpu_models=(gpu_model(row.hw),), gpu_count=gpus.total),
        backend=row.framework,
        backend_version=row.version,
        workload=serving_workload(
            ClientLoad(rate=None, limit=row.conc, requests=None),
            input_tokens=None,
            output_tokens=None,
            configured_input_tokens=row.isl or None,
            configured_output_tokens=row.osl or None,
            dataset_name="random" if row.isl else None,
        ),
        setup=SetupDocument(
            tensor_parallel=None if gpus.disaggregated else row.tp or None,
            pipeline_parallel=None if gpus.disaggregated else row.pp or None,
            expert_parallel=None if gpus.disaggregated else row.ep or None,
            speculation=row.speculation,
            settings={**settings, **speed},
            speed_settings=speed,
        ),
        measurements=figures.measurements,
        status="failed" if failed else "completed",
        source_url=_address(source.record.get("run_url")),
        tool="InferenceX",
        sweep_group=repr(
            [
                row.model,
                row.framework,
                row.precision,
                row.isl,
                row.osl,
                row.hw,
                sorted(speed.items()),
            ]
        ),
        extra_names={"hw": row.hw},
    )


def _speed_settings(
    settings: Mapping[str, Any], row: Row, record: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the settings that set configurations apart, switches as booleans.

    Where lengths are not stated, the ratio of prompt to generated tokens tells workloads apart.
    """
    speed = {key: value for key, value in settings.items() if key not in _NO_SPEED}
    switches = {key: getattr(row, key) for key in ("dp_attention", "is_multinode", "disagg")}
    speed |= {key: value for key, value in switches.items() if value is not None}
    ratio = None if row.isl else ratio_of_lengths(record)
    return speed if ratio is None else {**speed, "input_to_output_ratio": ratio}


def _address(value: Any) -> str | None:
    """Return where a row was measured, as its site links it."""
    return value if isinstance(value, str) and _ADDRESS.fullmatch(value) else None


def _model(row: Row) -> ModelDocument:
    """Return the model; of "fp4" and a name that ends in NVFP4, the name says more."""
    model = served_model(row.model)
    named = model.quantization
    exact = named is not None and named.lower().endswith(row.precision.lower())
    return ModelDocument(
        model_name=model.model_name, quantization=named if exact else row.precision
    )

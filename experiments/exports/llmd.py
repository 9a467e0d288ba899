"""Serving runs as llm-d benchmark reports 0.2, one a line of JSON.

The report names a unit with every figure, not how it was computed: a reader knows that by the tool
that measured. So only runs of tools that llm-d itself wraps can be told in it, and of these the
figures whose definition the tool's name stands for. Each report says what was left out of it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC
from typing import Any

from django.db.models.functions import Lower

from experiments.choices import LoadKind, RunStatus
from experiments.exports.citation import Exporting
from experiments.exports.reading import figures_of, runs_of
from experiments.exports.selection import Selection
from experiments.models import Measurement, TestRun
from experiments.redaction import redact_text

VERSION = "0.2"
_TOOLS = {
    "vllm bench serve": "vllm-benchmark",
    "vllm-benchmark": "vllm-benchmark",
    "inference-perf": "inference-perf",
    "inferencemax": "inferencemax",
}
_RATES = {
    "tokens_per_second": ("output_token_rate", "tokens/s"),
    "prompt_processing_speed": ("input_token_rate", "tokens/s"),
    "total_tokens_per_second": ("total_token_rate", "tokens/s"),
    "requests_per_second": ("request_rate", "queries/s"),
}
_LATENCIES = {
    ("ttft_ms", "client"): ("time_to_first_token", "ms"),
    ("e2e_latency_ms", "client"): ("request_latency", "ms"),
    ("tpot_ms", "excl_first"): ("time_per_output_token", "ms/token"),
    ("tpot_ms", "incl_first"): ("normalized_time_per_output_token", "ms/token"),
    ("itl_ms", "all_gaps"): ("inter_token_latency", "ms/token"),
}
_STATISTICS = {"std": "stddev"}
_WHOLE_OF = "of_sent"


def llmd_reports(exporting: Exporting) -> Iterator[bytes]:
    """Yield a report for each run that can be told in one."""
    for run in runs_of(_candidates(exporting.selection), with_samples=False):
        report = _report_of(run)
        if report is not None:
            yield json.dumps(report, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def _candidates(selection: Selection) -> Selection:
    """Return the runs that may be told, found by the database: of many runs few may be."""
    runs = selection.runs.annotate(tool_key=Lower("tool")).filter(
        tool_key__in=_TOOLS,
        load_kind=LoadKind.SERVING,
        status=RunStatus.COMPLETED,
        complete=True,
        hardware__gpu_count__isnull=False,  # the report must name a number
    )
    return replace(selection, runs=runs)


def _report_of(run: TestRun) -> dict[str, Any] | None:
    """Return a candidate as a report, None where its figures cannot be told in one."""
    tool = _TOOLS[(run.tool or "").lower()]
    figures = figures_of(run)
    requests = _requests(run, figures)
    if requests is None:
        return None
    latency, throughput, left_out = _sorted(figures)
    if not latency and not throughput:
        return None
    return {
        "version": VERSION,
        "run": _known(
            {
                "uid": str(run.pk),
                "eid": str(run.sweep_id) if run.sweep_id else None,
                "time": {"start": _start(run)} if run.started_at else None,
                "description": redact_text(run.notes) if run.notes else None,
            }
        ),
        "scenario": {"stack": [_engine(run)], "load": _load(run, tool, left_out)},
        "results": {
            "request_performance": {
                "aggregate": {"requests": requests, "latency": latency, "throughput": throughput}
            }
        },
    }


def _sorted(
    figures: Sequence[Measurement],
) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]], list[str]]:
    """Return latencies, rates, and the names of the figures that fit neither."""
    latency: dict[str, dict[str, Any]] = {}
    throughput: dict[str, dict[str, Any]] = {}
    left_out = []
    for item in figures:
        is_rate = item.metric in _RATES and (item.statistic, item.definition) == (
            "mean",
            "wall_clock",
        )
        place = (
            _RATES[item.metric] if is_rate else _LATENCIES.get((item.metric, item.definition or ""))
        )
        if place is None:
            if (item.metric, item.definition) != ("error_rate", _WHOLE_OF):
                kind = f" ({item.definition})" if item.definition else ""
                left_out.append(f"{item.metric} {item.statistic}{kind}")
            continue
        name, unit = place
        found = (throughput if is_rate else latency).setdefault(name, {"units": unit})
        found[_statistic(item.statistic)] = item.value
    return latency, throughput, left_out


def _statistic(name: str) -> str:
    """Return a statistic as reports name it: p99.9 is p99p9."""
    return _STATISTICS.get(name, name.replace(".", "p"))


def _requests(run: TestRun, figures: Sequence[Measurement]) -> dict[str, Any] | None:
    """Return how many requests there were, as far as their number is known."""
    counts = {
        item.metric: item.sample_count
        for item in figures
        if item.statistic == "mean" and item.sample_count
    }
    completed = counts.get("ttft_ms") or counts.get("e2e_latency_ms") or counts.get("tpot_ms")
    completed = completed or counts.get("tokens_per_second")
    if not completed:
        return None
    failed = next(
        (
            round(item.value * (item.sample_count or 0) / 100)
            for item in figures
            if (item.metric, item.definition) == ("error_rate", _WHOLE_OF)
        ),
        None,
    )
    lengths = {"input_length": run.input_tokens, "output_length": run.output_tokens}
    return {
        "total": completed + (failed or 0),
        **_known({"failures": failed}),
        **{
            name: {"units": "count", "mean": value}
            for name, value in lengths.items()
            if value is not None
        },
    }


def _engine(run: TestRun) -> dict[str, Any]:
    machine = run.hardware
    parallelism = {
        "tp": run.tensor_parallel,
        "pp": run.pipeline_parallel,
        "ep": run.expert_parallel,
    }
    return {
        "metadata": {"schema_version": "0.0.1", "label": "engine"},
        "standardized": {
            "kind": "inference_engine",
            "tool": run.backend,
            **_known({"tool_version": run.backend_version}),
            "role": "aggregate",
            "replicas": 1,
            "model": {"name": run.variant.model_name, "quantization": run.variant.quantization},
            "accelerator": {
                "model": machine.gpu_model,
                "count": machine.gpu_count,
                "parallelism": _known(parallelism),
            },
        },
        "native": {"args": {}},
    }


def _load(run: TestRun, tool: str, left_out: Sequence[str]) -> dict[str, Any]:
    asked = {
        "input_seq_len": run.configured_input_tokens,
        "output_seq_len": run.configured_output_tokens,
    }
    said = f"Left out, for this report cannot tell them: {', '.join(left_out)}." if left_out else ""
    return {
        "metadata": {"schema_version": "0.0.1", **_known({"description": said})},
        "standardized": {
            "tool": tool,
            **_known(
                {
                    "tool_version": run.tool_version,
                    "source": redact_text(run.dataset_name) if run.dataset_name else None,
                    "rate_qps": run.request_rate,
                    "concurrency": run.concurrent_requests,
                }
            ),
            **{
                name: {"distribution": "fixed", "value": value}
                for name, value in asked.items()
                if value
            },
        },
        "native": {"args": {}, "config": {}},
    }


def _start(run: TestRun) -> str | None:
    if run.started_at is None:
        return None
    text = run.started_at.astimezone(UTC).replace(tzinfo=None).isoformat()
    return f"{text}Z" if run.zone_known else text


def _known(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in (None, "", {})}

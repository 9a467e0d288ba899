"""Files that tools write beside their results: no results themselves, and which file to send."""

from collections.abc import Callable, Mapping
from typing import Any

from experiments.formats.content import Content

Record = Mapping[str, Any]


def _requests_of_aiperf(record: Record) -> bool:
    metrics = record.get("metrics")
    return (
        isinstance(record.get("metadata"), dict)
        and isinstance(metrics, dict)
        and bool(metrics)
        and all(isinstance(item, dict) and "value" in item for item in metrics.values())
    )


def _sweep_of_aiperf(record: Record) -> bool:
    about = record.get("metadata")
    nested = about if isinstance(about, dict) else {}
    return "aggregation_type" in record or "aggregation_type" in nested


def _short_llmperf(record: Record) -> bool:
    keys = {"first-time-to-token_mean_in_ms", "throughput_token_per_s"}
    return bool(record) and all(
        isinstance(item, dict) and item.keys() >= keys for item in record.values()
    )


_SIBLINGS: tuple[tuple[Callable[[Record], bool], str], ...] = (
    (
        _requests_of_aiperf,
        "These are AIPerf's records of single requests (profile_export.jsonl), no result; send "
        "profile_export_aiperf.json from the same folder.",
    ),
    (
        lambda record: record.keys() >= {"timestamp_ns", "gpu_index", "telemetry_data"},
        "These are AIPerf's readings of GPUs (gpu_telemetry_export.jsonl), no result; send "
        "profile_export_aiperf.json from the same folder, which holds their means.",
    ),
    (
        _sweep_of_aiperf,
        "This sums up several runs of AIPerf; send profile_export_aiperf.json of each run.",
    ),
    (
        lambda record: isinstance(record.get("timeslices"), list),
        "These are AIPerf's figures by slices of time; send profile_export_aiperf.json.",
    ),
    (
        lambda record: record.keys() >= {"error_code", "ttft_s", "end_to_end_latency_s"},
        "These are llmperf's records of single requests, no result; send the *_summary.json that "
        "was written with them.",
    ),
    (
        _short_llmperf,
        "These are three figures of each llmperf summary, without the model; send the summaries "
        "themselves (*_results.json).",
    ),
)


def what_to_send_instead(content: Content) -> str:
    """Return what a file is and which one to send instead, "" for a file that is no sibling."""
    if not content.looks_like_json:
        return ""
    record = content.first_record
    return next((advice for is_one, advice in _SIBLINGS if is_one(record)), "")

"""What tools write beside their results, and tables made of results: what to send instead."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from experiments.formats.content import Content

_OPTIMUM = (
    "This is the {} of optimum-benchmark alone. Send benchmark.json from the same folder, which "
    "holds config and report."
)
_PUBLISHED = (
    "This is the table of MLPerf results as it is published, with a header over several rows. Send "
    "summary_results.json of that round (mlcommons/inference_results_…), which says the same."
)
Record = Mapping[str, Any]

_SAMPLES = "These are single answers, of which no score is made. Send the {} beside them."
_BUILDS = (
    "The table sets builds side by side; a table of llama-bench ends with one column “t/s”. Send "
    "what llama-bench printed for each build."
)
_COLLECTION = (
    "This is MMLU-Pro's list of runs, without figures by field. Send the *_summary.txt of each."
)
_SUBJECTS = "These are figures by field without a total. Send the *_summary.txt beside them."


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


def _first_entry_has(record: Record, *keys: str) -> bool:
    first = next(iter(record.values()), None)
    return isinstance(first, dict) and first.keys() >= set(keys)


def _report_of_optimum(record: Record) -> bool:
    phases = [record.get(name) for name in ("prefill", "decode", "per_token", "generate")]
    return any(
        isinstance(phase, dict) and phase.keys() >= {"memory", "latency"} for phase in phases
    )


_RECORDS: tuple[tuple[Callable[[Record], bool], str], ...] = (
    (
        lambda record: record.keys() >= {"doc_id", "doc", "target"},
        _SAMPLES.format("results_*.json of lm-evaluation-harness"),
    ),
    (
        lambda record: record.keys() >= {"question_id", "question", "options", "answer"},
        _SAMPLES.format("*_summary.json or *_summary.txt of MMLU-Pro"),
    ),
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
        lambda record: (
            record.keys() >= {"backend", "scenario", "environment"}
            and isinstance(record["backend"], dict)
        ),
        _OPTIMUM.format("config"),
    ),
    (_report_of_optimum, _OPTIMUM.format("report")),
    (
        lambda record: record.keys() >= {"submitter", "system_name", "accelerator_model_name"},
        "This describes a system of MLPerf, without results. Send summary_results.json of the "
        "round, or summary.csv of the submission checker.",
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
        lambda record: _first_entry_has(
            record, "first-time-to-token_mean_in_ms", "throughput_token_per_s"
        ),
        "These are three figures of each llmperf summary, without the model; send the summaries "
        "themselves (*_results.json).",
    ),
    (
        lambda record: _first_entry_has(record, "dps", "pass@1"),
        "These are EvalPerf's figures of how fast generated code runs, no scores of EvalPlus; send "
        "the *_eval_results.json of each model.",
    ),
    (
        lambda record: _first_entry_has(record, "scores", "train_size"),
        "These are RepoQA's scores by threshold, of which none is the total; no format here.",
    ),
)
_STARTS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"[^,\n]+,(?:CoT|DA),[^\n]*,0\.\d+\s*(?:\n|$)"), _COLLECTION),
    (re.compile(r"0(?:,\d+)+\s*\n\s*biology,business,"), _SUBJECTS),
    (re.compile(r"[\s\S]{0,3000}?\bInference\b[\s\S]{0,5000}?Public ID[,\t]"), _PUBLISHED),
)
_LOOKED_AT = 10_000  # characters


def advice(content: Content) -> str:
    """Return what to send instead of a file that no format recognises; "" where nobody knows."""
    if content.looks_like_json:
        record = content.first_record
        return next((text for is_one, text in _RECORDS if is_one(record)), "")
    text = content.text.lstrip()[:_LOOKED_AT]
    if any(map(_compares_builds, text.splitlines())):
        return _BUILDS
    return next((told for pattern, told in _STARTS if pattern.match(text)), "")


def _compares_builds(line: str) -> bool:
    """Tell whether a line heads a table with a column of speeds for each of several builds."""
    cells = line.strip().strip("|").split("|") if line.startswith("|") else ()
    return sum(cell.strip().startswith("t/s ") for cell in cells) > 1

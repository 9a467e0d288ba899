"""GenAI-Perf and AIPerf, JSON of each generation and CSV."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from experiments.formats import detect_format
from experiments.formats.content import decode
from experiments.formats.documents import UnknownFormatError
from tests.experiments.serving import derived, figures, parse, read, refusal, told

JSON, CSV = "genai-perf-json", "genai-perf-csv"


def changed(name: str, **changes: Any) -> bytes:
    return json.dumps(json.loads(read(name)) | changes).encode()


def test_aiperf_reads_each_figure_by_what_it_is() -> None:
    (run,) = parse(read("aiperf_2025.json"), JSON).runs
    found = figures(run)
    assert found["ttft_ms", "mean", "client"] == 36.0
    assert found["ttft_ms", "p99", "first_output_token"] == 1200.0
    assert found["tpot_ms", "p50", "excl_first"] == 18.5
    assert found["itl_ms", "max", "all_gaps"] == 28.0
    assert found["e2e_latency_ms", "p99", "client"] == 4100.0
    assert found["tokens_per_second", "mean", "wall_clock"] == 100.0
    assert found["tokens_per_second_per_user", "p1", "per_request"] == 48.5
    assert found["requests_per_second", "mean", "wall_clock"] == 0.5
    assert found["prompt_processing_speed", "mean", "per_request"] == 2780.0
    assert found["prompt_processing_speed", "mean", "wall_clock"] == 50.0
    assert found["error_rate", "mean", "of_sent"] == 3.125
    assert not any(metric == "itl_ms" and value == 18.6 for (metric, *_), value in found.items())
    assert derived(run)["prompt_processing_speed", "mean", "wall_clock"] == (
        "request_throughput", "input_sequence_length",
    )  # fmt: skip
    assert {item.sample_count for item in run.measurements if item.metric == "ttft_ms"} == {62}


def test_aiperf_counts_each_gpu_that_worked_once() -> None:
    """Two exporters see one GPU, and a third GPU of the machine was idle."""
    parsed = parse(read("aiperf_2025.json"), JSON)
    (run,) = parsed.runs
    assert run.hardware.gpu_models == ("NVIDIA RTX 6000 Ada Generation",) * 2
    assert (run.hardware.gpu_count, run.hardware.gpu_memory_gb) == (2, 48.0)
    assert run.setup.gpu_power_limit_watts == 300.0
    found = figures(run)
    assert found["gpu_power_watts", "mean", "gpu"] == 250.0
    assert found["memory_usage_gb", "mean", None] == pytest.approx(99.0)
    assert found["peak_memory_gb", "mean", "gpu_driver"] == pytest.approx(100.0)
    assert derived(run)["gpu_power_watts", "mean", "gpu"] == ("gpu_power_usage of 2 GPUs",)
    assert [item.value for item in told(parsed, "Several exporters")] == [4]
    assert [item.value for item in told(parsed, "no work")] == [1]


def test_aiperf_without_its_readings_is_the_same_run_and_asks_for_the_machine() -> None:
    record = json.loads(read("aiperf_2025.json"))
    del record["telemetry_data"]
    (bare,) = parse(json.dumps(record).encode(), JSON).runs
    (whole,) = parse(read("aiperf_2025.json"), JSON).runs
    assert bare.identity_record == whole.identity_record
    assert bare.source_records != whole.source_records
    assert bare.hardware.gpu_models == ()
    assert not any(item.metric == "gpu_power_watts" for item in bare.measurements)


def test_aiperf_says_the_load_the_lengths_and_when() -> None:
    (run,) = parse(read("aiperf_2025.json"), JSON).runs
    load = run.workload
    assert (load.load_kind, load.concurrent_requests, load.request_rate) == ("serving", 2, None)
    assert (load.input_tokens, load.output_tokens) == (100.0, 199.5)
    assert (load.configured_input_tokens, load.configured_output_tokens) == (100, 200)
    assert load.dataset_name == "synthetic"
    assert run.model.model_name == "acme-labs/Nimbus-0.6B"
    assert (run.backend, run.model.quantization) == (None, None)
    assert run.started_at == datetime(2025, 11, 7, 13, 38, 54, 793124)
    assert not run.zone_known
    assert (run.tool, run.tool_version) == ("AIPerf", None)


@pytest.mark.parametrize("name", ["aiperf_2025.json", "aiperf_1_3.json", "genai_perf_2024.json"])
def test_secrets_addresses_and_commands_are_hidden(name: str) -> None:
    parsed = parse(read(name), JSON)
    (run,) = parsed.runs
    shown = json.dumps([dict(run.setup.settings), run.notes, dict(run.extra_names)])
    shown += json.dumps([item.as_dict() for item in parsed.warnings])
    for secret in ("not-a-real", "tell me a secret", "10.0.0.5", "vllm.internal", "localhost",
                   "somebody", "node-a", "GPU-1", "aiperf profile"):  # fmt: skip
        assert secret not in shown, secret
    assert told(parsed, "secrets or personal data")


def test_aiperf_schema_1_takes_the_measured_phase_and_keeps_cancelled_runs_apart() -> None:
    parsed = parse(read("aiperf_1_3.json"), JSON)
    (run,) = parsed.runs
    assert (run.status, run.complete) == ("cancelled", False)
    assert told(parsed, "cancelled")[0].path == "was_cancelled"
    assert (run.model.model_name, run.model.quantization) == ("Nimbus-20B", "FP8")
    assert (run.workload.concurrent_requests, run.workload.input_tokens) == (64, None)
    assert run.workload.configured_input_tokens == 1024
    assert run.workload.configured_output_tokens == 256
    assert (run.tool_version, run.started_at) == ("0.11.0", datetime(2026, 9, 3, 8, tzinfo=UTC))
    assert run.zone_known
    found = figures(run)
    # 64 users × 69.12 tok/s would be 4,424: the total is what was measured.
    assert found["tokens_per_second", "mean", "wall_clock"] == 4283.0
    assert found["tokens_per_second_per_user", "mean", "per_request"] == 69.12
    assert ("prompt_processing_speed", "mean", "wall_clock") not in found


def test_phases_of_different_load_leave_it_unknown() -> None:
    record = json.loads(read("aiperf_1_3.json"))
    record["input_config"]["phases"][0]["kind"] = record["input_config"]["phases"][0]["name"] = "a"
    parsed = parse(json.dumps(record).encode(), JSON)
    assert parsed.runs[0].workload.concurrent_requests is None
    assert told(parsed, "load is not known")


def test_genai_perf_of_2024_reads_units_and_flat_arguments() -> None:
    (run,) = parse(read("genai_perf_2024.json"), JSON).runs
    found = figures(run)
    assert found["e2e_latency_ms", "mean", "client"] == 3200.0
    assert found["e2e_latency_ms", "p99", "client"] == 3700.0
    assert found["tpot_ms", "mean", "excl_first"] == 23.5
    assert found["tokens_per_second_per_user", "p50", "per_request_e2e"] == 40.0
    assert (run.model.model_name, run.model.quantization) == ("Nimbus-14B-Instruct", "AWQ")
    assert run.workload.concurrent_requests == 4
    assert (run.workload.input_tokens, run.workload.configured_input_tokens) == (200.1, 200)
    # With an OpenAI server the engine is the default of an option that only Triton uses.
    assert (run.tool, run.backend) == ("GenAI-Perf", None)
    assert "error_rate" not in {metric for metric, *_ in found}


def test_genai_perf_of_2025_reads_sections_and_leaves_out_what_was_not_streamed() -> None:
    parsed = parse(read("genai_perf_2025.json"), JSON)
    (run,) = parsed.runs
    assert run.backend == "vllm"
    load = run.workload
    assert (load.concurrent_requests, load.request_rate, load.load_pattern) == (
        None, 5.0, "constant rate",
    )  # fmt: skip
    found = figures(run)
    assert not {"ttft_ms", "tpot_ms"} & {metric for metric, *_ in found}
    assert {item.path for item in told(parsed, "not streamed")} == {
        "time_to_first_token", "inter_token_latency",
    }  # fmt: skip
    assert found["gpu_power_watts", "mean", "gpu"] == 600.0
    assert found["memory_usage_gb", "mean", None] == 139.0
    assert (run.hardware.gpu_models, run.hardware.gpu_count) == ((), 2)


def test_failures_without_a_count_of_what_was_completed_give_no_rate() -> None:
    record = json.loads(read("aiperf_2025.json"))
    del record["request_count"]
    record["request_throughput"] = {"unit": "requests/min", "avg": 30.0}
    (run,) = parse(json.dumps(record).encode(), JSON).runs
    found = figures(run)
    assert run.status == "completed"
    assert "error_rate" not in {metric for metric, *_ in found}
    assert found["requests_per_second", "mean", "wall_clock"] == 0.5
    assert found["prompt_processing_speed", "mean", "wall_clock"] == 50.0


def test_runs_of_one_file_that_differ_in_load_are_one_sweep() -> None:
    first = json.loads(read("aiperf_2025.json"))
    second = json.loads(read("aiperf_2025.json"))
    second["input_config"]["loadgen"]["concurrency"] = 4
    other = json.loads(read("aiperf_2025.json"))
    other["input_config"]["endpoint"]["type"] = "completions"
    runs = parse(json.dumps([first, second, other]).encode(), JSON).runs
    assert [run.path for run in runs] == ["[0]", "[1]", "[2]"]
    assert runs[0].sweep_group == runs[1].sweep_group != runs[2].sweep_group


def test_a_failed_run_is_refused_alone_and_kept_beside_another() -> None:
    failed = {
        "input_config": {"endpoint": {"model_names": ["nimbus"]}},
        "was_cancelled": False,
        "error_summary": [{"error_details": {"message": "refused"}, "count": 8}],
    }
    (problem,) = refusal(json.dumps(failed).encode(), JSON)
    assert problem.message == "No request was completed; nothing was measured."
    assert problem.value == "8 failed"
    good = json.loads(read("aiperf_2025.json"))
    runs = parse(json.dumps([good, failed]).encode(), JSON).runs
    assert [run.status for run in runs] == ["completed", "failed"]
    assert figures(runs[1]) == {("error_rate", "mean", "of_sent"): 100.0}


@pytest.mark.parametrize(
    ("changes", "place", "words"),
    [
        ({"request_latency": {"avg": 3.0}}, "request_latency.unit", "unit"),
        ({"request_latency": {"unit": "furlongs", "avg": 3.0}}, "request_latency.avg", "furlongs"),
        ({"request_latency": {"unit": "ms", "avg": "3"}}, "request_latency.avg", "number"),
        ({"time_to_first_token": 3.0}, "time_to_first_token", "object"),
        ({"time_to_first_token": {"unit": "ms", "avg": -3.0}}, "time_to_first_token.avg", "above"),
        ({"was_cancelled": "perhaps"}, "was_cancelled", ""),
        ({"start_time": "yesterday"}, "start_time", "time"),
        ({"error_summary": [{"count": -1}]}, "error_summary[0].count", "0 or more"),
        ({"telemetry_data": {"endpoints": [1]}}, "telemetry_data.endpoints", "object"),
    ],
)
def test_wrong_values_are_named_with_their_place(
    changes: dict[str, Any], place: str, words: str
) -> None:
    problems = refusal(changed("aiperf_2025.json", **changes), JSON)
    assert place in [item.path for item in problems]
    assert any(words in item.message for item in problems if item.path == place)


def test_csv_of_aiperf_reads_stacked_tables_with_units_and_separators() -> None:
    assert b"\r\n" in read("aiperf.csv")
    parsed = parse(read("aiperf.csv"), CSV)
    (run,) = parsed.runs
    found = figures(run)
    assert found["tpot_ms", "p50", "excl_first"] == 18.52
    assert found["e2e_latency_ms", "std", "client"] == 90.0
    assert found["tokens_per_second_per_user", "mean", "per_request"] == 1053.68
    assert found["tokens_per_second", "mean", "wall_clock"] == 100.65
    assert (run.workload.input_tokens, run.workload.output_tokens) == (100.0, 199.97)
    assert (run.workload.concurrent_requests, run.model.model_name) == (None, None)
    assert run.hardware.gpu_models == ("NVIDIA RTX 6000 Ada Generation",)
    assert found["gpu_power_watts", "mean", "gpu"] == 129.89
    assert run.tool == "AIPerf"
    assert all(item.context.get("rounded") for item in run.measurements if item.metric == "ttft_ms")
    assert "test-host" not in repr(run.setup)


def test_csv_of_genai_perf_reads_rates_per_second_and_lengths_without_unit() -> None:
    (run,) = parse(read("genai_perf.csv"), CSV).runs
    found = figures(run)
    assert found["e2e_latency_ms", "p99", "client"] == 3700.0
    assert found["tokens_per_second", "mean", "wall_clock"] == 160.4
    assert found["requests_per_second", "mean", "wall_clock"] == 1.25
    assert (run.workload.output_tokens, run.tool) == (128.3, "GenAI-Perf")


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("36.46", "fast", "line 7: avg"),
        ("Time to First Token (ms)", "Time to First Token", "time_to_first_token.unit"),
        ("Request Count,64.00", "Request Count,64.00,1", "line 11"),
        ("Request Count", "Inter Token Latency (ms)", "line 11"),
    ],
)
def test_csv_names_the_line_of_a_wrong_cell(old: str, new: str, place: str) -> None:
    data = read("aiperf.csv").decode().replace(old, new).encode()
    assert place in [item.path for item in refusal(data, CSV)]


def test_csv_with_headers_alone_measured_nothing() -> None:
    (problem,) = refusal(b"Metric,avg,min\r\n\r\nMetric,Value\r\n", CSV)
    assert "nothing was measured" in problem.message


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"metadata": {}, "metrics": {"ttft": {"value": 1, "unit": "ms"}}}, "single requests"),
        ({"timestamp_ns": 1, "gpu_index": 0, "telemetry_data": {}}, "readings of GPUs"),
        ({"aggregation_type": "sweep", "per_combination_metrics": []}, "each run"),
        ({"metadata": {"aggregation_type": "confidence"}, "metrics": {}}, "each run"),
        ({"timeslices": [], "input_config": {}}, "slices of time"),
    ],
)
def test_what_lies_beside_results_is_refused_with_what_to_send(
    record: dict[str, Any], words: str
) -> None:
    with pytest.raises(UnknownFormatError) as caught:
        detect_format(decode(json.dumps(record).encode()))
    assert words in caught.value.problems[0].message
    assert "profile_export_aiperf.json" in caught.value.problems[0].message


def test_readings_beyond_reason_are_refused_or_say_nothing() -> None:
    record = json.loads(read("aiperf_2025.json"))
    gpus = record["telemetry_data"]["endpoints"]["localhost:9400"]["gpus"]
    gpus["gpu_0"]["metrics"]["gpu_memory_total"]["avg"] = 1e308
    (run,) = parse(json.dumps(record).encode(), JSON).runs
    assert run.hardware.gpu_memory_gb is None
    gpus |= {f"gpu_{n}": gpus["gpu_1"] | {"gpu_uuid": f"GPU-{n}"} for n in range(3, 40_000)}
    (problem,) = refusal(json.dumps(record).encode(), JSON)
    assert (problem.path, problem.message) == ("telemetry_data", "A run uses 32,767 GPUs at most.")

"""Files of vLLM's benchmarks: generations of keys, loads, failures, what is private."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from experiments.formats.documents import InvalidFileError, RunDocument, UnknownFormatError
from experiments.ingest.keys import run_ids, settings_key
from tests.experiments.parsed import figures, parsed, sample


def serve(**changes: Any) -> dict[str, Any]:
    """Return a result of vllm bench serve; None takes a key away."""
    record = sample("vllm_serve.json") | changes
    return {key: value for key, value in record.items() if value is not None or key == "label"}


def only_run(source: Any, format_name: str = "vllm-bench-serve") -> RunDocument:
    (run,) = parsed(source, format_name=format_name).runs
    return run


def test_vllm_serve_gives_each_quantity_under_its_own_metric() -> None:
    record = sample("vllm_serve.json")
    run = only_run(record)
    found = figures(run)
    assert found[("tokens_per_second", "mean", "wall_clock")] == record["output_throughput"]
    assert (
        found[("total_tokens_per_second", "mean", "wall_clock")] == record["total_token_throughput"]
    )
    assert found[("tokens_per_second", "max", "busiest_second")] == pytest.approx(
        record["max_output_tokens_per_s"]
    )
    assert found[("requests_per_second", "mean", "wall_clock")] == record["request_throughput"]
    assert found[("ttft_ms", "p99", "client")] == record["p99_ttft_ms"]
    assert found[("tpot_ms", "p50", "excl_first")] == record["median_tpot_ms"]
    assert found[("itl_ms", "std", "all_gaps")] == record["std_itl_ms"]
    assert found[("e2e_latency_ms", "mean", "client")] == record["mean_e2el_ms"]
    assert found[("error_rate", "mean", "of_sent")] == 0
    prompt = next(m for m in run.measurements if m.metric == "prompt_processing_speed")
    assert prompt.value == record["total_input_tokens"] / record["duration"]
    assert prompt.derived_from == ("total_input_tokens", "duration")
    assert not [metric for metric, _s, _d in found if "per_user" in metric or "per_gpu" in metric]


def test_vllm_serve_names_neither_engine_nor_gpu() -> None:
    """Its "backend" is the protocol of the client."""
    run = only_run(serve(backend="vllm"))
    assert (run.backend, run.backend_version, run.hardware.gpu_models) == (None, None, ())
    assert (run.model.model_name, run.model.quantization) == ("Nimbus-14B", "FP8")
    assert run.extra_names == {"model_id": "acme-labs/Nimbus-14B-FP8"}
    assert run.setup.settings["backend"] == "vllm"
    assert run.started_at == datetime(2026, 11, 2, 14, 15)
    assert not run.zone_known


@pytest.mark.parametrize(
    ("changes", "concurrency", "rate", "pattern"),
    [
        ({}, 8, None, None),
        ({"max_concurrency": None}, 80, None, "all at once"),
        ({"request_rate": 0.5, "max_concurrency": None}, None, 0.5, "Poisson arrivals"),
        ({"request_rate": "2"}, None, 2.0, "Poisson arrivals, at most 8 in flight"),
        (
            {"request_rate": 1.5, "burstiness": 0.7, "max_concurrency": None},
            None,
            1.5,
            "gamma arrivals, burstiness 0.7",
        ),
        (
            {
                "ramp_up_strategy": "linear",
                "ramp_up_start_rps": 1,
                "ramp_up_end_rps": 9,
                "max_concurrency": None,
            },
            None,
            None,
            "linear ramp-up from 1 to 9 req/s",
        ),
    ],
)
def test_vllm_serve_load_is_what_the_client_did(
    changes: dict[str, Any], concurrency: int | None, rate: float | None, pattern: str | None
) -> None:
    workload = only_run(serve(**changes)).workload
    assert workload.load_kind == "serving"
    assert (workload.concurrent_requests, workload.request_rate) == (concurrency, rate)
    assert workload.load_pattern == pattern


def test_vllm_serve_limit_above_the_requests_is_no_load() -> None:
    found = parsed(serve(max_concurrency=128), format_name="vllm-bench-serve")
    workload = found.runs[0].workload
    assert (workload.concurrent_requests, workload.load_pattern) == (80, "all at once")
    assert [(warning.path, warning.value) for warning in found.warnings] == [
        ("max_concurrency", 128)
    ]


def test_vllm_serve_appended_results_of_old_and_new_versions() -> None:
    found = parsed("vllm_serve_appended.json", format_name="vllm-bench-serve")
    old, new = found.runs
    assert (old.path, new.path) == ("line 1", "line 2")
    assert figures(old)[("error_rate", "mean", "of_sent")] == 0  # num_prompts − completed
    assert figures(new)[("error_rate", "mean", "of_sent")] == 5
    assert figures(new)[("ttft_ms", "p99.9", "client")] == 190.5
    assert figures(new)[("ttft_ms", "p50", "client")] == pytest.approx(116.4)  # told twice
    assert (new.setup.tensor_parallel, new.hardware.gpu_count) == (2, 2)
    (hidden,) = found.warnings
    assert (hidden.path, hidden.value) == ("line 1", "generated_texts")
    assert "Once upon a time" not in repr(found)


@pytest.mark.parametrize("key", ["request_goodput", "request_goodput:"])
def test_vllm_serve_goodput_under_either_spelling(key: str) -> None:
    run = only_run(serve(request_goodput=None) | {key: 2.25})
    assert figures(run)[("goodput_requests_per_second", "mean", "wall_clock")] == 2.25


def test_vllm_serve_detailed_result_is_the_same_run() -> None:
    plain = sample("vllm_serve.json")
    detailed = plain | {"ttfts": [0.1, 0.2], "itls": [[float("nan")]], "errors": ["", "x"]}
    assert run_ids([only_run(plain)]) == run_ids([only_run(json.dumps(detailed))])
    assert only_run(plain).source_records == only_run(json.dumps(detailed)).source_records


def test_vllm_serve_sweep_is_a_curve_for_each_setting_of_the_server() -> None:
    found = parsed("vllm_sweep_summary.json", format_name="vllm-bench-serve")
    by_group: dict[str | None, list[RunDocument]] = {}
    for run in found.runs:
        by_group.setdefault(run.sweep_group, []).append(run)
    assert sorted(len(runs) for runs in by_group.values()) == [4, 5]
    assert len({settings_key(run.setup) for run in found.runs}) == 2
    assert {run.setup.settings["max_num_seqs"] for run in found.runs} == {64, 128}
    first, repeated = found.runs[:2]
    assert first.setup.speed_settings == repeated.setup.speed_settings == {"max_num_seqs": 64}
    assert first.workload.configured_input_tokens == 1024
    assert (first.workload.input_tokens, first.workload.output_tokens) == (1024, 256)


def test_vllm_serve_failed_run_of_a_sweep_is_kept_as_failed() -> None:
    found = parsed("vllm_sweep_summary.json", format_name="vllm-bench-serve")
    assert [run.status for run in found.runs] == ["completed"] * 8 + ["failed"]
    assert figures(found.runs[-1]) == {("error_rate", "mean", "of_sent"): 100}
    assert [warning.path for warning in found.warnings] == ["[8]"]


def test_vllm_serve_all_failed_is_refused() -> None:
    """TTFT 0 would win every ranking."""
    (*_others, failed) = sample("vllm_sweep_summary.json")
    with pytest.raises(InvalidFileError) as refused:
        parsed(failed, format_name="vllm-bench-serve")
    (problem,) = refused.value.problems
    assert (problem.path, problem.value) == ("completed", 0)
    assert "all 80 requests failed" in problem.message


def test_vllm_serve_curves_of_other_lengths_are_other_curves() -> None:
    """Configured lengths are not in the file: mean ones tell the settings apart."""
    long = serve(total_input_tokens=80 * 4096, date="20261102-150000")
    near = serve(total_input_tokens=80 * 1100, max_concurrency=16)
    groups = [
        run.sweep_group
        for run in parsed([serve(), long, near], format_name="vllm-bench-serve").runs
    ]
    assert groups[0] == groups[2] != groups[1]


def test_vllm_serve_with_chosen_metrics_only() -> None:
    """--percentile-metrics leaves others out; pooling models have no tokens to wait for."""
    record = {k: v for k, v in serve().items() if not k.endswith(("ttft_ms", "tpot_ms", "itl_ms"))}
    run = only_run(record)
    assert {m.metric for m in run.measurements} >= {"e2e_latency_ms", "tokens_per_second"}
    assert "ttft_ms" not in {m.metric for m in run.measurements}


def test_vllm_serve_zeros_and_nan_are_no_figures() -> None:
    record = json.dumps(serve(mean_tpot_ms=float("nan"), mean_itl_ms=0.0))
    found = parsed(record, format_name="vllm-bench-serve")
    assert ("tpot_ms", "mean", "excl_first") not in figures(found.runs[0])
    assert {warning.path for warning in found.warnings} == {"mean_tpot_ms", "mean_itl_ms"}


@pytest.mark.parametrize(
    ("model_id", "tokenizer_id", "name", "quantization"),
    [
        ("$MODEL", "acme/Nimbus-7B", "acme/Nimbus-7B", None),
        ("/home/jane/models/Nimbus-7B-AWQ", None, "Nimbus-7B", "AWQ"),
        ("qwen38-nvfp4", "$MODEL", "qwen38", "NVFP4"),
        ("$MODEL", "$MODEL", None, None),
    ],
)
def test_vllm_serve_model_names(
    model_id: str, tokenizer_id: str | None, name: str | None, quantization: str | None
) -> None:
    found = parsed(
        serve(model_id=model_id, tokenizer_id=tokenizer_id), format_name="vllm-bench-serve"
    )
    model = found.runs[0].model
    assert (model.model_name, model.quantization) == (name, quantization)
    assert "jane" not in repr((found.runs[0].setup, found.runs[0].extra_names, found.warnings))


def test_vllm_serve_metadata_are_settings_and_tell_secrets_to_nobody() -> None:
    record = serve(
        tensor_parallel_size="4",
        enable_prefix_caching="false",
        api_key="sk-very-secret",
        host="10.1.2.3",
        run_id="7",
        benchmark_start_time_unix=1_793_000_000.5,
    )
    found = parsed(record, format_name="vllm-bench-serve")
    (run,) = found.runs
    assert run.setup.speed_settings == {
        "tensor_parallel_size": "4",
        "enable_prefix_caching": "false",
    }
    assert run.setup.settings["run_id"] == "7"
    assert [warning.value for warning in found.warnings] == ["api_key, host"]
    assert "very-secret" not in repr((run.setup, run.extra_names, found.warnings))
    assert (run.started_at, run.zone_known) == (
        datetime.fromtimestamp(1_793_000_000.5, tz=UTC),
        True,
    )


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"completed": -1}, "completed", "must be 0 or more"),
        ({"completed": True}, "completed", "not true or false"),
        ({"request_rate": 0}, "request_rate", 'requests per second above 0, or "inf"'),
        ({"request_rate": "fast"}, "request_rate", 'requests per second above 0, or "inf"'),
        ({"request_rate": [1]}, "request_rate", 'requests per second above 0, or "inf"'),
        ({"max_concurrency": 0}, "max_concurrency", "must be 1 or more"),
        ({"mean_ttft_ms": -5.0}, "mean_ttft_ms", "above 0"),
        ({"output_throughput": "12"}, "output_throughput", "A number is needed"),
        ({"total_input_tokens": 10**20}, "total_input_tokens", "below"),
    ],
)
def test_vllm_serve_impossible_values_are_named(
    changes: dict[str, Any], path: str, words: str
) -> None:
    with pytest.raises(InvalidFileError) as refused:
        parsed([serve(), serve(**changes)], format_name="vllm-bench-serve")
    assert [problem.path for problem in refused.value.problems] == [f"[1].{path}"]
    assert words in refused.value.problems[0].message


def test_vllm_serve_wrong_date_is_a_warning() -> None:
    found = parsed(serve(date="yesterday"), format_name="vllm-bench-serve")
    assert found.runs[0].started_at is None
    assert [warning.path for warning in found.warnings] == ["date"]


def test_vllm_pytorch_benchmark_files_are_another_format() -> None:
    metric = {"name": "Median TTFT", "benchmark_values": [12.5]}
    record = {"benchmark": {"name": "vLLM"}, "model": {"name": "acme/x"}, "metric": metric}
    with pytest.raises(UnknownFormatError):
        parsed([record], format_name="")


def test_vllm_latency_is_that_of_a_whole_batch_in_seconds() -> None:
    run = only_run("vllm_latency.json", "vllm-bench-latency")
    found = figures(run)
    assert found[("e2e_latency_ms", "mean", "whole_batch")] == 1500
    assert found[("e2e_latency_ms", "p99", "whole_batch")] == pytest.approx(1519.6)
    assert {metric for metric, _s, _d in found} == {"e2e_latency_ms"}
    assert {item.sample_count for item in run.measurements} == {3}
    assert (run.workload.load_kind, run.workload.batch_size) == ("batch", None)
    assert (run.model.model_name, run.backend) == (None, None)


def test_vllm_latency_without_samples_has_no_count_and_with_one_no_percentiles() -> None:
    record = sample("vllm_latency.json")
    without = only_run(record | {"latencies": []}, "vllm-bench-latency")
    assert {item.sample_count for item in without.measurements} == {None}
    assert len(without.measurements) == 7
    single = only_run(record | {"latencies": [1.5]}, "vllm-bench-latency")
    assert [item.statistic for item in single.measurements] == ["mean"]


def test_vllm_latency_takes_what_a_script_noted() -> None:
    record = sample("vllm_latency.json") | {"batch_size": 8, "input_len": 128, "output_len": 64}
    workload = only_run(record, "vllm-bench-latency").workload
    assert (workload.batch_size, workload.concurrent_requests) == (8, 8)
    assert (workload.input_tokens, workload.output_tokens) == (128, 64)


def test_vllm_throughput_counts_in_and_out_together() -> None:
    run = only_run("vllm_throughput.json", "vllm-bench-throughput")
    found = figures(run)
    assert found[("total_tokens_per_second", "mean", "wall_clock")] == 5760
    assert found[("tokens_per_second", "mean", "wall_clock")] == 640
    assert found[("requests_per_second", "mean", "wall_clock")] == 5
    workload = run.workload
    assert (workload.load_kind, workload.concurrent_requests) == ("batch", 100)
    assert (workload.input_tokens, workload.output_tokens) == (1024, 128)


@pytest.mark.parametrize(("output", "speed"), [(128, 640.0), (100, None)])
def test_vllm_throughput_derives_no_speed_from_lengths_that_do_not_add_up(
    output: int, speed: float | None
) -> None:
    record = sample("vllm_throughput.json")
    for key in ("total_prompt_tokens", "total_output_tokens", "output_tokens_per_second"):
        del record[key]
    run = only_run(record | {"input": 1024, "ouput": output}, "vllm-bench-throughput")
    assert figures(run).get(("tokens_per_second", "mean", "wall_clock")) == speed
    assert run.workload.output_tokens == (output if speed else None)

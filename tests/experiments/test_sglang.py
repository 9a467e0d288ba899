"""Files of SGLang's benchmarks: load, server, lengths drawn at random, batches."""

import json
import math
from typing import Any

import pytest

from experiments.formats.documents import InvalidFileError, ParsedFile
from tests.experiments.parsed import figures, parsed, sample

SERVING = "sglang-bench-serving"


def serving(*records: dict[str, Any]) -> ParsedFile:
    return parsed("\n".join(json.dumps(record) for record in records), format_name=SERVING)


def record(number: int = 0, **changes: Any) -> dict[str, Any]:
    """Return a line of the sample, changed."""
    line: dict[str, Any] = sample("sglang_serving.jsonl")[number]
    return line | changes


def test_sglang_serving_reads_each_line_as_a_run() -> None:
    found = parsed("sglang_serving.jsonl", format_name=SERVING)
    assert [run.path for run in found.runs] == [f"line {number}" for number in range(1, 6)]
    first = record()
    run = found.runs[0]
    of_run = figures(run)
    assert of_run[("tokens_per_second", "mean", "wall_clock")] == first["output_throughput"]
    assert of_run[("prompt_processing_speed", "mean", "wall_clock")] == first["input_throughput"]
    assert of_run[("total_tokens_per_second", "mean", "wall_clock")] == first["total_throughput"]
    assert of_run[("ttft_ms", "p99", "client")] == first["p99_ttft_ms"]
    assert of_run[("e2e_latency_ms", "p50", "client")] == first["median_e2e_latency_ms"]
    assert of_run[("itl_ms", "p95", "gaps_by_token")] == pytest.approx(first["p95_itl_ms"])
    assert not any(metric == "error_rate" for metric, _s, _d in of_run)  # failures are not told


def test_sglang_server_says_model_version_and_gpus() -> None:
    run = parsed("sglang_serving.jsonl", format_name=SERVING).runs[0]
    assert (run.model.model_name, run.model.quantization) == ("Nimbus-70B", "FP8")
    assert (run.backend, run.backend_version) == ("sglang", "0.5.3")
    assert (run.hardware.gpu_count, run.hardware.gpu_models) == (4, ())
    assert (run.setup.tensor_parallel, run.setup.kv_cache_type) == (4, "fp8_e5m2")
    assert run.setup.speculation == "EAGLE, 3 steps, 4 draft tokens"
    assert run.setup.speed_settings["server_info.disable_radix_cache"] is True
    memory = next(item for item in run.measurements if item.metric == "memory_usage_gb")
    assert memory.value == pytest.approx((17.5 + 40 + 0.5) * 4 * 2**30 / 1e9)
    assert memory.derived_from == ("memory_usage of one GPU", "GPUs used")


def test_sglang_secrets_are_kept_from_everybody_and_named() -> None:
    found = parsed("sglang_serving.jsonl", format_name=SERVING)
    documents = [(run.setup, run.model, run.extra_names, run.measurements) for run in found.runs]
    shown = repr((documents, found.warnings))
    for private in ("very-secret", "more-secret", "10.1.2.3", "jane"):
        assert private not in shown
    (told,) = (warning for warning in found.warnings if warning.path == "line 1")
    assert told.value == (
        "server_info.admin_api_key, server_info.api_key, server_info.host, server_info.model_path"
    )


def test_sglang_prefill_and_decode_on_servers_of_their_own() -> None:
    run = parsed("sglang_serving.jsonl", format_name=SERVING).runs[2]
    assert (run.backend, run.backend_version) == ("sglang", "0.5.3 / 0.5.4")
    assert run.hardware.gpu_count == 2 + 4 + 4
    assert run.setup.tensor_parallel is None  # 2 and 4
    assert run.setup.settings["prefill.0.tp_size"] == 2
    assert run.setup.settings["decode.1.tp_size"] == 4
    assert (run.model.model_name, run.model.quantization) == ("acme-labs/Nimbus-70B", "fp8")
    assert not any(item.metric == "memory_usage_gb" for item in run.measurements)


def test_sglang_lengths_are_those_that_were_drawn() -> None:
    """random_range_ratio 0 draws from 0 to the configured length."""
    found = parsed("sglang_serving.jsonl", format_name=SERVING)
    workload = found.runs[0].workload
    assert (workload.input_tokens, workload.output_tokens) == (262.1, 65.9)
    assert (workload.configured_input_tokens, workload.configured_output_tokens) == (512, 128)
    told = [warning for warning in found.warnings if warning.path == "line 1: total_input_tokens"]
    assert "262.1 input tokens on average, not the 512 configured" in told[0].message


def test_sglang_tokens_counted_again_are_compared() -> None:
    counted = record()["total_output_tokens"]
    few = record(total_output_tokens_retokenized=counted // 2)
    (warning,) = (w for w in serving(few).warnings if w.path.endswith("retokenized"))
    assert warning.value == counted // 2
    run = serving(few).runs[0]
    assert run.workload.output_tokens == counted / few["completed"]


@pytest.mark.parametrize(
    ("changes", "concurrency", "rate", "pattern"),
    [
        ({"request_rate": math.inf}, 1, None, None),
        ({"max_concurrency": None}, 10, None, "all at once"),
        ({"request_rate": 2.5, "max_concurrency": None}, None, 2.5, "Poisson arrivals"),
        ({"request_rate": "trace", "max_concurrency": None}, None, None, "timestamps of a trace"),
    ],
)
def test_sglang_load(
    changes: dict[str, Any], concurrency: int | None, rate: float | None, pattern: str | None
) -> None:
    workload = serving(record(**changes)).runs[0].workload
    assert (workload.concurrent_requests, workload.request_rate) == (concurrency, rate)
    assert workload.load_pattern == pattern


@pytest.mark.parametrize(
    ("backend", "engine", "definition"),
    [
        ("sglang", "sglang", "gaps_by_token"),
        ("sglang-oai", "sglang", "all_gaps"),
        ("vllm", "vllm", "all_gaps"),
        ("lmdeploy-chat", "lmdeploy", "all_gaps"),
        ("gserver", None, "all_gaps"),
    ],
)
def test_sglang_without_server_info_takes_the_engine_that_the_client_called(
    backend: str, engine: str | None, definition: str
) -> None:
    run = serving(record(backend=backend, server_info=None)).runs[0]
    assert (run.backend, run.backend_version) == (engine, None)
    assert ("itl_ms", "mean", definition) in figures(run)
    assert (run.model.model_name, run.hardware.gpu_count) == (None, None)


def test_sglang_accepted_drafts_tell_of_speculation() -> None:
    run = serving(record(server_info=None, accept_length=2.7)).runs[0]
    assert run.setup.speculation == "method not stated"


def test_sglang_null_quantization_may_still_be_a_quantized_checkpoint() -> None:
    info = record()["server_info"] | {"model_path": "acme/Nimbus-70B", "dtype": "bfloat16"}
    assert serving(record(server_info=info)).runs[0].model.quantization is None


def test_sglang_one_curve_for_each_server() -> None:
    found = parsed("sglang_serving.jsonl", format_name=SERVING)
    groups = [run.sweep_group for run in found.runs]
    assert groups[0] == groups[1]
    assert len(set(groups)) == 4


def test_sglang_data_parallel_attention_shares_its_gpus() -> None:
    info = record()["server_info"] | {"tp_size": 8, "dp_size": 8}
    shared = serving(record(server_info=info | {"enable_dp_attention": True})).runs[0]
    replicas = serving(record(server_info=info)).runs[0]
    assert (shared.hardware.gpu_count, replicas.hardware.gpu_count) == (8, 64)


def test_sglang_all_failed_is_refused() -> None:
    with pytest.raises(InvalidFileError) as refused:
        serving(record(completed=0, total_output_tokens=0))
    assert "Nothing was measured" in refused.value.problems[0].message


@pytest.mark.parametrize("info", [{}, [], "down", {"internal_states": [1]}, {"tp_size": "four"}])
def test_sglang_odd_server_info_is_no_defect(info: Any) -> None:
    run = serving(record(server_info=info)).runs[0]
    assert run.hardware.gpu_count is None


def test_sglang_one_batch_inside_the_engine() -> None:
    found = parsed("sglang_one_batch.jsonl", format_name="sglang-one-batch")
    lines = sample("sglang_one_batch.jsonl")
    run, line = found.runs[1], lines[1]
    of_run = figures(run)
    assert of_run[("ttft_ms", "mean", "whole_batch")] == line["prefill_latency"] * 1000
    assert of_run[("prompt_processing_speed", "mean", "prefill")] == line["prefill_throughput"]
    assert of_run[("itl_ms", "p50", "decode_steps")] == line["median_decode_latency"] * 1000
    assert of_run[("tokens_per_second", "p50", "decode")] == line["median_decode_throughput"]
    assert of_run[("e2e_latency_ms", "mean", "whole_batch")] == line["total_latency"] * 1000
    assert of_run[("total_tokens_per_second", "mean", "wall_clock")] == line["overall_throughput"]
    mean = next(
        m for m in run.measurements if m.identity == ("tokens_per_second", "mean", "decode")
    )
    assert mean.value == pytest.approx(line["median_decode_throughput"])  # all steps took as long
    assert mean.derived_from is not None
    assert run.backend == "sglang"
    assert (run.workload.load_kind, run.workload.batch_size) == ("batch", 8)
    assert (run.workload.input_tokens, run.workload.output_tokens) == (512, 32)
    assert found.runs[0].sweep_group == run.sweep_group != found.runs[2].sweep_group


def test_sglang_one_batch_of_one_token_decodes_nothing() -> None:
    run = parsed("sglang_one_batch.jsonl", format_name="sglang-one-batch").runs[2]
    assert not any(item.metric in ("tokens_per_second", "itl_ms") for item in run.measurements)


def test_sglang_one_batch_through_a_server_by_version() -> None:
    found = parsed("sglang_one_batch_server.jsonl", format_name="sglang-one-batch")
    new, old, one_token = (figures(run) for run in found.runs)
    assert new[("tokens_per_second", "mean", "decode")] == 1066.67
    assert new[("ttft_ms", "mean", "whole_batch")] == 400
    assert old[("tokens_per_second", "mean", "wall_clock")] == 400
    assert not any(metric == "tokens_per_second" for metric, _s, _d in one_token)
    assert "acc_length" not in found.runs[0].setup.settings  # −1 is not known
    assert found.runs[2].setup.speculation == "method not stated"


def test_sglang_offline_throughput() -> None:
    (run,) = parsed("sglang_offline.jsonl", format_name="sglang-offline-throughput").runs
    of_run = figures(run)
    assert of_run == {
        ("requests_per_second", "mean", "wall_clock"): 5,
        ("prompt_processing_speed", "mean", "wall_clock"): 5120,
        ("tokens_per_second", "mean", "wall_clock"): 640,
        ("total_tokens_per_second", "mean", "wall_clock"): 5760,
    }
    assert "last_gen_throughput" not in run.setup.settings
    assert run.workload.load_kind == "batch"
    assert (run.workload.input_tokens, run.workload.output_tokens) == (1024, 128)

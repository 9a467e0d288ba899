"""The table that serving benchmarks print: both tools, logs around it, scripts that wrap it."""

import json

import pytest

from experiments.formats.documents import InvalidFileError, UnknownFormatError
from tests.experiments.parsed import SAMPLES, figures, parsed, sample

NAME = "serving-console"
VLLM = (SAMPLES / "serving_console_vllm.txt").read_text(encoding="utf-8")
SGLANG = (SAMPLES / "serving_console_sglang.txt").read_text(encoding="utf-8")


def test_console_of_vllm() -> None:
    found = parsed("serving_console_vllm.txt", format_name=NAME)
    (run,) = found.runs
    of_run = figures(run)
    assert run.tool == "vllm bench serve"
    assert run.path == "line 4"
    assert run.backend is None
    assert (run.model.model_name, run.model.quantization) == ("Nimbus-14B", "FP8")
    assert of_run[("tokens_per_second", "mean", "wall_clock")] == 840.76
    assert of_run[("total_tokens_per_second", "mean", "wall_clock")] == 4203.79
    assert of_run[("tpot_ms", "p99", "excl_first")] == 12.6
    assert of_run[("error_rate", "mean", "of_sent")] == 2.5
    workload = run.workload
    assert (workload.concurrent_requests, workload.dataset_name) == (8, "random")
    assert (workload.input_tokens, workload.configured_input_tokens) == (1024, 1024)
    assert "very-secret" not in repr(found)


def test_console_of_sglang_is_told_by_its_own_lines() -> None:
    (run,) = parsed("serving_console_sglang.txt", format_name=NAME).runs
    of_run = figures(run)
    assert (run.tool, run.backend) == ("sglang.bench_serving", "sglang")
    assert run.model.model_name is None
    assert of_run[("tokens_per_second", "mean", "wall_clock")] == 116.09
    assert of_run[("prompt_processing_speed", "mean", "wall_clock")] == 116.09
    assert of_run[("e2e_latency_ms", "p90", "client")] == 35294.13
    assert of_run[("itl_ms", "max", "gaps_by_token")] == 14.6
    assert (run.workload.concurrent_requests, run.workload.input_tokens) == (1, 4096)


def test_console_wrapped_by_a_script_skips_what_failed() -> None:
    found = parsed("serving_console_wrapped.json", format_name=NAME)
    assert [run.path for run in found.runs] == ["[0].raw_output line 4"]
    assert [warning.path for warning in found.warnings] == ["[1].raw_output"]
    plain = parsed("serving_console_vllm.txt", format_name=NAME)
    assert found.runs[0].identity_record == plain.runs[0].identity_record
    (single,) = sample("serving_console_wrapped.json")[:1]
    assert len(parsed(single, format_name=NAME).runs) == 1


@pytest.mark.parametrize(
    "log",
    [
        "[2026-11-02] [INFO] starting\n" + VLLM,
        '{"event": "start"}\n' + VLLM,
        VLLM.replace("\n", "\r\n"),
        VLLM.replace("Successful", "\x1b[32mSuccessful"),
    ],
)
def test_console_within_a_log(log: str) -> None:
    assert figures(parsed(log, format_name=NAME).runs[0]) == figures(
        parsed(VLLM, format_name=NAME).runs[0]
    )


def test_console_of_several_runs_is_one_curve() -> None:
    faster = VLLM.replace(
        "request concurrency:             8", "request concurrency:             16"
    )
    runs = parsed(VLLM + "\n" + faster, format_name=NAME).runs
    assert [run.workload.concurrent_requests for run in runs] == [8, 16]
    assert runs[0].sweep_group == runs[1].sweep_group


def test_console_that_was_cut_off_is_not_complete() -> None:
    cut = VLLM[: VLLM.index("---------------Inter")]
    found = parsed(cut + "\n" + VLLM, format_name=NAME)
    assert [run.complete for run in found.runs] == [False, True]
    assert [warning.path for warning in found.warnings] == ["line 4"]


@pytest.mark.parametrize(
    ("log", "path", "words"),
    [
        ("===== Serving Benchmark Result =====", "line 1: completed", "required"),
        (VLLM.replace("78  ", "many"), "line 4: completed", "whole number"),
        (VLLM.replace("840.76", "fast"), "line 4: output_throughput", "number is needed"),
        (VLLM.replace("Mean ITL", "Mean TPOT"), "line 25", "twice"),
    ],
)
def test_console_with_something_wrong(log: str, path: str, words: str) -> None:
    with pytest.raises(InvalidFileError) as refused:
        parsed(log, format_name=NAME)
    problem = refused.value.problems[0]
    assert problem.path == path
    assert words in problem.message


def test_console_where_all_failed_is_refused() -> None:
    failed = VLLM.replace("78  ", "0   ").replace(
        "requests:                         2", "requests:                         80"
    )
    with pytest.raises(InvalidFileError) as refused:
        parsed(failed, format_name=NAME)
    assert "all 80 requests failed" in refused.value.problems[0].message


@pytest.mark.parametrize(
    "source",
    [
        {"success": False, "raw_output": "Traceback"},
        {"notes": VLLM},
        "about the Serving Benchmark Result",
    ],
)
def test_console_near_misses(source: object) -> None:
    with pytest.raises(UnknownFormatError):
        parsed(source if isinstance(source, str) else json.dumps(source), format_name=NAME)


def test_console_sglang_with_two_decimals_keeps_what_rounds_to_zero_out() -> None:
    slow = SGLANG.replace("0.03", "0.00")
    found = parsed(slow, format_name=NAME)
    assert ("requests_per_second", "mean", "wall_clock") not in figures(found.runs[0])
    assert [warning.path for warning in found.warnings] == ["line 1: request_throughput"]

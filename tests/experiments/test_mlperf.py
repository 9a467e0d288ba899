"""MLPerf inference: summary_results.json, the submission checker's CSV, LoadGen's log."""

import json
import time
from typing import Any

import pytest

from experiments.formats import detect_format
from experiments.formats.content import decode
from experiments.formats.documents import UnknownFormatError
from tests.experiments.serving import derived, figures, parse, read, refusal, told

JSON, CSV, LOG = "mlperf-summary-json", "mlperf-summary-csv", "mlperf-loadgen"
ROWS = json.loads(read("mlperf_summary_results.json"))


def row(**changes: Any) -> bytes:
    return json.dumps([ROWS[1] | changes]).encode()


def log(old: str = "", new: str = "") -> bytes:
    text = read("mlperf_log_summary.txt").decode()
    assert old in text
    return text.replace(old, new).encode()


def test_language_models_are_kept_and_others_counted() -> None:
    parsed = parse(read("mlperf_summary_results.json"), JSON)
    assert [run.path for run in parsed.runs] == ["[0]", "[1]", "[2]", "[5]", "[6]", "[7]"]
    (left_out,) = told(parsed, "left out")
    assert (left_out.value, "stable-diffusion-xl, whisper" in left_out.message) == (2, True)


def test_a_file_without_language_models_is_refused_with_what_it_holds() -> None:
    (problem,) = refusal(row(Model="bert-99"), JSON)
    assert "it holds bert-99" in problem.message


@pytest.mark.parametrize("nothing", [None, 0])
def test_a_row_without_a_figure_measured_nothing(nothing: Any) -> None:
    (problem,) = refusal(row(Performance_Result=nothing), JSON)
    assert (problem.path, "no figure above 0" in problem.message) == ("[0]", True)
    both = json.dumps([ROWS[1], ROWS[2] | {"Performance_Result": nothing}]).encode()
    assert [run.status for run in parse(both, JSON).runs] == ["completed", "failed"]


def test_each_scenario_has_its_load_and_its_definition() -> None:
    interactive, offline, server, stream, *_ = parse(read("mlperf_summary_results.json"), JSON).runs
    assert figures(interactive) == {("tokens_per_second", "mean", "latency_bound"): 8840.42}
    assert figures(offline) == {("tokens_per_second", "mean", "wall_clock"): 27803.9}
    assert figures(server) == {("tokens_per_second", "mean", "latency_bound"): 24593.8}
    assert figures(stream) == {("e2e_latency_ms", "p90", "single_stream"): 5012.5}
    loads = [
        (run.workload.load_kind, run.workload.load_pattern, run.workload.concurrent_requests)
        for run in (interactive, offline, server, stream)
    ]
    assert loads == [
        ("serving", "MLPerf Interactive", None),
        ("batch", "MLPerf Offline", None),
        ("serving", "MLPerf Server", None),
        ("isolated", "MLPerf SingleStream", 1),
    ]


def test_a_row_names_model_weights_engine_and_all_accelerators() -> None:
    run = parse(row(**{"a#": "8"}), JSON).runs[0]
    assert (run.model.model_name, run.model.quantization) == ("llama2-70b", "fp8")
    assert run.hardware.gpu_models == ("AMD Instinct MI300X 192GB HBM3",)
    assert (run.hardware.gpu_count, run.hardware.cpu_sockets, run.setup.nodes) == (8, 2, 1)
    assert (run.backend, run.backend_version) == (
        "vLLM", "0.9.0.2.dev108+g71faa1880.d20250730.rocm641",
    )  # fmt: skip
    assert run.workload.dataset_name == "MLPerf llama2-70b"
    assert run.source_url == ROWS[1]["Details"]


def test_accuracy_is_a_setting_and_no_score() -> None:
    run = parse(row(), JSON).runs[0]
    assert run.scores == ()
    assert run.setup.settings["accuracy"].startswith("ROUGE1: 44.4465")
    assert run.setup.settings["percent_of_reference_accuracy"] == "99"


@pytest.mark.parametrize(
    ("per_node", "nodes", "count"), [(4, 18, 72), (8.0, 2, 16), ("8", "4", 32), (8, None, None)]
)
def test_accelerators_are_counted_over_all_nodes(per_node: Any, nodes: Any, count: Any) -> None:
    """The systems of v5.1 are named so: "(72x GB200-186GB_aarch64 TensorRT)" has 18 nodes of 4."""
    run = parse(row(**{"a#": per_node, "Nodes": nodes}), JSON).runs[0]
    assert run.hardware.gpu_models == ("AMD Instinct MI300X 192GB HBM3",)
    assert run.hardware.gpu_count == count


@pytest.mark.parametrize(
    ("system", "platform", "mode"),
    [
        ("NVIDIA H200 (8x H200-SXM-141GB, MaxQ, TensorRT)", "H200x8_TRT", {"power_mode": "MaxQ"}),
        ("NVIDIA H200", "H200-SXM-141GBx8_TRT_MaxQ", {"power_mode": "MaxQ"}),
        ("NVIDIA H200 (8x H200-SXM-141GB, TensorRT)", "H200-SXM-141GBx8_TRT", {}),
    ],
)
def test_a_system_that_saves_power_is_no_repeat_of_one_that_does_not(
    system: str, platform: str, mode: dict[str, str]
) -> None:
    run = parse(row(System=system, Platform=platform), JSON).runs[0]
    assert run.setup.speed_settings == mode


@pytest.mark.parametrize("none", [0, "0", "", "N/A", None])
def test_without_accelerators_the_cpu_measured(none: Any) -> None:
    run = parse(row(**{"Accelerator": "", "a#": none}), JSON).runs[0]
    assert (run.hardware.gpu_models, run.hardware.gpu_count) == ((), None)
    assert run.hardware.cpu_model == "AMD EPYC 9575F"


def test_accelerators_without_a_name_are_asked_for() -> None:
    run = parse(row(Accelerator="N/A"), JSON).runs[0]
    assert (run.hardware.gpu_models, run.hardware.cpu_model) == ((), None)


def test_the_open_division_is_another_load_and_may_be_another_model() -> None:
    run = parse(read("mlperf_summary_results.json"), JSON).runs[4]
    assert run.model.model_name == "llama3.1-405b-pruned"
    assert run.workload.load_pattern == "MLPerf Offline, open division"
    assert figures(run)["gpu_power_watts", "mean", "wall"] == 15500.2
    assert (run.backend, run.backend_version) == ("TensorRT", "10.11")


def test_another_spelling_of_the_benchmark_is_no_other_model() -> None:
    names = {"Model": "llama3.1-8b-edge", "UsedModel": "llama3_1-8b-edge", "Category": "open"}
    assert parse(row(**names), JSON).runs[0].model.model_name == "llama3.1-8b"


def test_counts_may_be_written_as_fractions() -> None:
    run = parse(row(**{"a#": 8.0, "host_processor_core_count": 48.0}), JSON).runs[0]
    assert run.hardware.gpu_count == 8


def test_a_result_that_was_not_passed_is_kept_and_not_ranked() -> None:
    parsed = parse(read("mlperf_summary_results.json"), JSON)
    assert [run.complete for run in parsed.runs] == [True] * 5 + [False]
    assert "2 errors, compliance 0" in told(parsed, "did not pass")[0].message


@pytest.mark.parametrize(
    ("version", "model", "scenario", "in_tokens"),
    [
        ("v4.0", "llama2-70b-99", "Offline", True),
        ("v4.0", "llama2-70b-99", "Server", False),
        ("v4.0", "gptj-99", "Offline", False),
        ("v4.1", "gptj-99", "Server", True),
        ("v5.0", "llama2-70b-interactive-99.9", "Server", True),
        ("v5.1", "deepseek-r1", "Offline", True),
        ("v6.0", "gpt-oss-120b", "Server", True),
        ("v9.9", "llama2-70b-99", "Offline", False),
    ],
)
def test_the_checker_tells_which_units_lie(
    version: str, model: str, scenario: str, in_tokens: bool
) -> None:
    parsed = parse(
        row(version=version, Model=model, Scenario=scenario, Performance_Units="Queries/s"), JSON
    )
    (run,) = parsed.runs
    ((metric, *_),) = figures(run)
    assert metric == ("tokens_per_second" if in_tokens else "mlperf_result")
    assert bool(derived(run)) == bool(told(parsed, "unit beside it is wrong")) == in_tokens
    assert bool(told(parsed, "samples or queries")) != in_tokens


def test_limits_of_interactive_stand_in_the_name_until_v5_0() -> None:
    run = parse(
        row(version="v5.0", Model="llama2-70b-interactive-99", Scenario="Server"), JSON
    ).runs[0]
    assert run.workload.load_pattern == "MLPerf Interactive"
    assert run.model.model_name == "llama2-70b"


def test_a_summary_of_a_round_is_read_in_two_seconds() -> None:
    rows = [ROWS[index % 3] | {"ID": f"x-{index}"} for index in range(1900)]
    data = json.dumps(rows, indent=2).encode()
    start = time.process_time()
    assert len(parse(data, JSON).runs) == 1900
    assert time.process_time() - start < 2


def test_a_csv_is_read_as_its_json_would_be_and_power_joins_its_result() -> None:
    server, offline = parse(read("mlperf_summary.csv"), CSV).runs
    assert figures(server) == {("tokens_per_second", "mean", "latency_bound"): 57174.1}
    assert figures(offline) == {
        ("tokens_per_second", "mean", "wall_clock"): 59334.8,
        ("gpu_power_watts", "mean", "wall"): 6400.5,
    }
    assert server.hardware.gpu_models == ("NVIDIA H200-SXM-141GB",)
    assert (server.hardware.gpu_count, server.model.quantization) == (8, None)
    assert (server.backend, server.backend_version) == ("TensorRT", "10.2.0")


def test_accelerators_of_a_csv_are_those_of_all_nodes() -> None:
    text = read("mlperf_summary.csv").decode().replace(',1,"Intel', ',3,"Intel')
    run = parse(text.encode(), CSV).runs[0]
    assert (run.hardware.gpu_count, run.setup.nodes) == (24, 3)


def test_a_csv_with_a_header_alone_is_refused() -> None:
    header = read("mlperf_summary.csv").splitlines()[0]
    (problem,) = refusal(header, CSV)
    assert "no row" in problem.message


def test_a_figure_that_is_none_is_named_with_its_line() -> None:
    (problem,) = refusal(read("mlperf_summary.csv").replace(b"57174.1", b"fast"), CSV)
    assert (problem.path, problem.value) == ("line 2: Performance_Result", "fast")


def test_a_log_gives_rates_and_latencies_in_the_units_of_the_site() -> None:
    (run,) = parse(log(), LOG).runs
    found = figures(run)
    assert found["tokens_per_second", "mean", "latency_bound"] == 29522.56
    assert found["requests_per_second", "mean", "wall_clock"] == 102.93
    assert found["ttft_ms", "p99", "client"] == pytest.approx(1760.966679)
    assert found["tpot_ms", "mean", "excl_first"] == pytest.approx(126.269215)
    assert found["e2e_latency_ms", "p99.9", "client"] == pytest.approx(145708.791529)
    assert (run.workload.request_rate, run.workload.load_pattern) == (
        104.15, "MLPerf Server, TTFT ≤ 2000 ms, TPOT ≤ 200 ms",
    )  # fmt: skip
    assert run.setup.settings["tpot_latency (ns)"] == 200_000_000
    assert (run.model.model_name, run.backend, run.hardware.gpu_models) == (None, None, ())


def test_tighter_limits_are_another_load() -> None:
    """LoadGen calls Interactive "Server"; the limits alone tell the two apart."""
    text = log("ttft_latency (ns): 2000000000", "ttft_latency (ns): 450000000")
    (run,) = parse(text.replace(b"200000000", b"40000000"), LOG).runs
    assert run.workload.load_pattern == "MLPerf Server, TTFT ≤ 450 ms, TPOT ≤ 40 ms"


def test_latencies_of_an_offline_log_hold_the_queue_and_are_left_out() -> None:
    text = log("Scenario : Server", "Scenario : Offline").decode()
    text = text.replace("Completed tokens per second", "Tokens per second")
    text = text.replace("Completed samples per second", "Samples per second")
    (run,) = parse(text.encode(), LOG).runs
    assert figures(run) == {
        ("tokens_per_second", "mean", "wall_clock"): 29522.56,
        ("requests_per_second", "mean", "wall_clock"): 102.93,
    }
    assert (run.workload.load_kind, run.workload.request_rate) == ("batch", None)
    assert run.workload.load_pattern == "MLPerf Offline"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("Result is : VALID", "Result is : INVALID", "INVALID (no reason given)"),
        ("PerformanceOnly", "AccuracyOnly", "accuracy alone"),
        ("Scenario : Server", "Scenario : Sometimes", "one of Offline, Server"),
    ],
)
def test_a_log_that_is_no_result_is_refused(old: str, new: str, words: str) -> None:
    (problem,) = refusal(log(old, new), LOG)
    assert words in problem.message


def test_an_invalid_log_is_refused_with_what_was_not_satisfied() -> None:
    text = log("Result is : VALID", "Result is : INVALID").replace(
        b"constraints satisfied : Yes", b"constraints satisfied : NO"
    )
    (problem,) = refusal(text, LOG)
    assert "Performance constraints satisfied: no" in problem.message


def test_a_log_of_images_is_refused() -> None:
    lines = [line for line in log().decode().splitlines() if "oken" not in line]
    (problem,) = refusal("\n".join(lines).encode(), LOG)
    assert "counts no tokens" in problem.message


def test_a_log_with_errors_is_not_ranked() -> None:
    parsed = parse(log("No errors encountered", "2 ERRORS encountered. See detailed log.\n"), LOG)
    assert not parsed.runs[0].complete
    assert told(parsed, "met errors")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            b'{"submitter": "A", "system_name": "B", "accelerator_model_name": "C"}',
            "describes a system of MLPerf",
        ),
        (
            b",,Benchmark\n,,Inference\nPublic ID,Organization,llama2-70b-99\n1,A,5",
            "as it is published",
        ),
        (
            "\t\tBenchmark\n\t\tInference\nPublic ID\tOrganization\n1\tA\n".encode("utf-16"),
            "as it is published",
        ),
    ],
)
def test_what_lies_beside_results_is_refused_with_what_to_send(data: bytes, words: str) -> None:
    with pytest.raises(UnknownFormatError) as caught:
        detect_format(decode(data))
    assert words in caught.value.problems[0].message

"""InferenceX rows of each generation, and its site's CSV."""

import json
from typing import Any

import pytest

from experiments.formats.inferencex.rows import gpu_model
from tests.experiments.serving import derived, figures, parse, read, refusal, told

JSON, CSV = "inferencex-json", "inferencex-csv"
BASE = json.loads(read("inferencex_v1.json"))[0]


def changed(**changes: Any) -> bytes:
    return json.dumps([BASE | changes]).encode()


def test_a_row_of_v1_has_seconds_and_rates_per_gpu() -> None:
    run = parse(read("inferencex_v1.json"), JSON).runs[0]
    found = figures(run)
    assert found["ttft_ms", "mean", "client"] == pytest.approx(47.7)
    assert found["tpot_ms", "mean", "excl_first"] == pytest.approx(4.2788)
    assert found["e2e_latency_ms", "mean", "client"] == pytest.approx(3963)
    # Input and output together, output alone, input alone: three metrics.
    assert found["total_tokens_per_second_per_gpu", "mean", "wall_clock"] == 1816.5141
    assert found["tokens_per_second_per_gpu", "mean", "wall_clock"] == 903.4483
    assert found["prompt_processing_speed_per_gpu", "mean", "wall_clock"] == 913.0658
    assert found["tokens_per_second", "mean", "wall_clock"] == pytest.approx(3613.7932)
    assert found["total_tokens_per_second", "mean", "wall_clock"] == pytest.approx(7266.0564)
    assert derived(run)["tokens_per_second", "mean", "wall_clock"] == (
        "output_tput_per_gpu", "gpu_count",
    )  # fmt: skip
    assert run.hardware.gpu_count == run.setup.tensor_parallel == 4
    assert (run.backend, run.model.quantization) == ("vllm", "fp4")
    assert run.setup.speed_settings["dp_attention"] is False


def test_the_p99_of_interactivity_is_the_slow_end_of_the_speed() -> None:
    found = figures(parse(read("inferencex_v1.json"), JSON).runs[0])
    per_user = {s: v for (m, s, d), v in found.items() if m == "tokens_per_second_per_user"}
    assert per_user.keys() == {"mean", "p50", "p1"}
    assert per_user["p1"] == pytest.approx(1000 / found["tpot_ms", "p99", "excl_first"])
    assert per_user["p1"] < per_user["mean"]


def test_disaggregated_rows_of_v1_are_counted_per_prefill_and_decode_gpu() -> None:
    """tput_per_gpu × 36 is only right as 3892.6 × 4 prefill + 484.7 × 32 decode GPUs."""
    parsed = parse(read("inferencex_v1.json"), JSON)
    run = parsed.runs[3]
    found = figures(run)
    assert run.hardware.gpu_count == 36
    assert run.setup.tensor_parallel is None
    assert found["tokens_per_second_per_gpu", "mean", "wall_clock_decode_gpus"] == pytest.approx(
        484.662685
    )
    assert found["prompt_processing_speed_per_gpu", "mean", "wall_clock_prefill_gpus"] == (
        pytest.approx(3892.583084)
    )
    assert found["tokens_per_second", "mean", "wall_clock"] == pytest.approx(484.662685 * 32)
    assert found["prompt_processing_speed", "mean", "wall_clock"] == pytest.approx(3892.583084 * 4)
    assert found["total_tokens_per_second", "mean", "wall_clock"] == pytest.approx(
        found["tokens_per_second", "mean", "wall_clock"]
        + found["prompt_processing_speed", "mean", "wall_clock"]
    )
    assert found["tokens_per_second_per_gpu", "mean", "wall_clock"] == pytest.approx(
        484.662685 * 32 / 36
    )
    assert [(item.path, item.value) for item in told(parsed, "follows from")] == [
        ("[3]", "4 prefill, 32 decode")
    ]
    assert (run.setup.speculation, run.model.model_name) == ("mtp", "deepseek-r1-0528-fp4-v2")


def test_rates_that_add_up_to_no_split_give_no_total() -> None:
    parsed = parse(changed(tput_per_gpu=1000.0, output_tput_per_gpu=500.0), JSON)
    found = figures(parsed.runs[0])
    assert ("tokens_per_second", "mean", "wall_clock") not in found
    assert found["total_tokens_per_second", "mean", "wall_clock"] == 4000.0
    assert told(parsed, "is not said")


def test_a_reduced_row_has_what_it_states_and_the_total() -> None:
    found = figures(parse(read("inferencex_v1.json"), JSON).runs[4])
    assert found == {
        ("total_tokens_per_second_per_gpu", "mean", "wall_clock"): 7556.1689,
        ("total_tokens_per_second", "mean", "wall_clock"): pytest.approx(15112.3378),
        ("tokens_per_second_per_user", "p50", "inverse_tpot"): 115.7165,
    }


def test_rows_that_differ_in_concurrency_alone_are_one_sweep() -> None:
    runs = parse(read("inferencex_v1.json"), JSON).runs
    groups = [run.sweep_group for run in runs]
    assert groups[0] == groups[1]
    assert len(set(groups)) == 4
    assert [run.workload.concurrent_requests for run in runs] == [16, 32, 8, 144, 64]


def test_lengths_of_v1_are_no_facts_but_set_configurations_apart() -> None:
    """A row of 1k in and 8k out is no repeat of one of 1k in and 1k out."""
    parsed = parse(changed(), JSON)
    (run,) = parsed.runs
    assert (run.workload.input_tokens, run.workload.configured_input_tokens) == (None, None)
    assert len(told(parsed, "give input_tokens")) == 1
    (other,) = parse(changed(input_tput_per_gpu=112.9, tput_per_gpu=1016.3483), JSON).runs
    ratios = [item.setup.speed_settings["input_to_output_ratio"] for item in (run, other)]
    assert ratios == [1.0, 0.1]


def test_a_current_row_has_lengths_version_power_and_failures() -> None:
    run = parse(read("inferencex_current.jsonl"), JSON).runs[0]
    assert run.workload.configured_input_tokens == 8192
    assert (run.workload.input_tokens, run.workload.configured_output_tokens) == (None, 1024)
    assert run.backend_version == "0.5.6.post1"
    assert (run.hardware.gpu_models, run.hardware.gpu_count) == (("b200",), 4)
    assert (run.setup.tensor_parallel, run.setup.pipeline_parallel) == (2, 2)
    assert run.setup.speculation == "none"
    found = figures(run)
    assert found["gpu_power_watts", "mean", "gpu"] == 2000.0
    assert found["gpu_power_watts", "p90", "gpu"] == 2100.0
    assert found["joules_per_token", "mean", None] == 10.0
    assert found["error_rate", "mean", "of_sent"] == 2.0
    assert "input_to_output_ratio" not in run.setup.speed_settings


def test_a_current_disaggregated_row_names_its_gpus_and_power_that_is_invalid_is_left_out() -> None:
    run = parse(read("inferencex_current.jsonl"), JSON).runs[1]
    found = figures(run)
    assert run.hardware.gpu_count == 32
    assert found["tokens_per_second", "mean", "wall_clock"] == pytest.approx(16000)
    assert found["prompt_processing_speed", "mean", "wall_clock"] == pytest.approx(128000)
    assert found["total_tokens_per_second", "mean", "wall_clock"] == pytest.approx(144000)
    assert "gpu_power_watts" not in {metric for metric, *_ in found}
    assert run.setup.speculation == "mtp"


def test_a_nested_row_keeps_no_interactivity_of_another_definition() -> None:
    parsed = parse(read("inferencex_current.jsonl"), JSON)
    run = parsed.runs[2]
    found = figures(run)
    assert run.hardware.gpu_models == ("h100",)
    assert found["ttft_ms", "p90", "client"] == 9000.0
    assert found["total_tokens_per_second", "mean", "wall_clock"] == pytest.approx(3241.6)
    assert found["tokens_per_second_per_user", "mean", "inverse_tpot"] == 100.0
    assert ("tokens_per_second_per_user", "p10", "inverse_tpot") not in found
    assert "p90_intvty" in told(parsed, "not 1 ÷ TPOT")[0].path
    assert {item.sample_count for item in run.measurements} == {112}


@pytest.mark.parametrize(
    ("hardware", "gpu"),
    [
        ("b200-trt", "b200"), ("mi355x", "mi355x"), ("gb200", "gb200"), ("h200_trt_mtp", "h200"),
        ("cluster:h100-dgxc", "h100"), ("gb300-nv", "gb300"), ("zz9-trt", "zz9-trt"),
    ],
)  # fmt: skip
def test_what_stands_behind_a_known_gpu_is_no_part_of_its_name(hardware: str, gpu: str) -> None:
    assert gpu_model(hardware) == gpu


@pytest.mark.parametrize(
    ("model", "precision", "quantization"),
    [
        ("nvidia/Llama-3.3-70B-Instruct-NVFP4", "fp4", "NVFP4"),
        ("Llama-3.3-70B-Instruct-FP8", "fp8", "FP8"),
        ("openai/gpt-oss-120b", "fp4", "fp4"),
        ("acme/Nimbus-FP8", "fp4", "fp4"),
    ],
)
def test_precision_is_the_quantization_unless_the_name_says_more(
    model: str, precision: str, quantization: str
) -> None:
    (run,) = parse(changed(model=model, precision=precision), JSON).runs
    assert run.model.quantization == quantization


def test_the_web_export_holds_seconds_under_ms() -> None:
    parsed = parse(read("inferencex_web.csv"), CSV)
    first, second = parsed.runs
    found = figures(first)
    assert found["ttft_ms", "mean", "client"] == pytest.approx(40.1)
    assert found["tpot_ms", "p99", "excl_first"] == pytest.approx(4.388)
    assert found["tokens_per_second", "mean", "wall_clock"] == pytest.approx(3613.7932)
    assert (first.path, first.workload.configured_input_tokens) == ("line 5", 1024)
    assert first.setup.settings["date"] == "2026-01-15"
    assert first.started_at is None
    # Disaggregated, and no column says how many GPUs do what.
    assert (second.hardware.gpu_models, second.hardware.gpu_count) == (("gb200",), None)
    assert not {"tokens_per_second", "total_tokens_per_second"} & {m for m, *_ in figures(second)}
    assert told(parsed, "is not said")[0].path == "line 6"


def test_a_later_web_export_says_seconds_chips_and_where() -> None:
    data = (
        "# one\n# Data from InferenceX\n# three\nModel,ISL,OSL,Hardware,Framework,Precision,TP,"
        "Concurrency,Throughput/Chip (tok/s),Mean TPOT (s),P99 Interactivity (tok/s/user),"
        "Disaggregated,Physical Chips,Run URL,Something Derived\n"
        "gpt-oss-120b,1024,1024,b200,vllm,fp4,4,16,1800,0.005,150,false,8,"
        "https://github.com/o/r/actions/runs/1,0.2\n"
    )
    (run,) = parse(data.encode(), CSV).runs
    found = figures(run)
    assert found["total_tokens_per_second", "mean", "wall_clock"] == 14400.0
    assert found["tpot_ms", "mean", "excl_first"] == pytest.approx(5.0)
    assert found["tokens_per_second_per_user", "p1", "inverse_tpot"] == 150.0
    assert run.source_url == "https://github.com/o/r/actions/runs/1"


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ("0.004279", "4.279", "line 5: Mean TPOT (ms)", "seconds under (ms)"),
        ("0.040100", "quick", "line 5: Mean TTFT (ms)", "number"),
        ("b200,b200_vllm,vllm", "b200,vllm", "line 5", "columns"),
        ("fp4,4,16", "fp4,4,0", "line 5: conc", "1 or more"),
    ],
)
def test_wrong_cells_of_the_web_export_are_named(
    old: str, new: str, place: str, words: str
) -> None:
    data = read("inferencex_web.csv").decode().replace(old, new, 1).encode()
    problems = refusal(data, CSV)
    assert [item.path for item in problems] == [place]
    assert words in problems[0].message


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"conc": 0}, "[0].conc"),
        ({"conc": None}, "[0].conc"),
        ({"tp": -4}, "[0].tp"),
        ({"tp": 100_000}, "[0].tp"),
        ({"tp": 2000, "pp": 2000}, "[0]"),
        ({"mean_ttft": "0.04"}, "[0].mean_ttft"),
        ({"tput_per_gpu": -1.0}, "[0].tput_per_gpu"),
        ({"dp_attention": "perhaps"}, "[0].dp_attention"),
        ({"hw": ""}, "[0].hw"),
        ({"benchmark_outcome": {"completed": -1}}, "[0].benchmark_outcome.completed"),
    ],
)
def test_wrong_values_are_named_with_their_place(changes: dict[str, Any], place: str) -> None:
    assert place in [item.path for item in refusal(changed(**changes), JSON)]


def test_a_failed_row_is_refused_alone_and_kept_beside_another() -> None:
    failed = {"benchmark_outcome": {"status": "failed", "completed": 0, "failed": 100}}
    assert "nothing was measured" in refusal(changed(**failed), JSON)[0].message
    runs = parse(json.dumps([BASE, BASE | failed]).encode(), JSON).runs
    assert [run.status for run in runs] == ["completed", "failed"]
    assert figures(runs[1]) == {("error_rate", "mean", "of_sent"): 100.0}

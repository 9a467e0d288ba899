"""optimum-benchmark's JSON and the CSV of the LLM-Perf leaderboard."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from experiments.formats import detect_format
from experiments.formats.content import decode
from experiments.formats.documents import UnknownFormatError
from tests.experiments.serving import derived, figures, parse, read, refusal, told

JSON, CSV = "optimum-benchmark", "llm-perf-csv"
RECORD = json.loads(read("optimum_benchmark.json"))
Change = Callable[[dict[str, Any]], object]


def changed(*changes: Change) -> bytes:
    record = copy.deepcopy(RECORD)
    for change in changes:
        change(record)
    return json.dumps(record).encode()


def backend(**fields: Any) -> Change:
    return lambda record: record["config"]["backend"].update(fields)


def environment(**fields: Any) -> Change:
    return lambda record: record["config"]["environment"].update(fields)


def test_phases_are_measured_as_the_tool_measures_them() -> None:
    (run,) = parse(changed(), JSON).runs
    found = figures(run)
    assert found["ttft_ms", "mean", "whole_batch"] == pytest.approx(21)
    assert found["ttft_ms", "p99", "whole_batch"] == pytest.approx(22.05)
    assert found["itl_ms", "mean", "decode_steps"] == pytest.approx(23.5)
    assert found["e2e_latency_ms", "mean", "whole_batch"] == pytest.approx(1501)
    assert found["model_loading_time", "mean", None] == 4.75
    assert found["tokens_per_second", "mean", "decode"] == pytest.approx(63 / 1.48)
    assert found["tokens_per_kwh", "mean", "codecarbon"] == pytest.approx(63 / 0.000108)
    counts = {item.metric: item.sample_count for item in run.measurements}
    assert (counts["ttft_ms"], counts["itl_ms"]) == (10, 630)


def test_prompts_a_second_become_tokens_and_are_marked() -> None:
    (run,) = parse(changed(), JSON).runs
    key = ("prompt_processing_speed", "mean", "prefill")
    assert figures(run)[key] == pytest.approx(256 / 0.021)
    assert derived(run)[key] == ("prefill.throughput", "sequence_length")
    stated = changed(
        lambda record: record["report"]["prefill"].update(
            throughput={"unit": "tokens/s", "value": 9000.5}
        )
    )
    (run,) = parse(stated, JSON).runs
    assert figures(run)[key] == 9000.5
    assert key not in derived(run)


def test_a_unit_that_is_not_known_is_left_out_with_a_warning() -> None:
    parsed = parse(
        changed(lambda record: record["report"]["decode"]["throughput"].update(unit="images/s")),
        JSON,
    )
    assert ("tokens_per_second", "mean", "decode") not in figures(parsed.runs[0])
    assert told(parsed, "unit is not known")[0].path == "report.decode.throughput.value"


def test_of_several_beams_one_is_the_answer() -> None:
    beams = changed(
        lambda record: record["config"]["scenario"]["generate_kwargs"].update(num_beams=3)
    )
    (run,) = parse(beams, JSON).runs
    key = ("tokens_per_second", "mean", "decode")
    assert figures(run)[key] == pytest.approx(63 / 1.48 / 3)
    assert "num_beams" in derived(run)[key]


def test_each_way_of_counting_memory_has_its_definition() -> None:
    found = figures(parse(changed(), JSON).runs[0])
    assert {key[2]: value for key, value in found.items() if key[0] == "peak_memory_gb"} == {
        "gpu_used": pytest.approx(17.6),
        "process_vram": pytest.approx(17.1),
        "torch_reserved": pytest.approx(16.8),
        "torch_allocated": pytest.approx(16.4),
        "process_ram": pytest.approx(1.31),
    }


def test_the_gpus_used_are_those_of_the_device_ids_without_displays() -> None:
    hardware = parse(changed(), JSON).runs[0].hardware
    assert (hardware.gpu_models, hardware.gpu_count) == (("NVIDIA A100-SXM4-80GB",), 1)
    assert hardware.gpu_memory_gb is None  # the display shares the sum
    assert hardware.ram_gb == pytest.approx(540.67, abs=0.01)
    two = parse(changed(backend(device_ids="0,1")), JSON).runs[0].hardware
    assert two.gpu_count == 2


def test_memory_called_mb_is_bytes_over_all_gpus() -> None:
    alike = environment(gpu=["NVIDIA A100-SXM4-80GB"] * 4, gpu_vram_mb=4 * 80 * 2**30)
    assert parse(changed(alike), JSON).runs[0].hardware.gpu_memory_gb == pytest.approx(80)


def test_gpus_of_several_kinds_are_asked_for() -> None:
    mixed = environment(gpu=["NVIDIA A10G", "NVIDIA T4"])
    hardware = parse(changed(mixed), JSON).runs[0].hardware
    assert (hardware.gpu_models, hardware.cpu_model) == ((), None)


def test_on_a_cpu_no_gpu_was_used() -> None:
    hardware = parse(changed(backend(device="cpu", device_ids=None)), JSON).runs[0].hardware
    assert (hardware.gpu_models, hardware.gpu_count) == ((), None)
    assert hardware.cpu_model == "AMD EPYC 7742 64-Core Processor"


@pytest.mark.parametrize(
    ("fields", "quantization"),
    [
        ({}, "float16"),
        ({"torch_dtype": None}, None),
        ({"torch_dtype": "auto"}, None),
        ({"model": "acme/Nimbus-7B-AQLM-2Bit-1x16-hf"}, None),
        ({"quantization_scheme": "gptq", "quantization_config": {"bits": 4}}, "gptq-4bit"),
        ({"quantization_scheme": "bnb", "quantization_config": {"load_in_8bit": True}}, "bnb-8bit"),
        ({"quantization_scheme": "awq"}, "awq"),
    ],
)
def test_quantization_by_scheme_then_name_then_data_type(
    fields: dict[str, Any], quantization: str | None
) -> None:
    assert parse(changed(backend(**fields)), JSON).runs[0].model.quantization == quantization


def test_the_engine_is_what_ran_the_model_in_its_own_version() -> None:
    run = parse(changed(), JSON).runs[0]
    assert (run.backend, run.backend_version, run.tool_version) == ("pytorch", "4.45.1", "0.5.0")
    run = parse(changed(backend(name="vllm", version="0.6.1")), JSON).runs[0]
    assert (run.backend, run.backend_version) == ("vllm", "0.6.1")


def test_one_request_is_isolated_and_more_are_a_batch() -> None:
    alone = parse(changed(), JSON).runs[0].workload
    assert (alone.load_kind, alone.concurrent_requests, alone.batch_size) == ("isolated", 1, None)
    assert (alone.input_tokens, alone.output_tokens) == (256, 64)
    _one, four = parse(read("llm_perf.csv"), CSV).runs
    assert (four.workload.load_kind, four.workload.batch_size) == ("batch", 4)


def test_single_latencies_make_no_other_run() -> None:
    stripped = changed(lambda record: record["report"]["prefill"]["latency"].pop("values"))
    (run,), (whole,) = parse(stripped, JSON).runs, parse(changed(), JSON).runs
    assert run.identity_record == whole.identity_record


def test_a_benchmark_that_failed_is_refused_without_its_traceback() -> None:
    (problem,) = refusal(
        changed(lambda record: record.update(report={"traceback": "/home/someone/x.py"})), JSON
    )
    assert "failed" in problem.message
    assert problem.value is None


def test_a_report_of_another_task_is_refused() -> None:
    (problem,) = refusal(
        changed(lambda record: record.update(report={"forward": {}, "load_model": {}})), JSON
    )
    assert (problem.path, "no text generation" in problem.message) == ("report", True)


@pytest.mark.parametrize("half", ["config", "report"])
def test_half_of_a_result_is_refused_with_what_to_send(half: str) -> None:
    with pytest.raises(UnknownFormatError) as caught:
        detect_format(decode(json.dumps(RECORD[half]).encode()))
    message = caught.value.problems[0].message
    assert f"This is the {half} of optimum-benchmark alone. Send benchmark.json" in message


def test_rows_of_the_leaderboard_are_read_as_their_json() -> None:
    parsed = parse(read("llm_perf.csv"), CSV)
    first, second = parsed.runs
    (whole,) = parse(changed(), JSON).runs
    assert figures(first) == pytest.approx(figures(whole))
    assert first.hardware == whole.hardware
    assert first.workload == whole.workload
    assert (first.path, first.model) == ("line 2", whole.model)
    assert (second.model.model_name, second.model.quantization) == ("Nimbus-7B", "awq-4bit")
    assert told(parsed, "failed were left out")[0].value == 1
    assert "someone" not in repr(parsed)


def test_a_leaderboard_of_failures_is_refused() -> None:
    header, *_rest = read("llm_perf.csv").decode().splitlines(keepends=True)
    failed = read("llm_perf.csv").decode().split("\n", 3)[3]
    (problem,) = refusal((header + failed).encode(), CSV)
    assert "The benchmark failed" in problem.message
    (problem,) = refusal(header.encode(), CSV)
    assert "no row" in problem.message


def test_a_value_that_cannot_be_is_named_with_its_place() -> None:
    wrong = changed(lambda record: record["report"]["prefill"]["latency"].update(mean="slow"))
    assert [item.path for item in refusal(wrong, JSON)] == ["report.prefill.latency.mean"]

"""llm-d benchmark reports and inference-perf's own: definitions by the tool that measured."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from experiments.formats.documents import InvalidFileError, RunDocument, UnknownFormatError
from experiments.formats.llmd.stack import split_image
from tests.experiments.test_guidellm import figures, parse, sample

Report = dict[str, Any]


def first() -> Report:
    found: Report = yaml.safe_load(sample("llmd_0_1.yaml"))
    return found


def later() -> Report:
    found: Report = json.loads(sample("llmd_0_2.json"))
    return found


def only(report: Report) -> RunDocument:
    (run,) = parse(json.dumps(report)).runs
    return run


def measured_by(tool: str, version: str | None = "1.0") -> RunDocument:
    report = later()
    load = report["scenario"]["load"]["standardized"]
    load["tool"], load["tool_version"] = tool, version
    aggregate = report["results"]["request_performance"]["aggregate"]
    aggregate["latency"]["normalized_time_per_output_token"] = {"units": "s/token", "mean": 0.0206}
    return only(report)


def definitions(run: RunDocument) -> set[tuple[str, str | None]]:
    return {(item.metric, item.definition) for item in run.measurements}


@pytest.mark.parametrize("tool", ["vllm-benchmark", "inferencemax", "inference-perf"])
def test_tools_that_time_every_gap(tool: str) -> None:
    run = measured_by(tool)
    assert {
        ("itl_ms", "all_gaps"),
        ("tpot_ms", "excl_first"),
        ("tpot_ms", "incl_first"),
        ("tokens_per_second", "wall_clock"),
        ("requests_per_second", "wall_clock"),
    } <= definitions(run)
    assert run.tool == tool


@pytest.mark.parametrize(
    ("tool", "rates"), [("guidellm", "rate_over_time"), ("aiperf", "wall_clock")]
)
def test_tools_whose_inter_token_latency_is_a_mean_for_each_request(tool: str, rates: str) -> None:
    """It goes where others' TPOT goes; a TPOT beside it would be a second one of the kind."""
    run = measured_by(tool)
    assert figures(run)["tpot_ms", "mean", "excl_first"] == 20.4
    assert not any(metric == "itl_ms" for metric, _definition in definitions(run))
    assert ("tokens_per_second", rates) in definitions(run)


def test_guidellm_until_0_3_divides_the_decode_time_by_all_tokens() -> None:
    assert ("tpot_ms", "decode_over_all") in definitions(measured_by("guidellm", "0.3.1"))
    assert ("tpot_ms", "incl_first") in definitions(measured_by("guidellm", "0.7.0"))


def test_what_an_unknown_tool_computes_is_not_known() -> None:
    run = measured_by("my-load-test")
    assert {("itl_ms", None), ("tokens_per_second", None)} <= definitions(run)


def test_units_are_those_that_stand_beside_the_figures() -> None:
    found = figures(measured_by("vllm-benchmark"))
    assert found["ttft_ms", "mean", "client"] == 210
    assert found["e2e_latency_ms", "mean", "client"] == 5200
    assert found["tpot_ms", "mean", "incl_first"] == pytest.approx(20.6)
    assert figures(only(first()))["e2e_latency_ms", "p99.9", "client"] == 3000


def test_percentiles_have_several_spellings() -> None:
    """`p0p1` is the percentile 0.1, `P25` a slip of a converter; a mode is no statistic here."""
    found = figures(only(first()))
    assert found["e2e_latency_ms", "p0.1", "client"] == 2000
    assert found["e2e_latency_ms", "std", "client"] == 100
    assert found["ttft_ms", "p25", "client"] == 50
    assert [name for metric, name, _kind in found if metric == "tpot_ms"] == ["mean", "mean"]


def test_guidellm_within_a_report_has_its_wall_clock_and_its_doubt() -> None:
    parsed = parse(sample("llmd_0_1.yaml"))
    found = figures(parsed.runs[0])
    assert found["tokens_per_second", "mean", "rate_over_time"] == 1500
    assert found["tokens_per_second", "mean", "wall_clock"] == pytest.approx(240 * 128 / 60)
    assert found["error_rate", "mean", "of_sent"] == pytest.approx(4)
    assert any("30,720 tokens in 60 s are 512 tok/s" in item.message for item in parsed.warnings)


def test_hosts_and_engines_of_0_1_correspond() -> None:
    run = only(first())
    assert run.hardware.gpu_models == ("NVIDIA-L40S",)
    assert (run.hardware.gpu_count, run.hardware.gpu_memory_gb) == (4, 48)
    assert (run.backend, run.backend_version) == ("vllm", "v0.10.2")
    assert (run.model.model_name, run.model.quantization) == ("acme-labs/Nimbus-14B", "FP8")
    assert run.setup.tensor_parallel == 2
    assert run.setup.speed_settings["replica[0].args.enable-prefix-caching"] is True
    assert "10.12.33.212" not in str(run.setup)
    assert (run.workload.request_rate, run.workload.load_pattern) == (4.0, "constant rate")
    assert run.started_at is not None
    assert run.started_at.year == 2025


def test_machines_that_differ_are_each_named() -> None:
    report = first()
    report["scenario"]["host"]["accelerator"] = [
        {"model": "H100", "memory": 80, "count": 1, "parallelism": {"tp": 1}},
        {"model": "L40S", "memory": 48, "count": 2, "parallelism": {"tp": 2}},
    ]
    run = only(report)
    assert run.hardware.gpu_models == ("H100", "L40S", "L40S")
    assert (run.hardware.gpu_count, run.hardware.gpu_memory_gb) == (3, None)
    assert run.setup.tensor_parallel is None


@pytest.mark.parametrize(
    ("accelerator", "replicas", "gpus"),
    [
        ({"count": 2, "parallelism": {"tp": 2}}, 2, 4),  # as the converters count
        ({"count": 4, "parallelism": {"tp": 2}}, 2, 4),  # as the schema says
        ({"count": 8, "parallelism": {"tp": 4, "dp_local": 2}}, 3, 24),
        ({"count": 1, "parallelism": {}}, 1, 1),
    ],
)
def test_gpus_of_0_2_are_those_of_all_replicas(
    accelerator: Report, replicas: int, gpus: int
) -> None:
    report = later()
    engine = report["scenario"]["stack"][0]["standardized"]
    engine["replicas"] = replicas
    engine["accelerator"] = {"model": "NVIDIA-L40S", **accelerator}
    assert only(report).hardware.gpu_count == gpus


def test_machines_of_a_server_that_was_there_before_are_not_known() -> None:
    """A report of a run against a server that llm-d did not start counts 0 of ""."""
    report = later()
    engine = report["scenario"]["stack"][0]["standardized"]
    engine |= {"tool": "", "tool_version": "", "accelerator": {"model": "", "count": 0}}
    run = only(report)
    assert run.hardware.gpu_models == ()
    assert (run.backend, run.backend_version) == (None, None)


@pytest.mark.parametrize(
    ("image", "engine"),
    [
        ("ghcr.io/llm-d/llm-d-cuda:0.3.1", ("llm-d", "0.3.1")),
        ("docker.io/vllm/vllm-openai:v0.10.2", ("vllm", "v0.10.2")),
        ("registry:5000/x/vllm@sha256:0123", ("vllm", None)),
        ("vllm", ("vllm", None)),
        ("My Engine", ("My Engine", None)),
        ("", (None, None)),
        (None, (None, None)),
    ],
)
def test_engines_may_be_container_images(image: str | None, engine: tuple[str | None, ...]) -> None:
    assert split_image(image) == engine


@pytest.mark.parametrize(
    ("rate", "concurrency", "native", "load"),
    [
        (None, 32, {}, (32, None, None)),
        (None, 1000, {}, (320, None, "all at once")),
        (None, float("inf"), {}, (320, None, "all at once")),
        (10.0, float("inf"), {}, (None, 10.0, "Poisson arrivals")),
        (10.0, 16, {}, (None, 10.0, "Poisson arrivals, at most 16 in flight")),
        (10.0, None, {"burstiness": 0.5}, (None, 10.0, "gamma arrivals, burstiness 0.5")),
        (None, None, {}, (None, None, None)),
    ],
)  # fmt: skip
def test_loads_are_rates_or_limits(
    rate: float | None, concurrency: float | None, native: Report, load: tuple[Any, ...]
) -> None:
    report = later()
    report["scenario"]["load"]["standardized"] |= {"rate_qps": rate, "concurrency": concurrency}
    report["scenario"]["load"]["native"] = {"args": native}
    workload = only(report).workload
    assert (workload.concurrent_requests, workload.request_rate, workload.load_pattern) == load


def test_loads_that_ran_together_are_never_ranked() -> None:
    report = later()
    report["scenario"]["load"]["metadata"]["concurrent_with"] = ["prefill-heavy"]
    parsed = parse(json.dumps(report))
    assert parsed.runs[0].complete is False
    assert any(item.value == "prefill-heavy" for item in parsed.warnings)


def test_reports_are_known_by_their_own_id() -> None:
    run = only(later())
    assert run.given_id == "4f6c1e2d-3333-4c8b-b8ab-3c2f2f9a4b10"
    assert only(first()).given_id is None


def test_secrets_of_servers_and_loads_are_not_kept() -> None:
    kept = str(only(later()).setup)
    assert "hf_not_a_real_token" not in kept
    assert "jane" not in kept


def test_yaml_and_json_give_the_same_run() -> None:
    in_yaml = parse(yaml.safe_dump(later(), sort_keys=False)).runs[0]
    assert in_yaml == only(later())


def test_inference_perf_reports_are_read_in_both_forms() -> None:
    """It is what llm-d wraps: seconds, and nothing of model and machine."""
    text = sample("inference_perf.json")
    run = only(json.loads(text))
    found = figures(run)
    assert found["itl_ms", "p99.9", "all_gaps"] == 90
    assert found["tpot_ms", "mean", "excl_first"] == 18
    assert found["error_rate", "mean", "of_sent"] == pytest.approx(5)
    assert (run.workload.request_rate, run.workload.input_tokens) == (2.0, 200)
    assert (run.tool, run.backend, run.model.model_name) == ("inference-perf", None, None)
    assert parse(yaml.safe_dump(json.loads(text), sort_keys=False)).runs[0] == run


def of_aggregate(*keys: str, value: Any) -> Callable[[Report], None]:
    def change(report: Report) -> None:
        holder = report["results"]["request_performance"]["aggregate"]
        for key in keys[:-1]:
            holder = holder[key]
        holder[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "place", "words"),
    [
        (of_aggregate("requests", "total", value="many"), "requests.total", "A whole number"),
        (of_aggregate("requests", "failures", value=320), "requests", "None of the 320 requests"),
        (
            of_aggregate("latency", "time_to_first_token", value={"mean": 3}),
            "latency.time_to_first_token.units",
            "required",
        ),
        (
            of_aggregate("latency", "time_to_first_token", "units", value="count"),
            "latency.time_to_first_token.mean",
            "count",
        ),
        (
            of_aggregate("throughput", "request_rate", "mean", value=-1),
            "throughput.request_rate.mean",
            "above 0",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    change: Callable[[Report], None], place: str, words: str
) -> None:
    report = later()
    change(report)
    with pytest.raises(InvalidFileError) as refused:
        parse(json.dumps(report))
    told = {problem.path: problem.message for problem in refused.value.problems}
    assert words in told[f"results.request_performance.aggregate.{place}"], told


def test_adapters_that_are_loaded_together_are_one_variant() -> None:
    report = first()
    report["scenario"]["model"]["adapters"] = [{"lora": "sql"}, {"lora": "golang"}]
    assert only(report).model.lora_adapter == "sql + golang"
    report["scenario"]["model"]["adapters"] = [{"lora": "x" * 300}]
    with pytest.raises(InvalidFileError) as refused:
        parse(json.dumps(report))
    assert refused.value.problems[0].path == "scenario.model.adapters"


def test_wrong_parts_of_the_stack_are_told_with_their_place() -> None:
    report = later()
    report["scenario"]["stack"][0]["standardized"]["tool_version"] = "x" * 300
    report["scenario"]["stack"][1]["standardized"] = {"kind": "generic", "model": 3}
    with pytest.raises(InvalidFileError) as refused:
        parse(json.dumps(report))
    (problem,) = refused.value.problems
    assert problem.path == "scenario.stack[0].standardized.tool_version"


def test_impossible_counts_of_accelerators_are_refused() -> None:
    report = first()
    report["scenario"]["host"]["accelerator"][0]["count"] = 2**31 - 1
    with pytest.raises(InvalidFileError, match="is the count right"):
        parse(json.dumps(report))


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\nscenario: {}\nmetrics: {}\n",
        "version: 1\nrun: {}\nresults: {}\n",
        "version: 3\nservices:\n  web: {}\n",
        '{"version": "0.2", "run": {}, "results": []}',
        "load_summary:\nsuccesses:\n",
    ],
)
def test_other_files_with_a_version_are_not_taken_for_reports(text: str) -> None:
    with pytest.raises(UnknownFormatError):
        parse(text)

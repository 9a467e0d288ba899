"""llmperf summaries, alone and by concurrency."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from experiments.formats import detect_format
from experiments.formats.content import decode
from experiments.formats.documents import UnknownFormatError
from tests.experiments.serving import figures, parse, read, refusal, told

LLMPERF = "llmperf"


def changed(**changes: Any) -> bytes:
    return json.dumps(json.loads(read("llmperf_summary.json")) | changes).encode()


def test_seconds_become_milliseconds_and_each_rate_its_metric() -> None:
    (run,) = parse(read("llmperf_summary.json"), LLMPERF).runs
    found = figures(run)
    assert found["ttft_ms", "mean", "client"] == pytest.approx(408.3736)
    # The tool divides the whole latency by the tokens, the first included.
    assert found["tpot_ms", "mean", "incl_first"] == pytest.approx(47.0749)
    assert found["e2e_latency_ms", "p99", "client"] == pytest.approx(8469.84372)
    assert found["tokens_per_second_per_user", "mean", "per_request_e2e"] == 21.0726786
    assert found["tokens_per_second", "mean", "wall_clock"] == 62.8670563
    assert found["requests_per_second", "mean", "wall_clock"] == pytest.approx(
        62.867 / 149.752, 1e-4
    )
    assert found["error_rate", "mean", "of_sent"] == pytest.approx(100 * 49 / 150)
    assert ("ttft_ms", "std", "client") in found
    assert "itl_ms" not in {metric for metric, *_ in found}


def test_the_load_and_the_lengths_are_those_of_the_run() -> None:
    (run,) = parse(read("llmperf_summary.json"), LLMPERF).runs
    assert run.workload.concurrent_requests == 5
    assert (run.workload.input_tokens, run.workload.output_tokens) == (550.2, 149.752)
    assert run.workload.configured_input_tokens == 550
    assert run.workload.configured_output_tokens == 150
    assert run.started_at == datetime(2023, 12, 27, 0, 52, 9, tzinfo=UTC)
    assert (run.tool, run.tool_version) == ("llmperf", "2023-08-31")


def test_a_provider_hides_machine_and_engine_and_its_address_is_hidden() -> None:
    parsed = parse(read("llmperf_summary.json"), LLMPERF)
    (run,) = parsed.runs
    assert (run.backend, run.hardware.gpu_models, run.model.quantization) == (None, (), None)
    assert run.setup.speed_settings == {"provider": "bedrock"}
    assert told(parsed, "hardware and engine")[0].path == "framework"
    assert "models.example.org" not in json.dumps(dict(run.setup.settings))
    assert told(parsed, "personal data")[0].value == "api"


def test_summaries_by_concurrency_are_one_sweep() -> None:
    runs = parse(read("llmperf_by_concurrency.json"), LLMPERF).runs
    assert [(run.path, run.workload.concurrent_requests) for run in runs] == [("1", 1), ("4", 4)]
    assert runs[0].sweep_group == runs[1].sweep_group
    alone = json.dumps(json.loads(read("llmperf_by_concurrency.json"))["4"]).encode()
    assert parse(alone, LLMPERF).runs[0].identity_record == runs[1].identity_record


def test_a_summary_under_another_concurrency_is_told() -> None:
    record = json.loads(read("llmperf_by_concurrency.json"))
    parsed = parse(json.dumps({"1": record["1"], "8": record["4"]}).encode(), LLMPERF)
    assert told(parsed, "another concurrency")[0].path == "8.num_concurrent_requests"
    assert parsed.runs[1].workload.concurrent_requests == 4


@pytest.mark.parametrize(
    ("changes", "words", "place"),
    [
        ({"results_ttft_s_mean": 6.9}, "not streamed", "results_ttft_s_mean"),
        (
            {"results_request_output_throughput_token_per_s_mean": 0.67},
            "counted chunks",
            "results_request_output_throughput_token_per_s_mean",
        ),
        ({"num_concurrent_requests": 200}, "Fewer requests", "num_concurrent_requests"),
    ],
)
def test_figures_that_contradict_each_other_are_told(
    changes: dict[str, Any], words: str, place: str
) -> None:
    assert [item.path for item in told(parse(changed(**changes), LLMPERF), words)] == [place]
    assert not told(parse(changed(), LLMPERF), words)


def test_the_version_of_a_model_is_not_part_of_its_name() -> None:
    name = "meta/llama-2-13b-chat:" + "f4e2de70d66816a8" * 4
    (run,) = parse(changed(model=name), LLMPERF).runs
    assert run.model.model_name == "meta/llama-2-13b-chat"


def test_all_failed_is_refused_alone_and_kept_beside_another() -> None:
    nothing = {"results_num_completed_requests": 0, "results_number_errors": 150}
    (problem,) = refusal(changed(**nothing), LLMPERF)
    assert (problem.message, problem.value) == (
        "No request was completed; nothing was measured.", "150 failed",
    )  # fmt: skip
    both = changed() + b"\n" + changed(**nothing)
    runs = parse(both, LLMPERF).runs
    assert [run.status for run in runs] == ["completed", "failed"]
    assert figures(runs[1]) == {("error_rate", "mean", "of_sent"): 100.0}


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"results_ttft_s_mean": "0.4"}, "results_ttft_s_mean"),
        ({"results_ttft_s_mean": -1}, "results_ttft_s_mean"),
        ({"results_num_completed_requests": "many"}, "results_num_completed_requests"),
        ({"num_concurrent_requests": 1.5}, "num_concurrent_requests"),
        ({"timestamp": -5}, "timestamp"),
        ({"model": 7}, "model"),
    ],
)
def test_wrong_values_are_named_with_their_place(changes: dict[str, Any], place: str) -> None:
    assert [item.path for item in refusal(changed(**changes), LLMPERF)] == [place]


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ([{"error_code": None, "ttft_s": 1.1, "end_to_end_latency_s": 4.5}], "*_summary.json"),
        (
            {"1": {"first-time-to-token_mean_in_ms": 158.1, "throughput_token_per_s": 30.4}},
            "*_results.json",
        ),
    ],
)
def test_what_is_no_summary_is_refused_with_what_to_send(record: Any, words: str) -> None:
    with pytest.raises(UnknownFormatError) as caught:
        detect_format(decode(json.dumps(record).encode()))
    assert words in caught.value.problems[0].message

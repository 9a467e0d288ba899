"""Ollama's answers: one, several, streamed; prompts that may have come from the cache."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.experiments.serving import derived, figures, parse, read, refusal, told

OLLAMA = "ollama"
COLD, WARM = json.loads(read("ollama_chat.json"))


def answer(**changes: Any) -> bytes:
    return json.dumps(COLD | changes).encode()


def test_an_answer_whose_model_was_loaded_for_it_tells_all_speeds() -> None:
    run = parse(answer(), OLLAMA).runs[0]
    found = figures(run)
    assert found["tokens_per_second", "mean", "decode"] == pytest.approx(75.0334, abs=1e-4)
    assert found["prompt_processing_speed", "mean", "prefill"] == pytest.approx(566.0565, abs=1e-4)
    assert found["model_loading_time", "mean", None] == pytest.approx(2.754776416)
    assert found["e2e_latency_ms", "mean", "server"] == pytest.approx(15820.121708)
    assert derived(run)["tokens_per_second", "mean", "decode"] == ("eval_count", "eval_duration")
    assert "ttft_ms" not in {metric for metric, *_ in found}


def test_a_prompt_that_may_have_been_cached_has_no_prompt_speed() -> None:
    parsed = parse(read("ollama_chat.json"), OLLAMA)
    cold, warm = parsed.runs
    found = figures(warm)
    assert found["prompt_speed_maybe_cached", "mean", None] == pytest.approx(42536.0328)
    metrics = {metric for metric, *_ in found}
    assert metrics == {"tokens_per_second", "e2e_latency_ms", "prompt_speed_maybe_cached"}
    assert [item.path for item in told(parsed, "from the cache")] == ["[1].prompt_eval_duration"]
    assert cold.identity_record != warm.identity_record


def test_a_cold_prompt_that_is_too_fast_is_doubted_too() -> None:
    found = figures(parse(answer(prompt_eval_duration=10_000_000), OLLAMA).runs[0])
    assert ("prompt_processing_speed", "mean", "prefill") not in found
    assert found["prompt_speed_maybe_cached", "mean", None] == pytest.approx(56_700)


def test_a_prompt_without_a_count_gives_no_speed_and_no_length() -> None:
    record = {key: value for key, value in COLD.items() if key != "prompt_eval_count"}
    parsed = parse(json.dumps(record).encode(), OLLAMA)
    assert parsed.runs[0].workload.input_tokens is None
    assert told(parsed, "counts no prompt tokens")


def test_one_request_is_in_flight_and_no_machine_is_named() -> None:
    run = parse(answer(), OLLAMA).runs[0]
    assert (run.workload.load_kind, run.workload.concurrent_requests) == ("isolated", 1)
    assert (run.workload.input_tokens, run.workload.output_tokens) == (567, 886)
    assert (run.backend, run.backend_version, run.hardware.gpu_models) == ("ollama", None, ())
    assert run.started_at == datetime(2026, 4, 8, 21, 27, 1, 303802, UTC)


@pytest.mark.parametrize(
    ("tag", "name", "quantization"),
    [
        ("qwen3-coder:30b", "qwen3-coder:30b", None),
        ("qwen3:latest", "qwen3", None),
        ("llama3.1:8b-instruct-q4_K_M", "llama3.1:8b-instruct", "Q4_K_M"),
        ("qwen3.5:35b-a3b-coding-nvfp4", "qwen3.5:35b-a3b-coding", "NVFP4"),
        ("hf.co/acme/Nimbus-7B-GGUF:Q4_K_M", "Nimbus-7B", "Q4_K_M"),
    ],
)
def test_a_tag_tells_the_quantization_only_sometimes(
    tag: str, name: str, quantization: str | None
) -> None:
    model = parse(answer(model=tag), OLLAMA).runs[0].model
    assert (model.model_name, model.quantization) == (name, quantization)


def test_of_a_stream_the_last_object_is_the_result() -> None:
    parsed = parse(read("ollama_stream.jsonl"), OLLAMA)
    (run,) = parsed.runs
    assert run.path == "line 3"
    assert figures(run)["tokens_per_second", "mean", "decode"] == 50


def test_an_answer_that_was_not_finished_is_no_result() -> None:
    lines = read("ollama_stream.jsonl").splitlines(keepends=True)
    (problem,) = refusal(b"".join(lines[:2]), OLLAMA)
    assert "not finished" in problem.message
    assert told(parse(b"".join([*lines, lines[0]]), OLLAMA), "last answer of the file")


def test_an_error_is_told_as_one_and_measures_nothing() -> None:
    chunk = read("ollama_stream.jsonl").splitlines(keepends=True)[0]
    error = b'{"error": "an error was encountered while running the model"}\n'
    (problem,) = refusal(chunk + error, OLLAMA)
    assert (problem.path, "reports an error" in problem.message) == ("line 2", True)
    parsed = parse(chunk + error + read("ollama_stream.jsonl"), OLLAMA)
    assert [run.path for run in parsed.runs] == ["line 5"]
    assert [item.path for item in told(parsed, "reports an error")] == ["line 2"]
    assert not told(parsed, "not finished")


def test_texts_reach_neither_settings_nor_identity() -> None:
    parsed = parse(answer(response="A secret.", thinking="Hm.", context=[7]), OLLAMA)
    (run,) = parsed.runs
    kept = json.dumps([run.identity_record, run.source_records, dict(run.setup.settings)])
    assert "secret" not in kept
    assert "Hm." not in kept
    assert "An answer" not in kept
    assert told(parsed, "shown to nobody")[0].value == "context, message, response, thinking"


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"eval_count": "many"}, "eval_count"),
        ({"eval_duration": -1}, "eval_duration"),
        ({"total_duration": 1.5}, "total_duration"),
        ({"created_at": "yesterday"}, "created_at"),
    ],
)
def test_what_cannot_be_is_named_with_its_place(changes: dict[str, Any], path: str) -> None:
    assert [item.path for item in refusal(answer(**changes), OLLAMA)] == [path]


def test_an_answer_that_only_loaded_the_model_is_left_out() -> None:
    loaded = {"model": "a", "created_at": COLD["created_at"], "response": "", "done": True}
    both = json.dumps([loaded | {"done_reason": "load"}, COLD]).encode()
    parsed = parse(both, OLLAMA)
    assert len(parsed.runs) == 1
    assert told(parsed, "no token")[0].path == "[0]"

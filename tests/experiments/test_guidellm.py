"""GuideLLM reports in JSON and YAML: figures, loads, status, and what must not be believed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from experiments.formats import detect_format
from experiments.formats.content import Content
from experiments.formats.documents import (
    FormatError,
    InvalidFileError,
    ParsedFile,
    RunDocument,
    UnknownFormatError,
)

SAMPLES = Path(__file__).parent / "samples"
Report = dict[str, Any]


def sample(name: str) -> str:
    return (SAMPLES / name).read_text(encoding="utf-8")


def parse(text: str) -> ParsedFile:
    content = Content(text)
    return detect_format(content).parse(content)


def report(name: str = "guidellm_0_3.json") -> Report:
    loaded: Report = json.loads(sample(name))
    return loaded


def only(found: Report) -> RunDocument:
    (run,) = parse(json.dumps(found)).runs
    return run


def figures(run: RunDocument) -> dict[tuple[str, str, str | None], float]:
    return {item.identity: item.value for item in run.measurements}


def with_one(change: Callable[[Report], None], name: str = "guidellm_0_3.json") -> Report:
    """Return a report of the first benchmark alone, changed."""
    found = report(name)
    del found["benchmarks"][1:]
    change(found["benchmarks"][0])
    return found


def test_a_sweep_is_a_run_for_each_strategy() -> None:
    """Alone, all at once, at a constant rate: three loads, one sweep."""
    runs = parse(sample("guidellm_0_3.json")).runs
    loads = [
        (item.concurrent_requests, item.request_rate, item.load_pattern)
        for item in (run.workload for run in runs)
    ]
    assert loads == [(1, None, None), (207, None, "all at once"), (None, 12.5, "constant rate")]
    assert len({run.sweep_group for run in runs}) == 1
    assert [run.given_id for run in runs] == [
        f"5f0c6f1e-8a5e-4a59-9c1c-2b9b9c1d0a0{number}" for number in (1, 2, 3)
    ]
    assert {run.workload.load_kind for run in runs} == {"serving"}


def test_lengths_are_means_with_what_was_asked_for_beside_them() -> None:
    workload = parse(sample("guidellm_0_8.json")).runs[0].workload
    assert (workload.input_tokens, workload.output_tokens) == (256.0, 64.0)
    assert (workload.configured_input_tokens, workload.configured_output_tokens) == (256, 64)
    assert workload.dataset_name == "synthetic"


def test_latencies_are_what_the_tool_computes_in_milliseconds() -> None:
    """request_latency is in seconds; what GuideLLM calls ITL is a mean for each request."""
    found = figures(parse(sample("guidellm_0_8.json")).runs[0])
    assert found["e2e_latency_ms", "mean", "client"] == pytest.approx(1560)
    assert found["tpot_ms", "mean", "excl_first"] == 23.4
    assert found["tpot_ms", "mean", "incl_first"] == 24.3
    assert found["ttft_ms", "mean", "client"] == 80
    assert found["ttft_ms", "mean", "first_output_token"] == 320
    assert found["ttft_ms", "p99.9", "client"] == pytest.approx(103.2)
    assert found["ttft_ms", "p50", "client"] == pytest.approx(79.6)
    assert not any(metric == "itl_ms" for metric, _statistic, _definition in found)


def test_tpot_until_0_3_divides_the_decode_time_by_all_tokens() -> None:
    found = figures(parse(sample("guidellm_0_3.json")).runs[0])
    assert found["tpot_ms", "mean", "decode_over_all"] == 4.9
    assert ("tpot_ms", "mean", "incl_first") not in found


def test_totals_and_duration_give_the_wall_clock() -> None:
    run = parse(sample("guidellm_0_3.json")).runs[2]
    found = figures(run)
    assert found["tokens_per_second", "mean", "wall_clock"] == pytest.approx(360 * 64 / 30)
    assert found["total_tokens_per_second", "mean", "wall_clock"] == pytest.approx(360 * 192 / 30)
    assert found["requests_per_second", "mean", "wall_clock"] == pytest.approx(12)
    derived = {item.derived_from for item in run.measurements if item.definition == "wall_clock"}
    assert ("generated tokens", "duration") in derived


def test_rates_keep_their_mean_alone() -> None:
    """Their other statistics are over the moments between two events."""
    run = parse(sample("guidellm_0_3.json")).runs[0]
    rates = {item.statistic for item in run.measurements if item.definition == "rate_over_time"}
    assert rates == {"mean"}


def test_one_request_has_means_alone_and_a_doubted_rate() -> None:
    """Hidden reasoning: 282 tok/s while tokens arrive, 59 tok/s of the whole minute."""
    parsed = parse(sample("guidellm_0_6.yaml"))
    (run,) = parsed.runs
    assert {item.statistic for item in run.measurements} == {"mean"}
    assert figures(run)["tokens_per_second", "mean", "wall_clock"] == pytest.approx(59.01325)
    places = [item.path for item in parsed.warnings]
    assert "benchmarks[0].metrics.output_tokens_per_second.successful.mean" in places
    assert (run.tool, run.tool_version) == ("GuideLLM", "0.6.0")
    assert (run.model.model_name, run.model.quantization) == ("Nimbus-35B-A3B", "UD-Q4_K_M")


def test_failed_requests_are_a_share_and_cut_off_ones_are_none() -> None:
    found = [figures(run) for run in parse(sample("guidellm_0_3.json")).runs]
    assert found[1]["error_rate", "mean", "of_sent"] == 0
    assert found[2]["error_rate", "mean", "of_sent"] == pytest.approx(100 * 4 / 364)


def test_a_benchmark_in_which_nothing_succeeded_is_kept_as_failed() -> None:
    parsed = parse(sample("guidellm_0_8.json"))
    assert [run.status for run in parsed.runs] == ["completed", "failed"]
    assert figures(parsed.runs[1]) == {("error_rate", "mean", "of_sent"): 100}
    assert any("None of the 500 requests succeeded" in item.message for item in parsed.warnings)


def test_a_file_in_which_nothing_succeeded_is_refused() -> None:
    found = report("guidellm_0_8.json")
    del found["benchmarks"][0]
    with pytest.raises(InvalidFileError) as refused:
        parse(json.dumps(found))
    (problem,) = refused.value.problems
    assert problem.path == "benchmarks[0]"
    assert "None of the 500 requests succeeded; nothing was measured." in problem.message


@pytest.mark.parametrize(
    ("strategy", "profile", "load"),
    [
        ({"type_": "concurrent", "streams": 16}, {}, (16, None, None)),
        ({"type_": "concurrent", "max_concurrency": 8}, {}, (8, None, None)),
        (
            {"type_": "constant", "rate": 2.0, "max_concurrency": 10240},
            {"max_concurrency": None},
            (None, 2.0, "constant rate"),
        ),
        (
            {"type_": "poisson", "rate": 2.0, "max_concurrency": 64},
            {"max_concurrency": 64},
            (None, 2.0, "Poisson arrivals, at most 64 in flight"),
        ),
        ({"type_": "async", "rate": 2.0}, {}, (None, 2.0, None)),
        ({"type_": "trace"}, {}, (None, None, "trace")),
        ({"type_": "constant"}, {}, (None, None, None)),
    ],
)
def test_loads_by_strategy(strategy: Report, profile: Report, load: tuple[Any, ...]) -> None:
    """The limit that GuideLLM sets by itself is none; one that was asked for is."""

    def change(benchmark: Report) -> None:
        benchmark["args"]["strategy"] = strategy
        benchmark["args"]["profile"] = profile

    workload = only(with_one(change)).workload
    assert (workload.concurrent_requests, workload.request_rate, workload.load_pattern) == load


@pytest.mark.parametrize(
    ("data", "name", "lengths"),
    [
        ("prompt_tokens=128,output_tokens=64", "synthetic", (128, 64)),
        ('{"prompt_tokens": 128, "output_tokens": 64}', "synthetic", (128, 64)),
        (["prompt_tokens=128, output_tokens=64", "other"], "synthetic and 1 more", (128, 64)),
        ("abisee/cnn_dailymail", "abisee/cnn_dailymail", (None, None)),
        ("/home/jane/data/prompts.jsonl", "prompts.jsonl", (None, None)),
        ("['/data/prompts.jsonl']", "prompts.jsonl", (None, None)),
        ([{"kind": "huggingface", "source": "abisee/cnn"}], "abisee/cnn", (None, None)),
        ("prompt_tokens=many,output_tokens=-1", "synthetic", (None, None)),
        ("{broken", "{broken", (None, None)),
        (None, None, (None, None)),
        ([], None, (None, None)),
    ],
)
def test_data_sets_are_named_in_many_ways(
    data: Any, name: str | None, lengths: tuple[int | None, int | None]
) -> None:
    def change(benchmark: Report) -> None:
        benchmark["request_loader"]["data"] = data

    workload = only(with_one(change)).workload
    assert workload.dataset_name == name
    assert (workload.configured_input_tokens, workload.configured_output_tokens) == lengths


def test_shared_prefixes_and_turns_set_configurations_apart() -> None:
    run = parse(sample("guidellm_0_8.json")).runs[0]
    assert run.setup.speed_settings.keys() == {"turns", "prefix_buckets"}


def test_nothing_private_is_kept() -> None:
    """Keys, headers, addresses, prompts, answers and home folders stay in the file alone."""
    for name in (
        "guidellm_0_1.json",
        "guidellm_0_3.json",
        "guidellm_0_6.yaml",
        "guidellm_0_8.json",
    ):
        parsed = parse(sample(name))
        kept = str([(run.setup, run.notes, run.extra_names, run.workload) for run in parsed.runs])
        for private in ("sk-not-a-real-key", "10.1.2.3", "llm-server", "127.0.0.1", "localhost",
                        "Once upon", "secret", "jane"):  # fmt: skip
            assert private not in kept, (name, private)
        told = " ".join(str(item.value) for item in parsed.warnings)
        assert "target" in told, name


def test_a_copy_without_its_requests_is_the_same_run() -> None:
    """So is one in which whole numbers lost their decimal point, as YAML writers do."""
    whole = parse(sample("guidellm_0_3.json")).runs[0]

    def strip(benchmark: Report) -> None:
        del benchmark["requests"]
        benchmark["duration"] = 30

    stripped = only(with_one(strip))
    assert stripped.given_id == whole.given_id
    assert json.dumps(stripped.source_records) == json.dumps(whole.source_records)

    def change(benchmark: Report) -> None:
        benchmark["metrics"]["time_to_first_token_ms"]["successful"]["mean"] = 17.0

    assert json.dumps(only(with_one(change)).source_records) != json.dumps(whole.source_records)


def test_an_engine_within_guidellm_is_named() -> None:
    found = report("guidellm_0_8.json")
    found["config"]["spec"]["backend"]["kind"] = "vllm_python"
    assert {run.backend for run in parse(json.dumps(found)).runs} == {"vllm"}


def test_0_1_has_its_figures_made_of_its_requests() -> None:
    """1 s, 1 s and 2 s one after the other, 5, 5 and 10 tokens."""
    alone, rated = parse(sample("guidellm_0_1.json")).runs
    found = figures(alone)
    assert found["e2e_latency_ms", "mean", "client"] == pytest.approx(4000 / 3)
    assert found["e2e_latency_ms", "p50", "client"] == 1000
    assert found["ttft_ms", "max", "client"] == pytest.approx(300)
    assert found["itl_ms", "mean", "all_gaps"] == pytest.approx(1000 * (8 * 0.2 + 0.7 + 1) / 17)
    assert found["tokens_per_second", "mean", "wall_clock"] == 5
    assert found["mean_concurrency", "mean", None] == 1
    assert {item.derived_from for item in alone.measurements} <= {
        ("results",), ("failed requests", "completed requests"),
    }  # fmt: skip
    assert (alone.workload.concurrent_requests, alone.workload.input_tokens) == (1, 32)
    assert (rated.workload.request_rate, rated.workload.load_pattern) == (2.0, "constant rate")
    assert figures(rated)["error_rate", "mean", "of_sent"] == pytest.approx(100 / 3)
    assert alone.sweep_group == rated.sweep_group
    assert alone.tool_version == "0.1"


def test_0_1_without_the_report_around_it_is_read_too() -> None:
    (inner,) = report("guidellm_0_1.json")["benchmarks"]
    assert len(parse(json.dumps(inner)).runs) == 2


def test_words_counted_as_tokens_earn_a_warning() -> None:
    found = report("guidellm_0_1.json")
    for result in found["benchmarks"][0]["benchmarks"][0]["results"]:
        result["output_word_count"] = result["output_token_count"]
    assert any("counts words" in item.message for item in parse(json.dumps(found)).warnings)


def at(*keys: Any, value: Any) -> Callable[[Report], None]:
    """Return what sets a value at a place of a benchmark."""

    def change(benchmark: Report) -> None:
        holder: Any = benchmark
        for key in keys[:-1]:
            holder = holder[key]
        if value is ...:
            del holder[keys[-1]]
        else:
            holder[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        (at("type_", value="embeddings_benchmark"), "type_", "Only benchmarks of the type"),
        (at("metrics", value=...), "metrics", "This field is required."),
        (at("metrics", value=[]), "metrics", "An object { … } is needed here."),
        (at("request_totals", value=...), "metrics.request_totals", "how many requests succeeded"),
        (at("request_totals", "successful", value=-1), "request_totals.successful", "0 or more"),
        (at("args", value=...), "", "names no strategy"),
        (at("args", "strategy", "type_", value=7), "args.strategy.type_", "A text is needed"),
        (at("start_time", value=1e12), "start_time", "between 2000 and 2100"),
        (at("duration", value="30"), "duration", "without quotation marks"),
        (
            at("metrics", "time_to_first_token_ms", "successful", "mean", value="12"),
            "metrics.time_to_first_token_ms.successful.mean",
            "A number is needed here.",
        ),
        (
            at("metrics", "request_latency", "successful", "percentiles", "p99", value=-1.0),
            "metrics.request_latency.successful.percentiles.p99",
            "above 0",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    change: Callable[[Report], None], path: str, message: str
) -> None:
    with pytest.raises(InvalidFileError) as refused:
        parse(
            json.dumps(
                with_one(change, "guidellm_0_3.json") | {"metadata": {"guidellm_version": "x"}}
            )
        )
    told = {problem.path: problem.message for problem in refused.value.problems}
    place = f"benchmarks[0].{path}".rstrip(".")
    assert message in told.get(place, ""), told


@pytest.mark.parametrize(
    "text",
    [
        '{"benchmarks": []}',
        '{"benchmarks": {"type_": "generative_benchmark"}}',
        '{"benchmarks": [{"type_": "something"}]}',
        '{"benchmarks": [{"mode": "synchronous", "results": []}]}',
        "benchmarks:\n- type_: something\n",
        "benchmarks: 3\n",
    ],
)
def test_other_lists_of_benchmarks_are_not_taken_for_guidellm(text: str) -> None:
    with pytest.raises(UnknownFormatError):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"metadata": {"guidellm_version": "0.6.0"}, "benchmarks": []}',
        '{"metadata": {"guidellm_version": "0.6.0"}, "benchmarks": [3]}',
        '[{"metadata": {"guidellm_version": "0.6.0"}, "benchmarks": [{}]}, 4]',
        "metadata: {guidellm_version: 0.6.0}\nbenchmarks: [[1]]\n",
    ],
)
def test_reports_without_a_benchmark_are_refused_with_a_reason(text: str) -> None:
    with pytest.raises(FormatError) as refused:
        parse(text)
    assert all(problem.message for problem in refused.value.problems)

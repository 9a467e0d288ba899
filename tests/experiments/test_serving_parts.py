"""What the parsers of serving tools share: figures, loads, model names, what is private."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.formats.figures import Figures
from experiments.formats.loads import ClientLoad, serving_workload
from experiments.formats.model_names import served_model
from experiments.formats.private import hidden_warning, public_settings


def test_figures_stand_in_the_units_of_the_registry() -> None:
    figures = Figures(sample_count=100)
    figures.add("ttft_ms", 1.5, "s", at="mean_ttft", definition="client")
    figures.add("ttft_ms", 2.5, "s", at="p999", statistic="99.9", definition="client")
    mean, high = figures.measurements
    assert (mean.value, mean.unit, mean.statistic, mean.sample_count) == (1500, "ms", "mean", 100)
    assert (high.value, high.statistic) == (2500, "p99.9")
    assert not figures.problems
    assert not figures.warnings


@pytest.mark.parametrize("value", [0, 0.0, math.nan, math.inf])
def test_figures_that_say_nothing_are_left_out_with_a_warning(value: float) -> None:
    figures = Figures()
    figures.add("ttft_ms", value, "ms", at="mean_ttft_ms")
    assert figures.measurements == ()
    assert [warning.path for warning in figures.warnings] == ["mean_ttft_ms"]


@pytest.mark.parametrize("value", [-1, "12", True, 10**400, [1]])
def test_figures_that_cannot_be_are_problems_at_their_place(value: object) -> None:
    figures = Figures()
    figures.add("tokens_per_second", value, "tok/s", at="output_throughput")
    assert figures.measurements == ()
    assert [problem.path for problem in figures.problems] == ["output_throughput"]


def test_figures_of_one_request_are_its_mean_alone() -> None:
    figures = Figures(sample_count=1)
    for statistic in ("mean", "std", "p99", "max"):
        figures.add("ttft_ms", 5.0, "ms", at=statistic, statistic=statistic)
    assert [item.statistic for item in figures.measurements] == ["mean"]


def test_figures_count_failed_requests_of_those_sent() -> None:
    figures = Figures()
    figures.add_error_rate(6, 2, at="failed")
    figures.add_error_rate(6, None, at="failed")
    (rate,) = figures.measurements
    assert (rate.value, rate.unit, rate.sample_count) == (25.0, "%", 8)


@pytest.mark.parametrize(
    ("load", "concurrency", "rate", "pattern"),
    [
        (ClientLoad(rate=math.inf, limit=8, requests=80), 8, None, None),
        (ClientLoad(rate=math.inf, limit=None, requests=80), 80, None, "all at once"),
        (ClientLoad(rate=0.5, limit=None, requests=80), None, 0.5, "Poisson arrivals"),
        (
            ClientLoad(rate=0.5, limit=4, requests=80, burstiness=0.7),
            None,
            0.5,
            "gamma arrivals, burstiness 0.7, at most 4 in flight",
        ),
        (ClientLoad(rate=2, limit=None, requests=9, constant=True), None, 2, "constant rate"),
        (ClientLoad(rate=None, limit=None, requests=None), None, None, None),
    ],
)
def test_load_is_a_rate_or_how_many_requests_are_in_flight(
    load: ClientLoad, concurrency: int | None, rate: float | None, pattern: str | None
) -> None:
    workload = serving_workload(load, input_tokens=None, output_tokens=None)
    assert workload.load_kind == "serving"
    assert workload.concurrent_requests == concurrency
    assert workload.request_rate == rate
    assert workload.load_pattern == pattern


@pytest.mark.parametrize(
    ("served", "model", "quantization"),
    [
        ("openai/gpt-oss-120b", "openai/gpt-oss-120b", None),
        ("Qwen/Qwen3.6-35B-A3B-FP8", "Qwen3.6-35B-A3B", "FP8"),
        ("unsloth/Olmo-3-GGUF/Olmo-3-Think-Q8_0.gguf", "Olmo-3-Think", "Q8_0"),
        ("/home/jane/models/deepseek-r1", "deepseek-r1", None),
        ("$MODEL", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_served_names_lead_to_model_and_quantization(
    served: str | None, model: str | None, quantization: str | None
) -> None:
    found = served_model(served)
    assert (found.model_name, found.quantization) == (model, quantization)


def test_served_model_is_what_the_first_usable_name_says() -> None:
    assert served_model("$MODEL", "acme/Nimbus-7B").model_name == "acme/Nimbus-7B"


def test_private_things_are_hidden_and_named() -> None:
    record = {
        "tensor_parallel_size": 8,
        "max_tokens": 128,
        "api_key": "sk-very-secret",
        "extra_headers": {"Authorization": "Bearer abc"},
        "backend": {"target": "http://10.0.0.7:8000", "kind": "openai"},
        "generated_texts": ["Once upon a time"],
        "request_headers": {"X-Tenant": "acme"},
        "model_path": "/home/jane/models/llama",
        "latencies": list(range(1000)),
        "note": "x" * 500,
        "goodput": None,
        "ratio": math.nan,
        "known": 1,
    }
    settings, hidden = public_settings(record, skip=["known"])
    assert settings == {
        "tensor_parallel_size": 8,
        "max_tokens": 128,
        "backend.kind": "openai",
        "model_path": "llama",
        "ratio": None,
    }
    names = sorted(hidden)
    assert names == [
        *("api_key", "backend.target", "extra_headers", "generated_texts", "model_path"),
        "request_headers",
    ]
    (warning,) = hidden_warning("line 1", hidden)
    assert (warning.path, warning.value) == ("line 1", ", ".join(names))
    assert hidden_warning("line 1", ()) == []


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
records = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


@given(records, st.sampled_from(["password", "api_key", "hf_token", "Authorization"]))
def test_no_secret_is_ever_kept_wherever_it_stands(around: object, name: str) -> None:
    secret = "hunter2hunter2"
    record = {"around": around, "config": {name: secret, "deep": {"x": {name: secret}}}}
    settings, hidden = public_settings(record)
    assert secret not in str(settings)
    assert f"config.{name}" in hidden

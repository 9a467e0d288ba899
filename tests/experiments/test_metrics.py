"""The metric registry, flat names and units."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.metrics import METRICS, Metric, UnitError, convert, parse_metric_name
from experiments.summaries import HEADLINE_COLUMNS

DESIGNED = {
    "tokens_per_second",
    "tokens_per_second_per_user",
    "tokens_per_second_per_gpu",
    "prompt_processing_speed",
    "total_tokens_per_second",
    "requests_per_second",
    "goodput_requests_per_second",
    "ttft_ms",
    "tpot_ms",
    "itl_ms",
    "e2e_latency_ms",
    "memory_usage_gb",
    "peak_memory_gb",
    "model_size_gb",
    "model_loading_time",
    "gpu_power_watts",
    "joules_per_token",
    "error_rate",
    "tokens_per_kwh",
}


# What tools state for each GPU beside the generation speed.
PER_GPU = {"prompt_processing_speed_per_gpu", "total_tokens_per_second_per_gpu"}


def test_the_registry_holds_the_metrics_of_the_design() -> None:
    assert set(METRICS) == DESIGNED | PER_GPU
    assert set(HEADLINE_COLUMNS) <= DESIGNED


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_every_definition_has_a_formula_and_a_source(metric: Metric) -> None:
    assert len({definition.id for definition in metric.definitions}) == len(metric.definitions)
    for definition in metric.definitions:
        assert definition.formula
        assert definition.source.startswith("https://")


@pytest.mark.parametrize(
    ("name", "metric", "statistic"),
    [
        ("tokens_per_second", "tokens_per_second", None),
        ("ttft_p95_ms", "ttft_ms", "p95"),
        ("median_ttft_ms", "ttft_ms", "p50"),
        ("p99.9_ttft_ms", "ttft_ms", "p99.9"),
        ("first_token_latency_ms", "ttft_ms", None),
        ("average_token_latency_ms", "tpot_ms", None),
        ("request_mean_ms", "e2e_latency_ms", None),
        ("throughput_tokens_per_second", "total_tokens_per_second", None),
        ("std_itl_ms", "itl_ms", "std"),
    ],
)
def test_flat_names_are_taken_apart(name: str, metric: str, statistic: str | None) -> None:
    parsed = parse_metric_name(name)
    assert (parsed.metric, parsed.statistic, parsed.known) == (metric, statistic, True)


@given(st.text(max_size=40))
def test_any_name_is_answered(name: str) -> None:
    parsed = parse_metric_name(name)
    assert parsed.known == (parsed.metric in METRICS)


@pytest.mark.parametrize(
    ("value", "unit", "to_unit", "expected"),
    [
        (2.0, "s", "ms", 2000.0),
        (1.5e6, "ns", "ms", 1.5),
        (1024.0, "MiB", "GB", 1.073741824),
        (24.0, "GiB", "GB", 25.769803776),
        (0.25, "ratio", "%", 25.0),
        (120.0, "tok/min", "tok/s", 2.0),
        (61.7, "tokens/sec", "tok/s", 61.7),
        (1.2, "kW", "W", 1200.0),
        (5.0, "MW", "W", 5e6),
        (5.0, "mW", "W", 0.005),
        (30.0, "tok/s/user", "tok/s/user", 30.0),
        (30.0, "tok/s", "tok/s/user", 30.0),
    ],
)
def test_units_are_converted(value: float, unit: str, to_unit: str, expected: float) -> None:
    assert convert(value, unit, to_unit) == pytest.approx(expected)


@pytest.mark.parametrize(("unit", "to_unit"), [("tok/s/gpu", "tok/s"), ("Gb", "GB")])
def test_a_share_is_no_total_and_a_bit_no_byte(unit: str, to_unit: str) -> None:
    with pytest.raises(UnitError):
        convert(1, unit, to_unit)


@pytest.mark.parametrize("name", ["ttft_p٣٣_ms", "ttft_p0_ms"])
def test_what_is_no_percentile_is_no_statistic(name: str) -> None:
    assert not parse_metric_name(name).known


@pytest.mark.parametrize("unit", ["W", "parsec", ""])
def test_a_unit_that_cannot_be_converted_names_those_that_can(unit: str) -> None:
    with pytest.raises(UnitError, match="this metric takes s, ms, us, ns, min"):
        convert(1, unit, "ms")

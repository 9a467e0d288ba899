"""Figures that cannot be true together are flagged, stay with their run, and are never refused."""

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from experiments.formats.documents import (
    MeasurementDocument,
    ModelDocument,
    RunDocument,
    SetupDocument,
    WorkloadDocument,
)
from experiments.ingest.plausibility import KnownFacts, doubts
from experiments.models import TestRun
from hardware.resolution import HardwareFacts
from tests.factories import experiment, ingest

FASTER = "Faster than memory allows"
IN_FLIGHT = "More requests in flight"
LATENCY = "TTFT + TPOT"
LATENCY_WITH_FIRST = "TPOT (first token included)"
RATE = "The stated generation speed"
RTX_4090 = KnownFacts(bandwidth_gb_per_s=1008.0)
UNITS = {"tokens_per_second": "tok/s", "requests_per_second": "req/s", "model_size_gb": "GB"}


def a_run(
    figures: dict[tuple[str, str | None], float],
    *,
    model_name: str = "Nimbus-14B",
    setup: SetupDocument | None = None,
    **workload: Any,
) -> RunDocument:
    """Return a served run with these means by metric and definition."""
    return RunDocument(
        path="[0]",
        given_id=None,
        identity_record={},
        source_records=(),
        model=ModelDocument(model_name=model_name, quantization="Q8_0"),
        hardware=HardwareFacts(gpu_models=("RTX 4090",), gpu_count=1),
        backend="vllm",
        backend_version=None,
        workload=WorkloadDocument(load_kind="serving", **workload),
        setup=setup or SetupDocument(),
        measurements=tuple(
            MeasurementDocument(
                metric=metric,
                statistic="mean",
                definition=definition,
                value=value,
                unit=UNITS.get(metric, "ms"),
            )
            for (metric, definition), value in figures.items()
        ),
    )


def said(run: RunDocument, known: KnownFacts = RTX_4090) -> list[str]:
    """Return how each doubt begins."""
    found = doubts(run, known)
    assert all(doubt.path == run.path and doubt.value for doubt in found)
    starts = (FASTER, IN_FLIGHT, LATENCY, LATENCY_WITH_FIRST, RATE)
    return [start for doubt in found for start in starts if doubt.message.startswith(start)]


def decoding(speed: float, size_gb: float | None = 14.0, **fields: Any) -> RunDocument:
    figures: dict[tuple[str, str | None], float] = {("tokens_per_second", "decode"): speed}
    if size_gb:
        figures["model_size_gb", None] = size_gb
    return a_run(figures, **{"concurrent_requests": 1, **fields})


def test_a_dense_model_does_not_outrun_its_memory() -> None:
    assert said(decoding(70.0)) == []
    assert said(decoding(90.0)) == [FASTER]
    (doubt,) = doubts(decoding(90.0), RTX_4090)
    assert doubt.value == "90 tok/s × 14 GB = 1,260 GB/s; memory gives 1,008 GB/s"


@pytest.mark.parametrize(
    "run",
    [
        decoding(900.0, model_name="Qwen3-30B-A3B"),
        decoding(900.0, model_name="Mixtral-8x7B"),
        decoding(900.0, model_name="gpt-oss-20b"),
        decoding(900.0, model_name="gemma-3n-E4B-it"),
        decoding(900.0, concurrent_requests=8),
        decoding(900.0, concurrent_requests=None),
        decoding(900.0, batch_size=16),
        decoding(900.0, setup=SetupDocument(speculation="eagle3")),
        decoding(900.0, setup=SetupDocument(settings={"server.speculative_algorithm": "NGRAM"})),
        decoding(9000.0, size_gb=0.5),
        decoding(900.0, size_gb=None),
        replace(decoding(900.0), status="failed"),
        a_run(
            {("tokens_per_second", "busiest_second"): 900.0, ("model_size_gb", None): 14.0},
            concurrent_requests=1,
        ),
    ],
)
def test_what_may_outrun_memory_is_left_out(run: RunDocument) -> None:
    assert said(run) == []


def test_weights_may_be_known_to_the_site_alone() -> None:
    run = decoding(90.0, size_gb=None)
    by_bits = replace(RTX_4090, parameters=14_000_000_000, bits_per_weight=8.5)
    assert said(run, by_bits) == [FASTER]
    assert said(run, replace(by_bits, active_parameters=3_000_000_000)) == []
    assert said(run, replace(by_bits, active_parameters=14_000_000_000)) == [FASTER]
    assert said(run, replace(RTX_4090, weights_gb=14.9)) == [FASTER]
    assert said(run, replace(by_bits, bandwidth_gb_per_s=None)) == []


def served(
    *,
    concurrency: int,
    ttft_ms: float,
    tpot_ms: float,
    tokens: float,
    rate_factor: float = 1,
    e2e_factor: float = 1,
    speed_factor: float = 1,
    definition: str = "excl_first",
) -> RunDocument:
    """Return a run whose figures fit each other, but for these factors."""
    e2e_ms = ttft_ms + tpot_ms * (tokens - 1)
    rate = concurrency * 1000 / e2e_ms
    stated_tpot = e2e_ms / tokens if definition == "incl_first" else tpot_ms
    return a_run(
        {
            ("ttft_ms", "client"): ttft_ms,
            ("tpot_ms", definition): stated_tpot,
            ("e2e_latency_ms", "client"): e2e_ms * e2e_factor,
            ("requests_per_second", "wall_clock"): rate * rate_factor,
            ("tokens_per_second", "wall_clock"): rate * rate_factor * tokens * speed_factor,
        },
        concurrent_requests=concurrency,
        output_tokens=tokens,
    )


LOADS = {
    "concurrency": st.integers(1, 2048),
    "ttft_ms": st.floats(1, 60_000),
    "tpot_ms": st.floats(0.1, 1000),
    "tokens": st.floats(2, 100_000),
    "definition": st.sampled_from(["excl_first", "incl_first"]),
}


@given(st.fixed_dictionaries(LOADS), st.floats(0.2, 1.1), st.floats(0.9, 1.1))
def test_figures_that_fit_raise_no_doubt(
    load: dict[str, Any], rate_factor: float, speed_factor: float
) -> None:
    """Ramps make the rate lower than the load allows; cut-off requests move the speed a little."""
    assert said(served(**load, rate_factor=rate_factor, speed_factor=speed_factor)) == []


@given(st.fixed_dictionaries(LOADS), st.sampled_from([0.001, 0.3, 4.0, 1000.0]))
def test_wrong_units_and_rates_are_told(load: dict[str, Any], factor: float) -> None:
    latency = LATENCY_WITH_FIRST if load["definition"] == "incl_first" else LATENCY
    in_flight = [IN_FLIGHT] if factor > 1 else []
    assert said(served(**load, e2e_factor=factor)) == [*in_flight, latency]
    assert said(served(**load, rate_factor=factor)) == in_flight
    assert said(served(**load, speed_factor=factor)) == [RATE]


def test_a_batch_sent_at_once_has_no_limit_in_flight() -> None:
    run = served(concurrency=8, ttft_ms=100, tpot_ms=10, tokens=100, rate_factor=4)
    assert said(run) == [IN_FLIGHT]
    at_once = replace(run, workload=replace(run.workload, load_pattern="all at once"))
    assert said(at_once) == []


@pytest.mark.django_db
def test_doubts_stay_with_their_run_which_is_taken_all_the_same(client: Client) -> None:
    figures: dict[str, tuple[float, str, str | None]] = {
        "tokens_per_second": (400.0, "tok/s", "decode"),
        "model_size_gb": (14.0, "GB", None),
    }
    slow = figures | {"tokens_per_second": (40.0, "tok/s", "decode")}
    runs = [experiment(figures=figures), experiment(figures=slow, model_name="Nimbus-15B")]
    report = ingest({"experiment_runs": runs})
    assert report.outcome == "created"
    (warning,) = report.warnings
    assert (warning.path, warning.message[: len(FASTER)]) == ("experiment_runs[0]", FASTER)
    fast, other = (TestRun.objects.get(pk=run.id) for run in report.runs)
    assert fast.warnings == [warning.as_dict()]
    assert other.warnings == []
    page = client.get(f"/detail/{fast.pk}/").content.decode()
    assert '<a href="#warnings">1 warning</a> when it was read' in page
    assert "400 tok/s × 14 GB = 5,600 GB/s; memory gives 1,008 GB/s" in page
    assert client.get(f"/api/detail/{fast.pk}").json()["warnings"] == [warning.as_dict()]
    assert client.get(f"/api/detail/{other.pk}").json()["warnings"] == []


@pytest.mark.django_db
def test_doubts_know_the_size_that_another_upload_told(client: Client) -> None:
    known: dict[str, tuple[float, str, str | None]] = {"tokens_per_second": (40.0, "tok/s", None)}
    first = ingest({"experiment_run": experiment(figures=known)})
    variant = TestRun.objects.get(pk=first.runs[0].id).variant
    variant.weights_gb = 14.0
    variant.save()
    fast: dict[str, tuple[float, str, str | None]] = {"tokens_per_second": (400.0, "tok/s", None)}
    report = ingest({"experiment_run": experiment(figures=fast)})
    assert [warning.message[: len(FASTER)] for warning in report.warnings] == [FASTER]

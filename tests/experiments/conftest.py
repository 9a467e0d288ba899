"""Fixtures of the tests of uploads."""

import random
from datetime import timedelta

import pytest
from django.test import Client

from benchmarks.models import ModelVariant
from benchmarks.services import Protocol
from benchsite.common.review import ReviewState
from tests.experiments.senders import Sender
from tests.factories import STARTED_AT, experiment, ingest, make_score, make_variant

METRICS = {
    "tokens_per_second": "tok/s",
    "prompt_processing_speed": "tok/s",
    "ttft_ms": "ms",
    "memory_usage_gb": "GB",
    "gpu_power_watts": "W",
}


@pytest.fixture
def people(client: Client) -> dict[str, Sender]:
    """Return who sent a run, somebody else who may upload, and a curator, each with a token."""
    return {
        "sender": Sender(client, "upload"),
        "other": Sender(client, "upload"),
        "curator": Sender(client, "curate"),
    }


def random_figures(rng: random.Random) -> dict[str, tuple[float, str, str | None]]:
    figures: dict[str, tuple[float, str, str | None]] = {
        name: (rng.choice([10.0, 20.0, 30.0, rng.uniform(1, 100)]), unit, None)
        for name, unit in METRICS.items()
        if rng.random() < 0.7
    }
    return figures or {"ttft_ms": (5.0, "ms", None)}


@pytest.fixture
def many_rows(db: None) -> None:
    """Fill the site with runs and scores that lack every kind of value somewhere."""
    rng = random.Random(20261123)
    runs = [
        experiment(
            model_name=rng.choice(["alpha", "Beta", "gamma", "delta"]),
            quantization=rng.choice(["Q4_K_M", "Q8_0"]),
            lora_adapter=rng.choice(["", "", "tuned"]),
            backend=rng.choice(["llama.cpp", "vllm"]),
            gpu_model=rng.choice(["RTX 4090", "H100 PCIe", "Radeon 8060S", None]),
            concurrent_requests=rng.choice([1, 1, 1, 8, None]),
            load_kind=rng.choice(["isolated", "isolated", "serving", "batch", None]),
            figures=random_figures(rng),
            status=rng.choice(["completed"] * 5 + ["failed"]),
            complete=rng.random() < 0.9,
            context_depth=rng.choice([0, 4096]),
            started_at=(STARTED_AT + timedelta(days=rng.randrange(9))).isoformat(),
        )
        for _ in range(90)
    ]
    assert ingest({"experiment_runs": runs}).accepted
    hidden = [
        experiment(model_name="hidden", figures={"tokens_per_second": (999.0, "tok/s", None)})
    ]
    assert ingest({"experiment_runs": hidden}, review_state=ReviewState.PENDING).accepted
    for variant in ModelVariant.objects.order_by("model_name", "quantization", "lora_adapter"):
        if rng.random() < 0.7:
            shots = rng.choice([5, 5, 0])
            make_score(
                variant=variant,
                score=rng.choice([50.0, rng.uniform(20, 90)]),
                protocol=Protocol(harness="lm-eval", shots=shots),
            )
    make_score(
        variant=make_variant(model_name="only-scored", quantization="F16"),
        protocol=Protocol(harness="lm-eval", shots=5),
    )
    make_score(
        variant=make_variant(model_name="scored-elsewhere", quantization="F16"),
        benchmark="hellaswag",
    )

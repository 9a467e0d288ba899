"""Typed factories of the facts that tests need; names tell what matters, the rest is plausible."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth.models import User

from benchmarks.models import Benchmark, BenchmarkScore, ModelVariant
from benchmarks.services import (
    CategoryData,
    Protocol,
    ScoreData,
    get_or_create_variant,
    record_scores,
)
from benchsite.common.review import ReviewState
from experiments.ingest.actor import Actor
from experiments.ingest.pipeline import ingest_file
from experiments.ingest.report import Report
from experiments.models import TestRun
from hardware.models import HardwareProfile
from hardware.services import HardwareFacts, get_or_create_profile, resolve_hardware

STARTED_AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
FIGURES: Mapping[str, tuple[float, str, str | None]] = {
    "tokens_per_second": (50.0, "tok/s", "decode"),
}


def make_variant(
    *, model_name: str = "Nimbus-14B", quantization: str = "Q4_K_M", lora_adapter: str = ""
) -> ModelVariant:
    """Make a model variant, or return the one of these names."""
    return get_or_create_variant(
        model_name=model_name, quantization=quantization, lora_adapter=lora_adapter
    )


def make_hardware(
    *,
    gpu_model: str | None = "NVIDIA GeForce RTX 4090",
    gpu_count: int | None = 1,
    cpu_model: str | None = None,
) -> HardwareProfile:
    """Make a hardware profile, or return the one of this identity."""
    facts = HardwareFacts(
        gpu_models=(gpu_model,) if gpu_model else (),
        gpu_count=gpu_count if gpu_model else None,
        cpu_model=cpu_model or (None if gpu_model else "AMD EPYC 9274F"),
    )
    return get_or_create_profile(resolve_hardware(facts))


def experiment(
    *,
    run_id: UUID | None = None,
    model_name: str = "Nimbus-14B",
    quantization: str = "Q4_K_M",
    gpu_model: str | None = "NVIDIA GeForce RTX 4090",
    gpu_count: int | None = 1,
    cpu_model: str | None = None,
    figures: Mapping[str, tuple[float, str, str | None]] = FIGURES,
    started_at: str = STARTED_AT.isoformat(),
    machine: Mapping[str, Any] = MappingProxyType({}),
    **fields: Any,
) -> dict[str, Any]:
    """Return one run in the site's own JSON; `figures` are metric: (value, unit, definition).

    `machine` holds further fields of its hardware.
    """
    hardware: dict[str, Any] = {"cpu_model": cpu_model, **machine}
    if gpu_model:
        hardware |= {"gpu_model": gpu_model, "gpu_count": gpu_count}
    elif not cpu_model:
        hardware["cpu_model"] = "AMD EPYC 9274F"
    metrics = [
        {"metric_name": name, "value": value, "unit": unit, "definition": definition}
        for name, (value, unit, definition) in figures.items()
    ]
    return {
        "id": str(run_id or uuid4()),
        "model_name": model_name,
        "quantization": quantization,
        "backend": "llama.cpp",
        "hardware_config": hardware,
        "performance_metrics": metrics,
        "timestamp": started_at,
        "concurrent_requests": 1,
        **fields,
    }


def ingest(
    document: Any, *, review_state: ReviewState = ReviewState.PUBLISHED, **options: Any
) -> Report:
    """Send a JSON document through the pipeline."""

    return ingest_file(
        data=json.dumps(document).encode(),
        file_name="test.json",
        fields=options.pop("fields", {}),
        actor=Actor(review_state=review_state, is_curator=options.get("replace", False)),
        **options,
    )


def make_run(*, review_state: ReviewState = ReviewState.PUBLISHED, **fields: Any) -> TestRun:
    """Make a run through the pipeline; `fields` are those of `experiment`."""
    report = ingest({"experiment_run": experiment(**fields)}, review_state=review_state)
    assert report.accepted, report.summary
    return TestRun.objects.with_names().get(pk=report.runs[0].id)


def make_score(
    *,
    variant: ModelVariant | None = None,
    benchmark: str = "gsm8k",
    score: float = 76.5,
    protocol: Protocol | None = None,
    categories: Mapping[str, float] | None = None,
    measured_at: datetime = STARTED_AT,
    complete: bool = True,
    review_state: ReviewState = ReviewState.PUBLISHED,
) -> BenchmarkScore:
    """Make a score of a variant."""
    data = ScoreData(
        benchmark_slug=benchmark,
        benchmark_name=benchmark,
        score=score,
        protocol=protocol or Protocol(),
        measured_at=measured_at,
        complete=complete,
        categories=tuple(
            CategoryData(category=name, score=value) for name, value in (categories or {}).items()
        ),
    )
    recorded = record_scores(
        variant=variant or make_variant(), scores=[data], review_state=review_state
    )
    return recorded[0].score


def make_benchmark(slug: str = "gsm8k") -> Benchmark:
    """Return a benchmark of the catalogue."""
    return Benchmark.objects.get(slug=slug)


def make_staff(*, name: str = "curator", superuser: bool = True) -> User:
    """Make somebody who may log in to the admin."""
    return User.objects.create_user(name, password="secret", is_staff=True, is_superuser=superuser)

"""Typed makers of model variants, benchmarks and scores."""

from datetime import datetime
from itertools import count

from benchmarks.models import Benchmark, BenchmarkScore, ModelVariant
from benchmarks.protocol import Protocol
from benchmarks.services import CategoryData, ScoreData, record_scores
from benchsite.common.review import ReviewState

_numbers = count(1)


def make_variant(
    *,
    model_name: str | None = None,
    quantization: str = "Q4_K_M",
    lora_adapter: str = "",
    parameters: int | None = None,
) -> ModelVariant:
    """Store a variant; its model name is a new one unless given."""
    return ModelVariant.objects.create(
        model_name=model_name or f"acme/Nimbus-{next(_numbers)}B",
        quantization=quantization,
        lora_adapter=lora_adapter,
        parameters=parameters,
    )


def make_benchmark(
    *,
    slug: str | None = None,
    higher_is_better: bool = True,
    preferred_protocol_key: str | None = None,
) -> Benchmark:
    """Store a benchmark from 0 to 100 without expected categories; its slug is new."""
    slug = slug or f"benchmark_{next(_numbers)}"
    return Benchmark.objects.create(
        slug=slug,
        name=slug.title(),
        scale_min=0,
        scale_max=100,
        higher_is_better=higher_is_better,
        preferred_protocol_key=preferred_protocol_key,
    )


def make_score(
    *,
    variant: ModelVariant | None = None,
    benchmark: str = "gsm8k",
    score: float = 50.0,
    protocol: Protocol | None = None,
    measured_at: datetime | None = None,
    complete: bool = True,
    needs_confirmation: bool = False,
    categories: tuple[CategoryData, ...] = (),
    review_state: ReviewState = ReviewState.PUBLISHED,
) -> BenchmarkScore:
    """Record a score through the service, of a new variant unless one is given."""
    data = ScoreData(
        benchmark_slug=benchmark,
        score=score,
        protocol=protocol or Protocol(),
        measured_at=measured_at,
        complete=complete,
        needs_confirmation=needs_confirmation,
        categories=categories,
    )
    (recorded,) = record_scores(
        variant=variant or make_variant(), scores=[data], review_state=review_state
    )
    return recorded.score

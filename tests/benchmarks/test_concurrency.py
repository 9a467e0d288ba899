"""Several sessions writing the same facts at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

import pytest
from django.db import connection

from benchmarks.models import Benchmark, BenchmarkScore, ModelVariant
from benchmarks.services import (
    CategoryData,
    ScoreData,
    VariantFacts,
    get_or_create_variant,
    record_scores,
)
from benchsite.common.review import ReviewState
from tests.benchmarks.factories import make_variant

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
SESSIONS = 4
Result = TypeVar("Result")


def at_once(work: Callable[[int], Result]) -> list[Result]:
    """Run `work` in several threads that start together, each on a connection of its own."""
    start = Barrier(SESSIONS)

    def session(number: int) -> Result:
        try:
            connection.ensure_connection()
            start.wait(timeout=10)
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(SESSIONS) as pool:
        return list(pool.map(session, range(SESSIONS)))


def test_same_variant_is_made_once() -> None:
    facts = VariantFacts(parameters=7_000_000_000)
    variants = at_once(
        lambda _: get_or_create_variant(model_name="acme/One", quantization="Q4_K_M", facts=facts)
    )
    assert len({variant.pk for variant in variants}) == 1
    assert ModelVariant.objects.get().parameters == 7_000_000_000


def test_same_score_is_recorded_once() -> None:
    variant = make_variant()
    data = ScoreData(benchmark_slug="own_test", categories=(CategoryData("law", 41.0),))

    def record(_: int) -> bool:
        (recorded,) = record_scores(
            variant=variant, scores=[data], review_state=ReviewState.PUBLISHED
        )
        return recorded.created

    assert sorted(at_once(record)) == [False] * (SESSIONS - 1) + [True]
    score = BenchmarkScore.objects.get()
    assert (score.is_current, score.categories.count()) == (True, 1)


def test_new_benchmark_of_several_variants_is_made_once() -> None:
    variants = [make_variant() for _ in range(SESSIONS)]
    data = ScoreData(benchmark_slug="own_test", score=41.0)
    at_once(
        lambda number: record_scores(
            variant=variants[number], scores=[data], review_state=ReviewState.PUBLISHED
        )
    )
    assert Benchmark.objects.filter(slug="own_test").count() == 1
    assert BenchmarkScore.objects.current().count() == SESSIONS


def test_different_scores_leave_one_current() -> None:
    variant = make_variant()
    at_once(
        lambda number: record_scores(
            variant=variant,
            scores=[ScoreData(benchmark_slug="gsm8k", score=float(number))],
            review_state=ReviewState.PUBLISHED,
        )
    )
    assert BenchmarkScore.objects.count() == SESSIONS
    assert BenchmarkScore.objects.current().count() == 1

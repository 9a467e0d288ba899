"""Constraints and querysets."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F, ProtectedError
from pytest_django.fixtures import DjangoAssertNumQueries

from benchmarks.models import Benchmark, BenchmarkScore, ModelVariant, ScoreCategory
from benchmarks.protocol import Protocol
from benchmarks.services import CategoryData
from benchsite.common.review import ReviewState
from tests.benchmarks.factories import make_benchmark, make_score, make_variant

pytestmark = pytest.mark.django_db
NAN, INFINITY = float("nan"), float("inf")
OLD, NEW = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("constraint", "values"),
    [
        ("model_variant_name_not_blank", {"model_name": " "}),
        ("model_variant_quantization_not_blank", {"quantization": ""}),
        ("model_variant_parameters_positive", {"parameters": 0}),
        ("model_variant_active_parameters_positive", {"active_parameters": -1}),
        ("model_variant_weights_gb_positive", {"weights_gb": 0}),
        ("model_variant_weights_gb_positive", {"weights_gb": NAN}),
        ("model_variant_bits_per_weight_positive", {"bits_per_weight": INFINITY}),
        ("model_variant_not_own_reference", {"reference_variant": F("id")}),
    ],
)
def test_variant_constraint(constraint: str, values: dict[str, Any]) -> None:
    variant = make_variant()
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        ModelVariant.objects.filter(pk=variant.pk).update(**values)


def test_variant_is_unique() -> None:
    make_variant(model_name="acme/One")
    make_variant(model_name="acme/One", lora_adapter="acme/adapter")
    with pytest.raises(IntegrityError, match="model_variant_identity"):
        make_variant(model_name="acme/One")


@pytest.mark.parametrize(
    ("constraint", "values"),
    [
        ("benchmark_slug_unique", {"slug": "gsm8k"}),
        ("benchmark_names_not_blank", {"slug": ""}),
        ("benchmark_names_not_blank", {"name": " "}),
        ("benchmark_scale_ordered", {"scale_min": 100}),
    ],
)
def test_benchmark_constraint(constraint: str, values: dict[str, Any]) -> None:
    benchmark = make_benchmark()
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Benchmark.objects.filter(pk=benchmark.pk).update(**values)


@pytest.mark.parametrize(
    ("constraint", "values"),
    [
        ("benchmark_score_finite", {"score": NAN}),
        ("benchmark_score_finite", {"score": INFINITY}),
        ("benchmark_score_finite", {"score": -INFINITY}),
        ("benchmark_score_stderr_valid", {"stderr": -0.1}),
        ("benchmark_score_stderr_valid", {"stderr": NAN}),
        ("benchmark_score_counts_agree", {"correct": 11, "total": 10}),
        ("benchmark_score_counts_agree", {"total": 0}),
        ("benchmark_score_counts_agree", {"correct": -1}),
        ("benchmark_score_shots_valid", {"shots": -1}),
        ("benchmark_score_complete_without_reason", {"partial_reason": "limit 10"}),
        ("benchmark_score_review_state_valid", {"review_state": "lost", "is_current": False}),
        ("benchmark_score_total_method_valid", {"total_method": "guess"}),
        ("benchmark_score_current_is_rankable", {"complete": False}),
        ("benchmark_score_current_is_rankable", {"needs_confirmation": True}),
        ("benchmark_score_current_is_rankable", {"review_state": ReviewState.PENDING}),
    ],
)
def test_score_constraint(constraint: str, values: dict[str, Any]) -> None:
    score = make_score()
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        BenchmarkScore.objects.filter(pk=score.pk).update(**values)


def test_same_content_is_stored_once() -> None:
    variant = make_variant()
    one, other = make_score(variant=variant, score=1.5), make_score(variant=variant, score=2.5)
    with pytest.raises(IntegrityError, match="benchmark_score_content"):
        BenchmarkScore.objects.filter(pk=one.pk).update(content_key=other.content_key)


def test_only_one_score_is_current() -> None:
    variant = make_variant()
    make_score(variant=variant, score=1.5)
    make_score(variant=variant, score=2.5)
    with pytest.raises(IntegrityError, match="benchmark_score_one_current"):
        BenchmarkScore.objects.filter(variant=variant).update(is_current=True)


def test_variant_with_scores_is_not_deleted() -> None:
    with pytest.raises(ProtectedError):
        make_score().variant.delete()


@pytest.mark.parametrize(
    ("constraint", "values"),
    [
        ("score_category_once", {"category": "art"}),
        ("score_category_not_blank", {"category": " "}),
        ("score_category_finite", {"score": NAN}),
        ("score_category_counts_agree", {"correct": 3, "total": 2}),
        ("score_category_counts_agree", {"total": 0}),
    ],
)
def test_category_constraint(constraint: str, values: dict[str, Any]) -> None:
    make_score(categories=(CategoryData("art", 50.0), CategoryData("law", 50.0)))
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        ScoreCategory.objects.filter(category="law").update(**values)


def test_variant_is_named_in_full() -> None:
    variant = make_variant(model_name="acme/One", lora_adapter="tales")
    assert str(variant) == "acme/One + tales · Q4_K_M"
    assert variant.nominal_bits_per_weight == 4.8944


def test_quality_comes_with_its_protocol() -> None:
    gsm8k = Benchmark.objects.get(slug="gsm8k")
    ranked = make_score(score=70.0, protocol=Protocol(shots=5))
    apart = make_score(score=90.0, protocol=Protocol(shots=0))
    make_score(variant=ranked.variant, benchmark="mmlu", score=30.0)
    without = make_variant()
    rows = ModelVariant.objects.with_quality(gsm8k, ranked_protocol="shots 5")
    found = {
        row.pk: (row.quality_score, row.quality_protocol_key, row.quality_is_ranked) for row in rows
    }
    assert found == {
        ranked.variant_id: (70.0, "shots 5", True),
        apart.variant_id: (90.0, "shots 0", False),
        without.pk: (None, None, False),
    }


def test_quality_without_ranked_protocol_is_not_ranked() -> None:
    score = make_score()
    rows = ModelVariant.objects.with_quality(score.benchmark, ranked_protocol=None)
    assert [row.quality_is_ranked for row in rows] == [False]


@pytest.mark.parametrize("count", [2, 20])
def test_quality_takes_one_query(
    count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    gsm8k = Benchmark.objects.get(slug="gsm8k")
    for _ in range(count):
        make_score()
    with django_assert_num_queries(1):
        rows = list(ModelVariant.objects.with_quality(gsm8k, ranked_protocol="x"))
    assert len(rows) == count


@pytest.mark.parametrize("count", [2, 20])
def test_details_take_two_queries(
    count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(count):
        make_score(categories=(CategoryData("law", 41.0, 41, 100),))
    with django_assert_num_queries(2):
        texts = [
            f"{score} {[str(item) for item in score.categories.all()]}"
            for score in BenchmarkScore.objects.published().with_details()
        ]
    assert len(texts) == count


def test_ranking_protocol_is_the_most_common_one() -> None:
    gsm8k = Benchmark.objects.get(slug="gsm8k")
    scores = BenchmarkScore.objects
    assert scores.ranking_protocol(gsm8k) is None
    make_score(protocol=Protocol(shots=8))
    make_score(protocol=Protocol(shots=5))
    assert scores.ranking_protocol(gsm8k) == "shots 5"
    make_score(protocol=Protocol(shots=8))
    assert scores.ranking_protocol(gsm8k) == "shots 8"


def test_ranking_protocol_is_the_preferred_one() -> None:
    benchmark = make_benchmark(slug="own", preferred_protocol_key="shots 0")
    make_score(benchmark="own", protocol=Protocol(shots=8))
    assert BenchmarkScore.objects.ranking_protocol(benchmark) == "shots 0"


def test_ranked_scores_share_a_protocol_and_come_best_first() -> None:
    low = make_score(score=10.0, protocol=Protocol(shots=5))
    high = make_score(score=20.0, protocol=Protocol(shots=5))
    make_score(score=99.0, protocol=Protocol(shots=0))
    assert list(BenchmarkScore.objects.ranked(low.benchmark)) == [high, low]


def test_lower_is_better_where_the_benchmark_says_so() -> None:
    worse = make_score(benchmark="perplexity", score=9.0)
    better = make_score(benchmark="perplexity", score=6.0)
    assert list(BenchmarkScore.objects.ranked(better.benchmark)) == [better, worse]


def test_newest_published_categories_of_each_protocol() -> None:
    variant = make_variant()
    for measured_at, law in ((OLD, 30.0), (NEW, 40.0)):
        make_score(variant=variant, measured_at=measured_at, categories=(CategoryData("law", law),))
    make_score(variant=variant, measured_at=OLD, categories=(CategoryData("art", 50.0),))
    make_score(variant=variant, protocol=Protocol(shots=5), categories=(CategoryData("law", 60.0),))
    make_score(
        variant=variant,
        categories=(CategoryData("law", 99.0),),
        review_state=ReviewState.PENDING,
    )
    found = ScoreCategory.objects.newest_published()
    assert {(row.category, row.score, row.benchmark_score.protocol_key) for row in found} == {
        ("law", 40.0, "unspecified"),
        ("art", 50.0, "unspecified"),
        ("law", 60.0, "shots 5"),
    }


def test_protocol_is_stored_whole() -> None:
    protocol = Protocol(
        harness="lm-eval",
        harness_version="0.4.9",
        task_version="3",
        metric_filter="exact_match,strict-match",
        shots=8,
        chat_template="none",
        thinking_mode="off",
        kv_cache_type="q8_0",
    )
    assert make_score(protocol=protocol).protocol == protocol


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("q4_k", ["acme/One"]),
        ("Q4 ONE", ["acme/One"]),
        ("50%", ["acme/50%-pruned"]),
        ("tales", ["acme/50%-pruned"]),
        ("one tales", []),
        ("\\", []),
        (" ", []),
    ],
)
def test_search_takes_every_character_for_itself(words: str, found: list[str]) -> None:
    make_variant(model_name="acme/One", quantization="Q4_K_M")
    make_variant(model_name="acme/50%-pruned", quantization="Q4XK", lora_adapter="acme/Tales")
    assert [item.model_name for item in ModelVariant.objects.search(words)] == found

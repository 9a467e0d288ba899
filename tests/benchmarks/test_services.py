"""Writing variants and scores, and choosing current scores."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from benchmarks.errors import InvalidScoresError, InvalidVariantError
from benchmarks.models import Benchmark, BenchmarkScore, ModelVariant, ScoreCategory
from benchmarks.protocol import Protocol
from benchmarks.services import (
    CategoryData,
    RecordedScore,
    ScoreData,
    VariantFacts,
    confirm_scores,
    get_or_create_variant,
    record_scores,
    refresh_current_scores,
    set_preferred_protocol,
    set_review_state,
    withdraw_score,
)
from benchmarks.totals import TotalMethod
from benchsite.common.review import ReviewState
from tests.benchmarks.factories import make_score, make_variant
from tests.people import OPERATOR

pytestmark = pytest.mark.django_db
OLD, NEW = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
MMLU_GROUPS = ("stem", "humanities", "social_sciences", "other")


def record(data: ScoreData, variant: ModelVariant | None = None) -> RecordedScore:
    """Record one published score."""
    (recorded,) = record_scores(
        variant=variant or make_variant(), scores=[data], review_state=ReviewState.PUBLISHED
    )
    return recorded


def current_values(variant: ModelVariant) -> list[float]:
    """Return the variant's current scores."""
    return list(
        BenchmarkScore.objects.current().filter(variant=variant).values_list("score", flat=True)
    )


def test_variant_is_made_once_under_canonical_names() -> None:
    one = get_or_create_variant(model_name=" acme/One ", quantization="q4_k_m")
    other = get_or_create_variant(model_name="acme/One", quantization="Q4_K - Medium")
    assert one == other
    assert (one.model_name, one.quantization, one.lora_adapter) == ("acme/One", "Q4_K_M", "")


def test_unknown_quantization_is_taken() -> None:
    variant = get_or_create_variant(model_name="acme/One", quantization="Q9_Z")
    assert (variant.quantization, variant.nominal_bits_per_weight) == ("Q9_Z", None)


def test_facts_fill_gaps_and_overwrite_nothing() -> None:
    first = VariantFacts(parameters=7_000_000_000)
    get_or_create_variant(model_name="acme/One", quantization="F16", facts=first)
    facts = VariantFacts(parameters=1, weights_gb=14.2, family="nimbus", active_parameters=0)
    variant = get_or_create_variant(model_name="acme/One", quantization="F16", facts=facts)
    assert (variant.parameters, variant.weights_gb) == (7_000_000_000, 14.2)
    assert (variant.family, variant.active_parameters) == ("nimbus", None)
    variant.refresh_from_db()
    assert (variant.parameters, variant.weights_gb) == (7_000_000_000, 14.2)


@pytest.mark.parametrize(
    ("model_name", "quantization"),
    [
        (" ", "F16"),
        ("\0", "F16"),
        ("acme/One", ""),
        ("a" * 201, "F16"),
        ("acme/One", "b" * 101),
    ],
)
def test_names_that_cannot_be_stored_are_refused(model_name: str, quantization: str) -> None:
    with pytest.raises(InvalidVariantError):
        get_or_create_variant(model_name=model_name, quantization=quantization)


def test_score_is_stored_and_current() -> None:
    data = ScoreData(benchmark_slug="gsm8k", correct=1010, total=1319, measured_at=NEW, stderr=1.2)
    recorded = record(data)
    stored = BenchmarkScore.objects.get()
    assert recorded.created
    assert recorded.warnings == ()
    assert stored == recorded.score
    assert stored.score == pytest.approx(76.573, abs=0.001)
    assert (stored.total_method, stored.correct, stored.total) == ("micro", 1010, 1319)
    assert (stored.complete, stored.is_current, stored.measured_at) == (True, True, NEW)


def test_parser_may_say_how_it_made_the_total() -> None:
    data = ScoreData(benchmark_slug="gsm8k", score=76.5, total_method=TotalMethod.MACRO)
    assert record(data).score.total_method == TotalMethod.MACRO


def test_same_score_is_recorded_once() -> None:
    variant = make_variant()
    one = ScoreData(benchmark_slug="gsm8k", score=41, measured_at=NEW)
    elsewhere = NEW.astimezone(timezone(timedelta(hours=2)))
    same = ScoreData(benchmark_slug="gsm8k", score=41.0, measured_at=elsewhere)
    first = record(one, variant)
    second = record(same, variant)
    assert (first.created, second.created) == (True, False)
    assert first.score == second.score


@pytest.mark.parametrize(
    "change",
    [
        {"score": 42.0},
        {"measured_at": OLD},
        {"protocol": Protocol(shots=5)},
        {"stderr": 0.5},
        {"total": 10},
        {"categories": (CategoryData("law", 41.0),)},
        {"benchmark_slug": "humaneval"},
    ],
)
def test_any_other_score_is_another_row(change: dict[str, Any]) -> None:
    variant = make_variant()
    base: dict[str, Any] = {"benchmark_slug": "gsm8k", "score": 41.0, "measured_at": NEW}
    record(ScoreData(**base), variant)
    assert record(ScoreData(**base | change), variant).created


def test_score_given_twice_in_one_call_is_made_once() -> None:
    data = ScoreData(benchmark_slug="gsm8k", score=41)
    recorded = record_scores(
        variant=make_variant(), scores=[data, data], review_state=ReviewState.PUBLISHED
    )
    assert [item.created for item in recorded] == [True, False]
    assert BenchmarkScore.objects.count() == 1


def test_no_scores_are_recorded_without_a_query() -> None:
    with CaptureQueriesContext(connection) as queries:
        assert (
            record_scores(variant=ModelVariant(), scores=[], review_state=ReviewState.PENDING) == []
        )
    assert len(queries) == 0


def test_recording_takes_the_same_queries_for_any_number() -> None:
    def queries_for(count: int) -> int:
        variant = make_variant()
        scores = [
            ScoreData(benchmark_slug=f"own_{count}_{i}", categories=(CategoryData("law", 41.0),))
            for i in range(count)
        ]
        with CaptureQueriesContext(connection) as queries:
            record_scores(variant=variant, scores=scores, review_state=ReviewState.PUBLISHED)
        return len(queries)

    assert queries_for(2) == queries_for(20) <= 15  # savepoints of the test included


def test_unknown_benchmark_is_made_as_generic() -> None:
    score = record(
        ScoreData(
            benchmark_slug="own_test",
            benchmark_name="Own test",
            score=3.0,
            higher_is_better=False,
        )
    ).score
    assert (score.benchmark.name, score.benchmark.is_generic) == ("Own test", True)
    assert (score.benchmark.higher_is_better, score.benchmark.scale_max) == (False, None)


def test_curated_benchmark_keeps_its_direction() -> None:
    record(ScoreData(benchmark_slug="gsm8k", score=3.0, higher_is_better=False))
    assert Benchmark.objects.get(slug="gsm8k").higher_is_better


def test_one_category_never_becomes_the_total() -> None:
    """The seed's MMLU example holds one category: shown, partial, not ranked."""
    law = CategoryData("law", 41.0, 41, 100)
    recorded = record(ScoreData(benchmark_slug="mmlu", categories=(law,)))
    score = recorded.score
    assert (score.score, score.complete, score.is_current) == (41.0, False, False)
    assert score.partial_reason is not None
    assert score.partial_reason.startswith("57 of 57 categories are missing: abstract_algebra")
    assert len(recorded.warnings) == 1
    assert [str(row) for row in score.categories.all()] == ["law: 41"]


def test_stated_total_does_not_make_one_category_complete() -> None:
    history = CategoryData("history", 41.0)
    data = ScoreData(benchmark_slug="mmlu_pro", score=55.0, categories=(history,))
    assert not record(data).score.complete


def test_all_groups_of_mmlu_are_complete() -> None:
    categories = tuple(CategoryData(name, 60.0) for name in MMLU_GROUPS)
    score = record(ScoreData(benchmark_slug="mmlu", categories=categories)).score
    assert (score.complete, score.is_current, score.total_method) == (True, True, "macro")


def test_groups_beside_their_subjects_do_not_count_twice() -> None:
    mmlu = Benchmark.objects.get(slug="mmlu")
    subjects = tuple(CategoryData(name, None, 1, 2) for name in mmlu.expected_categories)
    groups = tuple(CategoryData(name, 90.0) for name in MMLU_GROUPS)
    score = record(ScoreData(benchmark_slug="mmlu", categories=groups + subjects)).score
    assert (score.score, score.total_method, score.complete) == (50.0, "micro", True)
    assert score.categories.count() == 61


def test_category_score_is_made_from_its_counts() -> None:
    record(ScoreData(benchmark_slug="own", categories=(CategoryData("law", None, 1, 4),)))
    assert ScoreCategory.objects.get().score == 25.0


def test_partial_result_keeps_its_reason() -> None:
    data = ScoreData(benchmark_slug="gsm8k", score=41, complete=False, partial_reason="limit 10")
    recorded = record(data)
    assert (recorded.score.partial_reason, recorded.score.is_current) == ("limit 10", False)
    assert recorded.warnings == ("partial, so not ranked: limit 10",)


def test_disagreeing_figures_are_a_warning() -> None:
    recorded = record(ScoreData(benchmark_slug="gsm8k", score=60, correct=41, total=100))
    assert (recorded.score.score, len(recorded.warnings)) == (60.0, 1)


def test_perplexity_is_no_percentage() -> None:
    recorded = record(ScoreData(benchmark_slug="perplexity", score=606.2, correct=1, total=2))
    assert (recorded.score.score, recorded.warnings) == (606.2, ())


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"score": 100.5}, "score"),
        ({"score": -1.0}, "score"),
        ({"score": float("nan")}, "score"),
        ({}, "score"),
        ({"score": 1, "correct": 2, "total": 1}, "correct"),
        ({"score": 1, "total": 0}, "total"),
        ({"score": 1, "correct": 2**40}, "correct"),
        ({"score": 1, "stderr": float("nan")}, "stderr"),
        ({"score": 1, "protocol": Protocol(shots=-1)}, "protocol.shots"),
        ({"score": 1, "protocol": Protocol(harness="\0")}, "protocol.harness"),
        ({"score": 1, "complete": False, "partial_reason": "\ud800"}, "partial_reason"),
        ({"score": 1, "benchmark_slug": ""}, "benchmark"),
        ({"score": 1, "benchmark_slug": "a" * 101}, "benchmark"),
        ({"categories": (CategoryData("law"),)}, "categories.0.score"),
        ({"categories": (CategoryData(" ", 1.0),)}, "categories.0.category"),
        ({"categories": (CategoryData("law", 101.0),)}, "categories.0.score"),
        (
            {"categories": (CategoryData("law", 1.0), CategoryData("Law", 1.0))},
            "categories.1.category",
        ),
    ],
)
def test_wrong_score_is_refused(values: dict[str, Any], field: str) -> None:
    wrong = ScoreData(**{"benchmark_slug": "gsm8k"} | values)
    good = ScoreData(benchmark_slug="gsm8k", score=50)
    with pytest.raises(InvalidScoresError) as caught:
        record_scores(
            variant=make_variant(), scores=[good, wrong], review_state=ReviewState.PUBLISHED
        )
    assert [(problem.index, problem.field) for problem in caught.value.problems] == [(1, field)]
    assert not BenchmarkScore.objects.exists()


def test_all_problems_are_told_at_once() -> None:
    scores = [ScoreData(benchmark_slug="gsm8k", score=score) for score in (101, -1)]
    with pytest.raises(InvalidScoresError, match=r"0\.score: .* above 100.*; 1\.score: .* below 0"):
        record_scores(variant=make_variant(), scores=scores, review_state=ReviewState.PENDING)


def test_newest_measured_score_is_current_and_unknown_times_come_last() -> None:
    variant = make_variant()
    make_score(variant=variant, score=30, measured_at=NEW)
    make_score(variant=variant, score=20, measured_at=OLD)
    make_score(variant=variant, score=10, measured_at=None)
    assert current_values(variant) == [30]


def test_of_equal_times_the_last_received_is_current() -> None:
    variant = make_variant()
    make_score(variant=variant, score=30)
    make_score(variant=variant, score=20)
    assert current_values(variant) == [20]


@pytest.mark.parametrize(
    "doubt",
    [
        {"complete": False},
        {"needs_confirmation": True},
        {"review_state": ReviewState.PENDING},
        {"review_state": ReviewState.REJECTED},
    ],
)
def test_score_in_doubt_is_not_current(doubt: dict[str, Any]) -> None:
    variant = make_variant()
    make_score(variant=variant, score=30, measured_at=OLD)
    make_score(variant=variant, score=0.5, measured_at=NEW, **doubt)
    assert current_values(variant) == [30]


def test_preferred_protocol_beats_newer_scores() -> None:
    variant = make_variant()
    make_score(variant=variant, score=30, measured_at=OLD, protocol=Protocol(shots=8))
    newer = make_score(variant=variant, score=20, measured_at=NEW)
    assert current_values(variant) == [20]
    set_preferred_protocol(benchmark=newer.benchmark, protocol_key="shots 8")
    assert current_values(variant) == [30]
    set_preferred_protocol(benchmark=newer.benchmark, protocol_key=None)
    assert current_values(variant) == [20]


def test_each_benchmark_has_its_own_current_score() -> None:
    variant = make_variant()
    make_score(variant=variant, score=30)
    make_score(variant=variant, score=20, benchmark="humaneval")
    assert sorted(current_values(variant)) == [20, 30]


def test_withdrawing_brings_the_older_score_back() -> None:
    variant = make_variant()
    make_score(variant=variant, score=30, measured_at=OLD)
    newer = make_score(variant=variant, score=20, measured_at=NEW)
    assert withdraw_score(score_id=newer.pk, who=OPERATOR, reason="wrong chat template") == 1
    newer.refresh_from_db()
    assert (newer.review_state, newer.review_reason) == ("withdrawn", "wrong chat template")
    assert current_values(variant) == [30]


def test_publishing_makes_a_score_current() -> None:
    score = make_score(review_state=ReviewState.PENDING)
    assert current_values(score.variant) == []
    assert set_review_state(score_ids=[score.pk], state=ReviewState.PUBLISHED, who=OPERATOR) == 1
    assert current_values(score.variant) == [50.0]


def test_withdrawn_score_sent_again_comes_back_withdrawn() -> None:
    score = make_score()
    withdraw_score(score_id=score.pk, who=OPERATOR, reason="wrong")
    again = record(ScoreData(benchmark_slug="gsm8k", score=50.0), score.variant)
    assert (again.created, again.score.review_state) == (False, "withdrawn")


def test_withdrawing_an_unknown_score_does_nothing() -> None:
    assert withdraw_score(score_id=make_variant().pk, who=OPERATOR, reason="none") == 0


def test_confirmed_fraction_becomes_a_percentage_and_ranks() -> None:
    score = make_score(score=0.67, needs_confirmation=True, categories=(CategoryData("easy", 0.8),))
    assert not score.is_current
    assert confirm_scores(score_ids=[score.pk], as_fractions=True, who=OPERATOR) == 1
    score.refresh_from_db()
    assert score.score == pytest.approx(67.0)
    assert score.is_current
    assert score.categories.get().score == pytest.approx(80.0)
    again = record(
        ScoreData(benchmark_slug="gsm8k", score=0.67, categories=(CategoryData("easy", 0.8),)),
        score.variant,
    )
    assert not again.created


def test_small_score_may_be_confirmed_as_it_is() -> None:
    score = make_score(score=0.67, needs_confirmation=True)
    assert confirm_scores(score_ids=[score.pk], as_fractions=False, who=OPERATOR) == 1
    assert confirm_scores(score_ids=[score.pk], as_fractions=True, who=OPERATOR) == 0
    assert current_values(score.variant) == [0.67]


@pytest.mark.parametrize("count", [2, 20])
def test_refreshing_takes_four_queries(count: int) -> None:
    variants = [make_score().variant_id for _ in range(count)]
    with CaptureQueriesContext(connection) as queries:
        refresh_current_scores(variants)
    statements = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert len(statements) == 4

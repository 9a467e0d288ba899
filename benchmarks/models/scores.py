"""Scores of model variants on benchmarks, and their categories."""

from typing import Self

from django.db import models
from django.db.models import Case, Count, F, Q, When
from django.utils import timezone

from benchmarks.models.benchmarks import Benchmark
from benchmarks.models.conditions import (
    INFINITY,
    LONGEST_NAME,
    NOT_BLANK,
    counts_agree,
    finite,
)
from benchmarks.models.variants import ModelVariant
from benchmarks.protocol import Protocol
from benchmarks.totals import TotalMethod
from benchsite.common.ids import new_id
from benchsite.common.review import ReviewState


def review_state_choices() -> list[tuple[str, str]]:
    """Return the review states with their labels."""
    return ReviewState.choices


def total_method_choices() -> list[tuple[str, str]]:
    """Return the ways a total is made with their labels."""
    return [
        (TotalMethod.STATED, "stated by the file"),
        (TotalMethod.MICRO, "micro: correct of all answers"),
        (TotalMethod.MACRO, "macro: mean of categories"),
    ]


class BenchmarkScoreQuerySet(models.QuerySet["BenchmarkScore"]):
    """Scores by who may see and what may rank them."""

    def published(self) -> Self:
        """Keep scores that public pages may show."""
        return self.filter(review_state=ReviewState.PUBLISHED)

    def rankable(self) -> Self:
        """Keep scores that may become current: published, complete and not in doubt."""
        return self.published().filter(complete=True, needs_confirmation=False)

    def current(self) -> Self:
        """Keep the one score of each variant on each benchmark that stands for it."""
        return self.filter(is_current=True)

    def current_for(self, benchmark: Benchmark) -> Self:
        """Keep the current scores on one benchmark; their protocols may differ."""
        return self.current().filter(benchmark=benchmark)

    def in_order_of_preference(self) -> Self:
        """Order each variant's scores on each benchmark: the one to be current comes first.

        Preferred protocol first, then newest; without a time comes last, and of equals the one
        received last wins.
        """
        return self.order_by(
            "variant_id",
            "benchmark_id",
            Case(
                When(protocol_key=F("benchmark__preferred_protocol_key"), then=0),
                default=1,
            ),
            F("measured_at").desc(nulls_last=True),
            "-created_at",
            "-id",
        )

    def with_details(self) -> Self:
        """Fetch benchmark, variant and categories along: two queries for any number of scores."""
        return self.select_related("benchmark", "variant").prefetch_related("categories")

    def ranking_protocol(self, benchmark: Benchmark) -> str | None:
        """Return the protocol whose scores are ranked together, None without current scores.

        The benchmark's preferred one, else that of most current scores; ties go to the first key
        in alphabetical order. No query when one is preferred, or for a benchmark `with_use()`.
        """
        if benchmark.preferred_protocol_key is not None:
            return benchmark.preferred_protocol_key
        if hasattr(benchmark, "use"):
            protocol: str | None = benchmark.use["protocol"]
            return protocol
        return (
            self.current_for(benchmark)
            .order_by()
            .values("protocol_key")
            .annotate(scores=Count("id"))
            .order_by("-scores", "protocol_key")
            .values_list("protocol_key", flat=True)
            .first()
        )

    def ranked(self, benchmark: Benchmark) -> Self:
        """Keep the current scores in the ranking protocol, best first."""
        direction = "-score" if benchmark.higher_is_better else "score"
        return (
            self.current_for(benchmark)
            .filter(protocol_key=self.ranking_protocol(benchmark))
            .order_by(direction, "variant__model_name", "variant_id")
        )


class BenchmarkScore(models.Model):
    """One result of a variant on a benchmark, measured under one protocol."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    variant = models.ForeignKey(ModelVariant, on_delete=models.PROTECT, related_name="scores")
    benchmark = models.ForeignKey(Benchmark, on_delete=models.PROTECT, related_name="scores")
    score = models.FloatField(help_text="On the benchmark's scale, mostly 0–100.")
    total_method = models.CharField(max_length=10, choices=total_method_choices)
    stderr = models.FloatField(null=True, blank=True)
    correct = models.IntegerField(null=True, blank=True)
    total = models.IntegerField(null=True, blank=True)

    harness = models.CharField(null=True, blank=True)
    harness_version = models.CharField(null=True, blank=True)
    task_version = models.CharField(null=True, blank=True)
    metric_filter = models.CharField(null=True, blank=True)
    shots = models.IntegerField(null=True, blank=True)
    chat_template = models.CharField(null=True, blank=True)
    thinking_mode = models.CharField(null=True, blank=True)
    kv_cache_type = models.CharField(null=True, blank=True)
    protocol_key = models.CharField(max_length=500)

    complete = models.BooleanField(default=True)
    partial_reason = models.CharField(null=True, blank=True)
    source_url = models.URLField(max_length=1000, null=True, blank=True)
    notes = models.TextField(null=True, blank=True)
    context = models.JSONField(default=dict, blank=True)
    measured_at = models.DateTimeField(null=True, blank=True)
    zone_known = models.BooleanField(default=True)
    needs_confirmation = models.BooleanField(
        default=False, help_text="Doubtful, as its context says; not ranked until confirmed."
    )
    review_state = models.CharField(
        max_length=10, choices=review_state_choices, default=ReviewState.PENDING
    )
    review_reason = models.TextField(blank=True, default="")
    is_current = models.BooleanField(default=False)
    content_key = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = BenchmarkScoreQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["variant", "benchmark", "content_key"], name="benchmark_score_content"
            ),
            # Also the index behind every "current score of these variants on this benchmark".
            models.UniqueConstraint(
                fields=["benchmark", "variant"],
                condition=Q(is_current=True),
                include=["score", "protocol_key"],
                name="benchmark_score_one_current",
            ),
            models.CheckConstraint(
                condition=Q(is_current=False)
                | Q(
                    review_state=ReviewState.PUBLISHED.value,
                    complete=True,
                    needs_confirmation=False,
                ),
                name="benchmark_score_current_is_rankable",
            ),
            models.CheckConstraint(condition=finite("score"), name="benchmark_score_finite"),
            models.CheckConstraint(
                condition=Q(stderr__gte=0, stderr__lt=INFINITY),
                name="benchmark_score_stderr_valid",
            ),
            models.CheckConstraint(condition=counts_agree(), name="benchmark_score_counts_agree"),
            models.CheckConstraint(condition=Q(shots__gte=0), name="benchmark_score_shots_valid"),
            models.CheckConstraint(
                condition=Q(complete=False) | Q(partial_reason__isnull=True),
                name="benchmark_score_complete_without_reason",
            ),
            models.CheckConstraint(
                condition=Q(review_state__in=ReviewState.values),
                name="benchmark_score_review_state_valid",
            ),
            models.CheckConstraint(
                condition=Q(total_method__in=[method.value for method in TotalMethod]),
                name="benchmark_score_total_method_valid",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.variant}: {self.benchmark} {self.score:g}"

    @property
    def protocol(self) -> Protocol:
        """Return how the score was measured."""
        return Protocol(**{name: getattr(self, name) for name in Protocol.__dataclass_fields__})


class ScoreCategoryQuerySet(models.QuerySet["ScoreCategory"]):
    """Category results across scores."""

    def newest_published(self) -> Self:
        """Keep each category's newest published result, per variant, benchmark and protocol.

        What a page shows when categories came in files of their own; the score and its benchmark
        are fetched along.
        """
        identity = (
            "benchmark_score__variant_id",
            "benchmark_score__benchmark_id",
            "benchmark_score__protocol_key",
            "category",
        )
        newest_first = F("benchmark_score__measured_at").desc(nulls_last=True)
        return (
            self.filter(benchmark_score__review_state=ReviewState.PUBLISHED)
            .select_related("benchmark_score__benchmark")
            .order_by(*identity, newest_first, "-benchmark_score__created_at", "-id")
            .distinct(*identity)
        )


class ScoreCategory(models.Model):
    """The part of a score that one category makes."""

    benchmark_score = models.ForeignKey(
        BenchmarkScore, on_delete=models.CASCADE, related_name="categories"
    )
    category = models.CharField(max_length=LONGEST_NAME)
    score = models.FloatField()
    correct = models.IntegerField(null=True, blank=True)
    total = models.IntegerField(null=True, blank=True)

    objects = ScoreCategoryQuerySet.as_manager()

    class Meta:
        ordering = ["category"]
        verbose_name_plural = "score categories"
        constraints = [
            models.UniqueConstraint(
                fields=["benchmark_score", "category"], name="score_category_once"
            ),
            models.CheckConstraint(
                condition=Q(category__regex=NOT_BLANK), name="score_category_not_blank"
            ),
            models.CheckConstraint(condition=finite("score"), name="score_category_finite"),
            models.CheckConstraint(condition=counts_agree(), name="score_category_counts_agree"),
        ]

    def __str__(self) -> str:
        return f"{self.category}: {self.score:g}"

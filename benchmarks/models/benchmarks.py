"""Benchmarks: what is measured, on which scale, over which categories."""

from collections.abc import Mapping
from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import RawSQL

from benchmarks.models.conditions import LONGEST_NAME, LONGEST_SLUG, NOT_BLANK
from benchmarks.totals import CategoryScheme

_USE = """
(SELECT jsonb_build_object(
    'scores', sum(scores),
    'protocol', (array_agg(protocol_key ORDER BY scores DESC, protocol_key))[1]
) FROM (
    SELECT protocol_key, count(*) AS scores FROM benchmarks_benchmarkscore score
    WHERE score.benchmark_id = benchmarks_benchmark.id AND score.is_current GROUP BY protocol_key
) AS by_protocol)
"""


class BenchmarkQuerySet(models.QuerySet["Benchmark"]):
    """Benchmarks, with what scores say about them."""

    def with_use(self) -> Self:
        """Annotate `use`: the number of current scores, and the protocol of most of them."""
        return self.annotate(use=RawSQL(_USE, [], models.JSONField()))  # noqa: S611


class Benchmark(models.Model):
    """A quality benchmark; `is_generic` ones were made by an upload and are not curated."""

    slug = models.CharField(max_length=LONGEST_SLUG)
    name = models.CharField(max_length=LONGEST_NAME)
    measures = models.TextField(blank=True, default="")
    scale_min = models.FloatField(null=True, blank=True, help_text="Empty: open or not known.")
    scale_max = models.FloatField(null=True, blank=True, help_text="Empty: open or not known.")
    higher_is_better = models.BooleanField(default=True)
    expected_categories = ArrayField(
        models.CharField(max_length=100),
        blank=True,
        default=list,
        help_text="Categories that a complete result covers.",
    )
    category_groups = models.JSONField(
        blank=True,
        default=dict,
        help_text='Groups of expected categories: {"stem": ["astronomy", …]}.',
    )
    preferred_protocol_key = models.CharField(
        max_length=500,
        null=True,
        blank=True,
        help_text="Scores in this protocol are preferred and ranked; empty: the most common one.",
    )
    is_generic = models.BooleanField(default=False)

    # Set by the queryset's with_use(), and by nothing else.
    use: Mapping[str, Any]

    objects = BenchmarkQuerySet.as_manager()

    class Meta:
        ordering = ["slug"]
        constraints = [
            models.UniqueConstraint(fields=["slug"], name="benchmark_slug_unique"),
            models.CheckConstraint(
                condition=Q(slug__regex=NOT_BLANK) & Q(name__regex=NOT_BLANK),
                name="benchmark_names_not_blank",
            ),
            models.CheckConstraint(
                condition=Q(scale_min__lt=F("scale_max")), name="benchmark_scale_ordered"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def category_scheme(self) -> CategoryScheme:
        """Return which categories make a result complete."""
        groups: Mapping[str, list[str]] = self.category_groups
        return CategoryScheme(expected=self.expected_categories, groups=groups)

    @property
    def counts_are_percent(self) -> bool:
        """Tell whether correct of total answers, in percent, is a score on this benchmark."""
        return self.scale_max == 100 or self.is_generic

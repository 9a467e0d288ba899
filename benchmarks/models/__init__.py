"""Model variants, the benchmarks they were measured on, and their scores."""

from benchmarks.models.benchmarks import Benchmark, BenchmarkQuerySet
from benchmarks.models.history import ScoreRevision
from benchmarks.models.scores import (
    BenchmarkScore,
    BenchmarkScoreQuerySet,
    ScoreCategory,
    ScoreCategoryQuerySet,
)
from benchmarks.models.variants import ModelVariant, ModelVariantQuerySet

__all__ = [
    "Benchmark",
    "BenchmarkQuerySet",
    "BenchmarkScore",
    "BenchmarkScoreQuerySet",
    "ModelVariant",
    "ModelVariantQuerySet",
    "ScoreCategory",
    "ScoreCategoryQuerySet",
    "ScoreRevision",
]

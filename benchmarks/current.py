"""Which score of a variant stands for it on each benchmark."""

from collections.abc import Collection
from uuid import UUID

from django.db import transaction

from benchmarks.models import Benchmark, BenchmarkScore, BenchmarkScoreQuerySet, ModelVariant
from benchsite.common.locks import take_write_lock


def refresh_current_scores(variant_ids: Collection[UUID]) -> None:
    """Choose the current score of each of the variants on each benchmark anew.

    The order is that of `BenchmarkScoreQuerySet.in_order_of_preference` among published, complete
    and confirmed scores. Four queries for any number of variants.
    """
    with transaction.atomic():
        take_write_lock()
        lock_variants(variant_ids)
        choose_current(variant_ids)


def set_preferred_protocol(*, benchmark: Benchmark, protocol_key: str | None) -> None:
    """Prefer a protocol on a benchmark and choose the current scores of its variants anew."""
    with transaction.atomic():
        take_write_lock()
        benchmark.preferred_protocol_key = protocol_key
        benchmark.save(update_fields=["preferred_protocol_key"])
        variant_ids = variant_ids_of(BenchmarkScore.objects.filter(benchmark=benchmark))
        refresh_current_scores(variant_ids)


def lock_variants(variant_ids: Collection[UUID]) -> None:
    """Make other writers of these variants' scores wait, always in one order.

    NO KEY UPDATE lets sessions go on that only refer to a variant, such as one storing its runs.
    """
    variants = ModelVariant.objects.filter(pk__in=variant_ids).order_by("pk")
    list(variants.select_for_update(no_key=True).values_list("pk"))


def choose_current(variant_ids: Collection[UUID]) -> None:
    """Choose anew within a transaction that holds the lock of these variants."""
    scores = BenchmarkScore.objects.filter(variant_id__in=variant_ids)
    winners = (
        scores.rankable()
        .in_order_of_preference()
        .distinct("variant_id", "benchmark_id")
        .values("pk")
    )
    # The old ones first: the unique index allows one current score at any moment.
    scores.current().exclude(pk__in=winners).update(is_current=False)
    scores.filter(is_current=False, pk__in=winners).update(is_current=True)


def variant_ids_of(scores: BenchmarkScoreQuerySet) -> list[UUID]:
    """Return the variants that these scores belong to."""
    return list(scores.order_by().values_list("variant_id", flat=True).distinct())

"""Runs found by words, to be taken into a comparison."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import F, Q

from experiments.models import Configuration

MAX_FOUND = 10
_NAMES = (
    "variant__model_name",
    "variant__quantization",
    "variant__lora_adapter",
    "platform__name",
    "backend",
)


def find_configurations(words: str, *, leaving_out: Collection[UUID]) -> list[Configuration]:
    """Return configurations in whose names every word occurs, the fastest of a model first.

    Their representative runs are published, completed and none of `leaving_out`. One more than
    MAX_FOUND tells that there are more; no words find nothing.
    """
    if not words.split():
        return []
    found = Configuration.objects.filter(representative__isnull=False, runs__gt=0)
    for word in words.split():
        found = found.filter(_any_name_holds(word))
    return list(
        found.exclude(representative_id__in=leaving_out)
        .select_related("variant", "platform", "representative")
        .order_by(
            "variant__model_name",
            F("tokens_per_second").desc(nulls_last=True),
            "variant__quantization",
            "id",
        )[: MAX_FOUND + 1]
    )


def _any_name_holds(word: str) -> Q:
    held = Q()
    for name in _NAMES:
        held |= Q(**{f"{name}__icontains": word})
    return held

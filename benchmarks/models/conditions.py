"""Limits and conditions that the tables of this app share."""

from django.db.models import F, Q

NOT_BLANK = r"\S"
INFINITY = float("inf")
LONGEST_NAME = 200
LONGEST_QUANTIZATION = 100
LONGEST_SLUG = 100


def finite(field: str) -> Q:
    """Return the condition that a float is finite; in PostgreSQL NaN is greater than infinity."""
    return Q(**{f"{field}__gt": -INFINITY, f"{field}__lt": INFINITY})


def counts_agree() -> Q:
    """Return the condition on `correct` and `total`; a check passes where a count is NULL."""
    return Q(total__gt=0) & Q(correct__gte=0) & Q(correct__lte=F("total"))

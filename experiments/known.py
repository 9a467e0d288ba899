"""Which variants and machines count as known: those that something in the lists belongs to."""

from django.db.models import Exists, OuterRef

from benchmarks.models import BenchmarkScore, ModelVariant
from benchmarks.models.variants import ModelVariantQuerySet
from benchsite.common.review import TAKEN_OUT
from experiments.models import TestRun
from hardware.models import HardwareProfile, HardwareProfileQuerySet


def known_variants() -> ModelVariantQuerySet:
    """Return variants with a run or a score; a corrected wrong name leaves one with neither."""
    runs = TestRun.objects.filter(variant=OuterRef("pk")).exclude(review_state__in=TAKEN_OUT)
    scores = BenchmarkScore.objects.filter(variant=OuterRef("pk"))
    in_lists = scores.exclude(review_state__in=TAKEN_OUT)
    return ModelVariant.objects.filter(Exists(runs) | Exists(in_lists))


def known_machines() -> HardwareProfileQuerySet:
    """Return hardware profiles with a run."""
    runs = TestRun.objects.filter(hardware=OuterRef("pk")).exclude(review_state__in=TAKEN_OUT)
    return HardwareProfile.objects.filter(Exists(runs))

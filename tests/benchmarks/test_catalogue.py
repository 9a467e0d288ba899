"""The curated benchmarks."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from benchmarks.catalogue import benchmark_slug, catalogue
from benchmarks.models import Benchmark
from tests.benchmarks.factories import make_score


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("MMLU", "mmlu"),
        ("MMLU-Pro", "mmlu_pro"),
        ("HumanEval+", "humaneval_plus"),
        ("ARC-Challenge", "arc_challenge"),
        ("GPQA-Diamond", "gpqa_diamond"),
        ("Truthful QA", "truthfulqa"),
        ("Own Test 2", "own_test_2"),
        ("…", ""),
    ],
)
def test_names_become_slugs(name: str, slug: str) -> None:
    assert benchmark_slug(name) == slug


def test_entries_are_complete_and_unique() -> None:
    entries = catalogue()
    assert len({entry.slug for entry in entries}) == len(entries)
    assert all(entry.measures.endswith(".") for entry in entries)
    expected = {entry.slug: len(entry.expected_categories) for entry in entries}
    assert (expected["mmlu"], expected["mmlu_pro"], expected["bbh"]) == (57, 14, 27)


@pytest.mark.django_db
def test_catalogue_is_in_the_database() -> None:
    perplexity = Benchmark.objects.get(slug="perplexity")
    assert (perplexity.scale_min, perplexity.scale_max) == (1, None)
    assert not perplexity.higher_is_better
    assert len(Benchmark.objects.get(slug="mmlu").expected_categories) == 57
    assert Benchmark.objects.filter(is_generic=False).count() == len(catalogue())


@pytest.mark.django_db
def test_catalogue_migration_is_reversible_and_keeps_what_scores_need() -> None:
    migration = import_module("benchmarks.migrations.0002_benchmark_catalogue")
    make_score(benchmark="gsm8k")
    with connection.schema_editor() as schema_editor:
        migration.remove_unused(apps, schema_editor)
        assert list(Benchmark.objects.values_list("slug", flat=True)) == ["gsm8k"]
        migration.write_catalogue(apps, schema_editor)
    assert Benchmark.objects.count() == len(catalogue())

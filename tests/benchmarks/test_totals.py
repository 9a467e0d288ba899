"""How totals are made and when a result covers its benchmark."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.totals import (
    CategoryData,
    CategoryScheme,
    TotalMethod,
    category_key,
    looks_like_fractions,
    total_score,
)

SCHEME = CategoryScheme(
    expected=("algebra", "geometry", "world_law"),
    groups={"stem": ["algebra", "geometry"], "humanities": ["world_law"]},
)


def test_stated_total_wins_over_counts_and_disagreement_is_told() -> None:
    found = total_score(stated=60.0, correct=41, total=100, categories=())
    assert found is not None
    assert (found.score, found.method) == (60.0, TotalMethod.STATED)
    assert found.warnings == ("the total is 60.00, but its counts give 41.00",)


@pytest.mark.parametrize("stated", [40.9, 41.0, 41.1])
def test_rounding_is_no_disagreement(stated: float) -> None:
    found = total_score(stated=stated, correct=41, total=100, categories=())
    assert found is not None
    assert found.warnings == ()


def test_counts_of_categories_make_a_micro_total() -> None:
    categories = (CategoryData("law", 50.0, 5, 10), CategoryData("art", 100.0, 90, 90))
    found = total_score(stated=None, correct=None, total=None, categories=categories)
    assert found is not None
    assert (found.score, found.method) == (95.0, TotalMethod.MICRO)
    assert found.warnings == ()


def test_own_counts_that_differ_from_the_categories_are_told() -> None:
    categories = (CategoryData("law", None, 5, 10),)
    found = total_score(stated=None, correct=90, total=100, categories=categories)
    assert found is not None
    assert (found.score, found.method) == (90.0, TotalMethod.MICRO)
    assert len(found.warnings) == 1


def test_macro_total_only_when_a_category_lacks_counts() -> None:
    categories = (CategoryData("law", 50.0, 5, 10), CategoryData("art", 80.0))
    found = total_score(stated=None, correct=None, total=None, categories=categories)
    assert found is not None
    assert (found.score, found.method) == (65.0, TotalMethod.MACRO)


def test_stated_total_outside_its_categories_is_doubted() -> None:
    categories = (CategoryData("law", 50.0), CategoryData("art", 80.0))
    weighted = total_score(stated=55.0, correct=None, total=None, categories=categories)
    wrong = total_score(stated=90.0, correct=None, total=None, categories=categories)
    assert weighted is not None
    assert wrong is not None
    assert weighted.warnings == ()
    assert len(wrong.warnings) == 1


def test_category_that_contradicts_its_counts_is_told() -> None:
    categories = (CategoryData("law", 80.0, 5, 10),)
    found = total_score(stated=None, correct=None, total=None, categories=categories)
    assert found is not None
    assert found.score == 50.0
    assert found.warnings == ("category law: the score is 80.00, but its counts give 50.00",)


def test_nothing_makes_no_total() -> None:
    assert total_score(stated=None, correct=None, total=10, categories=()) is None
    assert total_score(stated=None, correct=3, total=None, categories=()) is None
    empty = (CategoryData("law"),)
    assert total_score(stated=None, correct=None, total=None, categories=empty) is None


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(1, 1000)), min_size=1))
def test_total_lies_between_its_categories(results: list[tuple[float, int]]) -> None:
    categories = [CategoryData(str(i), score) for i, (score, _) in enumerate(results)]
    found = total_score(stated=None, correct=None, total=None, categories=categories)
    assert found is not None
    scores = [score for score, _ in results]
    assert min(scores) - 1e-9 <= found.score <= max(scores) + 1e-9
    assert math.isfinite(found.score)


@pytest.mark.parametrize(
    ("values", "doubtful"),
    [([0.67], True), ([1.0], True), ([0.0], False), ([], False), ([0.4, 41.0], False)],
)
def test_fractions_are_noticed(values: list[float], doubtful: bool) -> None:
    assert looks_like_fractions(values) is doubtful


@pytest.mark.parametrize("name", ["World Law", "world_law", " - world-law"])
def test_category_names_match_in_any_spelling(name: str) -> None:
    assert category_key(name) == "world_law"


def test_groups_cover_their_members() -> None:
    assert SCHEME.missing(["STEM", "humanities"]) == ()
    assert SCHEME.missing(["algebra", "humanities"]) == ("geometry",)
    assert SCHEME.missing(["law"]) == ("algebra", "geometry", "world_law")
    assert CategoryScheme().missing(["anything"]) == ()


@pytest.mark.parametrize(
    ("given_names", "kept"),
    [
        (["stem", "algebra", "geometry"], ["algebra", "geometry"]),
        (["stem", "algebra"], ["stem"]),
        (["stem", "humanities"], ["stem", "humanities"]),
        (["algebra", "unheard of"], ["algebra", "unheard of"]),
    ],
)
def test_overlapping_categories_count_once(given_names: list[str], kept: list[str]) -> None:
    categories = [CategoryData(name, 50.0) for name in given_names]
    assert [item.category for item in SCHEME.partition(categories)] == kept

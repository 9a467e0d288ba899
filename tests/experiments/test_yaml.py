"""YAML within limits: what is read, what is refused, and that neither costs much."""

import contextlib
import math
import time
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from experiments.formats import detect_format
from experiments.formats.content import Content
from experiments.formats.documents import UnreadableError
from experiments.formats.yaml_documents import MOST_ALIASED, read_yaml, top_level_keys
from tests.experiments.test_guidellm import sample

SECONDS = 20  # of a loaded machine; measured on an idle one: 1.4 for 5 MB


def test_plain_values_are_those_of_json() -> None:
    """As the core schema of YAML 1.2 has them; what YAML 1.1 made of the rest stays text."""
    text = """
        integer: 12
        negative: -3
        decimal: 1.5
        small: 1.0e-05
        smaller: 1e-05
        infinite: .inf
        none: null
        empty:
        yes_or_no: [true, False, yes, off]
        date: 2025-11-05T18:00:42Z
        day: 2025-11-05
        sixty: 1:30
        octal: 0123
        hash: 12e4567
        quoted: "12"
        0.1: p
        list: [{a: 1}, [2]]
    """
    found = read_yaml(text)
    assert math.isinf(found.pop("infinite"))
    assert found == {
        "integer": 12,
        "negative": -3,
        "decimal": 1.5,
        "small": 1e-05,
        "smaller": 1e-05,
        "none": None,
        "empty": None,
        "yes_or_no": [True, False, "yes", "off"],
        "date": "2025-11-05T18:00:42Z",
        "day": "2025-11-05",
        "sixty": "1:30",
        "octal": "0123",
        "hash": "12e4567",
        "quoted": "12",
        "0.1": "p",
        "list": [{"a": 1}, [2]],
    }
    assert math.isnan(read_yaml("a: .nan")["a"])
    assert read_yaml("") is None


def test_aliases_stand_for_what_they_name() -> None:
    """PyYAML writes them where two fields hold the same object."""
    assert read_yaml("a: &x [1, 2]\nb: *x\nc: &y z\nd: *y") == {
        "a": [1, 2],
        "b": [1, 2],
        "c": "z",
        "d": "z",
    }


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a: 1\nb: 2\na: 3", "line 3, column 1", "stands twice"),
        ("a: !!python/object/apply:os.system [ls]", "line 1, column 4", "more than plain YAML"),
        ("a: !mine 3", "line 1, column 4", "more than plain YAML"),
        ("a: &x {b: *x}", "line 1, column 11", "has no end"),
        ("a: *x", "line 1, column 4", "Nothing has the name"),
        ("? [1, 2]\n: 3", "line 1, column 3", "A key of a mapping is a text"),
        ("b: &x 1\n*x : 3", "line 2, column 1", "A key of a mapping is a text"),
        ("a: &x {b: 1}\nc:\n  <<: *x", "line 3, column 3", "Merge keys"),
        ("a: 1\n---\nb: 2", "line 2, column 1", "several YAML documents"),
        ("a: [1, 2", "line 2, column 1", "not valid YAML"),
        ("a: b: c", "line 1, column 5", "not valid YAML"),
        ("a: \x01", "", "not valid YAML"),
        ('a: "\\0"', "a", "NUL character"),
        ("a: " + "[" * 200, "line 1, column 103", "nested deeper than 100 levels"),
        ("a: " + "[" * 100_000, "line 1, column 1003", "exceeded maximum nesting depth"),
        ("- " * 100_000 + "1", "line 1, column 201", "nested deeper than 100 levels"),
    ],
)
def test_what_is_no_plain_yaml_is_refused_with_its_place(text: str, place: str, words: str) -> None:
    with pytest.raises(UnreadableError) as refused:
        read_yaml(text)
    (problem,) = refused.value.problems
    assert problem.path == place
    assert words in problem.message


def test_bombs_of_aliases_are_refused_at_once() -> None:
    """Ten lines that stand for 10^9 values, and a long text a million times."""
    levels = ["l0: &l0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [
        f"l{number}: &l{number} [{', '.join([f'*l{number - 1}'] * 10)}]" for number in range(1, 10)
    ]
    long_text = f"a: &a {'x' * 1_000_000}\nb: [{', '.join(['*a'] * 1_000)}]"
    started = time.perf_counter()
    for text in ("\n".join(levels), long_text):
        with pytest.raises(UnreadableError, match=f"{MOST_ALIASED:,} by aliases"):
            read_yaml(text)
    assert time.perf_counter() - started < SECONDS


def test_large_files_are_read_in_seconds() -> None:
    """A report of 5 MB, with hundreds of benchmarks."""
    benchmarks = yaml.safe_load(sample("guidellm_0_6.yaml"))["benchmarks"]
    plain = yaml.dump(_without_aliases(benchmarks))
    times = 5_000_000 // len(plain)
    text = "benchmarks:\n" + plain * times
    started = time.perf_counter()
    found = read_yaml(text)
    assert len(found["benchmarks"]) == times
    assert time.perf_counter() - started < SECONDS


def _without_aliases(value: Any) -> Any:
    """Return a copy in which nothing stands twice, so that PyYAML writes no aliases."""
    if isinstance(value, dict):
        return {key: _without_aliases(item) for key, item in value.items()}
    return [_without_aliases(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("# a comment\n---\nversion: '0.1'\nmetrics:\n  time: 3\n", {"version", "metrics"}),
        ("%YAML 1.1\n---\na:\r\n", {"a"}),
        ("# a comment\r\n---\r\nversion: 1\r\n", {"version"}),
        ("\n" * 1_000_000 + "version: 1\n", set()),
        ("benchmarks:\n- a: 1\nmetadata: {}\n", {"benchmarks", "metadata"}),
        ("{a: 1}\n", set()),
        ("| model | size |\nversion: 3\n", set()),
        ("12:30:00 INFO started\nversion: 3\n", set()),
        ("http://example.org\n", set()),
        ("", set()),
    ],
)
def test_keys_at_the_margin_tell_whether_it_may_be_yaml(text: str, keys: set[str]) -> None:
    assert top_level_keys(text) == keys


def test_json_is_never_parsed_as_yaml() -> None:
    content = Content('{"benchmarks": [], "version": 1}')
    assert content.yaml_keys == frozenset()


def test_broken_yaml_of_a_known_format_is_told_as_broken() -> None:
    """What may be a GuideLLM report is read; another text with a colon is not."""
    with pytest.raises(UnreadableError, match="not valid YAML"):
        detect_format(Content("benchmarks:\n- type_: [\n"))


_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]))
_PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _TEXT


@given(
    st.recursive(
        _PLAIN,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
        max_leaves=20,
    )
)
def test_what_pyyaml_writes_is_read_as_it_was(value: Any) -> None:
    """Whatever a tool keeps in its results comes back, text that looks like a number included."""
    text = yaml.safe_dump({"value": value}, allow_unicode=True)
    assert read_yaml(text) == {"value": value}


@given(st.text(alphabet=list("ab:-?[]{}&*!|>'\"%#, \n\t1.~<"), max_size=60))
def test_no_text_ends_in_anything_but_a_value_or_a_reason(text: str) -> None:
    with contextlib.suppress(UnreadableError):
        read_yaml(text)

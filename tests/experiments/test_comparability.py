"""The comparability table of the design, row by row, whichever the order."""

from collections.abc import Mapping
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.comparability import LOAD_FIELDS, RunFacts, Verdict, judge

Definitions = Mapping[str, frozenset[str | None]]
DECODE: Definitions = {"tokens_per_second": frozenset({"decode"})}


def facts(
    *,
    load_kind: str | None = "isolated",
    complete: bool = True,
    definitions: Definitions | None = None,
    scores: Mapping[str, tuple[str, bool]] | None = None,
    **load: Any,
) -> RunFacts:
    known = {field.name: None for field in LOAD_FIELDS} | {"concurrent_requests": 1}
    return RunFacts(
        load_kind=load_kind,
        complete=complete,
        load=known | load,
        definitions=DECODE if definitions is None else definitions,
        scores=scores or {},
    )


def test_equal_load_is_strict() -> None:
    result = judge([facts(), facts()])
    assert result.verdict == Verdict.STRICT
    assert result.differences == ()
    assert result.metrics == {"tokens_per_second": Verdict.STRICT}


@pytest.mark.parametrize("field", [field.name for field in LOAD_FIELDS])
def test_a_differing_load_field_is_conditional_and_names_its_effect(field: str) -> None:
    first: dict[str, Any] = {field: 100}
    second: dict[str, Any] = {field: 200}
    result = judge([facts(**first), facts(**second)])
    assert result.verdict == Verdict.CONDITIONAL
    (difference,) = result.differences
    assert (difference.field, difference.values) == (field, (100, 200))
    assert difference.effect
    assert result.metrics == {"tokens_per_second": Verdict.CONDITIONAL}


def test_unknown_on_one_side_is_conditional_and_on_both_equal() -> None:
    one = judge([facts(context_depth=0), facts(context_depth=None)])
    assert one.verdict == Verdict.CONDITIONAL
    assert one.differences[0].effect.startswith("Unknown on one side")
    assert judge([facts(context_depth=None), facts(context_depth=None)]).verdict == "strict"


def test_another_kind_of_load_leaves_no_speed_to_compare() -> None:
    result = judge([facts(load_kind="isolated"), facts(load_kind="serving")])
    assert result.metrics == {"tokens_per_second": Verdict.NOT_COMPARABLE}
    assert result.verdict == Verdict.NOT_COMPARABLE


def test_another_kind_of_load_leaves_the_model_size() -> None:
    both: Definitions = {**DECODE, "model_size_gb": frozenset({None})}
    result = judge(
        [
            facts(load_kind="isolated", definitions=both),
            facts(load_kind="serving", definitions=both),
        ]
    )
    assert result.metrics["model_size_gb"] == Verdict.STRICT
    assert result.verdict == Verdict.CONDITIONAL


def test_another_definition_spoils_only_its_metric() -> None:
    first: Definitions = {"tpot_ms": frozenset({"excl_first"}), "ttft_ms": frozenset({"client"})}
    second: Definitions = {"tpot_ms": frozenset({"incl_first"}), "ttft_ms": frozenset({"client"})}
    result = judge([facts(definitions=first), facts(definitions=second)])
    assert result.metrics == {"tpot_ms": Verdict.NOT_COMPARABLE, "ttft_ms": Verdict.STRICT}
    assert result.verdict == Verdict.CONDITIONAL


def test_a_definition_not_stated_on_one_side_is_conditional() -> None:
    result = judge([facts(), facts(definitions={"tokens_per_second": frozenset({None})})])
    assert result.metrics == {"tokens_per_second": Verdict.CONDITIONAL}


def test_nothing_in_common_is_not_comparable() -> None:
    other = facts(definitions={"ttft_ms": frozenset({"client"})})
    assert judge([facts(), other]).verdict == Verdict.NOT_COMPARABLE


def test_scores_need_the_same_protocol_and_completeness() -> None:
    def verdict(first: tuple[str, bool], second: tuple[str, bool]) -> Verdict:
        result = judge([facts(scores={"mmlu": first}), facts(scores={"mmlu": second})])
        return result.scores["mmlu"]

    assert verdict(("5-shot", True), ("5-shot", True)) == Verdict.STRICT
    assert verdict(("5-shot", True), ("0-shot", True)) == Verdict.NOT_COMPARABLE
    assert verdict(("5-shot", True), ("5-shot", False)) == Verdict.NOT_COMPARABLE
    assert verdict(("5-shot", False), ("5-shot", False)) == Verdict.CONDITIONAL


def test_a_partial_run_makes_its_speeds_conditional() -> None:
    result = judge([facts(), facts(complete=False)])
    assert result.metrics == {"tokens_per_second": Verdict.CONDITIONAL}


definitions = st.frozensets(st.sampled_from(["decode", "wall_clock", None]), min_size=1)
runs = st.builds(
    facts,
    load_kind=st.sampled_from([None, "isolated", "serving"]),
    complete=st.booleans(),
    definitions=st.dictionaries(
        st.sampled_from(["tokens_per_second", "ttft_ms", "model_size_gb", "unheard_of"]),
        definitions,
    ),
    scores=st.dictionaries(
        st.sampled_from(["mmlu", "gsm8k"]), st.tuples(st.sampled_from("ab"), st.booleans())
    ),
    context_depth=st.sampled_from([None, 0, 4096]),
    dataset_name=st.sampled_from([None, "ShareGPT"]),
)


@given(st.lists(runs, min_size=2, max_size=4))
def test_the_verdict_does_not_depend_on_order(some: list[RunFacts]) -> None:
    first = judge(some)
    for order in permutations(some):
        again = judge(order)
        assert (again.verdict, again.metrics, again.scores) == (
            first.verdict,
            first.metrics,
            first.scores,
        )
        assert {item.field for item in again.differences} == {
            item.field for item in first.differences
        }

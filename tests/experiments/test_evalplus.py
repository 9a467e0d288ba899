"""EvalPlus results and leaderboard, and pass@k of bigcode-evaluation-harness."""

import copy
import json
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from benchmarks.models import BenchmarkScore
from experiments.formats.evalplus.scores import pass_at_k
from experiments.ingest.actor import Actor
from experiments.ingest.pipeline import ingest_file
from tests.experiments.scores import ingest_scores, only, parse, problems, sample, scores
from tests.experiments.ways_in import by_api, by_form

RESULTS, LEADERBOARD, BIGCODE = "evalplus-json", "evalplus-leaderboard", "bigcode-json"
MODEL = {"model_name": "acme/Nimbus-Coder-7B", "quantization": "BF16"}


def run(base: int, plus: int | None, *, tasks: int = 164, **more: Any) -> dict[str, Any]:
    """Return a run of HumanEval with one sample a task, of which so many passed."""
    return {
        "date": "2024-10-20 09:30",
        "hash": "fe585eb4df8c88d844eeb463ea4d0302",
        "eval": {
            f"HumanEval/{index}": [
                {
                    "base_status": "pass" if index < base else "fail",
                    "plus_status": None if plus is None else "pass" if index < plus else "timeout",
                }
            ]
            for index in range(tasks)
        },
        **more,
    }


def stored(data: dict[str, Any] | bytes, **fields: str) -> dict[str, BenchmarkScore]:
    report = ingest_scores(data, **(fields or MODEL))
    assert report.outcome == "created", report.errors
    found = BenchmarkScore.objects.filter(pk__in=[item.id for item in report.scores])
    return {score.benchmark.slug: score for score in found.select_related("benchmark", "variant")}


def test_a_run_gives_a_score_by_base_tests_and_one_by_all_tests(db: None) -> None:
    found = stored(run(123, 110))
    assert set(found) == {"humaneval", "humaneval_plus"}
    base, plus = found["humaneval"], found["humaneval_plus"]
    assert (base.correct, base.total, base.total_method) == (123, 164, "micro")
    assert base.score == pytest.approx(75.0)
    assert plus.score == pytest.approx(100 * 110 / 164)
    assert (base.is_current, plus.is_current) == (True, True)
    assert base.harness == "EvalPlus"
    assert (base.task_version, plus.task_version) == (None, "fe585eb4df8c")
    assert base.zone_known is False


def test_before_0_3_a_sample_passes_all_tests_only_if_it_passes_those_of_the_base() -> None:
    parsed = parse(sample("evalplus_0_2_eval_results.json"), RESULTS)
    base, plus = only(parsed, "humaneval"), only(parsed, "humaneval_plus")
    assert (base.correct, plus.correct, base.total) == (2, 1, 4)
    assert base.partial_reason == "4 of 164 tasks"
    assert base.measured_at == datetime(2024, 1, 20, 12, 34)
    assert not base.zone_known


def test_several_samples_a_task_give_their_mean_and_keep_no_code() -> None:
    parsed = parse(sample("evalplus_0_3_eval_results.json"), RESULTS)
    base, plus = only(parsed, "mbpp"), only(parsed, "mbpp_plus")
    assert (base.stated_score, base.correct, base.total) == (50.0, None, 3)
    assert plus.stated_score == pytest.approx(100 / 3)
    assert base.protocol.task_version == "3 tasks"
    assert base.context == {"samples_per_task": 2}
    assert parsed.warnings == ()
    assert "secret-word" not in json.dumps([dict(base.context), dict(plus.context)])


def test_ten_samples_a_task_give_pass_at_10_as_well() -> None:
    data = run(0, None, tasks=2)
    for name, passed in (("HumanEval/0", 1), ("HumanEval/1", 0)):
        statuses = ["pass"] * passed + ["fail"] * (10 - passed)
        data["eval"][name] = [{"base_status": status, "plus_status": None} for status in statuses]
    parsed = parse(data, RESULTS)
    assert {name: items[0].stated_score for name, items in scores(parsed).items()} == {
        "humaneval_pass_at_10": 50.0,
        "humaneval": 5.0,
    }


@pytest.mark.parametrize(
    ("samples", "passed", "k", "expected"),
    [(1, 1, 1, 1.0), (5, 2, 1, 0.4), (10, 0, 10, 0.0), (10, 9, 10, 1.0), (4, 2, 2, 5 / 6)],
)
def test_pass_at_k_is_the_unbiased_estimate(
    samples: int, passed: int, k: int, expected: float
) -> None:
    assert pass_at_k(samples, passed, k) == pytest.approx(expected)


def test_base_tests_alone_give_no_score_by_all_tests() -> None:
    assert set(scores(parse(run(100, None), RESULTS))) == {"humaneval"}


def test_0_of_164_is_a_broken_run_and_refused(client: Client, db: None) -> None:
    answer = by_api(client, json.dumps(run(0, 0)).encode(), "samples_eval_results.json", **MODEL)
    assert answer.status == 422
    error = answer.error_at("eval")
    assert (error.value, "broken run" in error.message) == ("0 of 164 tasks", True)
    assert not BenchmarkScore.objects.exists()


def test_no_task_that_passes_all_tests_waits_for_a_curator(db: None) -> None:
    found = stored(run(2, 0))
    assert found["humaneval"].is_current
    assert found["humaneval_plus"].needs_confirmation
    assert not found["humaneval_plus"].is_current


def test_another_figure_than_the_tasks_give_is_told() -> None:
    data = run(82, 82, pass_at_k={"base": {"pass@1": 0.9}, "plus": {"pass@1": "np.float64(0.5)"}})
    parsed = parse(data, RESULTS)
    (warning,) = parsed.warnings
    assert (warning.path, warning.value) == ("pass_at_k.base.pass@1", 0.9)
    assert "give 50.00 %" in warning.message


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        ({"eval": {}}, "eval", "are missing"),
        ({"eval": {"Mbpp/2": [], "HumanEval/0": []}}, "eval.Mbpp/2", "list of samples"),
        ({"eval": {"HumanEval/0": [{"base_status": 1}]}}, "eval.HumanEval/0[0]", "a status"),
        ({"eval": {"HumanEval/0": ["pass"]}}, "eval.HumanEval/0[0]", "a status"),
        (
            {"eval": {"HumanEval/0": {"base": [["pass", []]], "plus": [["pass"], ["pass"]]}}},
            "eval.HumanEval/0.plus",
            "as many samples",
        ),
        ({"eval": {"LBPP/0": [{"base_status": "pass"}]}}, "eval", "HumanEval/0 or like Mbpp/2"),
        ({"date": "yesterday"}, "date", "is written like"),
        ({"date": "1970-01-01 00:00"}, "date", "2000 to 2100"),
    ],
)
def test_what_cannot_be_right_in_results(change: dict[str, Any], path: str, words: str) -> None:
    found = problems(run(2, 2) | change, RESULTS)
    assert found[0].path == path
    assert words in found[0].message


def test_what_the_files_lack_is_named_and_suggested_by_their_name(db: None) -> None:
    name = "Qwen2.5-Coder-7B-Instruct-AWQ_vllm_temp_0.0.eval_results.json"
    data = json.dumps(run(10, 10)).encode()
    report = ingest_file(data=data, file_name=name, fields={}, actor=Actor())
    assert report.missing == ("model_name", "quantization")
    assert report.suggestions == {
        "model_name": "Qwen2.5-Coder-7B-Instruct",
        "quantization": "AWQ",
    }


def test_the_leaderboard_gives_each_model_its_own_scores_in_percent(db: None) -> None:
    report = ingest_scores(sample("evalplus_leaderboard.json"), quantization="BF16")
    assert report.outcome == "created"
    found = {(item.model_name, item.benchmark): item.score for item in report.scores}
    assert found == {
        ("OpenCoder-8B-Instruct", "humaneval"): 81.7,
        ("OpenCoder-8B-Instruct", "humaneval_plus"): 77.4,
        ("OpenCoder-8B-Instruct", "mbpp"): 82.0,
        ("OpenCoder-8B-Instruct", "mbpp_plus"): 71.4,
        ("Code-13B", "humaneval"): 56.1,
        ("Code-13B", "humaneval_plus"): 52.4,
    }
    score = BenchmarkScore.objects.get(pk=report.scores[0].id)
    assert score.source_url == "https://huggingface.co/infly/OpenCoder-8B-Instruct"
    assert score.chat_template == "yes"
    assert score.variant.parameters is None


def test_a_leaderboard_of_fractions_is_doubted_and_zeros_too(db: None) -> None:
    data = {"Nimbus": {"pass@1": {"humaneval": 0.5, "mbpp": 0.0}, "link": "javascript:alert(1)"}}
    report = ingest_scores(data, quantization="BF16")
    found = BenchmarkScore.objects.filter(pk__in=[item.id for item in report.scores])
    assert [score.needs_confirmation for score in found] == [True, True]
    assert [score.source_url for score in found] == [None, None]


@pytest.mark.parametrize(
    ("value", "words"),
    [("good", "A number"), (True, "A number"), (-1, "0 to 100"), (101, "0 to 100")],
)
def test_what_cannot_be_right_in_the_leaderboard(value: Any, words: str) -> None:
    data = json.loads(sample("evalplus_leaderboard.json"))
    data["Code-13B"]["pass@1"]["mbpp+"] = value
    (problem,) = problems(data, LEADERBOARD)
    assert problem.path == "Code-13B.pass@1.mbpp+"
    assert words in problem.message


def test_not_a_number_is_left_out_of_the_leaderboard() -> None:
    data = json.loads(sample("evalplus_leaderboard.json"))
    data["Code-13B"]["pass@1"]["humaneval"] = float("nan")
    parsed = parse(data, LEADERBOARD)
    assert len(parsed.score_sets[1].scores) == 1
    assert parsed.warnings[0].path == "Code-13B.pass@1.humaneval"


def test_bigcode_names_model_precision_and_task(db: None) -> None:
    found = stored(sample("bigcode.json"), notes="")
    score = found["humaneval"]
    assert (score.score, found["humaneval_pass_at_10"].score) == (35.24, 61.0)
    assert f"{score.variant}" == "acme-labs/Nimbus-Coder-7B · BF16"
    assert score.is_current
    assert "/home/" not in json.dumps(score.context)


def test_a_limit_of_bigcode_is_partial() -> None:
    data = json.loads(sample("bigcode.json"))
    data["config"]["limit"] = 20
    assert only(parse(data, BIGCODE), "humaneval").partial_reason == "limit 20"


def test_pass_at_k_alone_is_taken_for_humaneval_once_a_curator_confirms_it(db: None) -> None:
    assert ingest_scores(sample("bigcode_bare.json")).missing == ("model_name", "quantization")
    found = stored(sample("bigcode_bare.json"))
    score = found["humaneval"]
    assert (score.score, score.needs_confirmation, score.is_current) == (35.24, True, False)
    assert score.context["doubt"] == "the file names no benchmark, HumanEval is assumed"


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.0, "broken run"), ("N/A", "A number"), (None, "A number"), (-0.1, "between 0 and 1")],
)
def test_what_cannot_be_right_in_pass_at_k(value: Any, words: str) -> None:
    (problem,) = problems({"pass@1": value}, BIGCODE)
    assert problem.path == "pass@1"
    assert words in problem.message


def test_a_percentage_of_bigcode_is_taken_as_one_with_a_warning() -> None:
    parsed = parse({"pass@1": 35.24}, BIGCODE)
    assert only(parsed, "humaneval").stated_score == 35.24
    assert "Taken as a percentage" in parsed.warnings[0].message
    assert only(parse({"pass@1": "np.float64(0.5)"}, BIGCODE), "humaneval").stated_score == 50.0


def test_the_form_takes_what_the_api_takes(client: Client, db: None) -> None:
    answer = by_form(client, json.dumps(run(82, 82)).encode(), "r.json", **MODEL)
    assert answer.status == 200
    assert "humaneval_plus" in answer.text


def test_figures_of_evalperf_and_repoqa_are_named_and_refused(client: Client, db: None) -> None:
    evalperf = {"acme--Nimbus": {"dps": 81.6, "dps_norm": 77.4, "pass@1": 76.9}}
    repoqa = {"nimbus": {"eval_date": "2024", "train_size": "128k", "scores": {"all": {}}}}
    for document, words in ((evalperf, "EvalPerf"), (repoqa, "RepoQA")):
        answer = by_api(client, json.dumps(copy.deepcopy(document)).encode(), "r.json", **MODEL)
        assert answer.status == 415
        assert words in answer.text

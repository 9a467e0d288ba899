"""lm-evaluation-harness groups: one score with categories, parts that are no total, collections."""

import pytest

from benchmarks.models import BenchmarkScore
from tests.experiments.scores import (
    SUBJECTS,
    group,
    ingest_scores,
    new_file,
    old_file,
    only,
    parse,
    problems,
    scores,
)

FORMAT = "lm-eval-json"


def test_old_mmlu_is_one_score_with_57_categories(db: None) -> None:
    tasks = {
        f"hendrycksTest-{name}": {"acc": 0.5, "acc_norm": 0.25 + 0.005 * index}
        for index, name in enumerate(SUBJECTS)
    }
    report = ingest_scores(old_file(**tasks))
    totals = {item.benchmark: item.score for item in report.scores}
    assert totals == pytest.approx({"mmlu_acc_norm": 39.0, "mmlu": 50.0})
    score = BenchmarkScore.objects.get(benchmark__slug="mmlu")
    assert score.is_current
    assert score.total_method == "macro"
    assert score.categories.count() == 57
    assert score.task_version == "hendrycksTest 0"
    del tasks["hendrycksTest-virology"]
    report = ingest_scores(old_file(**tasks), model_name="acme/Other")
    for item in report.scores:
        partial = BenchmarkScore.objects.get(pk=item.id)
        assert not partial.complete
        assert not partial.is_current
        assert "1 of 57 categories are missing" in (partial.partial_reason or "")


def test_new_mmlu_has_its_stated_total_and_groups(db: None) -> None:
    names = [f"mmlu_{name}" for name in SUBJECTS]
    data = group("mmlu_stem", {names[0]: 0.4})
    data = group("mmlu", dict.fromkeys(names, 0.45))
    data["results"]["mmlu_stem"] = {"acc,none": 0.4, "alias": " - stem"}
    data["group_subtasks"] = {
        "mmlu": ["mmlu_stem", *names[19:]],
        "mmlu_stem": names[:19],
    }
    data["versions"] = {"mmlu": 2} | dict.fromkeys(names, 1.0)
    report = ingest_scores(data)
    (item,) = report.scores
    score = BenchmarkScore.objects.get(pk=item.id)
    assert (score.score, score.stderr, score.total_method) == (50.0, 1.0, "stated")
    assert score.complete
    assert score.total == 5700
    assert score.task_version == "1"
    assert score.categories.count() == 58
    assert score.categories.get(category="stem").score == 40.0


@pytest.mark.parametrize(
    ("name", "benchmark", "category"),
    [
        ("mmlu_anatomy", "mmlu", "anatomy"),
        ("mmlu_anatomy_generative", "mmlu", "anatomy"),
        ("mmlu_pro_math", "mmlu_pro", "math"),
        ("mmlu_pro_other", "mmlu_pro", "other"),
        ("minerva_math_num_theory", "math", "number_theory"),
        ("bbh_cot_fewshot_navigate", "bbh", "navigate"),
    ],
)
def test_a_part_alone_never_becomes_the_total(
    db: None, name: str, benchmark: str, category: str
) -> None:
    report = ingest_scores(new_file(**{name: {"exact_match,none": 0.7}}))
    (item,) = report.scores
    score = BenchmarkScore.objects.get(pk=item.id)
    assert score.benchmark.slug == benchmark
    assert score.categories.get().category == category
    assert not score.complete
    assert not score.is_current


@pytest.mark.parametrize("name", ["hrm8k_math", "bigbench_navigate", "leaderboard_bbh_navigate"])
def test_a_task_of_another_suite_is_no_part_of_a_known_benchmark(name: str) -> None:
    assert set(scores(parse(new_file(**{name: {"acc,none": 0.7}}), FORMAT))) == {name}


def test_a_group_without_figures_gets_its_total_from_its_tasks(db: None) -> None:
    data = group("hrm8k", {"hrm8k_gsm8k": 1.0, "hrm8k_math": 0.5})
    data["results"]["hrm8k"] = {" ": " ", "alias": "hrm8k"}
    report = ingest_scores(data)
    (item,) = report.scores
    assert (item.benchmark, item.score) == ("hrm8k", 75.0)
    score = BenchmarkScore.objects.get(pk=item.id)
    assert set(score.categories.values_list("category", flat=True)) == {"gsm8k", "math"}
    assert score.total_method == "macro"


@pytest.mark.parametrize("loss", ["row", "figure"])
def test_a_total_made_from_tasks_needs_all_of_them(loss: str) -> None:
    data = group("hrm8k", {"hrm8k_gsm8k": 1.0, "hrm8k_math": 0.5, "hrm8k_ksm": 0.2})
    data["results"]["hrm8k"] = {" ": " ", "alias": "hrm8k"}
    if loss == "row":
        del data["results"]["hrm8k_ksm"]
    else:
        data["results"]["hrm8k_ksm"]["acc,none"] = float("nan")
    assert only(parse(data, FORMAT), "hrm8k").partial_reason == "1 of 3 tasks are missing"


def test_a_group_of_whole_benchmarks_is_a_collection() -> None:
    data = group("ai2_arc", {"arc_challenge": 0.4, "arc_easy": 0.7})
    found = scores(parse(data, FORMAT))
    assert set(found) == {"ai2_arc", "arc_challenge_acc", "arc_easy"}
    data = group("truthfulqa", {"truthfulqa_mc1": 0.3, "truthfulqa_mc2": 0.45})
    parsed = parse(data, FORMAT)
    assert only(parsed, "truthfulqa").protocol.task_version == "truthfulqa_mc2 1"
    assert set(scores(parsed)) == {"truthfulqa", "truthfulqa_mc1"}
    assert [warning.path for warning in parsed.warnings] == ["results.truthfulqa"]


def test_a_group_over_unlike_tasks_gives_each_its_score() -> None:
    data = group("suite", {"suite_a": 0.4, "suite_b": 0.7})
    data["results"]["suite"] = {" ": " ", "alias": "suite"}
    data["results"]["suite_b"] = {"bleu,none": 31.2}
    assert set(scores(parse(data, FORMAT))) == {"suite_a", "suite_b_bleu"}


def test_groups_are_known_by_their_labels_where_nothing_else_tells() -> None:
    data = new_file(
        xyz={"alias": "xyz", "acc,none": 0.5},
        xyz_a={"alias": " - xyz_a", "acc,none": 0.4},
        other_task={"alias": "other_task", "acc,none": 0.6},
    )
    found = scores(parse(data, FORMAT))
    assert set(found) == {"xyz", "other_task"}
    assert [item.category for item in found["xyz"][0].categories] == ["a"]


def test_groups_that_contain_each_other_end() -> None:
    data = group("a", {"b": 0.4})
    data["group_subtasks"] = {"top": ["a"], "a": ["b"], "b": ["a"]}
    data["results"]["top"] = {"acc,none": 0.5}
    assert "top" in scores(parse(data, FORMAT))
    data["group_subtasks"] = {"top": ["top"], "a": ["b"], "b": ["a"]}
    assert problems(data, FORMAT)[0].path == "results"

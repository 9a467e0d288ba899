"""MMLU-Pro by its own scripts: report, summary text, summary JSON."""

import json
from datetime import datetime
from typing import Any

import pytest

from benchmarks.catalogue import catalogue
from benchmarks.models import BenchmarkScore
from experiments.ingest.actor import Actor
from experiments.ingest.pipeline import ingest_file
from tests.experiments.scores import only, parse, problems, sample

REPORT, TEXT, JSON = "mmlu-pro-report", "mmlu-pro-text", "mmlu-pro-json"
MODEL = {"model_name": "acme/Nimbus", "quantization": "Q8_0"}
FIELDS = next(entry.expected_categories for entry in catalogue() if entry.slug == "mmlu_pro")


def send(data: bytes, **fields: str) -> BenchmarkScore:
    report = ingest_file(data=data, file_name="f", fields=fields, actor=Actor())
    assert report.outcome == "created", report.errors
    (item,) = report.scores
    return BenchmarkScore.objects.get(pk=item.id)


def summary(questions: int = 860, **more: Any) -> dict[str, Any]:
    """Return a summary with all fields, half of the questions answered right."""
    half = {"corr": questions / 2, "wrong": questions / 2, "acc": 0.5}
    total = {name: 14 * half[name] for name in ("corr", "wrong")} | {"acc": 0.5}
    return dict.fromkeys(FIELDS, half) | {"total": total} | more


def test_the_report_takes_the_last_total_and_no_speed(db: None) -> None:
    parsed = parse(sample("mmlu_pro_report.txt"), REPORT)
    score = only(parsed, "mmlu_pro")
    assert (score.stated_score, score.correct, score.total) == (72.32, 81, 112)
    assert [(item.category, item.correct, item.total) for item in score.categories] == [
        ("biology", 56, 71),
        ("computer science", 25, 41),
    ]
    assert score.measured_at == datetime(2026, 3, 2, 10, 29, 6, 123619)
    assert not score.zone_known
    assert score.partial_reason == "subset 0.1; 112 of 12032 questions"
    assert score.protocol.chat_template == "yes"
    assert "secret-word" not in json.dumps(dict(score.context))
    assert "tk/s" not in json.dumps(dict(score.context))
    model = parsed.score_sets[0].model
    assert (model.model_name, model.quantization) == ("llama3:8b-instruct", "Q8_0")
    stored = send(sample("mmlu_pro_report.txt"))
    assert not stored.complete
    assert not stored.is_current
    assert "12 of 14 categories are missing" in (stored.partial_reason or "")


def test_a_model_without_quantization_is_asked_about(db: None) -> None:
    data = sample("mmlu_pro_report.txt").replace(b"llama3:8b-instruct-q8_0", b"llama3")
    report = ingest_file(data=data, file_name="f", fields={}, actor=Actor())
    assert report.missing == ("quantization",)


def test_an_unfinished_report_is_partial() -> None:
    text = sample("mmlu_pro_report.txt").decode().partition("Finished the benchmark")[0]
    score = only(parse(text, REPORT), "mmlu_pro")
    assert score.stated_score is None
    assert score.complete is False
    assert "did not finish" in (score.partial_reason or "")


def test_a_category_without_questions_is_left_out() -> None:
    text = sample("mmlu_pro_report.txt").decode()
    text = text.replace("Total, 25/41, 60.98%", "Total, division by zero error")
    score = only(parse(text, REPORT), "mmlu_pro")
    assert [item.category for item in score.categories] == ["biology"]


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ("Total, 56/71, 78.87%", "Total, 72/71, 78.87%", "line 24", "at most as many"),
        ("Total, 56/71, 78.87%", "Total, 0/0, 0.00%", "line 24", "at most as many"),
        ("Total, 56/71, 78.87%", "Total, most of them", "line 24", "is written like"),
        ("2026-03-02 10", "2026-13-02 10", "", "a time that is none"),
        ("2026-03-02 10", "1999-03-02 10", "", "The year lies"),
    ],
)
def test_what_cannot_be_right_in_a_report(old: str, new: str, place: str, words: str) -> None:
    text = sample("mmlu_pro_report.txt").decode().replace(old, new, 1)
    (problem,) = problems(text, REPORT)
    assert problem.path == place
    assert words in problem.message


def test_the_summary_text_is_complete_with_14_fields(db: None) -> None:
    score = send(sample("mmlu_pro_summary.txt"), **MODEL)
    assert (score.score, score.total_method) == (57.07, "stated")
    assert score.categories.get(category="biology").score == 65.55
    assert score.complete
    assert score.is_current
    assert score.measured_at is None
    assert score.total is None


def test_fewer_fields_are_partial(db: None) -> None:
    lines = sample("mmlu_pro_summary.txt").decode().splitlines(keepends=True)
    score = send("".join(line for line in lines if "law" not in line).encode(), **MODEL)
    assert not score.complete
    assert score.partial_reason == "1 of 14 categories are missing: law"


@pytest.mark.parametrize(("length", "found"), [(32, 0), (66, 1), (560, 14)])
def test_a_cut_off_summary_is_refused(length: int, found: int) -> None:
    (problem,) = problems(sample("mmlu_pro_summary.txt")[:length], TEXT)
    assert f"has {found} of 14 categories and no overall accuracy" in problem.message
    assert problem.value == found


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ("0.7288", "72.88", "line 4", "between 0 and 1"),
        ("0.7288", "nan", "line 4", "between 0 and 1"),
        ("- law", "- biology", "line 11", "stands twice"),
    ],
)
def test_what_cannot_be_right_in_a_summary(old: str, new: str, place: str, words: str) -> None:
    text = sample("mmlu_pro_summary.txt").decode().replace(old, new, 1)
    (problem,) = problems(text, TEXT)
    assert problem.path == place
    assert words in problem.message


def test_the_summary_json_keeps_counts_and_no_guesses_as_a_field() -> None:
    score = only(parse(sample("mmlu_pro_summary.json"), JSON), "mmlu_pro")
    assert score.stated_score == pytest.approx(72.3214, abs=1e-4)
    assert (score.correct, score.total) == (81, 112)
    assert [item.category for item in score.categories] == ["biology", "computer science"]
    assert score.context == {"guessed_answers": {"corr": 1.0, "wrong": 4.0}}
    assert score.protocol.harness == "Ollama-MMLU-Pro"


def test_a_whole_summary_is_complete_and_one_of_few_questions_is_not(db: None) -> None:
    assert send(json.dumps(summary()).encode(), **MODEL).is_current
    few = send(json.dumps(summary(questions=4)).encode(), **MODEL)
    assert not few.complete
    assert few.partial_reason == "56 of 12032 questions"
    assert not few.is_current


@pytest.mark.parametrize(
    ("change", "place", "words"),
    [
        ({"law": 0.5}, "law", "An object with corr"),
        ({"law": {"corr": 1.0, "wrong": 1.0}}, "law.acc", "A number"),
        ({"law": {"corr": "1", "wrong": 1.0, "acc": 0.5}}, "law.corr", "A number"),
        ({"law": {"corr": 0.5, "wrong": 1.0, "acc": 0.5}}, "law.corr", "whole number"),
        ({"law": {"corr": -1, "wrong": 1.0, "acc": 0.5}}, "law.corr", "whole number"),
        ({"law": {"corr": 1, "wrong": 1.0, "acc": 50}}, "law.acc", "between 0 and 1"),
        ({"law": {"corr": 0, "wrong": 0, "acc": 0.0}}, "law", "No question"),
        ({"law": {"corr": 10**400, "wrong": 0, "acc": 0.0}}, "law.corr", "A number"),
    ],
)
def test_what_cannot_be_right_in_a_summary_json(
    change: dict[str, Any], place: str, words: str
) -> None:
    (problem,) = problems(summary() | change, JSON)
    assert problem.path == place
    assert words in problem.message


def test_a_total_alone_is_refused() -> None:
    (problem,) = problems({"total": summary()["total"]}, JSON)
    assert "no category" in problem.message


def test_figures_that_disagree_are_told(db: None) -> None:
    data = summary()
    data["total"] = data["total"] | {"acc": 0.6}
    report = ingest_file(data=json.dumps(data).encode(), file_name="f", fields=MODEL, actor=Actor())
    assert any("but its counts give 50.00" in warning.message for warning in report.warnings)

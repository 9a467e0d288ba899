"""Real score files of the corpus, by API and form, against values read from them by hand.

What a file says is read here anew, without the site's parsers: each of its figures must be a score
or a category of one, under the metric that the file names.
"""

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from benchmarks.models import BenchmarkScore, ScoreCategory
from experiments.models import Upload
from tests.corpus import corpus_files, golden_rows, post_file
from tests.experiments import form_upload
from tests.factories import make_staff

FOLDERS = ("lm-eval", "lm-eval-md", "mmlu-pro")
MODEL, QUANTIZATION = "model_name", "quantization"
BOTH = {MODEL: "acme/Nimbus-7B", QUANTIZATION: "Q4_K_M"}

# What files do not say, by a part of their names; the others say it all.
LACKING = {
    "pythia-v0": {MODEL: "EleutherAI/pythia-12b-v0"},
    "pythia-v1": {QUANTIZATION: "F16"},
    "models--llama2--": {QUANTIZATION: "F16"},
    "models--rinna--": {QUANTIZATION: "F16"},
    "results--bloom--": {QUANTIZATION: "F16"},
    "results--llama--": BOTH,
    "results--latxa--": BOTH,
    "results--mistral--": {QUANTIZATION: "BF16"},
    "AutoAWQ": BOTH,
    "summary": BOTH,
}
REFUSED = {
    "Jack-Lingjie__MMLU-Pro__eval_results--eval_record_collection.csv": (
        400,
        "resolve the conflict first",
    ),
    "08-16_11-41_summary.txt": (422, "has 0 of 14 categories and no overall accuracy"),
    "08-15_16-20_summary.txt": (422, "has 1 of 14 categories and no overall accuracy"),
    # Tables that authors made of several runs: no tool's result file.
    "Comma0103__MMLU-Pro__eval_record_collection.csv": (415, "MMLU-Pro summary JSON"),
    "accuracy_scores_Meta-Llama": (415, "MMLU-Pro summary JSON"),
    "minimax-m2.5-comparison.csv": (415, "MMLU-Pro summary JSON"),
    "minimax-m2.5-consolidated-report.md": (415, "MMLU-Pro summary JSON"),
}
PARTIAL = ("preflight", "smoke", "_summary.json", "chigkim")
NO_SHARES = ("ppl", "likelihood_difference", "rouge2")
# The figure that stands under the benchmark's own name, where a task has several.
MAIN = {"arc_challenge": "acc_norm", "hellaswag": "acc_norm", "drop": "f1"}


@dataclass(frozen=True)
class Figure:
    """One figure of a file on the site's scale, with the metric and filter that the file names."""

    task: str
    metric: str
    value: float
    stderr: float | None = None


def lacking(path: Path) -> dict[str, str]:
    said = (fields for part, fields in LACKING.items() if part in path.name)
    return next(said, {})


def refusal(path: Path) -> tuple[int, str] | None:
    return next((reason for part, reason in REFUSED.items() if part in path.name), None)


def send_by_form(client: Client, path: Path, context: dict[str, str]) -> Upload:
    """Send a file by the form and confirm its preview; return the upload."""
    form_upload.send(client, SimpleUploadedFile(path.name, path.read_bytes()), **context)
    if Upload.objects.drafts().exists():
        form_upload.press(client, "confirm")
    return Upload.objects.get(file_name=path.name)


def scale(metric: str, value: float) -> float:
    """Return a figure as the site stores it: shares in percent; SQuAD's come in percent."""
    return value if metric in NO_SHARES or value > 1 else 100 * value


def figures_of(path: Path) -> list[Figure]:
    """Read every figure of a lm-evaluation-harness file."""
    if path.suffix == ".md":
        return list(figures_of_table(path.read_text(encoding="utf-8")))
    found = []
    for task, row in json.loads(path.read_text(encoding="utf-8"))["results"].items():
        for key, value in row.items():
            metric = key.split(",")[0]
            if isinstance(value, str) or metric.endswith("_stderr"):
                continue
            stderr = row.get(key.replace(metric, f"{metric}_stderr", 1))
            found.append(
                Figure(
                    task,
                    key,
                    scale(metric, value),
                    scale(metric, stderr) if isinstance(stderr, float) else None,
                )
            )
    return found


def figures_of_table(text: str) -> Iterator[Figure]:
    task = ""
    for line in text.splitlines()[2:]:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        task = cells[0] or task
        if cells[3] == "acc":
            stderr = re.sub(r"np\.float64\((.*)\)", r"\1", cells[6])
            yield Figure(task, "acc,none", 100 * float(cells[4]), 100 * float(stderr))


def is_stored(figure: Figure, scores: list[BenchmarkScore]) -> bool:
    """Tell whether a figure is a score (with its error), or a category of one, by its name."""
    task = re.sub(r"-\d\.\d-\d\.\d$", "", figure.task)
    same = [score for score in scores if score.metric_filter == figure.metric]
    for score in same:
        named = score.benchmark.slug.startswith(task.lower()) or figure.task in str(score.context)
        if named and score.score == pytest.approx(figure.value):
            return score.stderr == (
                None if figure.stderr is None else pytest.approx(figure.stderr, abs=1e-8)
            )
    return any(
        re.sub(r"[\W_]+", "", category.category)
        in re.sub(r"[\W_]+", "", task_in_words(figure.task))
        and category.score == pytest.approx(figure.value)
        for score in same
        for category in score.categories.all()
    )


def task_in_words(task: str) -> str:
    """Return a task's name with its shortened words written out, as categories have them."""
    spelled = {"_prob": "_probability", "num_theory": "number_theory", "precalc": "precalculus"}
    for short, full in spelled.items():
        task = task.replace(short, full)
    return task


def stored_scores(body: dict[str, Any]) -> list[BenchmarkScore]:
    ids = [item["id"] for item in body["scores"]]
    found = BenchmarkScore.objects.filter(pk__in=ids).with_details()
    assert len(found) == len(set(ids)) == len(ids)
    return list(found)


def check_harness_file(path: Path, want: dict[str, Any] | None, scores: list[Any]) -> None:
    """Every figure of the file is stored once, and GOLDEN.tsv has the same ones."""
    figures = figures_of(path)
    lost = [figure for figure in figures if not is_stored(figure, scores)]
    assert not lost, (path.name, lost)
    named = [score for score in scores if score.total_method == "stated"]
    categories = ScoreCategory.objects.filter(benchmark_score__in=scores).count()
    assert len(named) + categories == len(figures), path.name
    if want is None:
        return
    tasks = json.loads(path.read_text(encoding="utf-8"))["results"]
    assert len(tasks) == want["n"]
    for task, row in ast.literal_eval(want["first"]):
        for key, value in row.items():
            metric = key.split(",")[0]
            if isinstance(value, str) or metric.endswith("_stderr"):
                continue
            golden_value = scale(metric, value)
            found = [f.value for f in figures if (f.task, f.metric) == (task, key)]
            assert found == [pytest.approx(golden_value, abs=0.006)], (task, key)


def check_mmlu_pro_file(want: dict[str, Any], score: BenchmarkScore) -> None:
    assert score.benchmark.slug == "mmlu_pro"
    if want["fmt"] == "mmlu-pro-tiger-txt":
        assert score.score == pytest.approx(100 * float(want["avg"][0]))
        assert score.categories.count() == want["n"] - 1
        assert score.complete
    elif want["fmt"] == "mmlu-pro-report":
        correct, total, percent = ast.literal_eval(want["total"])
        assert (score.correct, score.total) == (int(correct), int(total))
        assert score.score == float(percent)
        assert f"{score.variant}" == "llama3:8b-instruct · Q8_0"
    else:
        total = ast.literal_eval(want["total"])
        assert score.score == pytest.approx(100 * total["acc"])
        assert (score.correct, score.total) == (total["corr"], total["corr"] + total["wrong"])
        names = set(score.categories.values_list("category", flat=True))
        assert names == set(want["cats"].split(","))


def test_every_file_goes_in_by_the_api_or_is_refused_with_a_reason(
    corpus: Path, client: Client, token: str
) -> None:
    taken = 0
    wanted = golden_rows(corpus, FOLDERS)
    for path in corpus_files(corpus, FOLDERS):
        context = lacking(path)
        (want,) = wanted.get(f"{path.parent.name}/{path.name}", [None])
        if reason := refusal(path):
            response = post_file(client, token, path, **BOTH)
            assert (response.status_code, path.name) == (reason[0], path.name)
            assert reason[1] in response.json()["details"][0]["message"]
            continue
        if context:
            body = post_file(client, token, path).json()
            assert set(body["missing"]) == set(context), path.name
        response = post_file(client, token, path, **context)
        body = response.json()
        assert (response.status_code, body["outcome"]) == (201, "created"), (path.name, body)
        scores = stored_scores(body)
        if path.parent.name == "mmlu-pro":
            assert want is not None
            (score,) = scores
            check_mmlu_pro_file(want, score)
        else:
            check_harness_file(path, want, scores)
        for score in scores:
            partial = any(part in path.name for part in PARTIAL)
            assert score.complete is not partial, (path.name, score, score.partial_reason)
            assert bool(score.partial_reason) is partial
            assert not (partial and score.is_current)
            assert not score.needs_confirmation
        before = BenchmarkScore.objects.count()
        again = post_file(client, token, path, **context)
        assert (again.status_code, again.json()["outcome"]) == (200, "unchanged")
        assert again.json()["scores"] == body["scores"]
        assert BenchmarkScore.objects.count() == before
        taken += 1
    assert taken == len(list(corpus_files(corpus, FOLDERS))) - len(REFUSED)


def test_every_file_goes_in_by_the_form_or_is_refused_with_a_reason(
    corpus: Path, client: Client, token: str
) -> None:
    """The form makes what the API would make: sending the file there then changes nothing."""
    client.force_login(make_staff())
    for path in corpus_files(corpus, FOLDERS):
        context = lacking(path)
        upload = send_by_form(client, path, context)
        if reason := refusal(path):
            assert upload.outcome != "created"
            assert reason[1] in upload.report["errors"][0]["message"], path.name
            continue
        assert upload.outcome == "created", (path.name, upload.report)
        body = post_file(client, token, path, **context).json()
        assert body["outcome"] == "unchanged", path.name
        assert {item["id"] for item in body["scores"]} == {
            str(pk) for pk in upload.items.values_list("score_id", flat=True)
        }


def test_two_filters_of_one_run_are_two_scores_that_never_rank_together(
    corpus: Path, client: Client, token: str
) -> None:
    path = next(path for path in corpus_files(corpus, FOLDERS) if "gsm8k_cot_zeroshot" in path.name)
    scores = stored_scores(post_file(client, token, path).json())
    found = {(score.benchmark.slug, score.metric_filter): score.score for score in scores}
    assert found == {
        ("gsm8k", "exact_match,strict-match"): 0.0,
        ("gsm8k", "exact_match,flexible-extract"): 100.0,
    }
    assert len({score.protocol_key for score in scores}) == 2


def test_old_mmlu_is_complete_and_its_mean_of_57_subjects(
    corpus: Path, client: Client, token: str
) -> None:
    path = next(path for path in corpus_files(corpus, FOLDERS) if "6.9b-5shot" in path.name)
    scores = stored_scores(post_file(client, token, path, quantization="F16").json())
    mmlu = next(score for score in scores if score.benchmark.slug == "mmlu")
    tasks = json.loads(path.read_text(encoding="utf-8"))["results"]
    subjects = [row["acc"] for task, row in tasks.items() if task.startswith("hendrycksTest-")]
    assert len(subjects) == 57
    assert mmlu.score == pytest.approx(100 * sum(subjects) / 57)
    assert mmlu.is_current
    assert mmlu.shots == 5


def test_the_metric_of_the_leaderboards_stands_under_the_benchmarks_name(
    corpus: Path, client: Client, token: str
) -> None:
    path = next(path for path in corpus_files(corpus, FOLDERS) if "bloom-3b" in path.name)
    scores = stored_scores(post_file(client, token, path, quantization="F16").json())
    main = {score.benchmark.slug: score.metric_filter for score in scores}
    assert {task: main[task] for task in MAIN if task in main} == {
        "arc_challenge": "acc_norm",
        "hellaswag": "acc_norm",
    }
    assert main["piqa"] == "acc"

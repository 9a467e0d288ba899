"""Real EvalPlus and OpenCompass files of the corpus, by API and form, against their own text."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from benchmarks.models import BenchmarkScore
from experiments.models import Upload
from tests.corpus import corpus_files, post_file
from tests.experiments import form_upload
from tests.factories import make_staff

FOLDERS = ("evalplus", "opencompass")
CONTEXT = {"quantization": "BF16"}
REFUSED = {"evalperf--COMBINED": "EvalPerf", "repoqa--COMBINED": "RepoQA"}
OVER_ALL = "average"
# Rows that are parts of a benchmark's score, by how they begin and the category that they are.
PARTS = {
    r"mmlu-(stem|humanities|other)": ("mmlu", r"\1"),
    r"mmlu-social-science": ("mmlu", "social_sciences"),
    r"mmlu_pro_(\w+)": ("mmlu_pro", r"\1"),
}
NAMES = {
    "arc-c": "arc_challenge",
    "arc-e": "arc_easy",
    "openai_humaneval": "humaneval",
    "sanitized_mbpp": "mbpp",
}

Scores = dict[tuple[str, str], BenchmarkScore]


def refusal(path: Path) -> str | None:
    return next((words for part, words in REFUSED.items() if part in path.name), None)


def stored(body: dict[str, Any]) -> Scores:
    """Return the scores that an answer names, by model and benchmark."""
    ids = [item["id"] for item in body["scores"]]
    found = BenchmarkScore.objects.filter(pk__in=ids).with_details()
    assert len(found) == len(ids)
    return {(score.variant.model_name, score.benchmark.slug): score for score in found}


def check_leaderboard(path: Path, scores: Scores) -> None:
    """Every figure of the file is one score; null is none."""
    wanted = {
        (model, name.replace("+", "_plus")): value
        for model, entry in json.loads(path.read_text(encoding="utf-8")).items()
        for name, value in entry["pass@1"].items()
        if value is not None
    }
    assert len(wanted) == 428
    assert {key: score.score for key, score in scores.items()} == wanted
    assert all(score.harness == "EvalPlus" and score.complete for score in scores.values())
    assert all(score.is_current for score in scores.values())


def check_table(path: Path, scores: Scores) -> None:
    """Every figure of the table is a score or a category of one, under hash, metric and mode."""
    header, _rule, *rows = path.read_text(encoding="utf-8").splitlines()
    models = header.split()[4:]
    figures = 0
    for line in rows:
        cells = line.rsplit(maxsplit=3 + len(models))
        dataset, version, metric, mode = cells[:4]
        if metric == "-" or mode == "-" or dataset == OVER_ALL:
            continue
        for model, cell in zip(models, cells[4:], strict=True):
            figures += 1
            named = re.sub(r"-(hf|turbomind)$", "", model)
            check_figure(scores, named, dataset.strip(), version, f"{metric}, {mode}", float(cell))
    assert figures


def check_figure(
    scores: Scores, model: str, dataset: str, version: str, metric: str, value: float
) -> None:
    for pattern, (benchmark, category) in PARTS.items():
        if found := re.fullmatch(pattern, dataset):
            whole = scores[model, benchmark]
            name = found.expand(category)
            assert whole.categories.get(category=name).score == value, (dataset, model)
            return
    slug = NAMES.get(dataset.lower()) or re.sub(r"\W+", "_", dataset.lower())
    score = scores[model, slug]
    assert score.score == value, (dataset, model)
    assert score.metric_filter == metric
    assert version in ("-", *(score.task_version or "").split())


@pytest.mark.django_db
def test_every_file_goes_in_by_the_api_or_is_refused_with_a_reason(
    corpus: Path, client: Client, token: str
) -> None:
    for path in corpus_files(corpus, FOLDERS):
        if words := refusal(path):
            response = post_file(client, token, path, **CONTEXT)
            assert response.status_code == 415, path.name
            assert words in response.json()["error"]
            continue
        assert post_file(client, token, path).json()["missing"] == ["quantization"], path.name
        response = post_file(client, token, path, **CONTEXT)
        assert response.status_code == 201, (path.name, response.json())
        check = check_leaderboard if path.parent.name == "evalplus" else check_table
        check(path, stored(response.json()))
        before = BenchmarkScore.objects.count()
        again = post_file(client, token, path, **CONTEXT)
        assert (again.status_code, again.json()["outcome"]) == (200, "unchanged")
        assert BenchmarkScore.objects.count() == before


@pytest.mark.django_db
def test_the_form_takes_the_same_files_a_folder_at_a_time(
    corpus: Path, client: Client, token: str
) -> None:
    """The form makes what the API would make: sending a file there then changes nothing."""
    client.force_login(make_staff())
    for folder in FOLDERS:
        paths = list(corpus_files(corpus, (folder,)))
        files = [SimpleUploadedFile(path.name, path.read_bytes()) for path in paths]
        form_upload.send(client, *files, **CONTEXT)
        form_upload.press(client, "confirm")
        for path in paths:
            outcome = Upload.objects.get(file_name=path.name).outcome
            assert outcome == ("rejected" if refusal(path) else "created"), path.name
            if not refusal(path):
                assert post_file(client, token, path, **CONTEXT).json()["outcome"] == "unchanged"

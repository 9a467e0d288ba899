"""Conflicts that tell both versions, and uploads that are sent again with other context."""

import json
from typing import Any

import pytest
from django.test import Client

from benchmarks.models import BenchmarkScore, ScoreRevision
from experiments.ingest.pipeline import ingest_file
from experiments.ingest.report import Refusal
from experiments.models import Configuration, RunRevision, TestRun
from tests.experiments.senders import (
    OTHER_FIGURES,
    Sender,
    before_of,
    correct,
    only_upload,
    scored,
    send_file,
)
from tests.factories import experiment

pytestmark = pytest.mark.django_db


def test_a_conflict_tells_both_versions(client: Client, people: dict[str, Sender]) -> None:
    run = experiment(notes="first", settings={"api_key": "one"})
    people["sender"].send(run)
    other = {**run, "notes": None, "settings": {"api_key": "two"}}
    other["performance_metrics"] = experiment(figures=OTHER_FIGURES)["performance_metrics"]
    answer = people["other"].send(other).json()
    (detail,) = answer["details"]
    value = detail["value"]
    assert value["id"] == run["id"]
    assert value["stored_hash"] == TestRun.objects.get().content_hash
    assert value["stored"] == {
        "notes": "first",
        "settings.api_key": "hidden",
        "tokens_per_second mean decode": "50.0 tok/s",
    }
    assert value["sent"] == {
        "notes": None,
        "settings.api_key": "hidden",
        "tokens_per_second mean decode": "60.0 tok/s",
    }
    assert "notes is “first” here and not known in yours" in detail["message"]
    assert "can replace it (replace=true)" in detail["message"]


def test_what_waits_for_review_is_not_told_to_others_by_a_conflict(client: Client) -> None:
    sender, other = Sender(client, "submit"), Sender(client, "upload")
    run = experiment(notes="not for everybody")
    sender.send(run)
    changed = {**run, "notes": "mine"}
    assert "not for everybody" not in other.send(changed).content.decode()
    assert "not for everybody" in sender.send(changed).content.decode()


def test_a_conflict_tells_the_first_differences_only(people: dict[str, Sender]) -> None:
    run = experiment(settings={f"flag_{number}": number for number in range(50)})
    people["sender"].send(run)
    other = {**run, "settings": {}}
    value = people["sender"].send(other).json()["details"][0]["value"]
    assert len(value["stored"]) == len(value["sent"]) == 20


# Corrections


def test_a_corrected_name_leaves_one_truth(client: Client, people: dict[str, Sender]) -> None:
    sender = people["sender"].actor
    document = {"experiment_run": scored(50.0, experiment(model_name="Nimbis-14B"))}
    send_file(sender, document)
    wrong = only_upload()
    report = correct(sender, wrong, document, {"model_name": "Nimbus-14B"})
    assert report.outcome == "created"
    assert (report.runs[0].action, report.scores[0].action) == ("replaced", "created")
    current = BenchmarkScore.objects.current().get()
    assert current.variant.model_name == "Nimbus-14B"
    old, new = Configuration.objects.order_by("id")
    assert (old.variant.model_name, old.runs, old.representative) == ("Nimbis-14B", 0, None)
    assert (new.variant.model_name, new.runs) == ("Nimbus-14B", 1)
    assert "Nimbis" not in client.get("/").content.decode()
    assert client.get("/api/performance-grid").json()["total_count"] == 1
    before = before_of(RunRevision.objects.get())
    assert before["facts"]["model_name"] == "Nimbis-14B"


def scores_alone(model_name: str) -> dict[str, Any]:
    return {
        "model_name": model_name,
        "quantization": "Q8_0",
        "benchmark_scores": [{"type": "HellaSwag", "data": {"accuracy": 81.0}}],
    }


def current_variants() -> list[str]:
    scores = BenchmarkScore.objects.current().order_by("variant__model_name")
    return [score.variant.model_name for score in scores]


def test_scores_of_a_wrong_variant_are_superseded_by_the_correction(
    client: Client, people: dict[str, Sender]
) -> None:
    sender = people["sender"].actor
    document = scores_alone("Wrong")
    send_file(sender, document)
    wrong = only_upload()
    correct(sender, wrong, document, {"model_name": "Wrong again"})
    assert current_variants() == ["Wrong again"]
    # Corrected once more from the first upload, not from its correction.
    correct(sender, wrong, document, {"model_name": "Right"})
    assert current_variants() == ["Right"]
    assert "Wrong" not in client.get("/").content.decode()
    told = ScoreRevision.objects.order_by("id").values_list("action", flat=True)
    assert list(told) == ["corrected", "corrected"]
    for who in ("other", "sender"):
        assert send_file(people[who].actor, document).outcome == "unchanged"
        again = send_file(people[who].actor, document, fields={"model_name": "Wrong"})
        assert again.refusal is Refusal.WITHDRAWN
    assert current_variants() == ["Right"]
    correct(sender, wrong, document, {"model_name": "Wrong again"})
    assert current_variants() == ["Wrong again"]


def test_a_correction_leaves_what_others_sent_too(people: dict[str, Sender]) -> None:
    sender, other = people["sender"].actor, people["other"].actor
    document = scores_alone("Taken")
    send_file(sender, document)
    wrong = only_upload()
    data = json.dumps(document, indent=1).encode()
    ingest_file(data=data, file_name="g", fields={}, actor=other)
    correct(sender, wrong, document, {"model_name": "Right"})
    assert current_variants() == ["Right", "Taken"]


def test_others_correct_nothing(people: dict[str, Sender]) -> None:
    document = scores_alone("Mine")
    send_file(people["sender"].actor, document)
    report = correct(people["other"].actor, only_upload(), document, {"model_name": "Theirs"})
    assert "who sent the earlier upload" in report.summary
    assert current_variants() == ["Mine"]
    assert correct(people["curator"].actor, only_upload(), document, {"model_name": "R"}).accepted


def test_correcting_hardware_moves_the_run_between_configurations(
    people: dict[str, Sender],
) -> None:
    sender = people["sender"].actor
    document = {"experiment_run": experiment(gpu_model="NVIDIA GeForce RTX 3090")}
    send_file(sender, document)
    correct(sender, only_upload(), document, {"gpu_model": "RTX 4090"})
    summary = {item.platform.name: item.runs for item in Configuration.objects.all()}
    assert summary == {"1× RTX 3090": 0, "1× RTX 4090": 1}

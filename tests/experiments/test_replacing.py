"""The same run again: replaced, refused, withdrawn, restored, waiting for review; and by whom."""

import copy
import json
from typing import Any

import pytest

from benchmarks.models import BenchmarkScore
from benchsite.common.review import ReviewState
from experiments.ingest.actor import Actor
from experiments.ingest.pipeline import ingest_file
from experiments.ingest.report import Refusal, Report
from experiments.ingest.review import set_review_state, withdraw
from experiments.models import ApiToken, Configuration, TestRun
from tests.experiments.samples import SEED
from tests.experiments.ways_in import facts
from tests.factories import experiment, ingest
from tests.people import OPERATOR


@pytest.fixture
def seed() -> dict[str, Any]:
    return copy.deepcopy(SEED)


def test_the_same_id_with_other_content_is_a_conflict(db: None, seed: dict[str, Any]) -> None:
    ingest(seed)
    seed["experiment_run"]["performance_metrics"][0]["value"] = 99.0
    before = facts()
    report = ingest(seed)
    assert report.refusal is Refusal.CONFLICT
    assert facts() == before
    replaced = ingest(seed, replace=True)
    assert replaced.runs[0].action == "replaced"
    run = TestRun.objects.get(pk=seed["experiment_run"]["id"])
    assert run.measurements.get(metric="tokens_per_second").value == 99.0
    run.configuration.refresh_from_db()
    assert run.configuration.tokens_per_second == 99.0


def as_token(name: str) -> Actor:
    ApiToken.issue(name=name, scopes=["upload"])
    return Actor(token=ApiToken.objects.get(name=name))


def send_as(actor: Actor, run: dict[str, Any], **options: Any) -> Report:
    data = json.dumps({"experiment_run": run}).encode()
    return ingest_file(data=data, file_name="f", fields={}, actor=actor, **options)


def test_an_unfinished_run_is_completed_by_who_sent_it_without_replace(db: None) -> None:
    mine, other = as_token("mine"), as_token("other")
    run = experiment(status="running", figures={})
    send_as(mine, run)
    done = {**experiment(), "id": run["id"]}
    assert send_as(other, done).refusal is Refusal.CONFLICT
    assert send_as(mine, done).runs[0].action == "replaced"
    assert TestRun.objects.get(pk=run["id"]).status == "completed"


def test_a_finished_run_is_replaced_by_who_sent_it_and_by_nobody_else(db: None) -> None:
    mine, other = as_token("mine"), as_token("other")
    run = experiment()
    send_as(mine, run)
    changed = {**run, "notes": "measured again"}
    assert send_as(mine, changed).refusal is Refusal.CONFLICT
    assert send_as(other, changed, replace=True).refusal is Refusal.CONFLICT
    assert send_as(mine, changed, replace=True).runs[0].action == "replaced"
    assert TestRun.objects.get(pk=run["id"]).notes == "measured again"


@pytest.mark.parametrize("state", [ReviewState.WITHDRAWN, ReviewState.REJECTED])
def test_what_a_curator_took_out_comes_back_by_a_curator_only(db: None, state: ReviewState) -> None:
    mine = as_token("mine")
    run = experiment()
    send_as(mine, run)
    set_review_state(run_ids=[run["id"]], state=state, who=OPERATOR, reason="made up")
    changed = {**run, "notes": "honest"}
    assert send_as(mine, changed, replace=True).refusal is Refusal.WITHDRAWN
    assert send_as(Actor(is_curator=True), changed, replace=True).accepted


def test_a_withdrawn_run_is_refused_until_it_is_restored(db: None) -> None:
    run = {"experiment_run": experiment()}
    run_id = ingest(run).runs[0].id
    withdraw(run_ids=[run_id], who=OPERATOR, reason="wrong machine")
    assert Configuration.objects.get().runs == 0
    assert ingest(run).refusal is Refusal.WITHDRAWN
    assert ingest(run, replace=True).accepted
    assert Configuration.objects.get().runs == 1
    assert TestRun.objects.get(pk=run_id).review_state == ReviewState.PUBLISHED


def test_replacing_a_run_supersedes_the_scores_it_brought(db: None) -> None:
    def scored(score: float, day: int) -> dict[str, Any]:
        data = {
            "benchmark_name": "MMLU-Pro",
            "score": score,
            "timestamp": f"2026-11-{day:02}T00:00:00Z",
        }
        return {**run, "benchmark_scores": [{"type": "Generic", "data": data}]}

    def current() -> list[float]:
        return [score.score for score in BenchmarkScore.objects.current()]

    run = experiment()
    ingest({"experiment_run": scored(90.0, 20)})
    assert current() == [90.0]
    ingest({"experiment_run": scored(35.0, 10)}, replace=True)
    assert current() == [35.0]
    ingest({"experiment_run": run}, replace=True)
    assert current() == []
    ingest({"experiment_run": scored(90.0, 20)}, replace=True)
    assert current() == [90.0]


def test_a_score_that_stands_elsewhere_too_is_not_superseded(
    db: None, seed: dict[str, Any]
) -> None:
    inner = seed["experiment_run"]
    names = {"model_name": inner["model_name"], "quantization": inner["quantization"]}
    ingest(seed)
    ingest({**names, "benchmark_scores": inner["benchmark_scores"]})
    inner["benchmark_scores"] = []
    assert ingest(seed, replace=True).accepted
    assert BenchmarkScore.objects.current().get().benchmark.slug == "gsm8k"


def test_bytes_whose_run_was_replaced_since_are_not_unchanged(db: None) -> None:
    first = {"experiment_run": experiment()}
    ingest(first)
    second = {"experiment_run": {**first["experiment_run"], "notes": "again"}}
    ingest(second, replace=True)
    assert ingest(first).refusal is Refusal.CONFLICT
    assert ingest(first, replace=True).accepted
    assert TestRun.objects.get().notes is None


def test_what_waits_for_review_is_published_by_an_upload_that_may(
    db: None, seed: dict[str, Any]
) -> None:
    assert ingest(seed, review_state=ReviewState.PENDING).outcome == "created"
    assert Configuration.objects.get().runs == 0
    report = ingest(seed)
    assert report.outcome == "created"
    assert {run.action for run in report.runs} == {"published"}
    assert {score.action for score in report.scores} == {"published"}
    assert Configuration.objects.get().runs == 1
    assert BenchmarkScore.objects.current().get().benchmark.slug == "gsm8k"
    assert ingest(seed, review_state=ReviewState.PENDING).outcome == "unchanged"


def test_a_withdrawn_score_is_refused_until_a_curator_restores_it(db: None) -> None:
    scores = {
        "model_name": "m",
        "quantization": "Q8_0",
        "benchmark_scores": [{"type": "HellaSwag", "data": {"accuracy": 81.0}}],
    }
    ingest(scores)
    withdraw(score_ids=[BenchmarkScore.objects.get().pk], who=OPERATOR, reason="wrong model")
    assert ingest(scores).refusal is Refusal.WITHDRAWN
    assert ingest(scores, replace=True).accepted
    assert BenchmarkScore.objects.current().count() == 1

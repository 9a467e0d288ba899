"""Somebody who sends runs, withdraws them and sends them again, and what came of it."""

import json
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from benchsite.common.review import ReviewState
from experiments.ingest.actor import Actor
from experiments.ingest.pipeline import Incoming, attempt, ingest_file
from experiments.ingest.report import Report
from experiments.ingest.store import Received
from experiments.models import ApiToken, RunRevision, TestRun, Upload
from tests.experiments.tokens import bearer
from tests.factories import experiment

OTHER_FIGURES = {"tokens_per_second": (60.0, "tok/s", "decode")}


class Sender:
    """Somebody with a token, who sends by the API and may be asked for as an actor."""

    def __init__(self, client: Client, *scopes: str, owner: User | None = None) -> None:
        self.client = client
        self.headers = bearer(*scopes, owner=owner)
        self.token = ApiToken.objects.latest("id")

    @property
    def actor(self) -> Actor:
        scopes = self.token.scopes
        published = ReviewState.PENDING if scopes == ["submit"] else ReviewState.PUBLISHED
        return Actor(
            user=self.token.owner,
            token=self.token,
            review_state=published,
            is_curator="curate" in scopes,
        )

    def send(self, run: dict[str, Any], *, replace: bool = False) -> Any:
        data = json.dumps({"experiment_run": run})
        path = f"/api/upload-experiment{'?replace=true' if replace else ''}"
        return self.client.post(path, data, "application/json", headers=self.headers)

    def withdraw(self, run: dict[str, Any], reason: str = "") -> int:
        path = f"/api/delete/{run['id']}?reason={reason}"
        return self.client.delete(path, headers=self.headers).status_code

    def detail(self, run: dict[str, Any]) -> Any:
        return self.client.get(f"/api/detail/{run['id']}", headers=self.headers)


def actions(run_id: Any) -> list[str]:
    """Return what was done to a run, in order."""
    rows = RunRevision.objects.filter(run_id=run_id).order_by("id")
    return list(rows.values_list("action", flat=True))


def before_of(row: RunRevision) -> dict[str, Any]:
    """Return the earlier version that a row keeps."""
    assert row.before is not None
    return dict(row.before)


def only_upload() -> Upload:
    return Upload.objects.get()


def scored(score: float, run: dict[str, Any], day: int = 20) -> dict[str, Any]:
    data = {"benchmark_name": "MMLU-Pro", "score": score, "timestamp": f"2026-11-{day}T00:00:00Z"}
    return {**run, "benchmark_scores": [{"type": "Generic", "data": data}]}


def ingest_scores(actor: Actor, *, model_name: str = "m", **options: Any) -> Report:
    document = {
        "model_name": model_name,
        "quantization": "Q8_0",
        "benchmark_scores": [{"type": "HellaSwag", "data": {"accuracy": 81.0}}],
    }
    data = json.dumps(document).encode()
    fields = options.pop("fields", {})
    return ingest_file(data=data, file_name="s.json", fields=fields, actor=actor, **options)


def two_runs() -> dict[str, Any]:
    return {"experiment_runs": [experiment(), scored(50.0, experiment(model_name="Other"))]}


def send_file(actor: Actor, document: Any, **options: Any) -> Report:
    data = json.dumps(document).encode()
    fields = options.pop("fields", {})
    return ingest_file(data=data, file_name="f.json", fields=fields, actor=actor, **options)


def make_sent(actor: Actor, **fields: Any) -> TestRun:
    report = send_file(actor, {"experiment_run": experiment(**fields)})
    return TestRun.objects.get(pk=report.runs[0].id)


def correct(actor: Actor, upload: Upload, document: Any, fields: dict[str, str]) -> Report:
    """Send the bytes of an upload again with other context, as its correction."""
    received = Received(
        data=json.dumps(document).encode(),
        file_name="f.json",
        fields=fields,
        actor=actor,
        replacing=True,
        corrects=upload,
    )
    return attempt(Incoming(received=received), dry_run=False)

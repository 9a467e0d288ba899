"""Several connections that upload, replace, withdraw, restore and review the same runs at once."""

import copy
import json
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client

from benchmarks.models import BenchmarkScore
from benchsite.common.review import ReviewState
from experiments.ingest.actor import Actor
from experiments.ingest.review import (
    restore,
    restore_upload,
    review_uploads,
    set_review_state,
    withdraw_upload,
)
from experiments.models import ApiToken, Measurement, RunRevision, TestRun, Upload, UploadItem
from tests.experiments.invariants import check_invariants
from tests.experiments.tokens import bearer
from tests.factories import experiment
from tests.people import OPERATOR

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

SESSIONS = 4
STEPS = 30
RUN_IDS = [UUID(int=number + 1, version=4) for number in range(3)]
SPEEDS = (40.0, 50.0, 60.0)
REFUSALS = (403, 404, 409, 410)


class Session:
    """One of the sessions, each with a connection and a random order of its own."""

    def __init__(self, number: int, headers: dict[str, str], token: ApiToken) -> None:
        self.chance = random.Random(number)
        self.client = Client()
        self.headers = headers
        self.actor = Actor(token=token, is_curator="curate" in token.scopes)
        self.done: Counter[str] = Counter()

    def step(self) -> None:
        """Do one thing to one run, and count what the site let pass."""
        kind = self.chance.choice(
            ["upload", "upload", "replace", "replace", "withdraw", "restore", "review", "whole"]
        )
        run_id = self.chance.choice(RUN_IDS)
        if kind in ("upload", "replace"):
            self.upload(run_id, replace=kind == "replace")
        elif kind == "withdraw":
            path = f"/api/delete/{run_id}"
            status = self.client.delete(path, headers=self.headers).status_code
            assert status == 200 or status in REFUSALS
            self.done["withdrawn"] += status == 200
        elif kind == "restore":
            self.done["restored"] += restore(run_ids=[run_id], actor=self.actor).runs
        elif kind == "review":
            state = self.chance.choice([ReviewState.PUBLISHED, ReviewState.REJECTED])
            set_review_state(run_ids=[run_id], state=state, who=OPERATOR)
        else:
            self.whole_upload()

    def upload(self, run_id: UUID, *, replace: bool) -> None:
        speed = self.chance.choice(SPEEDS)
        data = {"accuracy": speed, "timestamp": "2026-11-20T00:00:00Z"}
        document = experiment(
            run_id=run_id,
            figures={"tokens_per_second": (speed, "tok/s", "decode")},
            benchmark_scores=[{"type": "HellaSwag", "data": data}],
        )
        answer = self.client.post(
            f"/api/uploads?replace={'true' if replace else 'false'}",
            json.dumps({"experiment_run": document}),
            "application/json",
            headers=self.headers,
        )
        assert answer.status_code in (200, 201, 409), answer.content
        self.done[f"upload {answer.status_code}"] += 1

    def whole_upload(self) -> None:
        upload = Upload.objects.accepted().order_by("?").first()
        if upload is None or not self.actor.may_correct(upload):
            return
        who, choice = self.actor.who, self.chance.choice(["withdraw", "restore", "publish"])
        if choice == "withdraw":
            self.done["withdrawn"] += withdraw_upload(upload=upload, who=who).runs
        elif choice == "restore":
            self.done["restored"] += restore_upload(upload=upload, actor=self.actor).runs
        elif self.actor.is_curator:
            review_uploads(upload_ids=[upload.pk], state=ReviewState.PUBLISHED, who=who)


def at_once(sessions: list[Session]) -> Counter[str]:
    """Let all sessions take their steps together; any exception of theirs is raised here."""
    start = Barrier(len(sessions))

    def work(session: Session) -> Counter[str]:
        try:
            connection.ensure_connection()
            start.wait(timeout=20)
            for _step in range(STEPS):
                session.step()
            return session.done
        finally:
            connection.close()

    with ThreadPoolExecutor(len(sessions)) as pool:
        return sum(pool.map(work, sessions), Counter())


def test_sessions_at_once_leave_one_truth_and_its_history() -> None:
    headers = [bearer(scope) for scope in ("upload", "upload", "curate", "curate")]
    tokens = list(ApiToken.objects.order_by("id"))
    sessions = [
        Session(number, *pair) for number, pair in enumerate(zip(headers, tokens, strict=True))
    ]
    done = at_once(sessions)
    assert done["upload 201"]
    assert done["withdrawn"]
    check_invariants()
    assert set(TestRun.objects.values_list("pk", flat=True)) <= set(RUN_IDS)
    told = Counter(RunRevision.objects.values_list("action", flat=True))
    assert told["withdrawn"] == done["withdrawn"]
    by_uploads = Counter(
        UploadItem.objects.filter(run__isnull=False)
        .exclude(action="unchanged")
        .values_list("action", flat=True)
    )
    assert by_uploads["created"] == TestRun.objects.count()
    assert told["replaced"] == by_uploads["replaced"]
    assert told["restored"] >= by_uploads["restored"] + done["restored"]
    figures = Measurement.objects.filter(metric="tokens_per_second")
    assert figures.count() == TestRun.objects.count()
    assert set(figures.values_list("value", flat=True)) <= set(SPEEDS)
    assert BenchmarkScore.objects.count() <= len(SPEEDS)


def test_one_of_several_withdrawals_counts() -> None:
    headers = bearer("curate")
    document = experiment(run_id=RUN_IDS[0])
    data = json.dumps({"experiment_run": copy.deepcopy(document)})
    Client().post("/api/uploads", data, "application/json", headers=headers)
    start = Barrier(SESSIONS)

    def withdraw_once(number: int) -> int:
        try:
            connection.ensure_connection()
            start.wait(timeout=20)
            path = f"/api/delete/{RUN_IDS[0]}?reason=by+{number}"
            return Client().delete(path, headers=headers).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(SESSIONS) as pool:
        statuses = Counter(pool.map(withdraw_once, range(SESSIONS)))
    assert statuses == {200: 1, 410: SESSIONS - 1}
    revision: Any = RunRevision.objects.get()
    assert revision.reason == TestRun.objects.get().review_reason

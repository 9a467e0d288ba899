"""Uploads, withdrawals, restorings and reviews in random order, against a model of the rules."""

import copy
import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.models import BenchmarkScore, ScoreRevision
from benchsite.common.review import TAKEN_OUT, ReviewState
from experiments.ingest.actor import Actor
from experiments.ingest.review import restore, set_review_state, withdraw
from experiments.models import ApiToken, RunRevision, TestRun
from tests.experiments.invariants import check_invariants
from tests.experiments.tokens import bearer
from tests.factories import experiment
from tests.people import OPERATOR

RUNS = ("first", "second")
CONTENTS = {"a": 50.0, "b": 60.0, "c": 70.0}
SCOPES = {"ann": "upload", "bob": "upload", "sue": "submit", "cy": "curate"}
PUBLISHED, PENDING = ReviewState.PUBLISHED, ReviewState.PENDING
WITHDRAWN, REJECTED = ReviewState.WITHDRAWN, ReviewState.REJECTED

people = st.sampled_from(sorted(SCOPES))
names = st.sampled_from(RUNS)
contents = st.sampled_from(sorted(CONTENTS))
steps = st.one_of(
    st.tuples(st.just("upload"), people, names, contents, st.booleans()),
    st.tuples(st.just("upload"), people, names, contents, st.just(True)),
    st.tuples(st.just("withdraw"), people, names),
    st.tuples(st.just("restore"), people, names),
    st.tuples(st.just("withdraw_score"), people, names),
    st.tuples(st.just("review"), st.sampled_from([PUBLISHED, REJECTED, WITHDRAWN]), names),
)


@dataclass
class Model:
    """What must be true of one run: its content and state, whose it is, who took it out."""

    content: str | None = None
    state: ReviewState = PUBLISHED
    owners: set[str] = field(default_factory=set)
    taken_out_by: str = ""
    state_before: ReviewState = PUBLISHED
    scores_out: dict[str, str] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    def may_restore(self, who: str) -> bool:
        own = self.state == WITHDRAWN and self.taken_out_by == who
        return SCOPES[who] == "curate" or own

    def is_mine(self, who: str) -> bool:
        return SCOPES[who] == "curate" or who in self.owners

    def upload(self, who: str, content: str, replace: bool) -> bool:
        """Take a file in if the rules allow, and tell whether they do."""
        state = PENDING if SCOPES[who] == "submit" else PUBLISHED
        action = self._action(who, content, replace, state)
        if action is None or not self._score_may_come(who, content, replace):
            return False
        self.scores_out.pop(content, None)
        if action == "unchanged":
            return True
        self.owners.add(who)
        self.content, self.state = content, state
        if action != "created":
            self.told.append(action)
        return True

    def _action(self, who: str, content: str, replace: bool, state: ReviewState) -> str | None:
        if self.content is None:
            return "created"
        same, out = content == self.content, self.state in TAKEN_OUT
        if out:
            allowed = replace and self.may_restore(who) and (same or self.is_mine(who))
            return ("restored" if same else "replaced") if allowed else None
        if not same:
            return "replaced" if replace and self.is_mine(who) else None
        waits = self.state == PENDING and state == PUBLISHED
        return "published" if waits else "unchanged"

    def _score_may_come(self, who: str, content: str, replace: bool) -> bool:
        by = self.scores_out.get(content)
        return by is None or (replace and (SCOPES[who] == "curate" or by == who))

    def take_out(self, state: ReviewState, who: str) -> None:
        if self.state not in TAKEN_OUT:
            self.state_before = self.state
        self.state, self.taken_out_by = state, who
        self.told.append(str(state))

    def withdraw(self, who: str) -> bool:
        stays = self.state == WITHDRAWN or (self.state == REJECTED and SCOPES[who] != "curate")
        if self.content is None or not self.is_mine(who) or stays:
            return False
        self.take_out(WITHDRAWN, who)
        return True

    def restore(self, who: str) -> bool:
        if self.content is None or self.state not in TAKEN_OUT or not self.may_restore(who):
            return False
        self.state = self.state_before
        self.told.append("restored")
        return True

    def review(self, state: ReviewState) -> None:
        if self.content is None:
            return
        if state in TAKEN_OUT:
            self.take_out(state, "operator")
        elif self.state != state:
            self.told.append("restored" if self.state in TAKEN_OUT else "published")
            self.state = state


class Site:
    """The real thing, asked as the model is."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.headers = {name: bearer(scope) for name, scope in SCOPES.items()}
        tokens = ApiToken.objects.order_by("id")
        self.actors = {
            name: Actor(token=token, is_curator=SCOPES[name] == "curate")
            for name, token in zip(SCOPES, tokens, strict=True)
        }
        self.documents = {
            name: experiment(run_id=UUID(int=number + 1, version=4), model_name=f"Model {name}")
            for number, name in enumerate(RUNS)
        }

    def run_id(self, name: str) -> UUID:
        return UUID(self.documents[name]["id"])

    def upload(self, who: str, name: str, content: str, replace: bool) -> bool:
        document = copy.deepcopy(self.documents[name])
        figure = CONTENTS[content]
        document["performance_metrics"][0]["value"] = figure
        data = {"accuracy": figure, "timestamp": "2026-11-20T00:00:00Z"}
        document["benchmark_scores"] = [{"type": "HellaSwag", "data": data}]
        response = self.client.post(
            f"/api/uploads?replace={'true' if replace else 'false'}",
            json.dumps({"experiment_run": document}),
            "application/json",
            headers=self.headers[who],
        )
        assert response.status_code in (200, 201, 409), response.json()
        return response.status_code != 409

    def withdraw(self, who: str, name: str) -> bool:
        path = f"/api/delete/{self.run_id(name)}"
        response = self.client.delete(path, headers=self.headers[who])
        assert response.status_code in (200, 403, 404, 410)
        return response.status_code == 200

    def restore(self, who: str, name: str) -> bool:
        return restore(run_ids=[self.run_id(name)], actor=self.actors[who]).runs == 1

    def withdraw_score(self, who: str, name: str, content: str) -> None:
        score = BenchmarkScore.objects.get(
            variant__model_name=f"Model {name}", score=CONTENTS[content]
        )
        assert withdraw(score_ids=[score.pk], who=self.actors[who].who).scores == 1


def perform(step: tuple[Any, ...], site: Site, models: dict[str, Model]) -> None:
    """Do a step on the site and on the model, and compare what they answer."""
    kind, who, name, *more = step
    model = models[name]
    if kind == "upload":
        assert site.upload(who, name, *more) == model.upload(who, *more)
    elif kind == "withdraw":
        assert site.withdraw(who, name) == model.withdraw(who)
    elif kind == "restore":
        assert site.restore(who, name) == model.restore(who)
    elif kind == "review":
        set_review_state(run_ids=[site.run_id(name)], state=who, who=OPERATOR)
        model.review(who)
    elif model.content and model.content not in model.scores_out:
        site.withdraw_score(who, name, model.content)
        model.scores_out[model.content] = who


def compare(site: Site, models: dict[str, Model]) -> None:
    """Assert that runs, scores and histories are as the model says."""
    for name, model in models.items():
        run = TestRun.objects.filter(pk=site.run_id(name)).first()
        assert (run is None) == (model.content is None)
        if run is None or model.content is None:
            continue
        assert run.review_state == model.state
        assert run.measurements.get(metric="tokens_per_second").value == CONTENTS[model.content]
        told = RunRevision.objects.filter(run=run).order_by("id")
        assert list(told.values_list("action", flat=True)) == model.told
        scores = run.variant.scores.exclude(review_state__in=TAKEN_OUT)
        is_in = model.content not in model.scores_out
        wanted = [CONTENTS[model.content]] if is_in else []
        assert list(scores.values_list("score", flat=True)) == wanted
    check_invariants()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sequence=st.lists(steps, min_size=3, max_size=14))
def test_any_sequence_leaves_one_truth_and_its_history(
    db: None, client: Client, sequence: list[tuple[Any, ...]]
) -> None:
    with transaction.atomic():
        site = Site(client)
        models = {name: Model() for name in RUNS}
        for step in sequence:
            perform(step, site, models)
            compare(site, models)
        transaction.set_rollback(True)
    assert not RunRevision.objects.exists()
    assert not ScoreRevision.objects.exists()

"""Who may replace, withdraw and restore runs, scores and whole uploads, and correct them."""

import pytest
from django.test import Client

from benchmarks.models import BenchmarkScore, ScoreRevision
from benchsite.common.review import ReviewState
from experiments.ingest.actor import Actor
from experiments.ingest.review import (
    NotYoursError,
    Reviewed,
    restore,
    restore_upload,
    review_uploads,
    set_review_state,
    withdraw,
    withdraw_upload,
)
from experiments.ingest.scores import SUPERSEDED
from experiments.models import Configuration, RunRevision, TestRun, Upload
from tests.experiments.senders import (
    Sender,
    actions,
    before_of,
    ingest_scores,
    make_sent,
    only_upload,
    scored,
    send_file,
    two_runs,
)
from tests.factories import experiment, make_staff
from tests.people import OPERATOR

pytestmark = pytest.mark.django_db


# Who sends a run that is here, in which state it is, and what the answer is:
# (taken out by, by whom, same content, replace=true, status, what the history tells then)
RULES = [
    (None, "sender", "other", False, 409, []),
    (None, "sender", "other", True, 201, ["replaced"]),
    (None, "other", "other", True, 409, []),
    (None, "other", "same", True, 200, []),
    (None, "curator", "other", False, 409, []),
    (None, "curator", "other", True, 201, ["replaced"]),
    ("sender", "sender", "same", False, 409, ["withdrawn"]),
    ("sender", "sender", "same", True, 201, ["withdrawn", "restored"]),
    ("sender", "sender", "other", True, 201, ["withdrawn", "replaced"]),
    ("sender", "other", "same", True, 409, ["withdrawn"]),
    ("sender", "curator", "same", True, 201, ["withdrawn", "restored"]),
    ("curator", "sender", "same", True, 409, ["withdrawn"]),
    ("curator", "sender", "other", True, 409, ["withdrawn"]),
    ("curator", "curator", "same", False, 409, ["withdrawn"]),
    ("curator", "curator", "same", True, 201, ["withdrawn", "restored"]),
    ("curator", "curator", "other", True, 201, ["withdrawn", "replaced"]),
    ("rejection", "sender", "same", False, 409, ["rejected"]),
    ("rejection", "sender", "same", True, 409, ["rejected"]),
    ("rejection", "curator", "same", True, 201, ["rejected", "restored"]),
]


@pytest.mark.parametrize(("out", "who", "content", "replace", "status", "history"), RULES)
def test_who_may_send_again_what_is_here(
    people: dict[str, Sender],
    out: str | None,
    who: str,
    content: str,
    replace: bool,
    status: int,
    history: list[str],
) -> None:
    run = experiment()
    assert people["sender"].send(run).status_code == 201
    if out == "rejection":
        set_review_state(run_ids=[run["id"]], state=ReviewState.REJECTED, who=OPERATOR)
    elif out:
        assert people[out].withdraw(run) == 200
    sent = run if content == "same" else {**run, "notes": "measured again"}
    answer = people[who].send(sent, replace=replace)
    assert answer.status_code == status, answer.json()
    assert actions(run["id"]) == history
    if status == 201:
        assert TestRun.objects.get().review_state == ReviewState.PUBLISHED
        assert Configuration.objects.filter(runs=1).count() == 1
    if status == 409:
        assert answer.json()["code"] == ("withdrawn" if out else "conflict")
        assert "curator" in answer.json()["error"] or "you can" in answer.json()["error"]


def test_an_unfinished_run_is_completed_without_replace_and_keeps_what_was(
    people: dict[str, Sender],
) -> None:
    run = experiment(status="running", figures={})
    people["sender"].send(run)
    done = {**experiment(), "id": run["id"]}
    assert people["other"].send(done).status_code == 409
    assert people["sender"].send(done).status_code == 201
    revision = RunRevision.objects.get()
    assert (revision.action, before_of(revision)["facts"]["status"]) == ("replaced", "running")


# Scores


def test_a_withdrawn_score_comes_back_by_who_withdrew_it(people: dict[str, Sender]) -> None:
    sender, other = people["sender"].actor, people["other"].actor
    score_id = ingest_scores(sender).scores[0].id
    withdraw(score_ids=[score_id], who=sender.who)
    assert not ingest_scores(sender).accepted
    refused = ingest_scores(other, replace=True)
    assert "only a curator" in refused.summary
    assert ingest_scores(sender, replace=True).scores[0].action == "restored"
    assert BenchmarkScore.objects.get().is_current


def test_a_score_that_a_curator_withdrew_comes_back_by_a_curator(
    people: dict[str, Sender],
) -> None:
    sender, curator = people["sender"].actor, people["curator"].actor
    score_id = ingest_scores(sender).scores[0].id
    withdraw(score_ids=[score_id], who=curator.who)
    assert not ingest_scores(sender, replace=True).accepted
    assert ingest_scores(curator, replace=True).accepted
    told = ScoreRevision.objects.filter(score_id=score_id).order_by("id")
    assert [row.action for row in told] == ["withdrawn", "restored"]


def test_superseding_leaves_alone_what_a_curator_took_out(people: dict[str, Sender]) -> None:
    sender, curator = people["sender"], people["curator"]
    run = experiment()
    sender.send(scored(90.0, run))
    withdraw(score_ids=[BenchmarkScore.objects.get().pk], who=curator.actor.who, reason="made up")
    sender.send(run, replace=True)
    assert sender.send(scored(90.0, run), replace=True).status_code == 409
    assert BenchmarkScore.objects.get().review_reason == "made up"


def test_a_reason_that_reads_like_superseding_restores_nothing(
    people: dict[str, Sender],
) -> None:
    sender, curator = people["sender"].actor, people["curator"].actor
    score_id = ingest_scores(sender).scores[0].id
    withdraw(score_ids=[score_id], who=curator.who, reason=SUPERSEDED)
    assert not ingest_scores(sender).accepted


# Whole uploads


def test_an_upload_is_withdrawn_and_restored_by_who_sent_it(people: dict[str, Sender]) -> None:
    sender, other = people["sender"].actor, people["other"].actor
    send_file(sender, two_runs())
    upload = only_upload()
    with pytest.raises(NotYoursError):
        withdraw_upload(upload=upload, who=other.who, reason="")
    done = withdraw_upload(upload=upload, who=sender.who, reason="wrong machine")
    assert done == Reviewed(runs=2, scores=1)
    assert Configuration.objects.filter(runs__gt=0).count() == 0
    assert not BenchmarkScore.objects.current().exists()
    assert set(TestRun.objects.values_list("review_reason", flat=True)) == {"wrong machine"}
    with pytest.raises(NotYoursError):
        restore_upload(upload=upload, actor=other)
    assert restore_upload(upload=upload, actor=sender) == Reviewed(runs=2, scores=1)
    assert Configuration.objects.filter(runs=1).count() == 2
    assert BenchmarkScore.objects.current().exists()
    assert restore_upload(upload=upload, actor=sender) == Reviewed(runs=0, scores=0, skipped=3)


def test_what_was_only_found_by_an_upload_stays(people: dict[str, Sender]) -> None:
    document = two_runs()
    send_file(people["sender"].actor, document)
    again = {"experiment_runs": [*document["experiment_runs"], experiment()]}
    send_file(people["other"].actor, again)
    upload = Upload.objects.latest("created_at")
    done = withdraw_upload(upload=upload, who=people["other"].actor.who)
    assert done == Reviewed(runs=1, scores=0)


def test_what_a_later_upload_replaced_stays(people: dict[str, Sender]) -> None:
    sender = people["sender"].actor
    document = two_runs()
    send_file(sender, document)
    first = only_upload()
    run = {**document["experiment_runs"][0], "notes": "again"}
    send_file(sender, {"experiment_run": run}, replace=True)
    done = withdraw_upload(upload=first, who=sender.who)
    assert done == Reviewed(runs=1, scores=1, skipped=1)
    assert TestRun.objects.get(pk=run["id"]).review_state == ReviewState.PUBLISHED
    assert restore_upload(upload=first, actor=sender) == Reviewed(runs=1, scores=1, skipped=1)


def test_what_a_curator_took_out_is_neither_taken_over_nor_restored_by_its_sender(
    people: dict[str, Sender],
) -> None:
    sender = people["sender"]
    document = two_runs()
    send_file(sender.actor, document)
    run_id = document["experiment_runs"][0]["id"]
    set_review_state(run_ids=[run_id], state=ReviewState.REJECTED, who=OPERATOR, reason="no")
    upload = only_upload()
    assert withdraw_upload(upload=upload, who=sender.actor.who).runs == 1
    assert sender.withdraw({"id": run_id}) == 410
    assert restore_upload(upload=upload, actor=sender.actor).runs == 1
    assert TestRun.objects.get(pk=run_id).review_state == ReviewState.REJECTED
    assert restore_upload(upload=upload, actor=people["curator"].actor).runs == 1
    assert TestRun.objects.get(pk=run_id).review_state == ReviewState.PUBLISHED


def test_a_withdrawal_that_a_curator_confirms_is_the_curators(people: dict[str, Sender]) -> None:
    sender = people["sender"].actor
    run = make_sent(sender)
    withdraw(run_ids=[run.pk], who=sender.who)
    set_review_state(run_ids=[run.pk], state=ReviewState.WITHDRAWN, who=OPERATOR, reason="fake")
    assert restore(run_ids=[run.pk], actor=sender) == Reviewed(runs=0, scores=0, skipped=1)
    run.refresh_from_db()
    assert run.review_reason == "fake"


def test_restoring_brings_back_the_state_that_was(client: Client) -> None:
    sender = Sender(client, "submit")
    run = experiment()
    sender.send(run)
    ids = [TestRun.objects.get().pk]
    assert sender.withdraw(run) == 200
    assert restore(run_ids=ids, actor=sender.actor).runs == 1
    assert TestRun.objects.get().review_state == ReviewState.PENDING
    set_review_state(run_ids=ids, state=ReviewState.PUBLISHED, who=OPERATOR)
    assert sender.withdraw(run) == 200
    assert restore(run_ids=ids, actor=sender.actor).runs == 1
    assert TestRun.objects.get().review_state == ReviewState.PUBLISHED
    assert actions(run["id"]) == ["withdrawn", "restored", "published", "withdrawn", "restored"]


def test_the_account_behind_a_token_is_the_same_person(client: Client) -> None:
    owner = make_staff(name="ann", superuser=False)
    sender = Sender(client, "upload", owner=owner)
    run = experiment()
    sender.send(run)
    assert sender.withdraw(run) == 200
    upload = only_upload()
    assert restore_upload(upload=upload, actor=Actor(user=owner)).runs == 1
    labels = list(RunRevision.objects.order_by("id").values_list("who_label", flat=True))
    assert labels == ["ann with the token test", "ann"]


def test_reviewing_uploads_leaves_superseded_scores_out(people: dict[str, Sender]) -> None:
    sender = people["sender"].actor
    run = experiment()
    send_file(sender, {"experiment_run": scored(90.0, run)})
    first = only_upload()
    send_file(sender, {"experiment_run": scored(35.0, run, day=10)}, replace=True)
    done = review_uploads(upload_ids=[first.pk], state=ReviewState.PUBLISHED, who=OPERATOR)
    assert done == Reviewed(runs=0, scores=0, skipped=2)
    assert [score.score for score in BenchmarkScore.objects.current()] == [35.0]
    both = list(Upload.objects.values_list("pk", flat=True))
    done = review_uploads(upload_ids=both, state=ReviewState.WITHDRAWN, who=OPERATOR)
    assert (done.runs, done.scores) == (1, 1)

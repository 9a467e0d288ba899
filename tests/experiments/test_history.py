"""What the history keeps of each change, and who reads what of it."""

import json
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Permission, User
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from benchmarks.models import BenchmarkScore, ScoreRevision
from benchsite.common.review import ReviewState, RevisionAction
from experiments.ingest.actor import Actor
from experiments.ingest.pipeline import ingest_file
from experiments.ingest.review import (
    restore,
    set_review_state,
    withdraw,
)
from experiments.models import Configuration, RunRevision, Upload
from tests.experiments.senders import (
    Sender,
    actions,
    before_of,
    only_upload,
    scored,
)
from tests.factories import experiment, make_run, make_staff
from tests.people import OPERATOR

pytestmark = pytest.mark.django_db


def test_the_earlier_version_is_kept_whole(people: dict[str, Sender]) -> None:
    machine = {"gpu_memory_gb": 24, "ram_gb": 64}
    run = scored(50.0, experiment(machine=machine, settings={"n_batch": 512}, notes="first"))
    run["performance_metrics"][0]["sample_count"] = 5
    people["sender"].send(run)
    score_id = str(BenchmarkScore.objects.get().pk)
    other = {**run, "notes": "again", "settings": {"n_batch": 1024}}
    assert people["sender"].send(other, replace=True).status_code == 201
    revision = RunRevision.objects.get()
    assert revision.upload == Upload.objects.get(items__action="replaced")
    assert revision.who_key == f"token:{people['sender'].token.pk}"
    before = before_of(revision)
    assert before["measurements"] == [
        {
            "metric": "tokens_per_second",
            "statistic": "mean",
            "definition": "decode",
            "value": 50.0,
            "unit": "tok/s",
            "sample_count": 5,
        }
    ]
    assert before["scores"] == [score_id]
    expected = {
        "model_name": "Nimbus-14B",
        "quantization": "Q4_K_M",
        "platform": "1× RTX 4090",
        "gpu_model": "RTX 4090",
        "ram_gb": 64,
        "backend": "llama.cpp",
        "concurrent_requests": 1,
        "notes": "first",
        "settings": {"n_batch": 512},
        "context_depth": None,
    }
    assert {name: before["facts"][name] for name in expected} == expected


def test_addresses_stay_through_everything(client: Client, people: dict[str, Sender]) -> None:
    run = scored(50.0, experiment())
    sender, curator = people["sender"], people["curator"]
    sender.send(run)
    score_id = BenchmarkScore.objects.get().pk
    path = f"/detail/{run['id']}/"
    assert client.get(path).status_code == 200
    assert sender.withdraw(run, "wrong+fan") == 200
    assert client.get(path).status_code == 410
    assert sender.send(run, replace=True).status_code == 201
    assert client.get(path).status_code == 200
    assert curator.send(scored(60.0, run, day=21), replace=True).status_code == 201
    assert curator.send(run, replace=True).status_code == 201
    assert client.get(path).status_code == 200
    assert BenchmarkScore.objects.get(review_state="published").pk == score_id
    assert actions(run["id"]) == ["withdrawn", "restored", "replaced", "replaced"]
    told = list(ScoreRevision.objects.filter(score_id=score_id).order_by("id"))
    assert [row.action for row in told] == ["superseded", "restored"]


def test_creating_writes_no_history_row(people: dict[str, Sender]) -> None:
    people["sender"].send(scored(50.0, experiment()))
    assert not RunRevision.objects.exists()
    assert not ScoreRevision.objects.exists()


def test_replacing_many_takes_as_many_queries_as_replacing_few(
    django_assert_max_num_queries: Any,
) -> None:
    def send(count: int, notes: str) -> None:
        runs = [
            experiment(run_id=UUID(int=number + 1, version=4), notes=notes)
            for number in range(count)
        ]
        data = json.dumps({"experiment_runs": runs}).encode()
        report = ingest_file(
            data=data, file_name="f", fields={}, actor=Actor(is_curator=True), replace=True
        )
        assert report.outcome == "created", report.summary

    send(30, "first")
    with django_assert_max_num_queries(45):
        send(30, "again")
    assert RunRevision.objects.filter(action="replaced").count() == 30
    assert Configuration.objects.get().runs == 30


# What readers see


@pytest.fixture
def replaced(people: dict[str, Sender]) -> dict[str, Any]:
    """Return a run that its sender replaced, and a curator withdrew and restored."""
    run = experiment(notes="first", settings={"api_key": "sesame"})
    people["sender"].send(run)
    people["sender"].send({**run, "notes": "again"}, replace=True)
    people["curator"].withdraw(run, "checked+/home/ann/bench/log.txt")
    people["curator"].send({**run, "notes": "again"}, replace=True)
    return run


def test_the_detail_answer_tells_the_history_by_roles(
    client: Client, people: dict[str, Sender], replaced: dict[str, Any]
) -> None:
    history = client.get(f"/api/detail/{replaced['id']}").json()["history"]
    assert [(line["action"], line["by"]) for line in history] == [
        ("restored", "a curator"),
        ("withdrawn", "a curator"),
        ("replaced", "its uploader"),
        ("created", "its uploader"),
    ]
    assert history[1]["reason"] == "checked log.txt"
    assert history[1]["upload_id"] is None
    first, second, third = Upload.objects.order_by("created_at").values_list("pk", flat=True)
    uploads = [str(third), None, str(second), str(first)]
    assert [line["upload_id"] for line in history] == uploads
    assert history == sorted(history, key=lambda line: line["at"], reverse=True)


@pytest.mark.parametrize("who", ["sender", "curator"])
def test_curators_and_who_sent_it_read_names(
    people: dict[str, Sender], replaced: dict[str, Any], who: str
) -> None:
    history = people[who].detail(replaced).json()["history"]
    assert {line["by"] for line in history[:3]} == {"the token test"}
    assert history[1]["reason"] == "checked /home/ann/bench/log.txt"


def test_others_read_no_names(people: dict[str, Sender], replaced: dict[str, Any]) -> None:
    history = people["other"].detail(replaced).json()["history"]
    assert {line["by"] for line in history} == {"a curator", "its uploader"}


def test_run_detail_shows_the_history_with_the_earlier_version(
    client: Client, replaced: dict[str, Any]
) -> None:
    page = client.get(f"/detail/{replaced['id']}/").content.decode()
    section = page.split('id="history"')[1]
    for text in ("replaced", "withdrawn", "restored", "created", "its uploader", "a curator"):
        assert text in section
    assert "What was there before it was replaced" in section
    assert "first" in section
    assert "50.0" in section
    assert "sesame" not in page
    assert "/admin/" not in section


def test_run_detail_links_uploads_for_those_who_may_open_them(
    client: Client, replaced: dict[str, Any]
) -> None:
    client.force_login(make_staff())
    section = client.get(f"/detail/{replaced['id']}/").content.decode().split('id="history"')[1]
    upload = Upload.objects.latest("created_at")
    assert reverse("admin:experiments_upload_change", args=[upload.pk]) in section


def test_a_version_that_was_never_public_is_not_shown_to_the_public(client: Client) -> None:
    sender = Sender(client, "submit")
    run = experiment(notes="never checked")
    sender.send(run)
    sender.send({**run, "notes": "checked"}, replace=True)
    set_review_state(run_ids=[run["id"]], state=ReviewState.PUBLISHED, who=OPERATOR)
    page = client.get(f"/detail/{run['id']}/").content.decode()
    assert "never checked" not in page
    assert "replaced" in page.split('id="history"')[1]
    client.force_login(make_staff())
    assert "never checked" in client.get(f"/detail/{run['id']}/").content.decode()


def test_a_long_history_says_that_it_is_cut(client: Client) -> None:
    run = make_run()
    path = f"/detail/{run.pk}/"
    assert "newest 100 changes" not in client.get(path).content.decode()
    for _ in range(51):
        withdraw(run_ids=[run.pk], who=OPERATOR)
        restore(run_ids=[run.pk], actor=Actor(is_curator=True))
    section = client.get(path).content.decode().split('id="history"')[1]
    assert "newest 100 changes" in section
    assert section.count("withdrawn</td>") == 50
    assert "created" in section


def test_the_operator_is_told_from_people(client: Client) -> None:
    run = make_run()
    withdraw(run_ids=[run.pk], who=OPERATOR)
    restore(run_ids=[run.pk], actor=Actor(is_curator=True))
    history = client.get(f"/api/detail/{run.pk}").json()["history"]
    assert [line["by"] for line in history] == ["the operator", "the operator", "its uploader"]


def test_history_in_the_admin_is_read_only(admin_client: Client, client: Client) -> None:
    run = make_run(notes="first")
    path = reverse("admin:experiments_testrun_change", args=[run.pk])
    forms = {
        f"{name}-{count}_FORMS": "0"
        for name in ("measurements", "revisions")
        for count in ("TOTAL", "INITIAL")
    }
    mended = {"notes": "mended", "source_url": "", **forms}
    assert admin_client.post(path, mended).status_code == 302
    run.refresh_from_db()
    assert run.notes == "mended"
    revision = RunRevision.objects.get()
    assert (revision.action, revision.before) == ("edited", {"facts": {"notes": "first"}})
    assert revision.user is not None
    assert "edited" in admin_client.get(path).content.decode()
    row = reverse("admin:experiments_runrevision_change", args=[revision.pk])
    assert "first" in admin_client.get(row).content.decode()
    assert admin_client.post(row, {"reason": "x"}).status_code == 403
    delete = reverse("admin:experiments_runrevision_delete", args=[revision.pk])
    assert admin_client.post(delete, {"post": "yes"}).status_code == 403
    listed = admin_client.get(reverse("admin:experiments_runrevision_changelist"))
    assert listed.status_code == 200


def test_admin_actions_say_who_and_why(client: Client) -> None:
    curator = User.objects.create_user("cy", password="x", is_staff=True)
    names = ["change_testrun", "view_testrun", "view_upload"]
    curator.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(curator)
    run = make_run()
    for model, pk, action in (
        ("testrun", run.pk, "reject"),
        ("upload", only_upload().pk, "publish"),
    ):
        data = {"action": action, "_selected_action": str(pk), "reason": "looked at it"}
        response = client.post(reverse(f"admin:experiments_{model}_changelist"), data)
        assert response.status_code == 302
    rejected, restored = RunRevision.objects.order_by("id")
    assert (rejected.action, restored.action) == ("rejected", "restored")
    assert {rejected.who_label, restored.who_label} == {"cy"}
    assert rejected.reason == restored.reason == "looked at it"
    assert (restored.state_before, restored.state) == ("rejected", "published")


# Invariants of the tables


def revision(**changes: Any) -> RunRevision:
    values = {
        "run": make_run(),
        "action": "withdrawn",
        "state_before": "published",
        "state": "withdrawn",
        "who_label": "ann",
        "who_key": "user:1",
        **changes,
    }
    return RunRevision.objects.create(**values)


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("runrevision_state_before_known", {"state_before": "maybe"}),
        ("runrevision_action_fits_states", {"action": "lost"}),
        ("runrevision_action_fits_states", {"state": "maybe"}),
        ("runrevision_action_fits_states", {"state": "published"}),
        ("runrevision_action_fits_states", {"action": "rejected"}),
        ("runrevision_action_fits_states", {"action": "published", "state": "published"}),
        ("runrevision_action_fits_states", {"action": "restored", "state": "published"}),
        ("runrevision_action_fits_states", {"action": "replaced", "before": {}}),
        ("runrevision_action_fits_states", {"action": "confirmed"}),
        ("runrevision_who_known", {"who_key": "somebody"}),
        ("runrevision_keeps_what_was_before", {"before": {}}),
        ("runrevision_keeps_what_was_before", {"action": "replaced", "state": "published"}),
    ],
)
def test_revision_constraints(constraint: str, changes: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        revision(**changes)


def test_history_is_not_rewritten() -> None:
    row = revision(action=RevisionAction.WITHDRAWN)
    rows = RunRevision.objects.filter(pk=row.pk)
    for changes in ({"reason": "another"}, {"who_label": "bob"}, {"user_id": make_staff().pk}):
        with pytest.raises(IntegrityError, match="revision_kept"), transaction.atomic():
            rows.update(**changes)


def test_history_outlives_accounts_and_uploads(client: Client) -> None:
    owner = make_staff(name="ann")
    sender = Sender(client, "curate", owner=owner)
    run = experiment()
    sender.send(run)
    sender.send({**run, "notes": "again"}, replace=True)
    row = RunRevision.objects.get()
    assert (row.user, row.upload) == (owner, Upload.objects.latest("created_at"))
    Upload.objects.latest("created_at").delete()
    owner.delete()
    row.refresh_from_db()
    assert (row.user, row.upload, row.who_label) == (None, None, "ann with the token test")

"""The admin's start page: what waits, for whom, and its links; and the look of the admin."""

import json
from collections.abc import Iterable

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from benchmarks.models import BenchmarkScore
from benchsite.common.ids import new_id
from benchsite.common.review import ReviewState
from experiments.dashboard import Task
from experiments.ingest.actor import Actor
from experiments.ingest.drafts import make_draft
from experiments.ingest.store import Received
from tests.factories import experiment, ingest, make_run, make_score, make_staff, make_variant

pytestmark = pytest.mark.django_db

UNKNOWN_GPU = "Frobnicator 9000"


def tasks(client: Client) -> dict[str, Task]:
    response = client.get("/admin/")
    assert response.status_code == 200
    return {task.label: task for task in response.context["tasks"]}


def labels(client: Client) -> set[str]:
    return set(tasks(client))


def fill(numbers: Iterable[int]) -> None:
    """Leave as many of everything that may wait."""
    for number in numbers:
        make_run(model_name=f"Model-{number}", review_state=ReviewState.PENDING)
        make_run(model_name=f"Model-{number}", gpu_model=f"{UNKNOWN_GPU}{number}")
        variant = make_variant(model_name=f"Model-{number}")
        make_score(variant=variant, review_state=ReviewState.PENDING)
        doubtful = make_score(variant=variant, benchmark="mmlu", score=0.63)
        BenchmarkScore.objects.filter(pk=doubtful.pk).update(
            needs_confirmation=True, is_current=False
        )
        assert not ingest({"hello": number}).accepted


def test_dashboard_counts_what_waits_and_links_to_lists_of_as_many(client: Client) -> None:
    client.force_login(make_staff())
    assert {task.count for task in tasks(client).values()} == {0}
    fill(range(2))
    make_run(model_name="Fine")
    waiting = tasks(client)
    assert {label: task.count for label, task in waiting.items()} == {
        "Your files to confirm": 0,
        "Runs to review": 2,
        "Scores to review": 2,
        "Scores that look like fractions": 2,
        "Files refused in the last 7 days": 2,
        "Machines with an unknown GPU": 2,
        "Platforms without a category": 2,
    }
    for label, task in waiting.items():
        response = client.get(task.url)
        assert response.status_code == 200, label
        if "cl" in response.context:
            assert response.context["cl"].result_count == task.count, label


def test_dashboard_shows_a_person_their_own_drafts(client: Client) -> None:
    ann, bob = make_staff(name="ann"), make_staff(name="bob")
    data = json.dumps({"experiment_run": experiment()}).encode()
    make_draft(
        Received(data=data, file_name="a.json", fields={}, actor=Actor(user=ann), batch=new_id())
    )
    client.force_login(ann)
    task = tasks(client)["Your files to confirm"]
    assert task.count == 1
    assert "a.json" in client.get(task.url).content.decode()
    client.force_login(bob)
    assert tasks(client)["Your files to confirm"].count == 0


def test_dashboard_takes_as_many_queries_for_twenty_of_each_as_for_two(client: Client) -> None:
    client.force_login(make_staff())

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            tasks(client)
        return len(captured)

    fill(range(2))
    few = queries()
    fill(range(2, 20))
    assert queries() == few


@pytest.mark.parametrize(
    ("permission", "seen"),
    [
        (None, set()),
        ("add_upload", {"Your files to confirm"}),
        ("view_upload", {"Files refused in the last 7 days"}),
        ("change_testrun", {"Runs to review"}),
        ("change_benchmarkscore", {"Scores to review", "Scores that look like fractions"}),
        ("change_hardwareprofile", {"Machines with an unknown GPU"}),
        ("change_platform", {"Platforms without a category"}),
    ],
)
def test_dashboard_shows_each_person_what_they_may_do(
    client: Client, permission: str | None, seen: set[str]
) -> None:
    user = make_staff(superuser=False)
    if permission:
        user.user_permissions.add(Permission.objects.get(codename=permission))
    client.force_login(user)
    assert labels(client) == seen


def test_admin_pages_carry_the_sites_name_and_theme_and_lead_back_to_it(
    client: Client,
) -> None:
    client.force_login(make_staff())
    for address in ("/admin/", "/admin/experiments/testrun/", "/admin/password_change/"):
        page = client.get(address).content.decode()
        assert "Benchsite admin</title>" in page
        assert "css/admin.css" in page
        assert "js/theme.js" in page
        assert 'class="theme-button"' in page
        assert "admin/js/theme.js" not in page
    assert '<a href="/">Grid</a>' in client.get("/admin/").content.decode()
    apps = [app["app_label"] for app in client.get("/admin/").context["app_list"]]
    assert apps == ["experiments", "benchmarks", "hardware", "auth"]


def test_login_page_is_in_the_same_look(client: Client) -> None:
    page = client.get("/admin/login/").content.decode()
    assert "Log in · Benchsite admin</title>" in page
    assert "css/admin.css" in page
    assert 'class="theme-button"' in page


def test_every_list_is_there_as_a_file(client: Client) -> None:
    run, score = make_run(model_name="Nimbus-14B"), make_score()
    client.force_login(make_staff())
    for model, row in (("experiments/testrun", run), ("benchmarks/benchmarkscore", score)):
        chosen = {"action": "download_json", "_selected_action": [str(row.pk)]}
        response = client.post(f"/admin/{model}/", chosen)
        assert "attachment" in response["Content-Disposition"]
        table = response.json()
        assert len(table["rows"]) == 1
        heads = client.get(f"/admin/{model}/").context["cl"].list_display
        assert len(table["columns"]) == len(heads) - 1  # the boxes to tick
    rows = client.post(
        "/admin/experiments/testrun/", {"action": "download_csv", "_selected_action": [str(run.pk)]}
    ).content.decode()
    assert "Nimbus-14B" in rows
    assert "<" not in rows


def test_lists_that_nobody_changes_are_there_as_files_too(client: Client) -> None:
    make_run()
    client.force_login(make_staff())
    for model in ("experiments/measurement", "experiments/configuration", "hardware/platform"):
        assert 'value="download_csv"' in client.get(f"/admin/{model}/").content.decode()

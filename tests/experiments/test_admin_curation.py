"""Curation of uploads, runs and tokens in the admin."""

import copy
import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from benchmarks.models import BenchmarkScore
from benchsite.common.review import ReviewState
from experiments.models import (
    ApiToken,
    Configuration,
    Measurement,
    Sweep,
    TestRun,
    Upload,
    UploadItem,
)
from tests.experiments.samples import SEED
from tests.factories import ingest, make_run

pytestmark = pytest.mark.django_db

MODELS = (Upload, UploadItem, TestRun, Measurement, Configuration, Sweep, ApiToken)


def admin_url(model: type[Any], page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def act(client: Client, model: type[Any], action: str, *rows: Any, **fields: str) -> Any:
    data = {"action": action, "_selected_action": [str(row.pk) for row in rows], **fields}
    return client.post(admin_url(model, "changelist"), data, follow=True)


def seed() -> TestRun:
    """Make the seed's run, in a sweep, and a token."""
    document = copy.deepcopy(SEED)
    document["experiment_run"]["sweep"] = "first"
    ingest(document)
    ApiToken.issue(name="ci", scopes=["upload"])
    return TestRun.objects.get()


@pytest.mark.parametrize("model", MODELS)
def test_lists_and_pages_load_and_nothing_can_be_deleted(
    admin_client: Client, model: type[Any]
) -> None:
    seed()
    row = model._default_manager.first()
    changelist = admin_url(model, "changelist")
    assert admin_client.get(changelist).status_code == 200
    for query in ("x", str(row.pk), "4080", "%"):
        assert admin_client.get(changelist, {"q": query}).status_code == 200, query
    response = admin_client.get(admin_url(model, "change", row.pk))
    assert response.status_code == 200
    assert "onclick" not in response.content.decode()
    assert admin_client.post(admin_url(model, "delete", row.pk), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("model", MODELS)
def test_lists_take_as_many_queries_for_twenty_rows_as_for_two(
    admin_client: Client, model: type[Any]
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert admin_client.get(admin_url(model, "changelist")).status_code == 200
        return len(captured)

    def fill(count: int, start: int) -> None:
        for number in range(start, start + count):
            make_run(model_name=f"Model-{number}", sweep=f"sweep {number}")
            ApiToken.issue(name=f"token {number}", scopes=["read"])

    fill(2, start=0)
    few = queries()
    fill(18, start=2)
    assert queries() == few


@pytest.mark.parametrize("model", [Upload, UploadItem, Measurement, Configuration])
def test_what_was_measured_cannot_be_changed(admin_client: Client, model: type[Any]) -> None:
    seed()
    row = model._default_manager.first()
    assert admin_client.post(admin_url(model, "change", row.pk), {}).status_code == 403


def test_a_run_shows_its_figures_and_only_notes_and_source_change(admin_client: Client) -> None:
    run = seed()
    url = admin_url(TestRun, "change", run.pk)
    page = admin_client.get(url).content.decode()
    assert "61.7" in page
    assert set(re.findall(r'name="(notes|source_url|status|review_state|backend)"', page)) == {
        "notes",
        "source_url",
    }
    data = {
        "notes": "checked",
        "source_url": "https://example.org/run",
        "status": "failed",
        "measurements-TOTAL_FORMS": "0",
        "measurements-INITIAL_FORMS": "0",
        "revisions-TOTAL_FORMS": "0",
        "revisions-INITIAL_FORMS": "0",
    }
    assert admin_client.post(url, data).status_code == 302
    run.refresh_from_db()
    assert (run.notes, run.source_url) == ("checked", "https://example.org/run")
    assert run.status == "completed"


@pytest.mark.parametrize(
    ("before", "action", "after", "status", "listed"),
    [
        (ReviewState.PUBLISHED, "withdraw", ReviewState.WITHDRAWN, 410, 0),
        (ReviewState.PUBLISHED, "reject", ReviewState.REJECTED, 404, 0),
        (ReviewState.PENDING, "publish", ReviewState.PUBLISHED, 200, 1),
    ],
)
def test_review_of_runs_reaches_page_and_grid(
    admin_client: Client,
    client: Client,
    before: ReviewState,
    action: str,
    after: ReviewState,
    status: int,
    listed: int,
) -> None:
    run = make_run(review_state=before)
    response = act(admin_client, TestRun, action, run, reason="Wrong driver.")
    assert "1 runs" in response.content.decode()
    run.refresh_from_db()
    assert (run.review_state, run.review_reason) == (after, "Wrong driver.")
    assert client.get(f"/api/detail/{run.pk}").status_code == status
    assert client.get("/api/performance-grid").json()["total_count"] == listed


def test_review_of_an_upload_reaches_its_runs_and_scores(
    admin_client: Client, client: Client
) -> None:
    ingest(SEED, review_state=ReviewState.PENDING)
    upload = Upload.objects.get()
    response = act(admin_client, Upload, "publish", upload)
    assert "1 runs and 2 scores" in response.content.decode()
    assert TestRun.objects.get().review_state == ReviewState.PUBLISHED
    assert BenchmarkScore.objects.filter(is_current=True).count() == 1


def test_review_is_for_curators(client: Client) -> None:
    run = make_run()
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(codename__in=["view_testrun", "view_upload"])
    )
    client.force_login(user)
    act(client, TestRun, "withdraw", run)
    act(client, Upload, "withdraw", Upload.objects.get())
    run.refresh_from_db()
    assert run.review_state == ReviewState.PUBLISHED


def test_an_upload_shows_what_it_made_and_what_was_wrong(admin_client: Client) -> None:
    run = seed()
    upload = Upload.objects.get()
    page = admin_client.get(admin_url(Upload, "change", upload.pk)).content.decode()
    assert f"/detail/{run.pk}/" in page
    assert upload.content_id in page
    assert "mmlu" in page.lower()
    ingest({"experiment_run": {"model_name": "<b>x</b>"}})
    refused = Upload.objects.get(outcome="rejected")
    page = admin_client.get(admin_url(Upload, "change", refused.pk)).content.decode()
    assert "experiment_run.quantization" in page
    assert "<b>x</b>" not in page
    assert "<h3>Errors</h3>" in page


def test_a_token_is_made_with_its_secret_shown_once(admin_client: Client) -> None:
    owner = User.objects.get(username="admin")
    data = {"name": "ci", "scopes": ["submit", "read"], "owner": str(owner.pk)}
    response = admin_client.post(admin_url(ApiToken, "add"), data, follow=True)
    token = ApiToken.objects.get()
    assert (token.name, token.scopes, token.owner) == ("ci", ["submit", "read"], owner)
    secret = re.search(r"bsk_[\w-]{40,}", response.content.decode())
    assert secret is not None
    assert ApiToken.objects.find(secret[0]) == token
    change = admin_url(ApiToken, "change", token.pk)
    page = admin_client.get(change).content.decode()
    assert secret[0] not in page
    assert token.digest not in page
    admin_client.post(change, {"name": "renamed", "scopes": ["curate"]})
    token.refresh_from_db()
    assert (token.name, token.scopes) == ("renamed", ["submit", "read"])
    act(admin_client, ApiToken, "revoke", token)
    assert ApiToken.objects.find(secret[0]) is None


@pytest.mark.parametrize("scopes", [[], ["everything"]])
def test_a_token_needs_known_scopes(admin_client: Client, scopes: list[str]) -> None:
    response = admin_client.post(admin_url(ApiToken, "add"), {"name": "ci", "scopes": scopes})
    assert response.status_code == 200
    assert response.context["errors"]
    assert not ApiToken.objects.exists()

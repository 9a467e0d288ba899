"""Reading uploads again in the admin: who may, what the page shows, and its buttons."""

import csv
import io
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from experiments.admin import reparses
from experiments.models import Reparse, TestRun, Upload
from experiments.reparse.selection import Selection
from experiments.reparse.services import preview
from tests.experiments.other_parser import use_parser, with_figure, with_runs
from tests.factories import experiment, ingest, make_run
from tests.people import OPERATOR

pytestmark = pytest.mark.django_db
UPLOADS = "admin:experiments_upload_changelist"


@pytest.fixture(autouse=True)
def faster_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    use_parser(
        monkeypatch,
        lambda parsed: with_runs(parsed, lambda run: with_figure(run, "tokens_per_second", 60.0)),
    )


def parse_again(client: Client, *uploads: Upload) -> Any:
    data = {"action": "parse_again", "_selected_action": [str(item.pk) for item in uploads]}
    return client.post(reverse(UPLOADS), data, follow=True)


def speed(run: TestRun) -> float:
    return run.measurements.get(metric="tokens_per_second").value


def test_the_action_leads_to_a_preview_which_can_be_applied_and_undone(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    run, other = make_run(), make_run(model_name="Other")
    use_parser(
        monkeypatch,
        lambda parsed: with_runs(parsed, lambda run: with_figure(run, "tokens_per_second", 60.0)),
    )
    upload = run.upload_items.get().upload
    page = parse_again(admin_client, upload)
    reparse = Reparse.objects.get()
    assert page.redirect_chain[-1][0] == url("change", reparse)
    text = page.content.decode()
    assert "tokens_per_second mean decode: 50.0 tok/s → 60.0 tok/s" in text
    assert (speed(run), speed(other)) == (50.0, 50.0)
    applied = admin_client.post(reverse("admin:reparse-apply", args=[reparse.pk]), follow=True)
    assert "Applied: 2 changes." in applied.content.decode()
    assert (speed(run), speed(other)) == (60.0, 50.0)
    history = admin_client.get(reverse("experiments:run-detail", args=[run.pk])).content.decode()
    assert "read again" in history
    undone = admin_client.post(reverse("admin:reparse-undo", args=[reparse.pk]), follow=True)
    assert "all as before" in undone.content.decode()
    assert speed(run) == 50.0
    listed = admin_client.get(reverse("admin:experiments_reparse_changelist")).content.decode()
    assert "undone" in listed
    assert str(reparse) in listed
    again = admin_client.post(reverse("admin:reparse-undo", args=[reparse.pk]), follow=True)
    assert "It is undone, not applied." in again.content.decode()


def url(page: str, reparse: Reparse) -> str:
    return reverse(f"admin:experiments_reparse_{page}", args=[reparse.pk])


def a_preview() -> Reparse:
    make_run(figures={"tokens_per_second": (60.0, "tok/s", "decode")})
    make_run()
    Upload.objects.filter(pk=Upload.objects.earliest("created_at").pk).update(parser_version=1)
    return preview(Selection(), who=OPERATOR)


def test_the_page_filters_and_gives_its_figures_as_files(admin_client: Client) -> None:
    reparse = a_preview()
    address = url("change", reparse)
    for effect, message in (("problem", "There is none of this kind."), ("same", "stays as it is")):
        assert message in admin_client.get(address, {"effect": effect}).content.decode()
    rows = admin_client.get(address, {"format": "json", "effect": "all"}).json()["rows"]
    assert {row["subject"] for row in rows} == {"upload", "run"}
    sent = admin_client.get(address, {"format": "csv", "effect": "all"}).content.decode()
    assert len(list(csv.DictReader(io.StringIO(sent)))) == len(rows)
    assert admin_client.get(address, {"effect": "junk", "page": "junk"}).status_code == 200
    missing = reverse("admin:experiments_reparse_change", args=["x"])
    assert admin_client.get(missing).status_code == 404


@pytest.mark.parametrize("permissions", [[], ["add_upload", "view_upload", "view_reparse"]])
def test_only_curators_read_uploads_again(client: Client, permissions: list[str]) -> None:
    reparse = a_preview()
    user = User.objects.create_user("ann", password="secret", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    assert client.get(url("change", reparse)).status_code == 403
    for name in ("reparse-apply", "reparse-undo"):
        assert client.post(reverse(f"admin:{name}", args=[reparse.pk])).status_code == 403
    assert client.get(reverse("admin:experiments_reparse_changelist")).status_code == 403
    parse_again(client, *Upload.objects.all())
    assert Reparse.objects.count() == 1
    reparse.refresh_from_db()
    assert reparse.state == "preview"


def test_the_buttons_are_no_links(admin_client: Client) -> None:
    reparse = a_preview()
    for name in ("reparse-apply", "reparse-undo"):
        assert admin_client.get(reverse(f"admin:{name}", args=[reparse.pk])).status_code == 405
        unknown = reverse(f"admin:{name}", args=["0193a0de-5c11-7a42-9b0e-6f1d2c3b4a55"])
        assert admin_client.post(unknown).status_code == 404


def test_more_than_a_request_can_do_is_a_matter_of_the_command(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reparses, "MOST_AT_ONCE", 1)
    reparse = a_preview()
    said = parse_again(admin_client, *Upload.objects.all()).content.decode()
    assert "manage.py reparse --outdated" in said
    assert Reparse.objects.count() == 1
    page = admin_client.get(url("change", reparse)).content.decode()
    assert f"manage.py reparse --apply {reparse.pk}" in page
    assert "reparse-apply" not in page
    monkeypatch.undo()


@pytest.mark.parametrize("runs", [2, 20])
def test_the_page_takes_the_same_queries_for_any_number_of_items(
    admin_client: Client, runs: int
) -> None:
    for _number in range(runs):
        ingest({"experiment_run": experiment()})
    reparse = preview(Selection(), who=OPERATOR)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        admin_client.get(url("change", reparse), {"effect": "all"})
    assert len(queries) <= 9

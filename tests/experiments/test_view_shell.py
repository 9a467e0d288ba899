"""What surrounds every page: who is logged in, caching, and pages for what cannot be shown."""

import re

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from benchsite.common.review import ReviewState
from experiments.ingest.actor import Actor
from experiments.ingest.review import set_review_state
from tests.factories import make_run, make_staff

pytestmark = pytest.mark.django_db

# Classes that scripts set while something is under way.
STATES = {"htmx-request"}


def page(client: Client, address: str = "/metrics/") -> str:
    return str(client.get(address).content.decode())


def test_header_offers_visitors_to_log_in_and_come_back(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        text = page(client, "/metrics/?a=b")
    assert 'href="/admin/login/?next=/metrics/%3Fa%3Db"' in text
    assert "Log out" not in text
    assert "My uploads" not in text
    assert "csrf" not in text


def test_header_offers_staff_what_is_theirs(client: Client) -> None:
    client.force_login(make_staff())
    text = page(client)
    for label in ("Upload", "My uploads", "Admin", "Log out"):
        assert f">{label}<" in text
    assert ">Log in<" not in text


def test_header_offers_uploading_only_with_the_right_to_it(client: Client) -> None:
    user = make_staff(superuser=False)
    client.force_login(user)
    assert "upload" not in page(client).lower()
    user.user_permissions.add(Permission.objects.get(codename="add_upload"))
    assert ">My uploads<" in page(client)


def test_logging_out_leads_back_to_the_page(client: Client) -> None:
    client.force_login(make_staff())
    response = client.post("/admin/logout/", {"next": "/metrics/"}, follow=True)
    assert response.redirect_chain == [("/metrics/", 302)]
    assert ">Log in<" in response.content.decode()


@pytest.mark.parametrize("address", ["/", "/metrics/", "/nothing/"])
def test_pages_tell_caches_that_they_depend_on_who_asks(client: Client, address: str) -> None:
    response = client.get(address)
    assert "Cookie" in response["Vary"]
    assert not response.cookies


def test_not_found_says_what_to_do(client: Client) -> None:
    response = client.get("/nothing/")
    assert response.status_code == 404
    text = response.content.decode()
    assert "There is nothing here" in text
    assert 'name="q"' in text


def test_a_withdrawn_run_is_gone_and_says_why(client: Client) -> None:
    run = make_run()
    who = Actor(is_curator=True).who
    set_review_state(run_ids=[run.pk], state=ReviewState.WITHDRAWN, who=who, reason="Wrong driver.")
    response = client.get(f"/detail/{run.pk}/")
    assert response.status_code == 410
    assert "Wrong driver." in response.content.decode()


def test_forbidden_names_the_account_that_lacks_the_right(client: Client) -> None:
    client.force_login(make_staff(name="ann", superuser=False))
    response = client.get("/admin/experiments/testrun/")
    assert response.status_code == 403
    assert "the account ann has" in response.content.decode()


def test_a_forged_or_stale_form_is_refused_in_plain_words() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_staff())
    response = client.post("/admin/logout/", {"next": "/"})
    assert response.status_code == 403
    text = response.content.decode()
    assert "This form was not taken" in text
    assert "CSRF" not in text


def test_patterns_are_there_for_developers_only(client: Client, settings: Settings) -> None:
    assert client.get("/patterns/").status_code == 404
    settings.DEBUG = True
    assert client.get("/patterns/").status_code == 200


@pytest.mark.parametrize("name", ["components", "tables", "grid", "runs", "layout", "utilities"])
def test_patterns_show_every_class_of_the_stylesheets(
    client: Client, settings: Settings, name: str
) -> None:
    settings.DEBUG = True
    shown = set(" ".join(re.findall(r'class="([^"]+)"', page(client, "/patterns/"))).split())
    sheet = (settings.BASE_DIR / "static" / "css" / f"{name}.css").read_text(encoding="utf-8")
    styled = set(re.findall(r"\.([a-z][\w-]*)", re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)))
    assert styled - shown - STATES == set()

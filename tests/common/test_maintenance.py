"""What the site answers under maintenance, without its database, and when it fails."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import InterfaceError, OperationalError, ProgrammingError, connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from benchsite.common.maintenance import is_database_away
from tests.failing_urls import FAULT

pytestmark = pytest.mark.django_db


@pytest.fixture
def notice(settings: Settings, tmp_path: Path) -> Path:
    """Return the path at which operators make the file, in a data folder of the test's own."""
    settings.SITE = replace(settings.SITE, data_dir=tmp_path)
    return tmp_path / "maintenance"


@pytest.fixture
def visitor() -> Client:
    """A client that is answered where the site fails, as a browser is."""
    return Client(raise_request_exception=False)


@pytest.fixture
def no_database() -> Iterator[None]:
    """Let every query fail as it does when the server went away."""
    with connection.execute_wrapper(_gone):
        yield


def _gone(*_args: object) -> None:
    raise OperationalError("the connection is closed") from psycopg.OperationalError("closed")


def assert_is_503(response: Any) -> None:
    assert response.status_code == 503
    assert response["Retry-After"] == "60"
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("address", ["/", "/nothing/", "/admin/", "/detail/x/"])
def test_every_page_is_a_503_while_the_file_is_there(
    visitor: Client,
    notice: Path,
    address: str,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    notice.write_text("")
    with django_assert_num_queries(0):
        response = visitor.get(address)
    assert_is_503(response)
    assert "default-src" in response["Content-Security-Policy"]
    assert "The site is being worked on." in response.content.decode()
    assert visitor.post(address).status_code == 503
    notice.unlink()
    assert visitor.get(address).status_code != 503


def test_what_the_file_says_is_shown_as_text(visitor: Client, notice: Path) -> None:
    notice.write_text("Moving house until <b>14:00 UTC</b>.\n", encoding="utf-8")
    assert "Moving house until &lt;b&gt;14:00 UTC" in visitor.get("/").content.decode()
    response = visitor.post("/api/uploads", b"{}", "application/json")
    assert_is_503(response)
    assert response.json() == {
        "error": "Moving house until <b>14:00 UTC</b>. Try again in a minute.",
        "code": "unavailable",
        "details": [],
    }


def test_the_probe_answers_under_maintenance(visitor: Client, notice: Path) -> None:
    notice.touch()
    assert visitor.get("/health").status_code == 200


@pytest.mark.parametrize("address", ["/", "/admin/login/", "/metrics/nothing/"])
def test_pages_without_a_database_are_a_503(
    admin_client: Client, no_database: None, address: str
) -> None:
    admin_client.raise_request_exception = False
    response = admin_client.get(address)
    assert_is_503(response)
    assert "The site cannot reach its database." in response.content.decode()
    assert "the connection is closed" not in response.content.decode()


def test_the_api_without_a_database_is_a_503_in_its_own_shape(
    visitor: Client, no_database: None
) -> None:
    response = visitor.get("/api/runs")
    assert_is_503(response)
    assert response.json()["code"] == "unavailable"


def test_a_failure_tells_visitors_nothing_of_its_cause(
    visitor: Client, settings: Settings, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    settings.ROOT_URLCONF = "tests.failing_urls"
    with django_assert_num_queries(2):  # each asked for the version of the data before it failed
        page, answer = visitor.get("/fail/"), visitor.get("/api/fail/")
    assert (page.status_code, answer.status_code) == (500, 500)
    assert "Something went wrong here" in page.content.decode()
    assert answer.json()["code"] == "internal_error"
    assert FAULT not in page.content.decode() + answer.content.decode()
    assert_is_503(visitor.get("/fail/database/"))


def _error(kind: type[Exception], cause: Exception) -> Exception:
    error = kind("it failed")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "is_away"),
    [
        (_error(OperationalError, psycopg.OperationalError("no such file")), True),
        (_error(OperationalError, psycopg.errors.AdminShutdown("going down")), True),
        (_error(OperationalError, psycopg.errors.TooManyConnections("full")), True),
        (_error(OperationalError, psycopg.errors.DeadlockDetected("both wait")), False),
        (_error(OperationalError, psycopg.errors.QueryCanceled("too slow")), False),
        (_error(ProgrammingError, psycopg.errors.UndefinedTable("no table")), False),
        (psycopg.OperationalError("closed"), True),
        (InterfaceError("connection already closed"), True),
        (RuntimeError("else"), False),
        (None, False),
    ],
)
def test_only_an_unreachable_server_counts_as_away(error: Exception | None, is_away: bool) -> None:
    assert is_database_away(error) is is_away

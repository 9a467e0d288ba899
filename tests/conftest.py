"""Fixtures of the whole suite: the database server, the browser, the corpus."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.db.backends.postgresql.base import DatabaseWrapper
from hypothesis import settings as hypothesis_settings
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from benchsite.embedded.programs import find_programs
from experiments.models import ApiToken
from tests import servers

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"
CHROMIUM = Path("/usr/bin/chromium")
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# A loaded machine is no failure; CI tries the same examples each time.
hypothesis_settings.register_profile("local", deadline=None)
hypothesis_settings.register_profile("ci", deadline=None, derandomize=True)
hypothesis_settings.load_profile("ci" if os.environ.get("CI") else "local")

# Playwright keeps an event loop in the test's thread, where Django would refuse to query.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


def pytest_configure(config: pytest.Config) -> None:
    """Start a server for the tests unless DATABASE_URL names one, and keep file names unhashed."""
    if settings.SITE.database_url is None:
        stack = ExitStack()
        config.add_cleanup(stack.close)
        settings.DATABASES["default"]["HOST"] = stack.enter_context(servers.of_the_tests())
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    settings.WHITENOISE_AUTOREFRESH = True  # whitenoise then wants no collected files


def pytest_report_header() -> str:
    """Say which PostgreSQL the tests run on, and where it comes from."""
    source = "DATABASE_URL" if settings.SITE.database_url else f"{find_programs().bin_dir}"
    with psycopg.connect(**connection.get_connection_params() | {"dbname": "postgres"}) as session:
        version = session.info.parameter_status("server_version")
    return f"PostgreSQL {version} ({source})"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> None:
    """Let every connection find what migrations wrote, to restore it after a flush.

    Playwright runs an event loop in the tests' thread, and Django then gives the tests another
    connection object than the one that `serialized_rollback` was prepared on.
    """
    contents = getattr(connection, "_test_serialized_contents", None)
    if contents is not None:
        setattr(DatabaseWrapper, "_test_serialized_contents", contents)  # noqa: B010 - undeclared


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Return the folder of real result files, which is no part of the repository."""
    if not CORPUS.is_dir():
        pytest.skip(f"there is no folder of sample files at {CORPUS}")
    return CORPUS


@pytest.fixture
def token(db: None) -> str:
    """Return a token that may upload."""
    return ApiToken.issue(name="tests", scopes=["upload"])


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Run one Chromium for the whole session; without it the browser tests fail."""
    if not CHROMIUM.exists():
        pytest.fail(f"There is no {CHROMIUM}: on Debian, apt-get install chromium.")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS, chromium_sandbox=False
        )
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    """Open a page of a fresh profile on the live server: `page.goto("/")`.

    A script error or a violation of the Content-Security-Policy fails the test at its end.
    """
    problems: list[str] = []

    def note_error(error: Error) -> None:
        problems.append(str(error))

    def note_violation(message: ConsoleMessage) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            problems.append(message.text)

    context = browser.new_context(base_url=live_server.url)
    new_page = context.new_page()
    new_page.on("pageerror", note_error)
    new_page.on("console", note_violation)
    yield new_page
    context.close()
    assert problems == []

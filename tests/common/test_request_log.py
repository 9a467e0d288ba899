"""Ids of requests and the lines about them: quotable, complete, and free of what people send."""

import io
import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, OperationalError, connection, transaction
from django.test import Client
from pytest_django import Settings

from benchsite.logs import JsonFormatter, TextFormatter, exception_text, request_id
from benchsite.settings import LOGGING
from tests.experiments.samples import SEED
from tests.experiments.tokens import bearer
from tests.failing_urls import FAULT

pytestmark = pytest.mark.django_db

MADE = re.compile(r"[0-9a-f]{32}")
SECRETS = ("very secret", "hunter2")


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Return what the site's one handler writes meanwhile, as JSON Lines."""
    handlers = logging.getLogger("django").handlers
    (handler,) = (handler for handler in handlers if handler.name == "stderr")
    assert isinstance(handler, logging.StreamHandler)
    formatter, written = handler.formatter, io.StringIO()
    before = handler.setStream(written)
    handler.setFormatter(JsonFormatter())
    yield written
    handler.setStream(before)
    handler.setFormatter(formatter)


@pytest.fixture
def visitor(settings: Settings) -> Client:
    """A client of a site with two addresses that fail, answered as a browser is."""
    settings.ROOT_URLCONF = "tests.failing_urls"
    return Client(raise_request_exception=False)


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    """Return the lines, each of which is one JSON object."""
    return [json.loads(line) for line in log.getvalue().splitlines()]


@pytest.mark.parametrize(
    "given", ["my-proxy-0001", "a" * 64, "0193a0de-5c11-7a42-9b0e-6f1d2c3b4a55"]
)
def test_a_sane_id_is_taken(client: Client, log: io.StringIO, given: str) -> None:
    response = client.get("/metrics/", headers={"X-Request-ID": given})
    assert response["X-Request-ID"] == given
    (line,) = lines(log)
    assert line["request_id"] == given
    assert (line["level"], line["logger"]) == ("INFO", "benchsite.requests")
    assert (line["method"], line["path"], line["status"]) == ("GET", "/metrics/", 200)
    assert line["duration_ms"] > 0
    assert line["time"].endswith("+00:00")


@pytest.mark.parametrize(
    "given", ["", "short", "a" * 65, "with space 1", 'quote"{}"12', "new\nline123"]
)
def test_another_id_is_replaced(client: Client, given: str) -> None:
    first = client.get("/health", headers={"X-Request-ID": given})["X-Request-ID"]
    assert MADE.fullmatch(first)
    assert client.get("/health")["X-Request-ID"] != first


def test_probes_and_static_files_have_a_line_only_when_they_fail(
    client: Client, log: io.StringIO
) -> None:
    client.get("/health")
    assert lines(log) == []
    client.get("/static/none.css")
    assert [line["status"] for line in lines(log)] == [404]


def test_a_failure_is_found_in_the_log_by_what_its_page_says(
    visitor: Client, log: io.StringIO
) -> None:
    page, answer = visitor.get("/fail/"), visitor.get("/api/fail/")
    for response in (page, answer):
        current = response["X-Request-ID"]
        assert current in response.content.decode()
        of_request = [line for line in lines(log) if line["request_id"] == current]
        assert {line["logger"] for line in of_request} == {"django.request", "benchsite.requests"}
        (error,) = (line for line in of_request if line["level"] == "ERROR")
        assert error["exception"].startswith(f"RuntimeError: {FAULT}")
        assert "in fail\n" in error["exception"]
    assert answer.json()["error"].endswith(f"under the request id {answer['X-Request-ID']}.")


def test_an_outage_names_its_request_too(visitor: Client) -> None:
    response = visitor.get("/fail/database/", headers={"X-Request-ID": "quoted-by-me"})
    assert (response.status_code, response["X-Request-ID"]) == (503, "quoted-by-me")


def test_no_line_holds_what_was_sent(client: Client, log: io.StringIO) -> None:
    secret, password = SECRETS
    run = {**SEED["experiment_run"], "notes": secret, "model_name": secret}
    body = json.dumps({"experiment_run": run})
    token = bearer("upload")
    taken = client.post(f"/api/uploads?notes={secret}", body, "application/json", headers=token)
    assert taken.status_code == 201
    refused = client.post("/api/uploads", f'{{"{secret}": ', "application/json", headers=token)
    assert refused.status_code == 400
    client.post("/admin/login/", {"username": secret, "password": password})
    client.get(f"/?q={secret}")
    said = log.getvalue()
    assert len(lines(log)) == 4
    assert token["Authorization"].split()[1] not in said
    assert not [text for text in SECRETS if text in said]


def test_errors_of_the_database_hide_the_values() -> None:
    twice = [ContentType(app_label=SECRETS[0], model=SECRETS[1]) for _ in range(2)]
    with pytest.raises(IntegrityError, match="very secret") as violation, transaction.atomic():
        ContentType.objects.bulk_create(twice)
    text = exception_text(violation.value)
    assert not [secret for secret in SECRETS if secret in text]
    assert "IntegrityError: SQLSTATE 23505 django_content_type" in text
    assert "after UniqueViolation: SQLSTATE 23505" in text


def test_quoted_values_and_further_lines_of_messages_are_left_out() -> None:
    quoting = ValueError("invalid literal for int() with base 10: 'very secret'")
    assert exception_text(quoting) == "ValueError: invalid literal for int() with base 10: '…'"
    assert exception_text(ValueError("first\nvery secret")) == "ValueError: first"


@pytest.mark.parametrize("formatter", [JsonFormatter(), TextFormatter()])
def test_a_line_is_one_line(formatter: logging.Formatter) -> None:
    request_id.set("")
    record = logging.LogRecord("a", logging.INFO, "", 0, "one\ntwo %s", ("three\r\n",), None)
    assert len(formatter.format(record).splitlines()) == 1
    assert "request_id" not in formatter.format(record)


def test_gunicorn_logs_the_same_way() -> None:
    assert LOGGING["loggers"]["gunicorn.error"]["handlers"] == ["stderr"]


def test_a_query_that_takes_too_long_is_a_503(visitor: Client, settings: Settings) -> None:
    def cancelled(*_args: object) -> None:
        raise OperationalError("cancelled") from psycopg.errors.QueryCanceled("cancelled")

    with connection.execute_wrapper(cancelled):
        page, answer = visitor.get("/"), visitor.get("/api/runs")
    assert (page.status_code, answer.status_code) == (503, 503)
    assert "longer than the site allows" in page.content.decode()
    assert answer.json()["code"] == "unavailable"

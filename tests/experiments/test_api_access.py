"""Who may call the API, withdrawing, and the one shape of every error."""

import json
import re
import socket
from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import escape
from pytest_django import Settings

from benchmarks.models import BenchmarkScore
from benchsite.common.review import ReviewState
from experiments.models import ApiToken, TestRun
from tests.experiments.samples import SEED
from tests.experiments.tokens import bearer
from tests.factories import make_run, make_score, make_staff

pytestmark = pytest.mark.django_db


def upload(client: Client, headers: dict[str, str]) -> int:
    data = json.dumps(SEED)
    response = client.post("/api/uploads", data, "application/json", headers=headers)
    return response.status_code


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer bsk_wrong", "Basic YTpi", "bsk_wrong"])
def test_writing_without_a_known_token_is_a_401_that_says_how(client: Client, value: str) -> None:
    response = client.post(
        "/api/uploads", b"{}", "application/json", headers={"Authorization": value}
    )
    assert (response.status_code, response.json()["code"]) == (401, "unauthorized")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_login_alone_does_not_write(client: Client) -> None:
    client.force_login(make_staff())
    assert upload(client, {}) == 401


@pytest.mark.parametrize(
    ("scope", "status"), [("read", 403), ("submit", 201), ("upload", 201), ("curate", 201)]
)
def test_scopes_of_writing(client: Client, scope: str, status: int) -> None:
    assert upload(client, bearer(scope)) == status


def test_revoked_tokens_and_those_of_closed_accounts_are_unknown(client: Client) -> None:
    owner = User.objects.create_user("gone", is_active=False)
    assert upload(client, bearer("upload", owner=owner)) == 401
    headers = bearer("upload")
    ApiToken.objects.update(revoked_at=timezone.now())
    assert upload(client, headers) == 401


def test_the_last_use_is_kept_to_the_minute(client: Client) -> None:
    headers = bearer("read")

    def updates() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get("/api/runs", headers=headers)
        return sum(query["sql"].startswith("UPDATE") for query in captured)

    assert updates() == 1
    assert updates() == 0
    ApiToken.objects.update(last_used_at=timezone.now() - timedelta(minutes=2))
    assert updates() == 1


def test_a_closed_site_wants_a_login_or_a_read_token(client: Client, settings: Settings) -> None:
    settings.BENCHSITE_PUBLIC = False
    assert client.get("/api/runs").status_code == 401
    assert client.get("/api/runs", headers=bearer("upload")).status_code == 403
    assert client.get("/api/runs", headers=bearer("read")).status_code == 200
    client.force_login(User.objects.create_user("reader"))
    assert client.get("/api/runs").status_code == 200


def test_a_wrong_token_is_refused_where_reading_is_open(client: Client) -> None:
    assert client.get("/api/runs").status_code == 200
    assert client.get("/api/runs", headers={"Authorization": "Bearer old"}).status_code == 401


def test_withdrawing_a_run_takes_it_out_of_every_list(client: Client) -> None:
    run = make_run()
    response = client.delete(f"/api/delete/{run.pk}?reason=Wrong+driver.", headers=bearer("curate"))
    assert (response.status_code, response.json()["success"]) == (200, True)
    assert response.json()["review_state"] == "withdrawn"
    for path in ("runs", "configurations", "performance-grid", "grouped-performance"):
        assert client.get(f"/api/{path}").json()["total_count"] == 0, path
    again = client.delete(f"/api/delete/{run.pk}", headers=bearer("curate"))
    assert (again.status_code, again.json()["code"]) == (410, "withdrawn")
    assert "Wrong driver." in client.get(f"/api/detail/{run.pk}").json()["error"]


def test_who_sent_a_run_may_withdraw_it_and_nobody_else(client: Client) -> None:
    owner = make_staff(superuser=False)
    headers = bearer("upload", owner=owner)
    assert upload(client, headers) == 201
    path = f"/api/delete/{SEED['experiment_run']['id']}"
    assert client.delete(path).status_code == 401
    assert client.delete(path, headers=bearer("read")).status_code == 403
    assert client.delete(path, headers=bearer("upload")).status_code == 403
    assert client.delete(path, headers=bearer("submit", owner=owner)).status_code == 200
    assert TestRun.objects.get().review_state == ReviewState.WITHDRAWN


def test_sending_the_same_run_again_does_not_make_it_ones_own(client: Client) -> None:
    assert upload(client, bearer("upload")) == 201
    headers = bearer("upload")
    data = json.dumps(SEED, indent=2)
    again = client.post("/api/uploads", data, "application/json", headers=headers)
    assert (again.status_code, again.json()["outcome"]) == (200, "unchanged")
    path = f"/api/delete/{SEED['experiment_run']['id']}"
    assert client.delete(path, headers=headers).status_code == 403


def test_withdrawing_a_score_lets_the_next_one_count(client: Client) -> None:
    older = make_score(score=50.0)
    newer = make_score(score=70.0, measured_at=timezone.now())
    path = f"/api/scores/{newer.pk}"
    assert client.delete(path, headers=bearer("upload")).status_code == 403
    assert client.delete(path, headers=bearer("curate")).status_code == 200
    assert BenchmarkScore.objects.get(is_current=True).pk == older.pk
    assert client.delete(path, headers=bearer("curate")).status_code == 410


def test_withdrawing_nothing_is_a_404(client: Client) -> None:
    for path in (f"/api/delete/{uuid4()}", f"/api/scores/{uuid4()}", "/api/delete/1"):
        response = client.delete(path, headers=bearer("curate"))
        assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_a_reason_that_cannot_be_kept_is_a_400(client: Client) -> None:
    path = f"/api/delete/{make_run().pk}?reason={'x' * 501}"
    response = client.delete(path, headers=bearer("curate"))
    assert (response.status_code, response.json()["details"][0]["path"]) == (400, "reason")


def test_unknown_addresses_and_methods_answer_in_the_one_shape(client: Client) -> None:
    for path in ("/api/nothing", "/api/runs/", "/api/detail/"):
        response = client.get(path)
        assert (response.status_code, response.json()["code"]) == (404, "not_found")
    response = client.put("/api/runs")
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    assert response.headers["Allow"] == "GET"
    assert client.get("/api/uploads").status_code == 405
    assert client.head("/api/runs").status_code == 200
    assert client.get("/api/").headers["Location"] == "/api/docs"


def test_a_defect_is_a_500_in_the_one_shape(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr("experiments.api.reads.grid_page", fail)
    client.raise_request_exception = False
    response = client.get("/api/grouped-performance")
    assert (response.status_code, response.json()["code"]) == (500, "internal_error")
    assert "a defect" not in response.json()["error"]


def test_the_description_of_the_api_is_local_and_complete(client: Client) -> None:
    document = client.get("/api/openapi.json").json()
    assert set(document["paths"]) == {
        "/api/benchmarks/upload",
        "/api/comparison",
        "/api/configurations",
        "/api/delete/{test_run_id}",
        "/api/detail/{test_run_id}",
        "/api/export",
        "/api/formats",
        "/api/grouped-performance",
        "/api/performance-grid",
        "/api/runs",
        "/api/schemas/experiment.json",
        "/api/scores/{score_id}",
        "/api/upload-benchmarks",
        "/api/upload-experiment",
        "/api/uploads",
        "/api/uploads/{upload_id}/raw",
        "/api/uploads/{upload_id}/rendition",
    }
    upload_fields = document["paths"]["/api/uploads"]["post"]["requestBody"]["content"]
    assert "gpu_model" in upload_fields["multipart/form-data"]["schema"]["properties"]
    page = client.get("/api/docs").content.decode()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert f"{method.upper()} <code>{path}</code>" in page
            assert escape(operation["description"]) in page
            assert all(f"<code>{item['name']}</code>" in page for item in operation["parameters"])
    for name in document["components"]["schemas"]:
        assert f'id="shape-{name}"' in page
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(re.findall(r'id="([^"]+)"', page))
    schema = client.get("/api/schemas/experiment.json").json()
    assert "ExperimentRun" in schema["$defs"]


def test_health_says_that_the_database_answers(client: Client) -> None:
    response = client.get("/health")
    assert (response.status_code, response.json()) == (200, {"status": "ok", "database": "ok"})
    assert "no-store" in response.headers["Cache-Control"]


def test_health_says_that_no_new_connection_can_be_had(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nothing:
        port = nothing.getsockname()[1]
    monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
    monkeypatch.setitem(connection.settings_dict, "PORT", port)
    response = client.get("/health")
    assert (response.status_code, response.json()["database"]) == (503, "unreachable")


def test_create_token_prints_the_token_alone(client: Client) -> None:
    out = StringIO()
    call_command("create_token", "ci", "--scope", "upload", "--scope", "read", stdout=out)
    secret = out.getvalue().removesuffix("\n")
    token = ApiToken.objects.get()
    assert (token.name, token.scopes) == ("ci", ["upload", "read"])
    assert secret.startswith(token.prefix)
    assert secret not in json.dumps(list(ApiToken.objects.values()), default=str)
    assert upload(client, {"Authorization": f"Bearer {secret}"}) == 201


@pytest.mark.parametrize(
    "arguments",
    [
        ["ci"],
        ["ci", "--scope", "everything"],
        [" ", "--scope", "read"],
        ["x" * 101, "--scope", "read"],
        ["ci", "--scope", "read", "--owner", "nobody"],
    ],
)
def test_create_token_refuses(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("create_token", *arguments)
    assert not ApiToken.objects.exists()

"""Exact bytes for who sent them and for curators; for all others what is public, or the hash."""

import gzip
import json
from typing import Any

import pytest
from django.test import Client

from benchsite.common.review import ReviewState
from experiments.formats.rendition import LARGEST_BYTES
from experiments.ingest.actor import Actor
from experiments.ingest.pipeline import ingest_file
from experiments.ingest.report import Report
from experiments.models import ApiToken, TestRun
from tests.experiments.test_formats_guide import SUMMARY
from tests.experiments.tokens import bearer
from tests.factories import experiment, ingest, make_staff

pytestmark = pytest.mark.django_db


def send(data: bytes, *, token: ApiToken | None = None, **fields: str) -> Report:
    report = ingest_file(
        data=data, file_name="result.json", fields=fields, actor=Actor(token=token)
    )
    assert report.accepted, report.summary
    return report


def raw(client: Client, report: Report, headers: dict[str, str] | None = None) -> Any:
    return client.get(f"/api/uploads/{report.upload_id}/raw", headers=headers or {})


def rendition(client: Client, report: Report) -> Any:
    return client.get(f"/api/uploads/{report.upload_id}/rendition")


def test_exact_bytes_are_for_the_sender_and_curators(client: Client) -> None:
    data = json.dumps({"experiment_run": experiment()}, indent=3).encode()
    sender = bearer("upload")
    answer = client.post("/api/uploads", data, "application/json", headers=sender)
    report = Report(outcome="created", sha256="", upload_id=answer.json()["upload_id"])
    for headers in (sender, bearer("curate")):
        response = raw(client, report, headers)
        assert (response.status_code, response.content) == (200, data)
        assert response.headers["Content-Type"] == "application/octet-stream"
        assert response.headers["Content-Disposition"].startswith("attachment")
    assert raw(client, report, bearer("upload")).status_code == 403
    assert raw(client, report).status_code == 401
    client.force_login(make_staff())
    assert raw(client, report).content == data


def test_an_unknown_upload_is_a_404(client: Client) -> None:
    path = "/api/uploads/00000000-0000-7000-8000-000000000000"
    for name in ("raw", "rendition"):
        response = client.get(f"{path}/{name}", headers=bearer("curate"))
        assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_the_public_reads_json_without_what_is_private(client: Client) -> None:
    settings = {
        "n_batch": 512,
        "peers": ["10.20.30.40:80", "mail me@example.org"],
        "note": "x" * 201,
        "numbers": list(range(21)),
        "deep": {"path": "/home/alice/m.gguf"},
    }
    report = ingest({"experiment_run": experiment(settings=settings)})
    answer = rendition(client, report)
    assert answer.status_code == 200
    (document,) = answer.json()["documents"]
    assert document["experiment_run"]["settings"] == {
        "n_batch": 512,
        "peers": "hidden",
        "note": "left out: a text of 201 characters",
        "numbers": "left out: a list of 21",
        "deep": {"path": "m.gguf"},
    }
    assert document["experiment_run"]["model_name"] == "Nimbus-14B"
    page = client.get(f"/detail/{report.runs[0].id}/").content.decode()
    assert f'href="/api/uploads/{report.upload_id}/rendition"' in page


def test_of_other_forms_than_json_the_public_sees_the_hash(client: Client) -> None:
    report = send(SUMMARY.read_bytes(), model_name="Nimbus-14B", quantization="BF16")
    answer = rendition(client, report)
    assert answer.status_code == 404
    assert "Of this file the public sees the hash only: it is no JSON." in answer.json()["error"]


def test_large_and_deep_files_have_no_endless_rendition(client: Client) -> None:
    run = experiment(settings={"a": "x"})
    padded = json.dumps({"experiment_run": run}).encode() + b" " * LARGEST_BYTES
    assert "larger than 4,000,000 bytes" in rendition(client, send(padded)).json()["error"]
    packed = gzip.compress(json.dumps({"experiment_run": experiment()}).encode() + b" " * 5_000_000)
    assert rendition(client, send(packed)).status_code == 404
    deep: dict[str, Any] = {}
    for _level in range(90):
        deep = {"a": deep}
    report = send(json.dumps({"experiment_run": experiment(settings=deep)}).encode())
    assert "left out: nested too deeply" in rendition(client, report).content.decode()


@pytest.mark.parametrize(
    "state", [ReviewState.PENDING, ReviewState.REJECTED, ReviewState.WITHDRAWN]
)
def test_what_is_not_published_has_no_rendition(client: Client, state: ReviewState) -> None:
    report = ingest({"experiment_run": experiment()})
    TestRun.objects.update(review_state=state)
    assert rendition(client, report).status_code == 404


def test_a_refused_file_has_no_rendition(client: Client) -> None:
    report = ingest({"experiment_run": {}})
    assert report.upload_id
    assert rendition(client, report).status_code == 404
    assert raw(client, report, bearer("curate")).content == b'{"experiment_run": {}}'

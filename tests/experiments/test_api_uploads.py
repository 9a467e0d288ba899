"""Files in through the API: what comes back, and what is refused how."""

import copy
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from benchmarks.models import BenchmarkScore
from benchsite.common.review import ReviewState
from experiments.models import TestRun, Upload, UploadContent
from tests.experiments.samples import SEED
from tests.experiments.tokens import bearer
from tests.factories import experiment, make_run

pytestmark = pytest.mark.django_db

SAMPLES = Path(__file__).parent / "samples"
SCORES: dict[str, Any] = {
    "model_name": "acme-labs/Nimbus-14B-Instruct",
    "quantization": "q5_k_m",
    "benchmark_scores": [
        {"type": "HellaSwag", "data": {"accuracy": 81.5}},
        {"type": "HumanEval", "data": {"pass_at_1": 60.4, "total_problems": 164}},
    ],
    "timestamp": "2026-11-21T00:00:00Z",
}


def send_json(client: Client, path: str, document: Any, **headers: str) -> Any:
    return client.post(
        path, json.dumps(document), "application/json", headers=headers or bearer("upload")
    )


def send_file(client: Client, name: str, **options: Any) -> Any:
    with (SAMPLES / name).open("rb") as file:
        return client.post(
            "/api/uploads", {"file": file, **options}, headers=bearer("upload", "read")
        )


def test_upload_of_a_file_creates_runs_and_names_them(client: Client) -> None:
    response = send_file(client, "llama_bench.json")
    answer = response.json()
    assert response.status_code == 201, answer
    assert set(answer) == {
        "upload_id",
        "sha256",
        "format",
        "parser_version",
        "outcome",
        "runs",
        "scores",
        "warnings",
        "missing",
        "suggestions",
    }
    assert (answer["outcome"], answer["format"]) == ("created", "llama-bench-json")
    run = TestRun.objects.get(pk=answer["runs"][0])
    assert run.review_state == ReviewState.PUBLISHED
    upload = Upload.objects.get(pk=answer["upload_id"])
    assert upload.file_name == "llama_bench.json"
    assert upload.token is not None
    assert upload.content.data == (SAMPLES / "llama_bench.json").read_bytes()
    assert client.get(f"/api/detail/{run.pk}").json()["config"]["id"] == str(run.pk)


def test_the_same_file_again_is_unchanged_and_lists_what_it_made(client: Client) -> None:
    first = send_file(client, "llama_bench.json").json()
    response = send_file(client, "llama_bench.json")
    assert response.status_code == 200
    assert response.json()["outcome"] == "unchanged"
    assert response.json()["runs"] == first["runs"]
    assert Upload.objects.count() == 1


def test_dry_run_reports_and_writes_nothing(client: Client) -> None:
    response = send_file(client, "llama_bench.json", dry_run="true")
    assert response.status_code == 200
    assert (response.json()["outcome"], response.json()["upload_id"]) == ("dry_run", None)
    assert (TestRun.objects.count(), UploadContent.objects.count()) == (0, 0)


def test_what_the_file_does_not_say_is_asked_for_and_taken_as_form_field(client: Client) -> None:
    response = send_file(client, "llama_bench_no_gpu.json")
    answer = response.json()
    assert response.status_code == 422
    assert (answer["code"], answer["missing"]) == ("missing", ["gpu_model"])
    assert answer["outcome"] == "rejected"
    assert answer["details"][0]["path"] == "gpu_model"
    again = send_file(client, "llama_bench_no_gpu.json", gpu_model="RTX 4090", gpu_count="2")
    assert again.status_code == 201, again.json()
    run = TestRun.objects.with_names().get(pk=again.json()["runs"][0])
    assert (run.hardware.gpu_model, run.hardware.gpu_count) == ("RTX 4090", 2)


def test_context_as_query_parameters_beside_a_raw_body(client: Client) -> None:
    data = (SAMPLES / "llama_bench_no_gpu.json").read_bytes()
    response = client.post(
        "/api/uploads?gpu_model=RTX%204090&notes=second%20try",
        data,
        "application/x-www-form-urlencoded",  # what curl --data-binary says
        headers=bearer("upload"),
    )
    assert response.status_code == 201, response.json()
    assert TestRun.objects.get(pk=response.json()["runs"][0]).notes == "second try"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("gpu_count", "many"),
        ("gpu_count", "99999999999"),
        ("gpu_modle", "RTX 4090"),
        ("ram_gb", "nan"),
        ("notes", "a\x00b"),
        ("source_url", "http://["),
    ],
)
def test_wrong_context_is_invalid_and_named(client: Client, field: str, value: str) -> None:
    response = send_file(client, "llama_bench.json", **{field: value})
    assert response.status_code == 422
    assert response.json()["code"] == "invalid"
    assert response.json()["details"][0]["path"] == f"context.{field}"


def test_the_seed_experiment_comes_back_as_it_was_sent(client: Client) -> None:
    response = send_json(client, "/api/upload-experiment", SEED)
    answer = response.json()
    assert response.status_code == 201, answer
    assert (answer["success"], answer["error"]) == (True, None)
    assert answer["test_run_id"] == SEED["experiment_run"]["id"]
    assert {score["benchmark"] for score in answer["scores"]} == {"mmlu", "gsm8k"}
    again = send_json(client, "/api/upload-experiment", SEED)
    assert (again.status_code, again.json()["test_run_id"]) == (200, answer["test_run_id"])


def test_experiment_as_multipart_file(client: Client) -> None:
    file = SimpleUploadedFile("run.json", json.dumps(SEED).encode(), "application/json")
    response = client.post("/api/upload-experiment", {"file": file}, headers=bearer("upload"))
    assert response.status_code == 201
    assert Upload.objects.get(pk=response.json()["upload_id"]).file_name == "run.json"


@pytest.mark.parametrize("path", ["/api/upload-benchmarks", "/api/benchmarks/upload"])
def test_scores_alone(client: Client, path: str) -> None:
    response = send_json(client, path, SCORES)
    answer = response.json()
    assert response.status_code == 201, answer
    assert (answer["success"], answer["error"], answer["scores_uploaded"]) == (True, None, 2)
    score = BenchmarkScore.objects.get(pk=answer["scores"][0]["id"])
    assert answer["model_variant_id"] == str(score.variant_id)
    assert TestRun.objects.count() == 0
    again = send_json(client, path, SCORES)
    assert (again.status_code, again.json()["scores_uploaded"]) == (200, 0)


def test_each_address_refuses_what_it_is_not_made_for(client: Client) -> None:
    refused = send_json(client, "/api/upload-experiment", SCORES)
    assert (refused.status_code, refused.json()["success"]) == (422, False)
    assert refused.json()["test_run_id"] is None
    refused = send_json(client, "/api/upload-benchmarks", SEED)
    assert (refused.status_code, refused.json()["success"]) == (422, False)
    assert refused.json()["scores_uploaded"] == 0
    data = (SAMPLES / "llama_bench.json").read_bytes()
    refused = client.post(
        "/api/upload-experiment", data, "application/json", headers=bearer("upload")
    )
    assert refused.status_code == 422
    assert (TestRun.objects.count(), BenchmarkScore.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 400, "unreadable"),
        (b'{"experiment_run": {', 400, "unreadable"),
        (b"\xff\xfe\x00\xd8 cut", 400, "unreadable"),
        (b"just some words", 415, "unknown_format"),
        (b'{"experiment_run": {"model_name": "x"}}', 422, "invalid"),
        (b'{"experiment_run": []}', 422, "invalid"),
        (b"[" * 100_000, 400, "unreadable"),
    ],
)
def test_bad_files_are_refused_in_the_one_shape(
    client: Client, data: bytes, status: int, code: str
) -> None:
    response = client.post(
        "/api/uploads", data, "application/octet-stream", headers=bearer("upload")
    )
    answer = response.json()
    assert (response.status_code, answer["code"]) == (status, code), answer
    assert answer["error"]
    assert set(answer["details"][0]) == {"path", "message", "value"}
    assert answer["outcome"] == "rejected"


def test_a_wrong_value_is_named_with_its_path(client: Client) -> None:
    document = copy.deepcopy(SEED)
    document["experiment_run"]["performance_metrics"][0]["value"] = "fast"
    answer = send_json(client, "/api/upload-experiment", document).json()
    problem = answer["details"][0]
    assert problem["path"].endswith("performance_metrics[0].value")
    assert problem["value"] == "fast"


def test_no_file_or_two_files_are_refused(client: Client) -> None:
    headers = bearer("upload")
    for files in ({}, {"file": [io.BytesIO(b"{}"), io.BytesIO(b"{}")]}, {"f": io.BytesIO(b"{}")}):
        response = client.post("/api/uploads", files, headers=headers)
        assert response.status_code == 422, files
        assert response.json()["details"][0]["path"] == "file"


def test_a_broken_multipart_body_is_unreadable(client: Client) -> None:
    response = client.post(
        "/api/uploads", b"no boundary", "multipart/form-data", headers=bearer("upload")
    )
    assert (response.status_code, response.json()["code"]) == (400, "unreadable")


def test_a_flag_that_is_neither_yes_nor_no(client: Client) -> None:
    response = send_file(client, "llama_bench.json", dry_run="perhaps")
    assert (response.status_code, response.json()["details"][0]["path"]) == (400, "dry_run")


def test_a_body_above_the_limit_is_not_read(client: Client, settings: Settings) -> None:
    settings.BENCHSITE_MAX_UPLOAD_BYTES = 1000

    class Unread(io.BytesIO):
        def read(self, *_sizes: int | None) -> bytes:
            raise AssertionError("the body was read")

    environ: Any = {"wsgi.input": Unread()}
    for content_type, length in (("application/json", 1001), ("multipart/form-data", 100_000)):
        response = client.generic(
            "POST",
            "/api/uploads",
            content_type=content_type,
            headers=bearer("upload"),
            CONTENT_LENGTH=str(length),
            **environ,
        )
        assert (response.status_code, response.json()["code"]) == (413, "too_large")
    response = client.post(
        "/api/uploads", {"file": io.BytesIO(b"[" * 1001)}, headers=bearer("upload")
    )
    assert (response.status_code, response.json()["code"]) == (413, "too_large")


def test_a_body_of_unknown_length(client: Client, settings: Settings) -> None:
    def send(data: bytes, *, terminated: bool = True) -> Any:
        environ: Any = {
            "wsgi.input": io.BytesIO(data),
            "wsgi.input_terminated": terminated,
            "HTTP_TRANSFER_ENCODING": "chunked",
            "CONTENT_LENGTH": "",
        }
        return client.generic(
            "POST",
            "/api/uploads",
            content_type="application/json",
            headers=bearer("upload"),
            **environ,
        )

    data = json.dumps(SEED).encode()
    assert send(data).status_code == 201
    assert send(data, terminated=False).status_code == 411
    settings.BENCHSITE_MAX_UPLOAD_BYTES = len(data) - 1
    assert send(data).status_code == 413


def test_other_content_under_the_same_id_is_a_conflict_that_a_curator_may_replace(
    client: Client,
) -> None:
    run = make_run()
    changed = {"experiment_run": experiment(run_id=run.pk, notes="measured again")}
    refused = send_json(client, "/api/upload-experiment", changed)
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    path = "/api/upload-experiment?replace=true"
    assert send_json(client, path, changed, **bearer("submit")).status_code == 409
    replaced = send_json(client, path, changed, **bearer("curate"))
    assert replaced.status_code == 201, replaced.json()
    run.refresh_from_db()
    assert run.notes == "measured again"


def test_what_a_submit_token_sends_waits_for_review(client: Client) -> None:
    response = send_json(client, "/api/upload-experiment", SEED, **bearer("submit"))
    assert response.status_code == 201
    run_id = response.json()["test_run_id"]
    assert TestRun.objects.get(pk=run_id).review_state == ReviewState.PENDING
    assert client.get(f"/api/detail/{run_id}").status_code == 404
    assert client.get(f"/api/detail/{run_id}", headers=bearer("curate")).status_code == 200
    assert client.get("/api/runs").json()["total_count"] == 0

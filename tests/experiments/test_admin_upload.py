"""The admin's upload form: what becomes of good, bad and incomplete files."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from benchmarks.models import BenchmarkScore
from benchsite.common.review import ReviewState
from experiments.ingest.context import CONTEXT_FIELDS
from experiments.ingest.review import withdraw_run
from experiments.models import TestRun, Upload
from experiments.upload_form import UploadForm
from tests.experiments.samples import SEED
from tests.factories import experiment, make_run

pytestmark = pytest.mark.django_db

URL = "/admin/experiments/upload/add/"
SAMPLES = Path(__file__).parent / "samples"


def sample(name: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, (SAMPLES / name).read_bytes())


def uploader(client: Client, *permissions: str) -> User:
    """Log a member of staff in who may upload, and no more than these permissions."""
    user = User.objects.create_user("uploader", is_staff=True)
    codenames = ("add_upload", *permissions)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(user)
    return user


def test_the_form_offers_every_context_field(admin_client: Client) -> None:
    response = admin_client.get(URL)
    assert response.status_code == 200
    page = response.content.decode()
    assert 'enctype="multipart/form-data"' in page
    for name in (*CONTEXT_FIELDS, "file", "text", "replace", "dry_run"):
        assert f'name="{name}"' in page, name
    shown = [name for _title, options in UploadForm.fieldsets for name in options["fields"]]
    assert set(CONTEXT_FIELDS) < set(shown)
    assert "<style" not in page
    assert "onclick" not in page


def test_a_file_makes_runs_and_the_report_links_them(admin_client: Client) -> None:
    response = admin_client.post(URL, {"file": sample("llama_bench.json"), "notes": "in the lab"})
    assert response.status_code == 200
    run = TestRun.objects.get()
    assert (run.review_state, run.notes) == (ReviewState.PUBLISHED, "in the lab")
    page = response.content.decode()
    assert reverse("experiments:run-detail", args=[run.pk]) in page
    assert "llama_bench.json" in page
    assert "in the lab" in page
    upload = Upload.objects.get()
    assert upload.uploaded_by is not None
    assert admin_client.get(f"/detail/{run.pk}/").status_code == 200


def test_pasted_text_makes_runs_and_scores(admin_client: Client) -> None:
    response = admin_client.post(URL, {"text": json.dumps(SEED)})
    assert response.status_code == 200
    assert TestRun.objects.get().pk == Upload.objects.get().items.exclude(run=None).get().run_id
    for score in BenchmarkScore.objects.all():
        assert str(score.pk) in response.content.decode()
    again = admin_client.post(URL, {"text": json.dumps(SEED)})
    assert (again.status_code, TestRun.objects.count()) == (200, 1)
    assert "Unchanged" in again.content.decode()


def test_several_files_are_taken_or_refused_alone(admin_client: Client) -> None:
    broken = SimpleUploadedFile("broken.json", b'{"experiment_run": ')
    files = [sample("llama_bench.json"), broken, sample("seed_experiment.json")]
    response = admin_client.post(URL, {"file": files})
    assert response.status_code == 400
    assert TestRun.objects.count() == 2
    page = response.content.decode()
    assert "1 refused" in page
    assert "broken.json" in page
    outcomes = dict(Upload.objects.values_list("file_name", "outcome"))
    assert outcomes == {
        "llama_bench.json": "created",
        "broken.json": "rejected",
        "seed_experiment.json": "created",
    }


def test_what_is_missing_is_asked_for_at_its_field_and_what_was_entered_stays(
    admin_client: Client,
) -> None:
    data: dict[str, Any] = {"file": sample("llama_bench_no_gpu.json"), "gpu_count": "2"}
    response = admin_client.post(URL, data)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["gpu_model"]
    page = response.content.decode()
    assert 'name="gpu_count" value="2"' in page
    data = {"file": sample("llama_bench_no_gpu.json"), "gpu_count": "2", "gpu_model": "RTX 4090"}
    assert admin_client.post(URL, data).status_code == 200
    assert TestRun.objects.with_names().get().hardware.gpu_count == 2


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", 400),
        (b"\x00\x01\x02", 400),
        (b"hello", 415),
        (b'{"experiment_run": {"model_name": 7}}', 422),
        (b'[{"a": 1}]', 415),
    ],
)
def test_bad_files_are_refused_with_the_status_of_the_api(
    admin_client: Client, data: bytes, status: int
) -> None:
    response = admin_client.post(URL, {"file": SimpleUploadedFile("bad.json", data)})
    assert response.status_code == status
    assert "bad.json" in response.content.decode()
    assert Upload.objects.get().outcome == "rejected"
    assert TestRun.objects.count() == 0


def test_a_wrong_value_is_named_with_its_path(admin_client: Client) -> None:
    document = experiment(figures={"tokens_per_second": (50.0, "parsecs", None)})
    response = admin_client.post(URL, {"text": json.dumps({"experiment_run": document})})
    assert response.status_code == 422
    page = response.content.decode()
    assert "performance_metrics[0].unit" in page
    assert "<code>parsecs</code>" in page


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "__all__"),
        ({"text": "  \n"}, "__all__"),
        ({"text": "{}", "gpu_count": "many"}, "gpu_count"),
        ({"text": "{}", "source_url": "no address"}, "source_url"),
        ({"text": "{}", "model_name": "x" * 500}, "model_name"),
    ],
)
def test_a_form_that_cannot_be_sent_says_where(
    admin_client: Client, data: dict[str, str], field: str
) -> None:
    response = admin_client.post(URL, data)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert not Upload.objects.exists()


def test_only_check_writes_nothing(admin_client: Client) -> None:
    response = admin_client.post(URL, {"file": sample("llama_bench.json"), "dry_run": "on"})
    assert response.status_code == 200
    assert not Upload.objects.exists()


def test_too_large_a_file_is_refused(admin_client: Client, settings: Settings) -> None:
    settings.BENCHSITE_MAX_UPLOAD_BYTES = 1000
    response = admin_client.post(URL, {"file": SimpleUploadedFile("big.json", b"[" * 2000)})
    assert response.status_code == 413


def test_replacing_is_for_curators(client: Client) -> None:
    run = make_run()
    changed = json.dumps({"experiment_run": experiment(run_id=run.pk, notes="again")})
    user = uploader(client)
    response = client.post(URL, {"text": changed, "replace": "on"})
    assert response.status_code == 409
    user.user_permissions.add(Permission.objects.get(codename="change_testrun"))
    assert client.post(URL, {"text": changed, "replace": "on"}).status_code == 200
    run.refresh_from_db()
    assert run.notes == "again"
    withdraw_run(run=run)
    assert client.post(URL, {"text": changed}).status_code == 409


def test_uploading_needs_the_permission(client: Client) -> None:
    assert client.get(URL).status_code == 302
    client.force_login(User.objects.create_user("staff", is_staff=True))
    assert client.get(URL).status_code == 403
    assert client.post(URL, {"text": "{}"}).status_code == 403
    assert not Upload.objects.exists()


def test_raw_bytes_are_for_their_uploader_and_for_curators(client: Client) -> None:
    def raw() -> Any:
        return client.get(reverse("admin:upload-raw", args=[upload.pk]))

    uploader(client)
    text = '{"experiment_run": '
    client.post(URL, {"file": SimpleUploadedFile("süß, “x”.json", text.encode())})
    upload = Upload.objects.get()
    response = raw()
    assert response.status_code == 200
    assert b"".join(response.streaming_content) == text.encode()
    assert response.headers["Content-Disposition"].startswith("attachment")
    Upload.objects.update(uploaded_by=None, file_name="with\nline\r\nends")
    assert raw().status_code == 403
    client.force_login(User.objects.create_superuser("curator"))
    response = raw()
    assert io.BytesIO(response.getvalue()).read() == text.encode()

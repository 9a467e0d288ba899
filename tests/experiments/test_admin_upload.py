"""The upload form and its preview: what becomes of good, bad and incomplete files."""

import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from benchmarks.models import BenchmarkScore, ModelVariant
from benchsite.common.review import ReviewState
from experiments.admin.batch_page import MOST_FORMS
from experiments.ingest.context import CONTEXT_FIELDS
from experiments.models import TestRun, Upload, UploadContent
from hardware.models import HardwareProfile
from tests.experiments.form_upload import URL, draft, field_of, press, send, text_of
from tests.experiments.samples import SEED
from tests.factories import experiment, make_run

pytestmark = pytest.mark.django_db

NO_ID = "0193a0de-5c11-7a42-9b0e-000000000000"
SAMPLES = Path(__file__).parent / "samples"


def sample(name: str, sent_as: str = "") -> SimpleUploadedFile:
    return SimpleUploadedFile(sent_as or name, (SAMPLES / name).read_bytes())


def as_file(document: Any, name: str = "experiment.json") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, json.dumps(document).encode())


def uploader(client: Client, *permissions: str, name: str = "uploader") -> User:
    """Log a member of staff in who may upload, and no more than these permissions."""
    user = User.objects.create_user(name, is_staff=True)
    codenames = ("add_upload", *permissions)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(user)
    return user


def test_the_form_offers_every_context_field(admin_client: Client) -> None:
    response = admin_client.get(URL)
    assert response.status_code == 200
    page = response.content.decode()
    assert 'enctype="multipart/form-data"' in page
    for name in (*CONTEXT_FIELDS, "file", "text"):
        assert f'name="{name}"' in page, name
    assert "<style" not in page
    assert "onclick" not in page


def test_the_preview_says_what_would_happen_and_writes_no_fact(admin_client: Client) -> None:
    make_run(model_name="Nimbus-1B", quantization="Q4_K_M")
    response = send(admin_client, sample("llama_bench.json"))
    page = text_of(response)
    assert response.status_code == 200
    assert response.redirect_chain[0][0].startswith("/admin/experiments/upload/batch/")
    assert "Ready: llama-bench JSON or JSON Lines, 1 run." in page
    assert "Nimbus-1B · Q4_K_M known 1 0" in page
    assert "1× RTX 4090 AMD Ryzen 9 7950X known platform, new machine 1" in page
    assert "Generation speed 200.0 tok/s created" in page
    assert TestRun.objects.count() == 1
    assert HardwareProfile.objects.count() == 1
    assert draft("llama_bench.json").content.size_bytes > 0


def test_confirming_makes_what_the_preview_said_and_links_it(admin_client: Client) -> None:
    send(admin_client, sample("llama_bench.json"), notes="in the lab")
    response = press(admin_client, "confirm")
    run = TestRun.objects.get()
    assert (run.review_state, run.notes) == (ReviewState.PUBLISHED, "in the lab")
    assert reverse("experiments:run-detail", args=[run.pk]) in response.content.decode()
    upload = Upload.objects.get()
    assert (upload.outcome, upload.context) == ("created", {"notes": "in the lab"})
    assert upload.uploaded_by is not None
    assert admin_client.get(f"/detail/{run.pk}/").status_code == 200
    again = press(admin_client, "confirm", batch=upload.batch)
    assert again.status_code == 200
    assert (Upload.objects.count(), TestRun.objects.count()) == (1, 1)


def test_pasted_text_makes_runs_and_scores_and_again_makes_nothing(admin_client: Client) -> None:
    send(admin_client, text=json.dumps(SEED))
    press(admin_client, "confirm")
    assert TestRun.objects.get().pk == Upload.objects.get().items.exclude(run=None).get().run_id
    assert BenchmarkScore.objects.count() == 2
    again = send(admin_client, text=json.dumps(SEED))
    assert "Nothing to write: these bytes were accepted before." in text_of(again)
    done = press(admin_client, "confirm")
    assert "Nothing was written for the pasted text: it was here." in text_of(done)
    assert (Upload.objects.count(), TestRun.objects.count()) == (1, 1)


def test_several_files_are_taken_or_refused_alone(admin_client: Client) -> None:
    broken = SimpleUploadedFile("broken.json", b'{"experiment_run": ')
    response = send(
        admin_client, sample("llama_bench.json"), broken, sample("seed_experiment.json")
    )
    assert response.status_code == 400
    assert response.headers["HX-Push-Url"].startswith("/admin/experiments/upload/batch/")
    assert "2 files to confirm. 1 file was refused." in text_of(response)
    assert "broken.json Refused: nothing was written" in text_of(response)
    assert TestRun.objects.count() == 0
    press(admin_client, "confirm")
    outcomes = dict(Upload.objects.values_list("file_name", "outcome"))
    assert outcomes == {
        "llama_bench.json": "created",
        "broken.json": "rejected",
        "seed_experiment.json": "created",
    }


def test_what_is_missing_is_asked_for_and_what_was_entered_stays(admin_client: Client) -> None:
    response = send(admin_client, sample("llama_bench_no_gpu.json"), gpu_count="2", notes="n")
    assert response.status_code == 422
    waiting = draft("llama_bench_no_gpu.json")
    page = response.content.decode()
    assert f'name="{field_of(waiting, "gpu_count")}" value="2"' in page
    assert "The file does not say: GPU." in text_of(response)
    assert "Runs in the file Run Load Main figure In the file Nimbus-1B" in text_of(response)
    still = press(admin_client, "confirm")
    assert "Not ready" in text_of(still)
    assert TestRun.objects.count() == 0
    filled = press(admin_client, "check", **{field_of(waiting, "gpu_model"): "RTX 4090"})
    assert "Ready: llama-bench JSON or JSON Lines, 1 run." in text_of(filled)
    press(admin_client, "confirm")
    run = TestRun.objects.with_names().get()
    assert (run.hardware.gpu_count, run.hardware.gpu_model, run.notes) == (2, "RTX 4090", "n")


def test_one_field_fills_the_gap_of_several_files_and_no_others(admin_client: Client) -> None:
    other = SimpleUploadedFile(
        "other.json", (SAMPLES / "llama_bench_no_gpu.json").read_bytes().replace(b"200.0", b"201.0")
    )
    response = send(
        admin_client, sample("llama_bench_no_gpu.json"), other, sample("llama_bench.json")
    )
    assert "What 2 of these files do not say" in text_of(response)
    press(admin_client, "check", **{"all-gpu_model": "H100 PCIe", "all-gpu_count": "4"})
    press(admin_client, "confirm")
    machines = TestRun.objects.values_list("hardware__platform__name", flat=True)
    assert sorted(machines) == ["1× RTX 4090", "4× H100 PCIe", "4× H100 PCIe"]


def test_a_known_machine_is_found_chosen_and_the_same_one(admin_client: Client) -> None:
    profile = make_run(gpu_model="NVIDIA H100 80GB HBM3", gpu_count=8).hardware
    send(admin_client, sample("llama_bench_no_gpu.json"))
    waiting = draft("llama_bench_no_gpu.json")
    search = field_of(waiting, "find_machine")
    found = press(admin_client, f"find:{waiting.pk}", **{search: "h100 8"})
    assert f'value="{profile.pk}"' in found.content.decode()
    prefix = search.removesuffix("-find_machine")
    fragment = admin_client.get(
        "/admin/experiments/upload/known/machine/", {"prefix": prefix, search: "h100"}
    )
    assert f'value="{profile.pk}"' in fragment.content.decode()
    press(admin_client, "check", **{field_of(waiting, "machine"): str(profile.pk)})
    press(admin_client, "confirm")
    assert TestRun.objects.filter(hardware=profile).count() == 2


def test_a_device_of_the_catalogue_and_a_known_model_can_be_chosen(admin_client: Client) -> None:
    variant = make_run(model_name="meta/Known-8B", quantization="AWQ").variant
    send(admin_client, sample("llama_bench_no_gpu.json"))
    waiting = draft("llama_bench_no_gpu.json")
    found = press(admin_client, "find", **{field_of(waiting, "find_machine"): "7900 xtx"})
    value = found.content.decode().split('value="device:')[1].split('"')[0]
    chosen = {field_of(waiting, "machine"): f"device:{value}"}
    chosen[field_of(waiting, "variant")] = str(variant.pk)
    page = press(admin_client, "check", **chosen)
    assert "meta/Known-8B · AWQ known" in text_of(page)
    assert draft("llama_bench_no_gpu.json").context["gpu_model"] == "RX 7900 XTX"


def test_a_suggestion_from_a_name_is_shown_as_such_and_used_only_when_asked(
    admin_client: Client,
) -> None:
    page = send(admin_client, sample("llama_bench_no_gpu.json", sent_as="tg-rtx4090.json"))
    waiting = draft("tg-rtx4090.json")
    assert "suggests, and may be wrong: GPU “RTX 4090”" in text_of(page)
    assert "gpu_model" not in waiting.context
    used = press(admin_client, f"use:{waiting.pk}:gpu_model")
    assert "Ready" in text_of(used)
    assert draft("tg-rtx4090.json").context == {"gpu_model": "RTX 4090"}


def test_a_field_that_cannot_be_right_is_shown_as_it_was_typed(admin_client: Client) -> None:
    send(admin_client, sample("llama_bench_no_gpu.json"), sample("llama_bench.json"))
    bad, good = draft("llama_bench_no_gpu.json"), draft("llama_bench.json")
    typed = {field_of(bad, "gpu_count"): "many", field_of(good, "notes"): "kept"}
    response = press(admin_client, "confirm", **typed)
    assert response.status_code == 422
    assert f'name="{field_of(bad, "gpu_count")}" value="many"' in response.content.decode()
    assert draft("llama_bench_no_gpu.json").context == {}
    assert TestRun.objects.get().notes == "kept"


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
    response = send(admin_client, SimpleUploadedFile("bad.json", data))
    assert response.status_code == status
    assert "bad.json" in response.content.decode()
    assert Upload.objects.get().outcome == "rejected"
    assert TestRun.objects.count() == 0


def test_a_wrong_value_is_named_with_its_path(admin_client: Client) -> None:
    document = experiment(figures={"tokens_per_second": (50.0, "parsecs", None)})
    response = send(admin_client, text=json.dumps({"experiment_run": document}))
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


def test_discarding_leaves_nothing_behind(admin_client: Client) -> None:
    send(admin_client, sample("llama_bench.json"), sample("seed_experiment.json"))
    kept = draft("seed_experiment.json")
    page = press(admin_client, f"discard:{draft('llama_bench.json').pk}")
    assert "1 file discarded" in text_of(page)
    assert Upload.objects.get() == kept
    page = press(admin_client, "discard")
    assert page.redirect_chain[0][0] == "/admin/experiments/upload/mine/"
    assert (Upload.objects.count(), UploadContent.objects.count()) == (0, 0)


def test_drafts_go_after_a_day_and_nothing_else_does(admin_client: Client) -> None:
    send(admin_client, sample("seed_experiment.json"))
    press(admin_client, "confirm")
    send(admin_client, sample("llama_bench.json"))
    Upload.objects.update(created_at=timezone.now() - timedelta(days=1, minutes=1))
    send(admin_client, SimpleUploadedFile("bad.json", b"hello"))
    assert set(Upload.objects.values_list("outcome", flat=True)) == {"created", "rejected"}
    assert UploadContent.objects.count() == 2


def test_too_large_a_file_is_refused(admin_client: Client, settings: Settings) -> None:
    settings.BENCHSITE_MAX_UPLOAD_BYTES = 2000
    big = SimpleUploadedFile("big.json", b"[" * 3000)
    alone = send(admin_client, big)
    assert alone.status_code == 413
    assert "Not kept: big.json. The file is larger than 2,000 bytes" in text_of(alone)
    big.seek(0)
    beside = send(admin_client, big, sample("llama_bench.json"))
    assert beside.status_code == 413
    assert "1 file to confirm" in text_of(beside)


def test_a_conflict_shows_both_versions_and_can_be_replaced_by_who_may(client: Client) -> None:
    run = make_run()
    changed = as_file({"experiment_run": experiment(run_id=run.pk, notes="again")})
    user = uploader(client)
    response = send(client, changed)
    assert response.status_code == 409
    assert "is here with other content" in text_of(response)
    page = response.content.decode()
    assert page.index("Replace what is here:") < page.index("Hardware, model and other fields")
    replace = {field_of(draft("experiment.json"), "replace"): "on"}
    assert press(client, "check", **replace).status_code == 409
    user.user_permissions.add(Permission.objects.get(codename="change_testrun"))
    assert "replaced" in text_of(press(client, "check"))
    press(client, "confirm")
    run.refresh_from_db()
    assert run.notes == "again"


def test_previews_are_for_who_sent_the_files(client: Client) -> None:
    uploader(client)
    send(client, sample("llama_bench.json"))
    upload = draft("llama_bench.json")
    uploader(client, name="another")
    url = f"/admin/experiments/upload/batch/{upload.batch}/"
    assert client.get(url).status_code == 404
    assert press(client, "confirm").status_code in (200, 404)
    assert TestRun.objects.count() == 0
    assert client.get(f"/admin/experiments/upload/batch/{NO_ID}/").status_code == 404


@pytest.mark.parametrize("button", ["", "burn", "use:no-id:gpu_model", "confirm:7"])
def test_a_button_that_does_not_exist_is_refused(admin_client: Client, button: str) -> None:
    send(admin_client, sample("llama_bench.json"))
    assert press(admin_client, button).status_code == 400
    assert TestRun.objects.count() == 0


@pytest.mark.parametrize(
    "value", ["device:99999999999999999999", "device:x", "x", "device:", NO_ID]
)
def test_a_machine_that_does_not_exist_changes_nothing(admin_client: Client, value: str) -> None:
    send(admin_client, sample("llama_bench.json"))
    name = field_of(draft("llama_bench.json"), "machine")
    assert press(admin_client, "check", **{name: value}).status_code == 200
    assert draft("llama_bench.json").context == {}


def test_more_files_than_have_fields_are_all_confirmed(admin_client: Client) -> None:
    data = (SAMPLES / "llama_bench.json").read_bytes()
    files = [
        SimpleUploadedFile(f"{number}.json", data.replace(b"200.0", b"%d.0" % (300 + number)))
        for number in range(MOST_FORMS + 5)
    ]
    page = send(admin_client, *files)
    assert page.content.decode().count('-sent" value="1"') == MOST_FORMS
    press(admin_client, "confirm")
    assert TestRun.objects.count() == MOST_FORMS + 5


def test_uploading_needs_the_permission(client: Client) -> None:
    assert client.get(URL).status_code == 302
    client.force_login(User.objects.create_user("staff", is_staff=True))
    assert client.get(URL).status_code == 403
    assert client.post(URL, {"text": "{}"}).status_code == 403
    assert client.get("/admin/experiments/upload/mine/").status_code == 403
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


def test_every_known_machine_is_described_so_that_choosing_it_finds_it_again(
    admin_client: Client,
) -> None:
    machines: list[dict[str, Any]] = [
        {"gpu_model": None, "cpu_model": "AMD EPYC 9754"},
        {"gpu_model": "NVIDIA A100-SXM4-40GB", "machine": {"gpu_memory_gb": 40}},
        {"gpu_model": "H100 PCIe", "gpu_count": 2, "cpu_model": "Xeon"},
        {"gpu_model": "Some New GPU", "machine": {"ram_gb": 64.5, "ram_type": "DDR5"}},
        {"gpu_model": "Radeon 8060S", "machine": {"virtualization_type": "kvm"}},
    ]
    profiles = [make_run(**machine).hardware for machine in machines]
    for number, profile in enumerate(profiles):
        data = (SAMPLES / "llama_bench_no_gpu.json").read_bytes()
        file = SimpleUploadedFile("m.json", data.replace(b"200.0", b"%d.5" % number))
        send(admin_client, file)
        press(admin_client, "check", **{field_of(draft("m.json"), "machine"): str(profile.pk)})
        press(admin_client, "confirm")
    assert HardwareProfile.objects.count() == len(profiles)
    assert ModelVariant.objects.filter(model_name="Nimbus-1B").count() == 1

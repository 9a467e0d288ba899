"""The pages “my uploads”: what people sent, and how they mend their own mistakes."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from benchmarks.models import BenchmarkScore
from experiments.models import Configuration, TestRun, Upload
from tests.experiments.form_upload import draft, field_of, press, send, text_of
from tests.factories import experiment, make_run

pytestmark = pytest.mark.django_db

MINE = "/admin/experiments/upload/mine/"
SCORES = [
    {"type": "GSM8K", "data": {"problems_solved": 700, "total_problems": 1319}},
    {
        "type": "Generic",
        "data": {"benchmark_name": "IFEval", "score": 71.5},
    },
]


def as_file(document: Any, name: str = "experiment.json") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, json.dumps(document).encode())


def uploader(client: Client, name: str = "uploader") -> User:
    """Log a member of staff in who may upload, and nothing else."""
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="add_upload"))
    client.force_login(user)
    return user


def sent(client: Client, document: Any, name: str = "experiment.json", **fields: str) -> Upload:
    """Send a document and confirm it; return its upload."""
    send(client, as_file(document, name), **fields)
    press(client, "confirm")
    return Upload.objects.filter(file_name=name).latest("created_at")


def correct(client: Client, upload: Upload, **fields: str) -> Upload:
    """Correct an upload with other fields, confirm, and return the correcting upload."""
    client.post(reverse("admin:upload-again", args=[upload.pk]))
    waiting = draft(upload.file_name)
    press(client, "check", **{field_of(waiting, name): value for name, value in fields.items()})
    press(client, "confirm")
    return Upload.objects.get(corrects=upload)


def report(client: Client, upload: Upload) -> Any:
    return client.get(reverse("admin:experiments_upload_change", args=[upload.pk]))


def test_my_uploads_are_offered_as_files(client: Client) -> None:
    uploader(client)
    good = sent(client, {"experiment_run": experiment()}, name="good.json")
    send(client, as_file({"nothing": "known"}, "bad.json"))
    page = client.get(MINE).content.decode()
    assert "?format=csv&amp;table=uploads" in page
    rows = client.get(MINE, {"format": "json", "table": "uploads"}).json()["rows"]
    assert [(row["file"], row["outcome"], row["runs"]) for row in rows] == [
        ("bad.json", "rejected", 0),
        ("good.json", "created", 1),
    ]
    assert rows[0]["reason"]
    assert rows[1]["upload"] == str(good.pk)
    text = client.get(MINE, {"format": "csv"}).content.decode()
    assert text.splitlines()[0].startswith("upload,file,sent_at,outcome,reason")
    assert client.get(MINE, {"format": "csv", "table": "none"}).status_code == 400


def test_the_list_shows_what_somebody_sent_and_nobody_elses(client: Client) -> None:
    uploader(client, name="another")
    sent(client, {"experiment_run": experiment()}, name="theirs.json")
    uploader(client)
    sent(client, {"experiment_run": experiment()}, name="mine.json")
    send(client, SimpleUploadedFile("broken.json", b"{"))
    send(client, as_file({"experiment_run": experiment()}, "waiting.json"))
    page = text_of(client.get(MINE))
    assert "Waiting to be confirmed waiting.json" in page
    assert "2 uploads, newest first" in page
    assert "broken.json" in page
    assert "mine.json" in page
    assert "1 run, 0 scores published" in page
    assert "theirs.json" not in page


@pytest.mark.parametrize("uploads", [2, 20])
def test_the_list_takes_the_same_queries_for_few_and_many(
    client: Client, uploads: int, django_assert_max_num_queries: Any
) -> None:
    uploader(client)
    for number in range(uploads):
        sent(client, {"experiment_run": experiment()}, name=f"{number}.json")
    with django_assert_max_num_queries(10):
        assert client.get(MINE).status_code == 200


def test_wrong_hardware_is_corrected_and_the_address_stays(client: Client) -> None:
    uploader(client)
    upload = sent(client, {"experiment_run": experiment(gpu_model="RTX 3090")})
    run = TestRun.objects.get()
    correcting = correct(client, upload, gpu_model="RTX 4090", gpu_count="2")
    corrected = TestRun.objects.with_names().get()
    assert corrected.pk == run.pk
    assert corrected.hardware.platform.name == "2× RTX 4090"
    assert client.get(f"/detail/{run.pk}/").status_code == 200
    counts = dict(Configuration.objects.values_list("platform__name", "runs"))
    assert counts == {"1× RTX 3090": 0, "2× RTX 4090": 1}
    assert "Corrects the upload of" in text_of(report(client, correcting))
    assert "Corrected by the upload of" in text_of(report(client, upload))


def test_a_wrong_model_takes_its_scores_along(client: Client) -> None:
    uploader(client)
    document = {
        "model_name": "Wrong-7B",
        "quantization": "Q4_K_M",
        "benchmark_scores": SCORES,
        "timestamp": "2026-11-20T09:30:00Z",
    }
    upload = sent(client, document)
    correct(client, upload, model_name="Right-7B")
    current = BenchmarkScore.objects.filter(is_current=True)
    assert set(current.values_list("variant__model_name", "benchmark__slug")) == {
        ("Right-7B", "gsm8k"),
        ("Right-7B", "ifeval"),
    }
    wrong = BenchmarkScore.objects.filter(variant__model_name="Wrong-7B")
    assert set(wrong.values_list("review_state", flat=True)) == {"withdrawn"}
    assert "Wrong-7B" not in client.get("/").content.decode()


def test_a_correction_that_is_given_up_changes_nothing(client: Client) -> None:
    uploader(client)
    upload = sent(client, {"experiment_run": experiment()})
    client.post(reverse("admin:upload-again", args=[upload.pk]))
    press(client, "discard")
    assert Upload.objects.get() == upload
    assert TestRun.objects.get().review_state == "published"


def test_a_refused_file_is_sent_again_with_what_it_lacked(client: Client) -> None:
    uploader(client)
    document = experiment(machine={"gpu_memory_gb": 24}, gpu_count=2)
    document["backend"] = " "
    send(client, as_file({"experiment_run": document}))
    refused = Upload.objects.get()
    assert refused.outcome == "rejected"
    assert "Send it again" in text_of(report(client, refused))
    client.post(reverse("admin:upload-again", args=[refused.pk]))
    assert draft("experiment.json").corrects is None
    assert Upload.objects.get(pk=refused.pk).outcome == "rejected"


def test_people_withdraw_and_restore_what_they_sent(client: Client) -> None:
    uploader(client)
    upload = sent(client, {"experiment_run": experiment(benchmark_scores=SCORES)})
    run = TestRun.objects.get()
    data = {"reason": "the fan was broken"}
    page = client.post(reverse("admin:upload-withdraw", args=[upload.pk]), data, follow=True)
    assert "Withdrawn: 1 run and 2 scores" in text_of(page)
    visitor = Client()
    gone = visitor.get(f"/detail/{run.pk}/")
    assert gone.status_code == 410
    assert "the fan was broken" in gone.content.decode()
    assert "3 withdrawn or rejected" in text_of(client.get(MINE))
    page = client.post(reverse("admin:upload-restore", args=[upload.pk]), follow=True)
    assert "Restored: 1 run and 2 scores" in text_of(page)
    assert visitor.get(f"/detail/{run.pk}/").status_code == 200
    assert BenchmarkScore.objects.filter(is_current=True).count() == 2


def test_what_a_curator_took_out_stays_out(client: Client, admin_client: Client) -> None:
    uploader(client)
    upload = sent(client, {"experiment_run": experiment()})
    admin_client.post(reverse("admin:upload-withdraw", args=[upload.pk]))
    page = client.post(reverse("admin:upload-restore", args=[upload.pk]), follow=True)
    assert page.status_code in (200, 403)
    assert TestRun.objects.get().review_state == "withdrawn"
    admin_client.post(reverse("admin:upload-restore", args=[upload.pk]))
    assert TestRun.objects.get().review_state == "published"


def test_nobody_touches_what_others_sent(client: Client) -> None:
    uploader(client)
    upload = sent(client, {"experiment_run": experiment()})
    uploader(client, name="another")
    assert report(client, upload).status_code == 403
    for action in ("again", "withdraw", "restore"):
        url = reverse(f"admin:upload-{action}", args=[upload.pk])
        assert client.post(url).status_code == 403
        assert client.get(url).status_code == 405
    assert TestRun.objects.get().review_state == "published"


def test_who_may_only_view_uploads_reads_the_report_and_has_no_button(client: Client) -> None:
    make_run()
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_upload"))
    client.force_login(user)
    upload = Upload.objects.get()
    page = report(client, upload).content.decode()
    assert "What it made" in page
    assert "<button" not in page.split('id="content-main"')[1].split("</main>")[0]
    assert "The file as it was received" not in page
    assert client.get(reverse("admin:upload-raw", args=[upload.pk])).status_code == 403
    missing = reverse("admin:experiments_upload_change", args=["no-id"])
    assert client.get(missing).status_code == 404


def test_a_reason_that_cannot_be_stored_withdraws_nothing(client: Client) -> None:
    uploader(client)
    upload = sent(client, {"experiment_run": experiment()})
    url = reverse("admin:upload-withdraw", args=[upload.pk])
    page = client.post(url, {"reason": "a\x00b"}, follow=True)
    assert "Nothing was withdrawn" in text_of(page)
    assert TestRun.objects.get().review_state == "published"


def test_a_wrong_name_is_not_offered_as_known_once_it_is_corrected(client: Client) -> None:
    uploader(client)
    upload = sent(client, {"experiment_run": experiment(model_name="Wrong-7B")})
    correct(client, upload, model_name="Right-7B", gpu_model="RTX 3060")
    page = send(client, as_file({"experiment_run": experiment(model_name="Wrong-7B")}, "w.json"))
    assert "Wrong-7B · Q4_K_M new" in text_of(page)
    assert "1× RTX 4090 new" in text_of(page)
    find = field_of(draft("w.json"), "find_variant")
    found = press(client, "find", **{find: "7b"})
    assert "Right-7B · Q4_K_M" in text_of(found)
    assert "Wrong-7B · Q4_K_M" not in text_of(found).split("Find a known model")[1]

"""A preview of many files: what stands where, what fills the gaps of all, what is in doubt."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from experiments.models import TestRun, Upload
from tests.experiments.form_upload import draft, field_of, press, send, text_of
from tests.experiments.test_llama_bench import row
from tests.factories import experiment, make_run

pytestmark = pytest.mark.django_db


def as_file(document: Any, name: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, json.dumps(document).encode())


def test_a_known_machine_and_a_known_model_fill_the_gaps_of_several_files(
    admin_client: Client,
) -> None:
    """Of the model only what a file lacks is taken: their quantizations stay theirs."""
    known = make_run(model_name="meta/Known-8B", quantization="AWQ", gpu_model="H100", gpu_count=8)
    rows = [row(gpu_info="", cpu_info="", model_filename="ggml-model.gguf", avg_ts=50.0)]
    rows[0]["model_type"] = "llama 8B Q4_K - Medium"
    other = [rows[0] | {"model_type": "llama 8B Q8_0", "avg_ts": 40.0}]
    send(admin_client, as_file(rows, "a.json"), as_file(other, "b.json"))
    found = press(admin_client, "find", **{"all-find_machine": "h100 8", "all-find_variant": "kno"})
    page = found.content.decode()
    assert f'name="all-machine" value="{known.hardware_id}"' in page
    assert f'name="all-variant" value="{known.variant_id}"' in page
    fragment = admin_client.get(
        "/admin/experiments/upload/known/machine/", {"prefix": "all", "all-find_machine": "h100"}
    )
    assert f'name="all-machine" value="{known.hardware_id}"' in fragment.content.decode()
    chosen = {"all-machine": f"{known.hardware_id}", "all-variant": f"{known.variant_id}"}
    press(admin_client, "check", **chosen)
    press(admin_client, "confirm")
    runs = TestRun.objects.filter(hardware=known.hardware).exclude(pk=known.pk)
    assert sorted(runs.values_list("variant__model_name", "variant__quantization")) == [
        ("meta/Known-8B", "Q4_K_M"),
        ("meta/Known-8B", "Q8_0"),
    ]


def test_an_overview_says_of_every_file_what_is_to_do(admin_client: Client) -> None:
    run = make_run()
    page = send(
        admin_client,
        as_file([row()], "good.json"),
        as_file([row(gpu_info="", cpu_info="", model_filename="model.gguf")], "bare.json"),
        as_file({"experiment_run": experiment(run_id=run.pk, notes="again")}, "here.json"),
        SimpleUploadedFile("log.txt", b"hello"),
    )
    text = text_of(page)
    assert "3 files to confirm, 1 of them ready. 1 file was refused." in text
    assert "good.json ready bare.json lacks: Model, GPU here.json is here already" in text
    assert "log.txt refused" in text
    markup = page.content.decode()
    for upload in Upload.objects.filter(batch__isnull=False):
        anchor = f"file-{upload.pk.hex}"
        assert f'href="#{anchor}"' in markup
        assert f'id="{anchor}"' in markup


def test_what_became_of_files_stands_in_their_order_with_what_tells_runs_apart(
    admin_client: Client,
) -> None:
    rows = [row(n_depth=0), row(n_depth=4096, avg_ts=150.0)]
    send(admin_client, as_file(rows, "deep.json"), SimpleUploadedFile("log.txt", b"hello"))
    page = text_of(press(admin_client, "confirm"))
    assert page.index("deep.json created: 2 runs") < page.index("log.txt refused")
    assert "1× RTX 4090 , 128 out, 1 at once: Generation speed 192.7 tok/s created" in page
    assert "128 out, depth 4,096, 1 at once: Generation speed 150.0 tok/s created" in page


def test_bytes_that_were_accepted_before_are_not_called_ready(admin_client: Client) -> None:
    send(admin_client, as_file([row()], "one.json"))
    press(admin_client, "confirm")
    again = send(admin_client, as_file([row()], "one.json"), as_file([row(n_gen=64)], "two.json"))
    assert "one.json was here before two.json ready" in text_of(again)


def test_scores_that_will_not_be_ranked_are_marked_before_they_are_written(
    admin_client: Client,
) -> None:
    scores = [
        {"type": "HellaSwag", "data": {"accuracy": 0.81}},
        {"type": "MMLU", "data": {"categories": [{"category": "law", "score": 41.0}]}},
        {"type": "HellaSwag", "data": {"accuracy": 80.0}},
    ]
    document = {"model_name": "m", "quantization": "Q8_0", "benchmark_scores": scores}
    page = text_of(send(admin_client, as_file(document, "scores.json")))
    assert "0.810 looks like a fraction: not ranked until confirmed" in page
    assert "41.0 partial: kept, never ranked" in page
    press(admin_client, "confirm")
    assert "created: 3 scores" in Upload.objects.get().report["summary"]


def test_what_was_replaced_is_not_called_created(admin_client: Client) -> None:
    run = make_run()
    changed = {"experiment_run": experiment(run_id=run.pk, notes="again")}
    send(admin_client, as_file(changed, "again.json"))
    press(admin_client, "confirm", **{field_of(draft("again.json"), "replace"): "on"})
    run.refresh_from_db()
    assert run.notes == "again"
    assert Upload.objects.get(file_name="again.json").report["summary"] == "replaced: 1 run"


def test_my_uploads_list_a_preview_once_for_all_its_files(admin_client: Client) -> None:
    files = [as_file([row(n_gen=count)], f"{count}.json") for count in (1, 2, 3)]
    send(admin_client, *files)
    send(admin_client, text=json.dumps([row(n_gen=4)]))
    page = text_of(admin_client.get("/admin/experiments/upload/mine/"))
    assert page.index("Pasted text , sent") < page.index("1.json and 2 more , sent")


def test_my_uploads_say_why_a_file_was_refused_and_its_report_what_helps(
    admin_client: Client,
) -> None:
    send(admin_client, SimpleUploadedFile("log.txt", b"hello"))
    page = text_of(admin_client.get("/admin/experiments/upload/mine/"))
    assert "log.txt" in page
    assert "rejected No known format matches this file." in page
    upload = Upload.objects.get()
    report = text_of(admin_client.get(f"/admin/experiments/upload/{upload.pk}/change/"))
    assert "No field beside it can mend this: repair the file" in report

"""Twelve files of one sweep become one curve: by one command, and by one form."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from experiments.models import Sweep, TestRun
from tests.experiments.form_upload import press, send
from tests.experiments.parsed import sample
from tests.experiments.test_import_results import run as import_results
from tests.factories import make_staff

CONCURRENCIES = (1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 256)
LABEL = "Nimbus on two H100, December"


def result(concurrency: int) -> bytes:
    """Return what vllm bench serve writes for a point: more users are slower, together faster."""
    record: dict[str, Any] = sample("vllm_serve.json")
    requests = concurrency * 10
    ttft, tpot = 40 + 2.5 * concurrency, 8 + concurrency / 8
    duration = requests / concurrency * (ttft + 255 * tpot) / 1000
    scaled = {
        "num_prompts": requests,
        "max_concurrency": concurrency,
        "max_concurrent_requests": concurrency + 2,
        "completed": requests,
        "duration": duration,
        "total_input_tokens": requests * 1024,
        "total_output_tokens": requests * 256,
        "request_throughput": requests / duration,
        "output_throughput": requests * 256 / duration,
        "total_token_throughput": requests * 1280 / duration,
        "max_output_tokens_per_s": requests * 300 / duration,
    }
    means = {"ttft": ttft, "tpot": tpot, "itl": tpot, "e2el": ttft + 255 * tpot}
    for name, mean in means.items():
        for statistic, factor in (("mean", 1), ("median", 0.97), ("std", 0.1), ("p99", 1.4)):
            scaled[f"{statistic}_{name}_ms"] = mean * factor
    return json.dumps(record | scaled).encode()


def by_command(client: Client, folder: Path) -> None:
    """Import a folder: `manage.py import_results FOLDER --sweep … --gpu-model … --backend …`."""
    for concurrency in CONCURRENCIES:
        (folder / f"nimbus-c{concurrency}.json").write_bytes(result(concurrency))
    printed, complaint = import_results(
        folder,
        "--sweep",
        LABEL,
        "--backend",
        "vLLM",
        "--gpu-model",
        "H100 SXM",
        "--gpu-count",
        "2",
    )
    assert complaint is None, printed


def by_form(client: Client, _folder: Path) -> None:
    """Send all files with one form, and confirm what it shows."""
    client.force_login(make_staff())
    files = [
        SimpleUploadedFile(f"nimbus-c{concurrency}.json", result(concurrency))
        for concurrency in CONCURRENCIES
    ]
    context = {"sweep": LABEL, "backend": "vLLM", "gpu_model": "H100 SXM", "gpu_count": "2"}
    preview = send(client, *files, **context)
    assert TestRun.objects.count() == 0
    assert preview.content.decode().count("nimbus-c") >= len(CONCURRENCIES)
    press(client, "confirm")


def by_preview(client: Client, _folder: Path) -> None:
    """Send all files without a word, and say in the preview what is the same for all of them."""
    client.force_login(make_staff())
    files = [
        SimpleUploadedFile(f"nimbus-c{concurrency}.json", result(concurrency))
        for concurrency in CONCURRENCIES
    ]
    preview = send(client, *files).content.decode()
    assert 'name="all-sweep"' in preview
    given = {"sweep": LABEL, "backend": "vLLM", "gpu_model": "H100 SXM", "gpu_count": "2"}
    press(client, "confirm", **{f"all-{name}": value for name, value in given.items()})


@pytest.mark.parametrize("way_in", [by_command, by_form, by_preview])
def test_twelve_files_of_one_sweep_are_one_curve(
    db: None, client: Client, tmp_path: Path, way_in: Callable[[Client, Path], None]
) -> None:
    way_in(client, tmp_path)
    sweep = Sweep.objects.get()
    assert sweep.label == LABEL
    runs = sweep.runs.order_by("concurrent_requests")
    assert [run.concurrent_requests for run in runs] == list(CONCURRENCIES)
    assert TestRun.objects.count() == 12
    assert runs.values("configuration").distinct().count() == 12
    client.logout()
    page = client.get(f"/detail/{runs[5].pk}/").content.decode()
    for run in runs:
        assert f"/detail/{run.pk}/" in page or run == runs[5]
    assert "12 runs of one invocation" in page
    assert LABEL in page
    answer = client.get(f"/detail/{runs[5].pk}/?format=json&table=sweep").json()
    assert len(answer["rows"]) == 12
    listed = client.get("/api/runs?page_size=50").json()
    assert {item["id"] for item in listed["runs"]} == {str(run.pk) for run in runs}


def test_files_without_a_label_are_no_curve(db: None, tmp_path: Path) -> None:
    """A curve is never stitched together from files that nobody said belong together."""
    for concurrency in (1, 8):
        (tmp_path / f"c{concurrency}.json").write_bytes(result(concurrency))
    import_results(tmp_path, "--backend", "vLLM", "--gpu-model", "H100 SXM")
    assert TestRun.objects.count() == 2
    assert Sweep.objects.count() == 2

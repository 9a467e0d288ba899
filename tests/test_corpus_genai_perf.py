"""AIPerf files of the corpus by API and form, against values read from them by hand and by path."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from experiments.models import TestRun, Upload
from tests.corpus import Row, corpus_files, figures_of, golden_rows, post_file
from tests.experiments.form_upload import field_of, press, send
from tests.factories import make_staff

FOLDERS = ("aiperf", "aiperf-synthetic")
ASKED = {"quantization": "BF16", "backend": "vLLM"}
SIBLINGS = ("gpu_telemetry_export.jsonl", "profile_export.jsonl")
STATISTICS = {"avg": "mean"}
# By the tool's name: metric, definition, factor to the registry's unit.
METRICS = {
    "time_to_first_token": ("ttft_ms", "client"),
    "inter_token_latency": ("tpot_ms", "excl_first"),
    "inter_chunk_latency": ("itl_ms", "all_gaps"),
    "request_latency": ("e2e_latency_ms", "client"),
    "output_token_throughput": ("tokens_per_second", "wall_clock"),
    "output_token_throughput_per_user": ("tokens_per_second_per_user", "per_request"),
    "request_throughput": ("requests_per_second", "wall_clock"),
    "prefill_throughput": ("prompt_processing_speed", "per_request"),
}


def detail_of(client: Client, body: dict[str, Any]) -> dict[str, Any]:
    (run,) = body["runs"]
    return dict(client.get(f"/api/detail/{run}").json())


def test_files_give_the_golden_values_or_the_reason_why_not(
    corpus: Path, client: Client, token: str
) -> None:
    expected = golden_rows(corpus, FOLDERS)
    checked = 0
    for path in corpus_files(corpus, FOLDERS):
        asked = post_file(client, token, path)
        if path.name.endswith(SIBLINGS):
            assert asked.status_code == 415, path.name
            assert "send profile_export_aiperf.json" in asked.json()["details"][0]["message"]
            continue
        assert (asked.status_code, asked.json()["missing"]) == (422, list(ASKED)), path.name
        response = post_file(client, token, path, **ASKED)
        assert response.status_code == 201, response.json()
        detail = detail_of(client, response.json())
        for want in expected[f"{path.parent.name}/{path.name}"]:
            check_golden(detail, want)
            checked += 1
        again = post_file(client, token, path, **ASKED)
        assert (again.status_code, again.json()["outcome"]) == (200, "unchanged")
    assert checked == sum(map(len, expected.values())) == 3


def check_golden(detail: dict[str, Any], want: Row) -> None:
    found = figures_of(detail)
    about = pytest.approx
    assert want["unit"] == "ms"
    assert found["requests_per_second", "mean", "wall_clock"] == about(want["rps"], abs=1e-4)
    assert found["tokens_per_second", "mean", "wall_clock"] == about(want["out_tok_s"], abs=1e-4)
    assert found["tokens_per_second_per_user", "mean", "per_request"] == about(
        want["per_user"], abs=1e-4
    )
    assert found["ttft_ms", "mean", "client"] == about(want["ttft"], abs=1e-3)
    assert found["tpot_ms", "mean", "excl_first"] == about(want["itl"], abs=1e-4)
    assert found["e2e_latency_ms", "mean", "client"] == about(want["lat"], abs=1e-4)
    assert found["e2e_latency_ms", "p99", "client"] == about(want["p99"], abs=1e-4)
    workload = detail["workload"]
    assert workload["input_tokens"] == want["isl"]
    assert workload["output_tokens"] == about(want["osl"], abs=1e-4)
    assert (workload["load_kind"], workload["concurrent_requests"]) == ("serving", want["conc"])
    assert detail["config"]["model"] == want["model"]


def test_every_figure_of_the_files_is_there_as_the_file_has_it(
    corpus: Path, client: Client, token: str
) -> None:
    """Each figure, read by its path, stands in the answer under its metric and statistic."""
    for path in corpus_files(corpus, FOLDERS):
        if path.name.endswith(SIBLINGS):
            continue
        record = json.loads(path.read_text(encoding="utf-8"))
        detail = detail_of(client, post_file(client, token, path, **ASKED).json())
        found = figures_of(detail)
        for name, (metric, definition) in METRICS.items():
            for key, value in record[name].items():
                if key != "unit":
                    statistic = STATISTICS.get(key, key)
                    assert found[metric, statistic, definition] == value, (name, key)
        first = next(iter(record["telemetry_data"]["endpoints"].values()))  # two see one GPU
        gpu = first["gpus"]["gpu_0"]
        assert found["gpu_power_watts", "mean", "gpu"] == gpu["metrics"]["gpu_power_usage"]["avg"]
        assert found["memory_usage_gb", "mean", None] == gpu["metrics"]["gpu_memory_used"]["avg"]
        system = detail["system_info"]
        assert (system["gpu_model"], system["gpu_count"]) == ("RTX 6000 Ada", 1)
        assert TestRun.objects.get(pk=detail["config"]["id"]).configured_output_tokens == 200
        assert record["telemetry_data"]["summary"]["endpoints_successful"][0] not in str(detail)


def test_a_folder_of_concurrencies_is_one_curve(corpus: Path, client: Client, token: str) -> None:
    """Three files with one label are one sweep; none of them alone is."""
    for path in corpus_files(corpus, ("aiperf",)):
        if not path.name.endswith(SIBLINGS):
            post_file(client, token, path, sweep="qwen", **ASKED)
    runs = TestRun.objects.all()
    assert set(runs.values_list("concurrent_requests", flat=True)) == {1, 2, 4}
    assert runs.values("sweep").distinct().count() == 1


def test_the_form_makes_what_the_api_makes(corpus: Path, client: Client, token: str) -> None:
    client.force_login(make_staff())
    paths = list(corpus_files(corpus, ("aiperf",)))
    send(client, *(SimpleUploadedFile(path.name, path.read_bytes()) for path in paths))
    drafts = [upload for upload in Upload.objects.drafts() if upload.report["missing"]]
    assert {tuple(upload.report["missing"]) for upload in drafts} == {tuple(ASKED)}
    given = {field_of(upload, name): ASKED[name] for upload in drafts for name in ASKED}
    press(client, "confirm", **given)
    for path in paths:
        upload = Upload.objects.get(file_name=path.name)
        if path.name.endswith(SIBLINGS):
            assert upload.outcome == "rejected", path.name
            continue
        assert upload.outcome == "created", path.name
        made = [str(item.run_id) for item in upload.items.order_by("id")]
        again = post_file(client, token, path, **ASKED).json()
        assert (again["outcome"], again["runs"]) == ("unchanged", made), path.name

"""MLPerf and Ollama files of the corpus by API and form, against values read from them."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from experiments.models import Upload
from tests.corpus import corpus_files, figures_of, golden_rows, post_file
from tests.experiments.form_upload import field_of, press, send
from tests.factories import make_staff

OLLAMA, MLPERF = ("ollama",), ("mlperf",)
NVFP4 = "-nvfp4--"
GPU = {"gpu_model": "M4 Max"}
LANGUAGE = ("llama", "gpt", "mixtral")
REFUSED = {"--HPE--summary.csv": (422, "no row"), "--mlperf-5.": (415, "as it is published")}


def asked(path: Path) -> dict[str, str]:
    """Return what an answer of Ollama lacks: of two models the tag says the quantization."""
    return GPU if NVFP4 in path.name else {"quantization": "Q4_K_M", **GPU}


def refused(path: Path) -> tuple[int, str] | None:
    return next((REFUSED[words] for words in REFUSED if words in path.name), None)


def test_answers_of_ollama_give_the_golden_values(corpus: Path, client: Client, token: str) -> None:
    expected = golden_rows(corpus, OLLAMA)
    speeds = {True: 0, False: 0}
    for path in corpus_files(corpus, OLLAMA):
        lacking = post_file(client, token, path)
        assert (lacking.status_code, lacking.json()["missing"]) == (422, list(asked(path)))
        response = post_file(client, token, path, **asked(path))
        assert response.status_code == 201, response.json()
        (run,) = response.json()["runs"]
        detail = client.get(f"/api/detail/{run}").json()
        found = figures_of(detail)
        (want,) = expected[f"ollama/{path.name}"]
        decode = found["tokens_per_second", "mean", "decode"]
        assert decode == pytest.approx(want["tok_s"], abs=1e-4)
        assert detail["workload"]["input_tokens"] == want["prompt_n"]
        assert want["model"].startswith(detail["config"]["model"])
        # Only where the model was loaded for it was the prompt surely read.
        cold = "--run_1" in path.name
        key = (
            ("prompt_processing_speed", "mean", "prefill")
            if cold
            else ("prompt_speed_maybe_cached", "mean", None)
        )
        assert found[key] == pytest.approx(want["prompt_tok_s"], abs=1e-4)
        assert (("prompt_processing_speed", "mean", "prefill") in found) == cold
        assert (("model_loading_time", "mean", None) in found) == cold
        speeds[cold] += 1
        check_by_path(detail, json.loads(path.read_text(encoding="utf-8")))
        again = post_file(client, token, path, **asked(path))
        assert (again.status_code, again.json()["outcome"]) == (200, "unchanged")
    assert speeds == {True: 4, False: 4}


def check_by_path(detail: dict[str, Any], record: dict[str, Any]) -> None:
    """Compare with the file's own numbers; its texts are nowhere in the answer."""
    found = figures_of(detail)
    assert found["e2e_latency_ms", "mean", "server"] == pytest.approx(
        record["total_duration"] / 1e6
    )
    assert detail["workload"]["output_tokens"] == record["eval_count"]
    assert detail["workload"]["load_kind"] == "isolated"
    assert record["message"]["content"][:40] not in json.dumps(detail, ensure_ascii=False)


def test_rows_of_mlperf_are_the_language_models_of_the_file(
    corpus: Path, client: Client, token: str
) -> None:
    for path in corpus_files(corpus, MLPERF):
        lacking = post_file(client, token, path).json()
        response = post_file(client, token, path, quantization="FP8")
        if why := refused(path):
            assert response.status_code == why[0], path.name
            assert why[1] in response.json()["details"][0]["message"]
            continue
        assert lacking["missing"] == ["quantization"]
        body = response.json()
        with path.open(encoding="utf-8", newline="") as lines:
            rows = [row for row in csv.DictReader(lines) if row["Model"].startswith(LANGUAGE)]
        assert len(body["runs"]) == len(rows) == 10
        assert len(set(body["runs"])) == 10
        for run, row in zip(body["runs"], rows, strict=True):
            check_row(client.get(f"/api/detail/{run}").json(), row)
        told = [item for item in body["warnings"] if "language models" in item["message"]]
        assert [item["value"] for item in told] == [16]


def check_row(detail: dict[str, Any], row: dict[str, str]) -> None:
    definition = "wall_clock" if row["Scenario"] == "Offline" else "latency_bound"
    found = figures_of(detail)
    assert found["tokens_per_second", "mean", definition] == float(row["Result"])
    assert row["Model"].startswith(detail["config"]["model"])
    kind = {"Offline": "batch", "Server": "serving"}[row["Scenario"]]
    assert detail["workload"]["load_kind"] == kind
    assert detail["workload"]["concurrent_requests"] is None


def test_the_form_makes_what_the_api_makes(corpus: Path, client: Client, token: str) -> None:
    client.force_login(make_staff())
    paths = list(corpus_files(corpus, (*OLLAMA, *MLPERF)))
    send(client, *(SimpleUploadedFile(path.name, path.read_bytes()) for path in paths))
    given = {"quantization": "Q4_K_M", **GPU}
    drafts = [upload for upload in Upload.objects.drafts() if upload.report["missing"]]
    press(
        client,
        "confirm",
        **{
            field_of(upload, name): given[name]
            for upload in drafts
            for name in upload.report["missing"]
        },
    )
    for path in paths:
        upload = Upload.objects.get(file_name=path.name)
        why = refused(path)
        assert upload.outcome == ("rejected" if why else "created"), path.name
        if not why:
            made = [str(item.run_id) for item in upload.items.order_by("id")]
            context = {"quantization": "Q4_K_M"} if path.parent.name == "mlperf" else asked(path)
            again = post_file(client, token, path, **context).json()
            assert (again["outcome"], again["runs"]) == ("unchanged", made), path.name

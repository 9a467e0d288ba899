"""llmperf files of the corpus by API and form, against values read by hand and by path."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from experiments.models import TestRun, Upload
from tests.corpus import corpus_files, figures_of, golden_rows, post_file
from tests.experiments.form_upload import field_of, press, send
from tests.factories import make_staff

FOLDERS = ("llmperf",)
ASKED = {"quantization": "BF16", "backend": "vLLM", "gpu_model": "A10G"}
NO_SUMMARIES = {
    "meta-llama_Meta-Llama-3-8B-Instruct_tp_1_summary.json": "*_results.json",
    "mistralai_Mistral-7B-Instruct-v0.2_tp_1_summary.json": "*_results.json",
    "lepton_7b.json": "*_summary.json",
}
SECONDS = {
    "ttft_s": ("ttft_ms", "client"),
    "inter_token_latency_s": ("tpot_ms", "incl_first"),
    "end_to_end_latency_s": ("e2e_latency_ms", "client"),
}
STATISTICS = {"stddev": "std"}
# What the files contradict themselves in.
CHUNKS = ("replicate_13b.json",)
FEWER_THAN_ALLOWED = ("_5500_350_summary.json", "_150_5500_summary.json")


def no_summary(path: Path) -> str | None:
    return next((NO_SUMMARIES[name] for name in NO_SUMMARIES if path.name.endswith(name)), None)


def summaries(path: Path) -> Iterator[dict[str, Any]]:
    """Read the summaries of a file without the site's parsers."""
    record = json.loads(path.read_text(encoding="utf-8"))
    yield from [record] if "model" in record else record.values()


def test_files_give_the_golden_values_or_the_reason_why_not(
    corpus: Path, client: Client, token: str
) -> None:
    expected = golden_rows(corpus, FOLDERS)
    checked = 0
    for path in corpus_files(corpus, FOLDERS):
        asked = post_file(client, token, path)
        if instead := no_summary(path):
            assert asked.status_code == 415, path.name
            assert instead in asked.json()["details"][0]["message"]
            continue
        assert (asked.status_code, asked.json()["missing"]) == (422, list(ASKED)), path.name
        body = post_file(client, token, path, **ASKED).json()
        details = [client.get(f"/api/detail/{run}").json() for run in body["runs"]]
        for want in expected[f"llmperf/{path.name}"]:
            if "note" in want:
                assert len(details) == 8
                continue
            (detail,) = details
            found = figures_of(detail)
            for key, value in (
                (("ttft_ms", "mean", "client"), want["ttft_ms"]),
                (("tpot_ms", "mean", "incl_first"), want["itl_ms"]),
                (("tokens_per_second_per_user", "mean", "per_request_e2e"), want["per_req_tok_s"]),
                (("tokens_per_second", "mean", "wall_clock"), want["agg_tok_s"]),
            ):
                assert found[key] == pytest.approx(value, abs=1e-4), (path.name, key)
            assert detail["workload"]["concurrent_requests"] == want["conc"]
            assert want["model"].endswith(detail["config"]["model"]) or want["model"].startswith(
                detail["config"]["model"]
            )
            checked += 1
        again = post_file(client, token, path, **ASKED)
        assert (again.status_code, again.json()["outcome"]) == (200, "unchanged")
    assert checked == 9


def test_every_figure_of_the_files_is_there_as_the_file_has_it(
    corpus: Path, client: Client, token: str
) -> None:
    """Each figure, read by its path, stands in the answer; so do lengths, failures and doubts."""
    for path in corpus_files(corpus, FOLDERS):
        if no_summary(path):
            continue
        body = post_file(client, token, path, **ASKED).json()
        for run, record in zip(body["runs"], summaries(path), strict=True):
            detail = client.get(f"/api/detail/{run}").json()
            found = figures_of(detail)
            for key, value in record.items():
                for name, (metric, definition) in SECONDS.items():
                    if match := re.fullmatch(rf"results_{name}_(?:quantiles_)?(\w+)", key):
                        statistic = STATISTICS.get(match[1], match[1])
                        assert found[metric, statistic, definition] == pytest.approx(1000 * value)
            workload = detail["workload"]
            assert workload["input_tokens"] == record["results_number_input_tokens_mean"]
            assert workload["output_tokens"] == record["results_number_output_tokens_mean"]
            stored = TestRun.objects.get(pk=run)
            assert stored.configured_input_tokens == record["mean_input_tokens"]
            assert found["error_rate", "mean", "of_sent"] == pytest.approx(
                100 * record["results_error_rate"]
            )
        told = " ".join(item["message"] for item in body["warnings"])
        assert ("counted chunks" in told) == path.name.endswith(CHUNKS), path.name
        assert ("Fewer requests" in told) == path.name.endswith(FEWER_THAN_ALLOWED), path.name
        assert ("provider of models" in told) == ("leaderboard" in path.name), path.name


def test_summaries_by_concurrency_are_one_sweep(corpus: Path, client: Client, token: str) -> None:
    for path in corpus_files(corpus, FOLDERS):
        if path.name.endswith("_results.json"):
            runs = TestRun.objects.filter(
                pk__in=post_file(client, token, path, **ASKED).json()["runs"]
            )
            assert runs.values("sweep").distinct().count() == 1
            concurrencies = set(runs.values_list("concurrent_requests", flat=True))
            assert concurrencies == {1, 2, 4, 8, 16, 32, 64, 128}
            assert runs.count() == 8


def test_the_form_makes_what_the_api_makes(corpus: Path, client: Client, token: str) -> None:
    client.force_login(make_staff())
    paths = list(corpus_files(corpus, FOLDERS))
    send(client, *(SimpleUploadedFile(path.name, path.read_bytes()) for path in paths))
    drafts = [upload for upload in Upload.objects.drafts() if upload.report["missing"]]
    assert {tuple(upload.report["missing"]) for upload in drafts} == {tuple(ASKED)}
    press(
        client,
        "confirm",
        **{field_of(upload, name): ASKED[name] for upload in drafts for name in ASKED},
    )
    for path in paths:
        upload = Upload.objects.get(file_name=path.name)
        assert upload.outcome == ("rejected" if no_summary(path) else "created"), path.name
        if not no_summary(path):
            made = [str(item.run_id) for item in upload.items.order_by("id")]
            again = post_file(client, token, path, **ASKED).json()
            assert (again["outcome"], again["runs"]) == ("unchanged", made), path.name

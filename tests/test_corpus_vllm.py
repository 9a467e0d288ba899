"""vLLM's files of the corpus by API and form, against values taken by hand and by path."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from experiments.models import TestRun, Upload
from tests.corpus import Row, corpus_files, figures_of, golden_rows, post_file
from tests.experiments.form_upload import field_of, press, send
from tests.factories import make_staff

FOLDERS = ("vllm-serve", "vllm-latency", "vllm-throughput")
# What the uploader knows: these files name neither engine nor machine.
CONTEXT = {
    "model_name": "acme/Nimbus-7B",
    "quantization": "BF16",
    "backend": "vLLM",
    "gpu_model": "H100 SXM",
    "gpu_count": "8",
}
QUANTIZED = ("NVFP4", "-FP8", "-BF16", "-nvfp4")  # names that tell the quantization
SERVE_LATENCIES = {
    "ttft": ("ttft_ms", "client"),
    "tpot": ("tpot_ms", "excl_first"),
    "itl": ("itl_ms", "all_gaps"),
    "e2el": ("e2e_latency_ms", "client"),
}
WALL_CLOCK = "wall_clock"
# What names of files and folders tell, as they stand in the corpus.
SUGGESTED = {
    "dgx-spark-benchmarks__results--gemma-4--gemma-4-31b-it--bf16--08": {
        "gpu_model": "GB10",
        "quantization": "BF16",
    },
    "cmontemuino__amd-mi300x": {
        "gpu_model": "MI300X",
        "model_name": "Llama-3.1-8B",
        "quantization": "F16",
        "input_tokens": "128",
        "output_tokens": "128",
    },
    "_latency_bs8_": {"concurrent_requests": "8"},
    "latency_test_ip2048_op2048_np64": {
        "gpu_model": "H100 SXM",
        "gpu_count": "8",
        "input_tokens": "2048",
        "output_tokens": "2048",
        "concurrent_requests": "64",
    },
    "4Mi300x-throughput-quark": {
        "gpu_model": "MI300X",
        "gpu_count": "4",
        "model_name": "Meta-Llama-3.1-405B-Instruct",
        "quantization": "FP8",
    },
    "dsr1_1k1k_fp4_sglang": {
        "gpu_model": "B200",
        "gpu_count": "4",
        "quantization": "FP4",
        "backend": "sglang",
    },
    "b200-trt": {"gpu_model": "B200", "gpu_count": "8", "backend": "tensorrt-llm"},
}


def files(corpus: Path) -> Iterator[Path]:
    """Yield all files in vLLM's formats; those of InferenceX are raw results of single runs."""
    yield from corpus_files(corpus, FOLDERS)
    yield from sorted((corpus / "inferencex").glob("*dsr1_1k1k_*b200*.json"))


def content_of(path: Path) -> Row:
    loaded: Row = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def lacking(path: Path) -> list[str]:
    """Name what a file does not say and the site needs."""
    name = content_of(path).get("model_id")
    needed = [] if name else ["model_name"]
    if not name or not str(name).endswith(QUANTIZED):
        needed.append("quantization")
    return [*needed, "backend", "gpu_model"]


def post_known(client: Client, token: str, path: Path) -> tuple[list[str], Any]:
    """Send a file with what it lacks; return that, and the answer."""
    names = lacking(path)
    context = {name: CONTEXT[name] for name in [*names, "gpu_count"]}
    return names, post_file(client, token, path, **context)


def expected_of_serve(record: Row) -> dict[tuple[str, str, str], float]:
    """Take the figures of a serving run by their keys."""
    seconds = record["duration"]
    failed = record.get("failed", record["num_prompts"] - record["completed"])
    expected = {
        ("tokens_per_second", "mean", WALL_CLOCK): record["output_throughput"],
        ("total_tokens_per_second", "mean", WALL_CLOCK): record["total_token_throughput"],
        ("requests_per_second", "mean", WALL_CLOCK): record["request_throughput"],
        ("prompt_processing_speed", "mean", WALL_CLOCK): record["total_input_tokens"] / seconds,
        ("error_rate", "mean", "of_sent"): 100 * failed / (failed + record["completed"]),
    }
    if "max_output_tokens_per_s" in record:
        key = ("tokens_per_second", "max", "busiest_second")
        expected[key] = record["max_output_tokens_per_s"]
    for name, (metric, definition) in SERVE_LATENCIES.items():
        for statistic in ("mean", "std", "p50", "p90", "p95", "p99"):
            value = record.get(f"{statistic}_{name}_ms", record.get(f"median_{name}_ms"))
            stands = f"{statistic}_{name}_ms" in record or statistic == "p50"
            if stands and value is not None:
                expected[(metric, statistic, definition)] = value
    return expected


def expected_of(path: Path) -> dict[tuple[str, str, str], float]:
    """Read a file anew, by the paths of its keys."""
    record = content_of(path)
    if "model_id" in record:
        return expected_of_serve(record)
    if "avg_latency" in record:
        batch = {"mean": record["avg_latency"]} | {
            f"p{number}": seconds for number, seconds in record["percentiles"].items()
        }
        return {
            ("e2e_latency_ms", statistic, "whole_batch"): seconds * 1000
            for statistic, seconds in batch.items()
        }
    expected = {
        ("total_tokens_per_second", "mean", WALL_CLOCK): record["tokens_per_second"],
        ("requests_per_second", "mean", WALL_CLOCK): record["requests_per_second"],
    }
    if "ouput" in record:
        speed = record["num_requests"] * record["ouput"] / record["elapsed_time"]
        expected[("tokens_per_second", "mean", WALL_CLOCK)] = speed
    return expected


def expected_workload(record: Row) -> Row:
    """Read the load of a file anew."""
    if "avg_latency" in record:
        return {"load_kind": "batch", "concurrent_requests": None, "request_rate": None}
    if "elapsed_time" in record:
        return {
            "load_kind": "batch",
            "concurrent_requests": record["num_requests"],
            "input_tokens": record.get("input"),
            "output_tokens": record.get("ouput"),
            "load_pattern": "all at once",
        }
    rate = record["request_rate"]
    return {
        "load_kind": "serving",
        "request_rate": None if rate == "inf" else rate,
        "concurrent_requests": record["max_concurrency"] if rate == "inf" else None,
        "input_tokens": pytest.approx(record["total_input_tokens"] / record["completed"]),
        "output_tokens": pytest.approx(record["total_output_tokens"] / record["completed"]),
    }


def test_every_figure_of_a_file_is_in_the_detail_and_no_other(
    corpus: Path, client: Client, token: str
) -> None:
    read = 0
    for path in files(corpus):
        _names, response = post_known(client, token, path)
        assert response.status_code == 201, (path.name, response.json())
        (run,) = response.json()["runs"]
        detail = client.get(f"/api/detail/{run}").json()
        expected = expected_of(path)
        found = figures_of(detail)
        assert found.keys() == expected.keys(), path.name
        assert found == {key: pytest.approx(value) for key, value in expected.items()}, path.name
        workload = expected_workload(content_of(path))
        assert {name: detail["workload"][name] for name in workload} == workload, path.name
        counts = {item["sample_count"] for item in detail["metrics"]}
        record = content_of(path)
        requests = record.get("completed", record.get("num_requests"))
        assert counts == {requests or len(record.get("latencies", [])) or None}, path.name
        again = post_file(client, token, path)
        assert (again.status_code, again.json()["outcome"]) == (200, "unchanged")
        read += 1
    assert read == 18 + 10 + 5 + 2


def test_golden_values(corpus: Path, client: Client, token: str) -> None:
    golden = golden_rows(corpus, FOLDERS)
    for name, (want,) in golden.items():
        _names, response = post_known(client, token, corpus / name)
        detail = client.get(f"/api/detail/{response.json()['runs'][0]}").json()
        found = figures_of(detail)
        by_key = {
            "out_tok_s": ("tokens_per_second", "mean", WALL_CLOCK),
            "ttft": ("ttft_ms", "mean", "client"),
            "tpot": ("tpot_ms", "mean", "excl_first"),
            "p99_ttft": ("ttft_ms", "p99", "client"),
            "total_tok_s": ("total_tokens_per_second", "mean", WALL_CLOCK),
            "rps": ("requests_per_second", "mean", WALL_CLOCK),
        }
        for key, place in by_key.items():
            if key in want:
                assert found[place] == pytest.approx(want[key], abs=1e-4), (name, key)
        for key, statistic in (("avg_s", "mean"), ("p99_s", "p99")):
            if key in want:
                figure = found["e2e_latency_ms", statistic, "whole_batch"]
                assert figure == pytest.approx(want[key] * 1000, abs=0.1), (name, key)
        workload = detail["workload"]
        for key, field in (("isl", "input_tokens"), ("osl", "output_tokens")):
            if key in want:
                assert workload[field] == pytest.approx(want[key], abs=0.01)
        if "rate" in want:
            assert workload["request_rate"] == (None if want["rate"] == "inf" else want["rate"])
            assert workload["concurrent_requests"] == want.get("conc")
        if "model" in want:
            assert (
                want["model"].lower().startswith(detail["config"]["model"].lower())
                or detail["config"]["model"] in want["model"]
            )
    assert len(golden) == 19


def test_missing_names_what_the_file_lacks_and_names_of_files_are_suggested(
    corpus: Path, client: Client, token: str
) -> None:
    seen = set()
    for path in files(corpus):
        response = client.post(
            "/api/uploads",
            {"file": SimpleUploadedFile(path.name, path.read_bytes())},
            headers={"authorization": f"Bearer {token}"},
        )
        body = response.json()
        assert response.status_code == 422
        assert body["code"] == "missing"
        assert body["missing"] == lacking(path), path.name
        for part, suggested in SUGGESTED.items():
            if part in path.name:
                assert suggested.items() <= body["suggestions"].items(), path.name
                seen.add(part)
        # What the file says itself is never asked for again.
        said = {"model_name", "concurrent_requests", "input_tokens", "output_tokens"}
        if "model_id" in content_of(path) and content_of(path)["request_rate"] == "inf":
            assert not said & body["suggestions"].keys(), path.name
    assert seen == SUGGESTED.keys()
    assert TestRun.objects.count() == 0


def test_near_misses_are_refused(corpus: Path, client: Client, token: str) -> None:
    for path in corpus_files(corpus, ("vllm-serve-other",)):
        response = post_file(client, token, path, **CONTEXT)
        assert (response.status_code, response.json()["code"]) == (415, "unknown_format")
    assert TestRun.objects.count() == 0


def test_texts_of_detailed_results_are_nowhere(corpus: Path, client: Client, token: str) -> None:
    (path,) = (corpus / "inferencex").glob("*sglang_tp4*b200.json")
    _names, response = post_known(client, token, path)
    (warning,) = response.json()["warnings"]
    assert warning["value"] == "generated_texts"
    run = response.json()["runs"][0]
    page = client.get(f"/detail/{run}/").content.decode()
    telling = re.sub(r"\W+", " ", content_of(path)["generated_texts"][1])[200:240]
    assert telling not in re.sub(r"\W+", " ", page)
    assert telling not in str(client.get(f"/api/detail/{run}").json())
    assert TestRun.objects.get(pk=run).warnings == [warning]


def test_the_form_makes_what_the_api_makes(corpus: Path, client: Client, token: str) -> None:
    """Every file, sent by the form a folder at a time, makes the run that the API makes of it."""
    client.force_login(make_staff())
    for folder in FOLDERS:
        paths = list(corpus_files(corpus, (folder,)))
        send(client, *(SimpleUploadedFile(path.name, path.read_bytes()) for path in paths))
        by_name = {path.name: path for path in paths}
        given = {
            field_of(draft, name): CONTEXT[name]
            for draft in Upload.objects.drafts()
            for name in [*lacking(by_name[draft.file_name]), "gpu_count"]
        }
        press(client, "confirm", **given)
        assert not Upload.objects.drafts().exists()
        for path in paths:
            upload = Upload.objects.get(file_name=path.name)
            assert upload.outcome == "created", (path.name, upload.report)
            (item,) = upload.items.all()
            _names, again = post_known(client, token, path)
            assert again.json()["outcome"] == "unchanged"
            assert again.json()["runs"] == [str(item.run_id)]

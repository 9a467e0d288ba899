"""InferenceX files of the corpus by API and form, against values read by hand and by path."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from experiments.models import Measurement, TestRun, Upload
from tests.corpus import Row, corpus_files, figures_of, golden_rows, post_file
from tests.experiments.form_upload import press, send
from tests.factories import make_staff

FOLDER = "inferencex"
RAW = re.compile(r"_conc\d+_")  # one run as vLLM's benchmark wrote it
LATENCIES = {
    "ttft": ("ttft_ms", "client"),
    "tpot": ("tpot_ms", "excl_first"),
    "itl": ("itl_ms", "all_gaps"),
    "e2el": ("e2e_latency_ms", "client"),
}
STATISTICS = {"mean": "mean", "median": "p50", "std": "std", "p99": "p99"}
OF_SPEED = {"mean": "mean", "median": "p50", "p99": "p1"}
GPUS = {
    "b200": "B200", "b200-trt": "B200", "gb200": "GB200", "h100": "H100", "h200": "H200",
    "mi300x": "MI300X", "mi325x": "MI325X", "mi355x": "MI355X",
}  # fmt: skip


def row_files(corpus: Path) -> list[Path]:
    return [path for path in corpus_files(corpus, (FOLDER,)) if not RAW.search(path.name)]


def figures_by_run(runs: list[str]) -> dict[str, dict[tuple[str, str, str | None], float]]:
    """Read the figures of many runs at once, as the detail answer has them for one."""
    found: dict[str, dict[tuple[str, str, str | None], float]] = {run: {} for run in runs}
    for item in Measurement.objects.filter(run__in=TestRun.objects.filter(pk__in=runs)):
        key = (item.metric, item.statistic, item.definition or None)
        found[str(item.run_id)][key] = item.value
    return found


def test_files_give_the_golden_values(corpus: Path, client: Client, token: str) -> None:
    """Nothing is asked for: rows name model, precision, engine and GPU."""
    expected = golden_rows(corpus, (FOLDER,))
    checked = 0
    for path in row_files(corpus):
        response = post_file(client, token, path)
        # Some files are excerpts of others: their rows are the runs that are there.
        assert response.status_code in (200, 201), response.json()
        for index, want in enumerate(expected.get(f"{FOLDER}/{path.name}", [])):
            detail = client.get(f"/api/detail/{response.json()['runs'][index]}").json()
            check_golden(detail, want)
            checked += 1
        again = post_file(client, token, path)
        assert (again.status_code, again.json()["outcome"]) == (200, "unchanged")
    assert checked == sum(map(len, expected.values())) == 8


def check_golden(detail: dict[str, Any], want: Row) -> None:
    found = figures_of(detail)
    per_gpu = found["total_tokens_per_second_per_gpu", "mean", "wall_clock"]
    assert per_gpu == pytest.approx(want["tput_per_gpu"], abs=1e-4)
    if "agg_out" in want:
        for key, value in (
            (("tokens_per_second", "mean", "wall_clock"), want["agg_out"]),
            (("ttft_ms", "mean", "client"), want["ttft_ms"]),
            (("tpot_ms", "mean", "excl_first"), want["tpot_ms"]),
            (("tokens_per_second_per_user", "mean", "inverse_tpot"), want["intvty"]),
        ):
            assert found[key] == pytest.approx(value, abs=1e-4), key
        derived = dict(
            Measurement.objects.filter(
                run=detail["config"]["id"], definition="wall_clock"
            ).values_list("metric", "derived_from")
        )
        assert derived["tokens_per_second"] == ["output_tput_per_gpu", "gpu_count"]
        assert not derived["tokens_per_second_per_gpu"]
    else:
        median = found["tokens_per_second_per_user", "p50", "inverse_tpot"]
        assert median == pytest.approx(want["intvty"], abs=1e-4)
    assert detail["config"]["model"] == want["model"]
    assert detail["config"]["quantization"] == want["prec"].upper()
    assert detail["config"]["backend"] == {"trt": "tensorrt-llm"}.get(want["fw"], want["fw"])
    system = detail["system_info"]
    assert (system["gpu_model"], system["gpu_count"]) == (GPUS[want["hw"]], want["tp"])
    workload = detail["workload"]
    assert (workload["load_kind"], workload["concurrent_requests"]) == ("serving", want["conc"])
    assert workload["input_tokens"] is None


def test_every_figure_of_every_row_is_there(corpus: Path, client: Client, token: str) -> None:
    """Each figure of 637 rows, read by its path, stands under its metric and statistic."""
    rows_read = 0
    for path in row_files(corpus):
        rows = json.loads(path.read_text(encoding="utf-8"))
        runs = post_file(client, token, path).json()["runs"]
        found = figures_by_run(runs)
        for run, row in zip(runs, rows, strict=True):
            check_row(found[run], row)
            rows_read += 1
    assert rows_read == 637
    # Rows that stand in several files are one run.
    assert TestRun.objects.count() == len(
        {json.dumps(row, sort_keys=True) for path in row_files(corpus)
         for row in json.loads(path.read_text(encoding="utf-8"))}
    )  # fmt: skip


def check_row(found: dict[tuple[str, str, str | None], float], row: Row) -> None:
    for name, (metric, definition) in LATENCIES.items():
        for key, statistic in STATISTICS.items():
            if f"{key}_{name}" in row:
                value = found[metric, statistic, definition]
                assert value == pytest.approx(1000 * row[f"{key}_{name}"]), (row, key, name)
    for key, statistic in OF_SPEED.items():
        if f"{key}_intvty" in row:
            value = found["tokens_per_second_per_user", statistic, "inverse_tpot"]
            assert value == row[f"{key}_intvty"]
    assert ("tokens_per_second_per_user", "std", "inverse_tpot") not in found
    total = row["tput_per_gpu"] * row["tp"]
    assert found["total_tokens_per_second", "mean", "wall_clock"] == pytest.approx(total)
    if "output_tput_per_gpu" not in row:
        return
    # In all that prefill and decode together, whoever does which.
    assert found["tokens_per_second", "mean", "wall_clock"] + found[
        "prompt_processing_speed", "mean", "wall_clock"
    ] == pytest.approx(total)
    if not row["framework"].startswith("dynamo"):
        assert (
            found["tokens_per_second_per_gpu", "mean", "wall_clock"] == (row["output_tput_per_gpu"])
        )
    else:
        assert (
            found["tokens_per_second_per_gpu", "mean", "wall_clock_decode_gpus"]
            == (row["output_tput_per_gpu"])
        )


def test_rows_of_other_lengths_are_no_repeats(corpus: Path, client: Client, token: str) -> None:
    """Files of 1k in and 1k or 8k out share every setting that rows name."""
    for path in row_files(corpus):
        if "official_data--agg_gptoss" in path.name:
            post_file(client, token, path)
    runs = TestRun.objects.all()
    assert runs.count() == 244
    assert runs.values("configuration").distinct().count() == 244


def test_sweeps_hold_what_differs_in_concurrency_alone(
    corpus: Path, client: Client, token: str
) -> None:
    (path,) = (corpus / FOLDER).glob("*official_data--agg_gptoss_1k1k.json")
    rows = json.loads(path.read_text(encoding="utf-8"))
    runs = post_file(client, token, path).json()["runs"]
    sweep_of = {str(pk): sweep for pk, sweep in TestRun.objects.values_list("pk", "sweep")}
    shared = ("hw", "tp", "ep", "dp_attention", "model", "framework", "precision")
    groups: dict[tuple[Any, ...], set[Any]] = {}
    for run, row in zip(runs, rows, strict=True):
        groups.setdefault(tuple(row[key] for key in shared), set()).add(sweep_of[run])
    assert all(len(sweeps) == 1 for sweeps in groups.values())
    assert len(groups) == len({sweep for sweeps in groups.values() for sweep in sweeps}) == 30


def test_the_name_of_a_file_suggests_lengths(corpus: Path, client: Client, token: str) -> None:
    """Lengths that only the name tells are asked for and taken, never assumed."""
    (path,) = (corpus / FOLDER).glob("*official_data--agg_gptoss_1k8k.json")
    body = post_file(client, token, path, input_tokens="1024", output_tokens="8192").json()
    detail = client.get(f"/api/detail/{body['runs'][0]}").json()
    assert detail["workload"]["input_tokens"] == 1024
    assert detail["workload"]["output_tokens"] == 8192


def test_the_form_makes_what_the_api_makes(corpus: Path, client: Client, token: str) -> None:
    client.force_login(make_staff())
    paths = row_files(corpus)
    send(client, *(SimpleUploadedFile(path.name, path.read_bytes()) for path in paths))
    press(client, "confirm")
    for path in paths:
        upload = Upload.objects.get(file_name=path.name)
        made = [str(item.run_id) for item in upload.items.order_by("id")]
        again = post_file(client, token, path).json()
        assert (again["outcome"], again["runs"]) == ("unchanged", made), path.name

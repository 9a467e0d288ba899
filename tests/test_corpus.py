"""llama-bench files of the corpus by API and form, against values read from them by hand."""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from experiments.models import Measurement, TestRun, Upload
from tests.corpus import Row, corpus_files, golden_rows, post_file
from tests.experiments.form_upload import field_of, press, send
from tests.factories import make_staff

FOLDERS = (
    "llama-bench",
    "llama-bench-csv",
    "llama-bench-md",
    "llama-bench-wrapped",
    "llama-bench-docs",
)
NEAR_MISSES = ("other-json", "other-csv")

README = "ikawrakow__ik_llama.cpp__examples--llama-bench--README.md"
# Why a file is refused: status, and words of the reason with its place.
REFUSED = {
    "hogeheer499-commits__strix-halo-guide__data--raw--2026-05-03--qwen3.6-35b-a3b-q4-k-m-ollama-"
    "blob-b9010-r20.csv": (422, "", "The file has a header but no result row"),
    README: (422, "line 75", "results as JSON, and a Markdown table of results here; send each"),
    f"{README}.block0.csv": (422, "line 2", "The row has 27 values, the header 26 columns."),
    f"{README}.block0.sql": (422, "line 30", "The row has 27 values, the header 26 columns."),
    "ikawrakow__ik_llama.cpp__github-data--pull_requests--428_-_Zen4__Faster_PP_for_IQ2_KS__"
    "IQ4_KS__IQ5_KS.md": (415, "", "No known format matches this file. Known are: llama-bench"),
}
# Files that name no model, or one as converters call it when nobody says: the sender knows it.
NAMELESS = (
    f"{README}.block0.json",
    "20251211_072744.txt",
    "20251211_104857.txt",
    "20251211_133458.txt",
)
MODEL = "Llama-2-7B"
DEVICES = {
    "llama-bench": {"Radeon 8060S", "AMD EPYC 9274F"},
    "llama-bench-csv": {"Radeon 8060S"},
    "llama-bench-md": {"RX 7900 XTX"},
    "llama-bench-docs": {"RTX 3090 Ti"},
}


def is_nameless(path: Path) -> bool:
    return path.name.endswith(NAMELESS)


def lengths(test: str) -> tuple[int, int, int]:
    """Read "pp512/@d0", "tg/128@d1024", "p4096 n0 d0" and "pp512" as (n_prompt, n_gen, n_depth)."""
    if found := re.fullmatch(r"p(\d+) n(\d+) d(\d+)", test):
        prompt, generated, depth = found.groups()
    elif found := re.fullmatch(r"pp(\d+)(?:/@d(\d+))?", test):
        (prompt, depth), generated = found.groups(), "0"
    elif found := re.fullmatch(r"tg/?(\d+)(?:@d(\d+))?", test):
        (generated, depth), prompt = found.groups(), "0"
    else:
        raise AssertionError(test)
    return int(prompt), int(generated), int(depth or 0)


def post_with_model(client: Client, token: str, path: Path) -> Any:
    """Send a file by the API, and again with its model where the answer asks for it."""
    response = post_file(client, token, path, notes=path.name)
    if is_nameless(path):
        assert (response.status_code, response.json()["missing"]) == (422, ["model_name"])
        return post_file(client, token, path, notes=path.name, model_name=MODEL)
    return response


def send_by_form(client: Client, paths: list[Path]) -> dict[str, tuple[str, list[str]]]:
    """Send files by the upload form, name the model where it asks, and confirm.

    Returns outcome and run ids by file name; refused files have none.
    """
    send(client, *(SimpleUploadedFile(path.name, path.read_bytes()) for path in paths))
    lacking = [
        upload for upload in Upload.objects.drafts() if upload.report["missing"] == ["model_name"]
    ]
    named = {field_of(upload, "model_name"): MODEL for upload in lacking}
    press(client, "confirm", **named)
    assert not Upload.objects.drafts().exists()
    return {
        upload.file_name: (
            upload.outcome,
            [str(item.run_id) for item in upload.items.order_by("id")],
        )
        for upload in Upload.objects.all()
    }


def matches(detail: dict[str, Any], want: Row) -> bool:
    """Whether a detail answer holds a golden row: figure, spread, definition, load, machine."""
    prompt, generated, depth = lengths(want["test"])
    speed, spread = want["ts"].split(" ± ") if "ts" in want else (want["tok_s"], want["std"])
    metric, definition = (
        ("tokens_per_second", "decode") if generated else ("prompt_processing_speed", "prefill")
    )
    measured = {
        (item["metric"], item["statistic"], item["definition"]): item for item in detail["metrics"]
    }
    mean = measured.get((metric, "mean", definition))
    if mean is None or mean["value"] != pytest.approx(float(speed)):
        return False
    found = measured.get((metric, "std", definition))
    workload = detail["workload"]
    length = workload["output_tokens"] if generated else workload["input_tokens"]
    return (
        (found["value"] if found else 0.0) == pytest.approx(float(spread))
        and mean["unit"] == "tok/s"
        and mean["sample_count"] == want.get("n")
        and length == (generated or prompt)
        and workload["context_depth"] == depth
        and workload["load_kind"] == "isolated"
        and workload["concurrent_requests"] == 1
    )


def test_files_give_the_golden_values_or_the_reason_why_not(
    corpus: Path, client: Client, token: str
) -> None:
    """Each golden row is found on exactly one run, or on all that share its prompt test."""
    expected = golden_rows(corpus, FOLDERS)
    checked = 0
    refused = set()
    for path in corpus_files(corpus, FOLDERS):
        name = f"{path.parent.name}/{path.name}"
        response = post_with_model(client, token, path)
        body = response.json()
        if path.name in REFUSED:
            status, place, words = REFUSED[path.name]
            told = body["details"][0]
            assert (response.status_code, told["path"]) == (status, place), body
            assert words in told["message"]
            refused.add(path.name)
            continue
        assert response.status_code == 201, (name, body)
        wanted = expected.get(name, [])
        runs = body["runs"] if wanted else []
        details = [client.get(f"/api/detail/{run}").json() for run in runs]
        for want in wanted:
            found = [detail for detail in details if matches(detail, want)]
            assert found, (name, want)
            assert {device_of(detail) for detail in found} <= DEVICES[path.parent.name]
            checked += 1
        again = post_file(client, token, path)
        assert (again.status_code, again.json()["outcome"]) == (200, "unchanged")
    assert refused == REFUSED.keys()
    assert checked == sum(len(rows) for rows in expected.values() if "note" not in rows[0])


def device_of(detail: dict[str, Any]) -> str:
    system = detail["system_info"]
    return str(system["gpu_model"] or system["cpu_model"])


def test_every_figure_of_the_files_is_there_and_no_other(
    corpus: Path, client: Client, token: str
) -> None:
    """The runs of each file, and their figures, are those of an independent reading of it."""
    for path in corpus_files(corpus, FOLDERS):
        if path.name in REFUSED:
            continue
        response = post_with_model(client, token, path)
        assert response.status_code == 201, response.json()
        runs = TestRun.objects.filter(pk__in=response.json()["runs"])
        rows = list(rows_of(path))
        assert runs.count() == expected_runs(rows), path.name
        for metric, key in (
            ("tokens_per_second", "n_gen"),
            ("prompt_processing_speed", "n_prompt"),
        ):
            found = Measurement.objects.filter(run__in=runs, metric=metric)
            of_file = [row for row in rows if int(row[key])]
            means = Counter(found.filter(statistic="mean").values_list("value", flat=True))
            assert set(means) == {float(row["avg_ts"]) for row in of_file}, path.name
            if metric == "tokens_per_second":
                assert means == Counter(float(row["avg_ts"]) for row in of_file)
            spreads = set(found.filter(statistic="std").values_list("value", flat=True))
            assert spreads == {float(row["stddev_ts"]) for row in of_file} - {0.0}, path.name


def rows_of(path: Path) -> Iterator[Row]:
    """Read the rows of a file without the site's parsers."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".csv":
        yield from csv.DictReader(text.splitlines())
    elif path.suffix == ".txt":
        yield from table_rows(text)
    elif '"raw":[' in text:
        for part in re.split(r"^(?=\{\"name\")", text, flags=re.MULTILINE)[1:]:
            record = json.loads(part)
            assert len(record["raw"]) == 2
            yield from ({**row, "about": record["name"]} for row in record["raw"])
    elif text.lstrip().startswith("["):
        yield from json.loads(text)
    else:
        for line in text.splitlines():
            if line.startswith("{"):
                record = json.loads(line)
                about = [record.get(key) for key in ("build", "fa", "b", "hipblaslt")]
                yield {**record.get("bench_raw", record), "about": about}


def table_rows(text: str) -> Iterator[Row]:
    """Read the tables of the one author whose logs are in the corpus."""
    title = ""
    for line in text.splitlines():
        if line.startswith("###"):
            title = line
        elif line.startswith("| llama"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            kind, length = cells[-2][:2], cells[-2][2:]
            speed, spread = cells[-1].split(" ± ")
            yield {
                "n_prompt": length if kind == "pp" else 0,
                "n_gen": length if kind == "tg" else 0,
                "avg_ts": speed,
                "stddev_ts": spread,
                "about": [title, *cells[:-2]],
            }


def expected_runs(rows: list[Row]) -> int:
    """Count generation rows, and prompt rows that are not the pair of one, per settings."""
    settings = ("model_filename", "build_commit", "gpu_info", "flash_attn", "n_ubatch", "n_batch")
    groups: dict[str, dict[str, list[int]]] = {}
    for item in rows:
        key = str([item.get(name) for name in (*settings, "about")] + [item.get("n_depth", 0)])
        group = groups.setdefault(key, {"tg": [], "pp": []})
        generated = int(item["n_gen"])
        group["tg" if generated else "pp"].append(generated or int(item["n_prompt"]))
    total = 0
    for group in groups.values():
        lengths_seen = set(group["pp"])
        taken = 512 if len(lengths_seen) > 1 else next(iter(lengths_seen), None)
        pairs = group["pp"].count(taken) if group["tg"] and taken else 0
        total += len(group["tg"]) + len(group["pp"]) - pairs
    return total


def test_tables_name_their_gpus_and_their_titles(corpus: Path, client: Client, token: str) -> None:
    """The log above each table says how many GPUs it used, and the heading which."""
    for path in (corpus / "llama-bench-md").glob("*vulkan_benchmark*"):
        runs = TestRun.objects.filter(pk__in=post_with_model(client, token, path).json()["runs"])
        used = runs.values_list(
            "settings__title", "hardware__gpu_count", "hardware__platform__name"
        )
        assert Counter(used) == {
            ("GPU 0 ONLY", 1, "1× RX 7900 XTX"): 2,
            ("GPU 1 ONLY", 1, "1× RX 7900 XTX"): 2,
            ("DUAL GPU", 2, "2× RX 7900 XTX"): 2,
        }
        assert runs.values("configuration").distinct().count() == 6
        assert runs.values("sweep").distinct().count() == 6


def test_files_of_scripts_keep_power_and_memory(corpus: Path, client: Client, token: str) -> None:
    """Each generation run has the power and the memory that its own record states."""
    (path,) = (corpus / "llama-bench-wrapped").glob("*GLM-4.5-Air*")
    runs = post_file(client, token, path).json()["runs"]
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    by_speed = {
        record["bench_raw"]["avg_ts"]: record for record in records if record["bench_raw"]["n_gen"]
    }
    figures: dict[Any, dict[tuple[str, str], float]] = {}
    for item in Measurement.objects.filter(run__in=runs):
        figures.setdefault(item.run_id, {})[item.metric, item.statistic] = item.value
    with_speed = [found for found in figures.values() if ("tokens_per_second", "mean") in found]
    assert len(with_speed) == len(by_speed) == 52
    for found in with_speed:
        record = by_speed[found["tokens_per_second", "mean"]]
        assert found["gpu_power_watts", "mean"] == record["avg_power_w"]
        assert found["gpu_power_watts", "max"] == record["max_power_w"]
        peak = (record["vram_peak_mib"] + record["gtt_peak_mib"]) * 1024 * 1024 / 1e9
        assert found["peak_memory_gb", "mean"] == pytest.approx(peak)
        assert 60 < peak < 80  # in GTT, where this machine keeps 73 GB of weights


def test_near_misses_are_refused(corpus: Path, client: Client, token: str) -> None:
    for path in corpus_files(corpus, NEAR_MISSES):
        response = post_file(client, token, path)
        assert response.status_code == 415, path.name
        assert response.json()["code"] == "unknown_format"
        assert response.json()["details"][0]["value"], path.name
    assert TestRun.objects.count() == 0


def test_the_form_makes_what_the_api_makes(corpus: Path, client: Client, token: str) -> None:
    """Every file, sent by the form a folder at a time, makes the runs that the API makes of it."""
    client.force_login(make_staff())
    for folder in FOLDERS:
        paths = list(corpus_files(corpus, (folder,)))
        outcomes = send_by_form(client, paths)
        for path in paths:
            outcome, runs = outcomes[path.name]
            if path.name in REFUSED:
                assert (outcome, runs) == ("rejected", []), path.name
                continue
            assert outcome == "created", path.name
            again = post_file(client, token, path).json()
            assert (again["outcome"], again["runs"]) == ("unchanged", runs), path.name

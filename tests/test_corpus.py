"""Real files of the corpus through the pipeline, against values read from them by hand."""

import csv
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from experiments.models import ApiToken, TestRun
from tests.factories import make_staff

FOLDERS = ("llama-bench", "llama-bench-csv")
NEAR_MISSES = ("other-json", "other-csv")


def golden(corpus: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the hand-checked values of each file of the folders."""
    rows: dict[str, list[dict[str, Any]]] = {}
    with (corpus / "GOLDEN.tsv").open(encoding="utf-8") as lines:
        for line in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            if line["file"].split("/")[0] in FOLDERS:
                rows.setdefault(line["file"], []).append(json.loads(line["values"]))
    return rows


def files(corpus: Path, folders: tuple[str, ...]) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((corpus / folder).iterdir())


def lengths(test: str) -> tuple[int, int, int]:
    """Read "pp512/@d0", "tg/128@d1024" and "p4096 n0 d0" as (n_prompt, n_gen, n_depth)."""
    if found := re.fullmatch(r"p(\d+) n(\d+) d(\d+)", test):
        prompt, generated, depth = found.groups()
    elif found := re.fullmatch(r"pp(\d+)/@d(\d+)", test):
        (prompt, depth), generated = found.groups(), "0"
    elif found := re.fullmatch(r"tg/(\d+)@d(\d+)", test):
        (generated, depth), prompt = found.groups(), "0"
    else:
        raise AssertionError(test)
    return int(prompt), int(generated), int(depth)


@pytest.fixture
def token(db: None) -> str:
    return ApiToken.issue(name="corpus", scopes=["upload"])


def post(client: Client, token: str, path: Path) -> Any:
    return client.post(
        f"/api/uploads?notes={quote(path.name)}",
        data=path.read_bytes(),
        content_type="application/octet-stream",
        headers={"authorization": f"Bearer {token}"},
    )


def matches(detail: dict[str, Any], want: dict[str, Any]) -> bool:
    """Whether a detail answer holds a golden row: figure, spread, definition, load, machine."""
    prompt, generated, depth = lengths(want["test"])
    metric, definition = (
        ("tokens_per_second", "decode") if generated else ("prompt_processing_speed", "prefill")
    )
    measured = {
        (item["metric"], item["statistic"], item["definition"]): item for item in detail["metrics"]
    }
    mean = measured.get((metric, "mean", definition))
    if mean is None or mean["value"] != pytest.approx(float(want["tok_s"])):
        return False
    spread = measured.get((metric, "std", definition))
    workload = detail["workload"]
    length = workload["output_tokens"] if generated else workload["input_tokens"]
    return (
        (spread["value"] if spread else 0.0) == pytest.approx(float(want["std"]))
        and mean["unit"] == "tok/s"
        and mean["sample_count"] == want.get("n")
        and length == (generated or prompt)
        and workload["context_depth"] == depth
        and workload["load_kind"] == "isolated"
        and workload["concurrent_requests"] == 1
    )


def test_llama_bench_files_give_the_golden_values(corpus: Path, client: Client, token: str) -> None:
    """Each golden row is found on exactly one run, or on all that share its prompt test."""
    expected = golden(corpus)
    checked = 0
    for path in files(corpus, FOLDERS):
        name = f"{path.parent.name}/{path.name}"
        response = post(client, token, path)
        body = response.json()
        wanted = expected.get(name, [])
        if any("reject" in want.get("note", "") for want in wanted):
            assert response.status_code == 422, name
            assert body["details"][0]["message"]
            continue
        assert response.status_code == 201, (name, body)
        details = [client.get(f"/api/detail/{run}").json() for run in body["runs"]]
        for want in wanted:
            found = [detail for detail in details if matches(detail, want)]
            assert found, (name, want)
            system = found[0]["system_info"]
            device = system["gpu_model"] or system["cpu_model"]
            assert device in ("Radeon 8060S", "AMD EPYC 9274F"), device
            checked += 1
        again = post(client, token, path)
        assert (again.status_code, again.json()["outcome"]) == (200, "unchanged")
    assert checked == sum(len(rows) for rows in expected.values() if "note" not in rows[0])


def test_no_run_too_many(corpus: Path, client: Client, token: str) -> None:
    """The runs of each file are its generation rows and the prompt rows none of them takes."""
    for path in files(corpus, FOLDERS):
        text = path.read_text(encoding="utf-8")
        before = TestRun.objects.count()
        response = post(client, token, path)
        if response.status_code != 201:
            continue
        made = TestRun.objects.count() - before
        assert made == expected_runs(list(records(path, text))), path.name


def records(path: Path, text: str) -> Iterator[dict[str, Any]]:
    """Read the rows of a file without the site's parsers."""
    if path.suffix == ".csv":
        yield from csv.DictReader(text.splitlines())
    elif text.lstrip().startswith("["):
        yield from json.loads(text)
    else:
        yield from (json.loads(line) for line in text.splitlines() if line.startswith("{"))


def expected_runs(rows: list[dict[str, Any]]) -> int:
    """Count generation rows, and prompt rows that are not the pair of one, per settings."""
    groups: dict[tuple[Any, ...], dict[str, list[int]]] = {}
    for item in rows:
        key = (item["flash_attn"], item["n_ubatch"], item["n_batch"], item.get("n_depth", 0))
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


def test_near_misses_are_refused(corpus: Path, client: Client, token: str) -> None:
    for path in files(corpus, NEAR_MISSES):
        response = post(client, token, path)
        assert response.status_code == 415, path.name
        assert response.json()["code"] == "unknown_format"
    assert TestRun.objects.count() == 0


def test_the_admin_form_takes_all_files_at_once(corpus: Path, client: Client, db: None) -> None:
    """One submission of every file makes what sending them one by one to the API makes."""
    client.force_login(make_staff())
    paths = list(files(corpus, FOLDERS))
    with ExitStack() as opened:
        sent = [opened.enter_context(path.open("rb")) for path in paths]
        response = client.post("/admin/experiments/upload/add/", {"file": sent})
    assert response.status_code == 422  # one file of the corpus is a header without rows
    reports = response.context["reports"]
    assert [report.file_name for report in reports] == [path.name for path in paths]
    refused = [report for report in reports if not report.accepted]
    assert [report.errors[0].message for report in refused] == [
        "The file has a header but no result row; did llama-bench fail?"
    ]
    by_form = set(TestRun.objects.values_list("pk", flat=True))
    token = ApiToken.issue(name="again", scopes=["upload"])
    for report, path in zip(reports, paths, strict=True):
        if report.accepted:
            again = client.post(
                "/api/uploads",
                data=path.read_bytes(),
                content_type="application/octet-stream",
                headers={"authorization": f"Bearer {token}"},
            ).json()
            assert again["outcome"] == "unchanged"
            assert again["runs"] == [str(run.id) for run in report.runs]
    assert set(TestRun.objects.values_list("pk", flat=True)) == by_form

"""GuideLLM, llm-d and inference-perf files of the corpus, against values read without parsers."""

import ast
import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from experiments.models import Measurement, TestRun, Upload
from tests.corpus import Row, corpus_files, figures_of, golden_rows, post_file
from tests.experiments.form_upload import field_of, press, send
from tests.factories import make_staff

FOLDERS = ("guidellm", "guidellm-csv", "llmd-benchmark-report")
NEAR_MISSES = ("other-json", "other-csv", "vllm-serve-other")
ASKED = {
    "model_name": "acme/Nimbus-7B",
    "quantization": "BF16",
    "backend": "vllm",
    "gpu_model": "RTX 4090",
}
QUANTIZED = ("Q8_0.", "Q4_K_M.", "gemma4-31b-dense.")  # in the name of the model served
LIFECYCLE = "inference_perf_lifecycle.yaml"
PERCENTILES = {
    "p001": "p0.1", "p01": "p1", "p05": "p5", "p10": "p10", "p25": "p25", "p75": "p75",
    "p90": "p90", "p95": "p95", "p99": "p99", "p999": "p99.9",
}  # fmt: skip
STATISTICS = {"mean": "mean", "median": "p50", "std_dev": "std", "min": "min", "max": "max"}
Figures = dict[tuple[str, str, str | None], float]


def missing_of(path: Path) -> list[str]:
    """What each file lacks: FORMATS.md, 13. GuideLLM names a model, llm-d most of the rest."""
    if path.name.endswith(LIFECYCLE):
        return ["model_name", "quantization", "backend", "gpu_model"]
    if path.parent.name == "llmd-benchmark-report":
        return [] if "br_v0_1_" in path.name else ["quantization"]
    lacking = ["backend", "gpu_model"]
    return lacking if any(part in path.name for part in QUANTIZED) else ["quantization", *lacking]


def post_whole(client: Client, token: str, path: Path) -> Any:
    """Send a file, see that it asks for exactly what it lacks, and send it with that."""
    response = post_file(client, token, path)
    missing = missing_of(path)
    if missing:
        assert (response.status_code, response.json()["missing"]) == (422, missing), path.name
        context = {name: ASKED[name] for name in missing}
        response = post_file(client, token, path, **context)
    return response


def details(client: Client, answer: Row) -> list[Row]:
    return [client.get(f"/api/detail/{run}").json() for run in answer["runs"]]


def tree_of(path: Path) -> Any:
    text = path.read_text(encoding="utf-8")
    return json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)


# ------------------------------------------------------------------ independent reading


def distribution(found: Row, metric: str, definition: str, factor: float, *, one: bool) -> Figures:
    """Return the statistics of a GuideLLM metric; of one request the mean alone."""
    figures = {(metric, name, definition): found[key] for key, name in STATISTICS.items()}
    figures |= {
        (metric, name, definition): found["percentiles"][key] for key, name in PERCENTILES.items()
    }
    return {key: value * factor for key, value in figures.items() if key[1] == "mean" or not one}


def guidellm_figures(benchmark: Row) -> Figures:
    """Read the figures of a benchmark by path."""
    metrics = benchmark["metrics"]
    totals = metrics.get("request_totals") or benchmark["request_totals"]
    done = {name: value["successful"] for name, value in metrics.items() if name != "text"
            and isinstance(value, dict) and isinstance(value.get("successful"), dict)}  # fmt: skip
    one = totals["successful"] == 1
    tpot = "incl_first" if "config" in benchmark else "decode_over_all"
    figures: Figures = {}
    for name, metric, definition, factor in (
        ("request_latency", "e2e_latency_ms", "client", 1000.0),
        ("time_to_first_token_ms", "ttft_ms", "client", 1.0),
        ("time_to_first_output_token_ms", "ttft_ms", "first_output_token", 1.0),
        ("inter_token_latency_ms", "tpot_ms", "excl_first", 1.0),
        ("time_per_output_token_ms", "tpot_ms", tpot, 1.0),
    ):
        if name in done:
            figures |= distribution(done[name], metric, definition, factor, one=one)
    for name, metric in (
        ("output_tokens_per_second", "tokens_per_second"),
        ("tokens_per_second", "total_tokens_per_second"),
        ("prompt_tokens_per_second", "prompt_processing_speed"),
        ("requests_per_second", "requests_per_second"),
    ):
        if name in done and done[name]["mean"]:
            figures[metric, "mean", "rate_over_time"] = done[name]["mean"]
    generated, prompts = (
        done[name]["total_sum"] for name in ("output_token_count", "prompt_token_count")
    )
    seconds = benchmark["duration"]
    figures["tokens_per_second", "mean", "wall_clock"] = generated / seconds
    figures["total_tokens_per_second", "mean", "wall_clock"] = (generated + prompts) / seconds
    figures["requests_per_second", "mean", "wall_clock"] = totals["successful"] / seconds
    figures["mean_concurrency", "mean", None] = done["request_concurrency"]["mean"]
    figures["error_rate", "mean", "of_sent"] = 0.0
    return figures


def csv_figures(path: Path) -> Figures:
    """Read the only row of a CSV by its three header rows."""
    with path.open(encoding="utf-8", newline="") as lines:
        group, name, unit, row = csv.reader(lines)
    cells = dict(zip(zip(group, name, unit, strict=True), row, strict=True))
    mean = {
        key: float(cells[key]) for key in cells if key[2] == "Mean" and key[1].startswith("Succ")
    }
    seconds = float(cells["Timings", "Duration", "Sec"])
    generated = mean["Token Metrics", "Successful Output Tokens", "Mean"]
    prompts = mean["Token Metrics", "Successful Input Tokens", "Mean"]
    for key, value in cells.items():
        if key[2] == "Percentiles":
            assert len(ast.literal_eval(value)) == 11
    return {
        ("e2e_latency_ms", "mean", "client"): 1000
        * mean["Request Latency", "Successful Sec", "Mean"],
        ("ttft_ms", "mean", "client"): mean["Time to First Token", "Successful ms", "Mean"],
        ("tpot_ms", "mean", "excl_first"): mean["Inter Token Latency", "Successful ms", "Mean"],
        ("tpot_ms", "mean", "incl_first"): mean["Time per Output Token", "Successful ms", "Mean"],
        ("requests_per_second", "mean", "rate_over_time"): mean[
            "Server Throughput", "Successful Requests/Sec", "Mean"
        ],
        ("mean_concurrency", "mean", None): 1.0,
        ("tokens_per_second", "mean", "rate_over_time"): mean[
            "Token Throughput", "Successful Output Tokens/Sec", "Mean"
        ],
        ("total_tokens_per_second", "mean", "rate_over_time"): mean[
            "Token Throughput", "Successful Total Tokens/Sec", "Mean"
        ],
        ("tokens_per_second", "mean", "wall_clock"): generated / seconds,
        ("total_tokens_per_second", "mean", "wall_clock"): (generated + prompts) / seconds,
        ("requests_per_second", "mean", "wall_clock"): 1 / seconds,
        ("error_rate", "mean", "of_sent"): 0.0,
    }


FACTORS = {"ms": 1.0, "ms/token": 1.0, "s": 1000.0, "s/token": 1000.0}
LATENCIES = {
    "request_latency": ("e2e_latency_ms", "client"),
    "time_to_first_token": ("ttft_ms", "client"),
    "inter_token_latency": ("itl_ms", "all_gaps"),
    "time_per_output_token": ("tpot_ms", "excl_first"),
    "normalized_time_per_output_token": ("tpot_ms", "incl_first"),
}


def llmd_figures(report: Row) -> Figures:
    """Read a report measured with inference-perf by path, of any version, or its own report."""
    if "successes" in report:
        aggregate = report["successes"]
    elif "metrics" in report:
        aggregate = report["metrics"]
    else:
        aggregate = report["results"]["request_performance"]["aggregate"]
    figures: Figures = {("error_rate", "mean", "of_sent"): 0.0}
    for name, (metric, definition) in LATENCIES.items():
        for key, value in aggregate["latency"][name].items():
            if key != "units":
                statistic = {"stddev": "std", "median": "p50"}.get(key, key)
                statistic = re.sub(r"p(\d+)p(\d+)", r"p\1.\2", statistic)
                factor = FACTORS[aggregate["latency"][name].get("units", "s")]
                figures[metric, statistic, definition] = value * factor
    for flat, name, metric in (
        ("output_tokens_per_sec", "output_token_rate", "tokens_per_second"),
        ("input_tokens_per_sec", "input_token_rate", "prompt_processing_speed"),
        ("total_tokens_per_sec", "total_token_rate", "total_tokens_per_second"),
        ("requests_per_sec", "request_rate", "requests_per_second"),
    ):
        rates = aggregate["throughput"]
        value = rates[flat] if flat in rates else rates[name]["mean"]
        figures[metric, "mean", "wall_clock"] = value
    return figures


def expected_figures(path: Path) -> Iterator[Figures]:
    """Yield the figures of each run that a file stands for."""
    if path.suffix == ".csv":
        yield csv_figures(path)
    elif path.parent.name == "guidellm":
        yield from map(guidellm_figures, tree_of(path)["benchmarks"])
    else:
        yield llmd_figures(tree_of(path))


@pytest.fixture(
    params=["guidellm", "guidellm-csv", "br_v0_1_", "br_v0_2_e", "br_v0_2_1", LIFECYCLE]
)
def paths(corpus: Path, request: pytest.FixtureRequest) -> list[Path]:
    """Files that hold different runs: CSV repeats those of JSON, the newer reports are one run."""
    wanted = str(request.param)
    found = [
        path
        for path in corpus_files(corpus, FOLDERS)
        if wanted in (path.parent.name, *path.name.split("--")) or wanted in path.name
    ]
    return [path for path in found if wanted != "guidellm" or path.parent.name == "guidellm"]


def test_every_figure_of_the_files_is_there_and_no_other(
    paths: list[Path], client: Client, token: str
) -> None:
    """The runs of each file have the figures that stand at their paths, and only those."""
    assert paths
    for path in paths:
        if path.suffix == ".yaml" and path.parent.name == "guidellm":
            continue  # the same run as the JSON beside it, see below
        response = post_whole(client, token, path)
        assert response.status_code == 201, (path.name, response.json())
        found = [figures_of(detail) for detail in details(client, response.json())]
        wanted = list(expected_figures(path))
        assert len(found) == len(wanted), path.name
        for figures, want in zip(found, wanted, strict=True):
            assert figures.keys() == want.keys(), path.name
            for key, value in want.items():
                assert figures[key] == pytest.approx(value, rel=1e-9), (path.name, key)
        again = post_file(client, token, path)
        assert (again.status_code, again.json()["outcome"]) == (200, "unchanged")


def test_files_give_the_golden_values(corpus: Path, client: Client, token: str) -> None:
    """Each golden row is a run: its model, its load, and each figure under its definition."""
    expected = golden_rows(corpus, FOLDERS)
    checked = 0
    for path in corpus_files(corpus, ("guidellm",)):
        rows = expected[f"guidellm/{path.name}"]
        if "note" in rows[0]:
            continue
        found = details(client, post_whole(client, token, path).json())
        assert len(found) == len(rows), path.name
        for detail, want in zip(found, rows, strict=True):
            check_golden(detail, want)
            checked += 1
    assert checked == 10


def check_golden(detail: Row, want: Row) -> None:
    figures, workload = figures_of(detail), detail["workload"]
    tpot = "incl_first" if "metaver" in want else "decode_over_all"
    for key, name, factor in (
        (("requests_per_second", "mean", "rate_over_time"), "rps", 1),
        (("tokens_per_second", "mean", "rate_over_time"), "out_tok_s", 1),
        (("ttft_ms", "mean", "client"), "ttft_ms", 1),
        (("tpot_ms", "mean", "excl_first"), "itl_ms", 1),
        (("tpot_ms", "mean", tpot), "tpot_ms", 1),
        (("e2e_latency_ms", "mean", "client"), "lat_s", 1000),
        (("mean_concurrency", "mean", None), "conc", 1),
    ):
        assert figures[key] == pytest.approx(want[name] * factor, abs=6e-5 * factor), (key, want)
    assert workload["load_kind"] == "serving"
    if want["strategy"] == "synchronous":
        assert (workload["concurrent_requests"], workload["request_rate"]) == (1, None)
    else:
        assert workload["concurrent_requests"] is None
        assert workload["request_rate"] in (2.0, 4.0, 10.0)
        assert workload["load_pattern"] == "constant rate"
    served = want["model"].rsplit("/", 1)[-1].removesuffix(".gguf")
    assert detail["config"]["model"].rsplit("/", 1)[-1] in served
    assert detail["provenance"]["tool"] == "GuideLLM"
    assert detail["provenance"]["tool_version"] == want.get("ver")


def test_yaml_is_the_run_that_json_is(corpus: Path, client: Client, token: str) -> None:
    """The corpus has one run in both forms: sent as JSON, then as YAML, it changes nothing."""
    stripped = sorted((corpus / "guidellm").glob("*stripped*"))
    first, second = (post_whole(client, token, path) for path in stripped)
    assert (first.status_code, first.json()["format"]) == (201, "guidellm-json")
    assert (second.status_code, second.json()["format"]) == (200, "guidellm-yaml")
    assert first.json()["runs"] == second.json()["runs"]
    assert TestRun.objects.count() == 1


def test_csv_is_the_run_that_json_is_and_says_less(
    corpus: Path, client: Client, token: str
) -> None:
    """What is there from JSON is not replaced by its CSV, which tells less, unless told to."""
    for path in corpus_files(corpus, ("guidellm-csv",)):
        made = post_whole(client, token, corpus / "guidellm" / f"{path.stem}.json").json()
        answer = post_file(client, token, path, **{key: ASKED[key] for key in missing_of(path)})
        assert answer.status_code == 409, answer.json()
        assert made["runs"][0] in str(answer.json())
    assert TestRun.objects.count() == 3


def test_rates_that_leave_waiting_out_are_doubted(corpus: Path, client: Client, token: str) -> None:
    """282 tok/s while tokens arrive are 59 tok/s of the whole time: both stand, with a warning."""
    path = next((corpus / "guidellm").glob("*qwen3.6-35b-a3b-Q4_K_M*"))
    answer = post_whole(client, token, path).json()
    (detail,) = details(client, answer)
    figures = figures_of(detail)
    assert figures["tokens_per_second", "mean", "rate_over_time"] == pytest.approx(282.4013)
    assert figures["tokens_per_second", "mean", "wall_clock"] == pytest.approx(3750 / 63.54504418)
    (told,) = [item for item in answer["warnings"] if "output_tokens_per_second" in item["path"]]
    assert "3,750 tokens in 63.55 s are 59.01 tok/s" in told["message"]
    derived = Measurement.objects.get(metric="tokens_per_second", definition="wall_clock")
    assert derived.derived_from == ["generated tokens", "duration"]
    configuration = TestRun.objects.get().configuration
    assert configuration.tokens_per_second == pytest.approx(59.0133)  # what the grid ranks by
    assert configuration.tokens_per_second_definition == "wall_clock"


def test_runs_of_one_invocation_are_a_sweep(corpus: Path, client: Client, token: str) -> None:
    path = next((corpus / "guidellm").glob("*report_v2*"))
    runs = post_whole(client, token, path).json()["runs"]
    assert TestRun.objects.filter(pk__in=runs).values("sweep").distinct().count() == 1
    rates = TestRun.objects.filter(pk__in=runs).values_list("request_rate", flat=True)
    assert sorted(rate or 0 for rate in rates) == [2.0, 4.0]


def test_reports_of_llmd_name_machines_and_engines(
    corpus: Path, client: Client, token: str
) -> None:
    """0.1 lists each host, 0.2 counts the GPUs of one replica."""
    folder = corpus / "llmd-benchmark-report"
    first = post_whole(client, token, next(folder.glob("*br_v0_1_*"))).json()
    later = post_whole(client, token, next(folder.glob("*br_v0_2_1*"))).json()
    runs = {
        str(run.pk): run for run in TestRun.objects.select_related("hardware__platform", "variant")
    }
    early, newer = runs[first["runs"][0]], runs[later["runs"][0]]
    assert early.hardware.platform.name == "17× H100"
    assert (early.backend, early.backend_version, early.tool) == (
        "vllm", "0.9.0.1", "inference-perf",
    )  # fmt: skip
    assert early.variant.lora_adapter == "sql_adapter + golang_adapter"
    assert newer.hardware.gpu_count == 16
    assert (newer.backend, newer.backend_version, newer.tool_version) == ("llm-d", "0.3.1", "0.3.0")
    assert (newer.request_rate, newer.tensor_parallel) == (10.0, 8)
    assert "10.12.33.212" not in str(early.settings)
    assert any("data-parallel-address" in str(item["value"]) for item in first["warnings"])


def test_near_misses_are_refused(corpus: Path, client: Client, token: str) -> None:
    for path in corpus_files(corpus, NEAR_MISSES):
        response = post_file(client, token, path)
        assert response.status_code in (400, 415), path.name
        assert response.json()["format"] is None, path.name
    assert TestRun.objects.count() == 0


def test_the_form_makes_what_the_api_makes(paths: list[Path], client: Client, token: str) -> None:
    """Files sent by the form together, their lacking fields filled in, make the API's runs."""
    client.force_login(make_staff())
    by_name = {path.name: path for path in paths}
    send(client, *(SimpleUploadedFile(path.name, path.read_bytes()) for path in paths))
    fields = {
        field_of(upload, name): ASKED[name]
        for upload in Upload.objects.drafts()
        for name in missing_of(by_name[upload.file_name])
    }
    press(client, "confirm", **fields)
    assert not Upload.objects.drafts().exists()
    for upload in Upload.objects.all():
        path = by_name[upload.file_name]
        assert upload.outcome in ("created", "unchanged"), (upload.file_name, upload.report)
        again = post_file(client, token, path).json()
        runs = [str(item.run_id) for item in upload.items.order_by("id")]
        assert (again["outcome"], again["runs"]) == ("unchanged", runs), path.name

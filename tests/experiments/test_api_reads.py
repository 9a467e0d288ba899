"""Reading through the API: the binding names, the filters, and a bounded number of queries."""

import copy
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from benchmarks.services import Protocol
from benchsite.common.review import ReviewState
from experiments.ingest.review import withdraw
from experiments.models import TestRun
from tests.experiments.samples import SEED
from tests.experiments.tokens import bearer
from tests.factories import ingest, make_run, make_score, make_staff, make_variant
from tests.people import OPERATOR

pytestmark = pytest.mark.django_db

CONFIG_FIELDS = {
    "id",
    "model_name",
    "quantization",
    "lora_adapter",
    "quality_score",
    "quality_protocol",
    "quality_ranked",
    "tokens_per_second",
    "tokens_per_second_definition",
    "prompt_processing_speed",
    "prompt_processing_speed_definition",
    "ttft_ms",
    "ttft_ms_definition",
    "memory_gb",
    "backend",
    "backend_version",
    "hardware",
    "hardware_category",
    "concurrent_requests",
    "max_context_length",
    "load_pattern",
    "load_class",
    "load_kind",
    "dataset_name",
    "gpu_power_limit_watts",
    "gpu_power_watts",
    "tokens_per_kwh",
    "runs",
    "newest",
}
LINE_FIELDS = {
    "id",
    "model_name",
    "quantization",
    "backend",
    "hardware_summary",
    "overall_score",
    "timestamp",
    "status",
    "runs",
}
SUBJECT_FIELDS = {
    "id",
    "name",
    "model",
    "quantization",
    "lora_adapter",
    "backend",
    "hardware",
    "overall_score",
    "performance",
}


def get(client: Client, path: str, **query: Any) -> Any:
    response = client.get(path, query)
    assert response.status_code == 200, response.content
    return response.json()


def speed(value: float) -> dict[str, tuple[float, str, str | None]]:
    return {"tokens_per_second": (value, "tok/s", "decode")}


def test_grouped_performance_has_a_row_a_model_and_all_its_platforms(client: Client) -> None:
    fast = make_run(figures=speed(80), max_context_length=8192)
    make_run(gpu_model="NVIDIA GeForce RTX 3090", figures=speed(40))
    make_score(variant=fast.variant, benchmark="gsm8k", score=76.5)
    answer = get(client, "/api/grouped-performance", benchmark="gsm8k")
    assert answer["total_count"] == 1
    assert (answer["benchmark_used"], answer["load_used"]) == ("gsm8k", "single")
    (model,) = answer["models"]
    assert (model["model_name"], model["lora_adapter"]) == ("Nimbus-14B", "")
    assert (model["total_hardware_platforms"], model["qualifying_platforms"]) == (2, 2)
    best = model["best_hardware"]
    assert (best["hardware"], best["hardware_category"]) == ("1× RTX 4090", "consumer_gpu")
    assert best["total_configs"] == 1
    config = best["best_config"]
    assert set(config) == CONFIG_FIELDS
    assert config["id"] == str(fast.pk)
    assert (config["tokens_per_second"], config["quality_score"]) == (80.0, 76.5)
    assert (config["max_context_length"], config["ttft_ms"]) == (8192, None)
    platforms = model["all_hardware_platforms"]
    assert [item["best_config"]["tokens_per_second"] for item in platforms] == [80.0, 40.0]


def test_scores_without_runs_are_listed_with_their_quality(client: Client) -> None:
    make_score(variant=make_variant(model_name="Cumulus-3B"), benchmark="gsm8k", score=51.0)
    (model,) = get(client, "/api/grouped-performance", benchmark="gsm8k")["models"]
    assert model["all_hardware_platforms"] == []
    assert model["best_hardware"]["hardware"] is None
    config = model["best_hardware"]["best_config"]
    assert set(config) == CONFIG_FIELDS
    assert (config["id"], config["tokens_per_second"], config["quality_score"]) == (None, None, 51)


def test_grid_filters_are_honoured(client: Client) -> None:
    make_run(figures=speed(80))
    make_run(gpu_model=None, cpu_model="AMD EPYC 9274F", figures=speed(10))
    path = "/api/performance-grid"
    assert get(client, path)["total_count"] == 2
    rows = get(client, path, hardware_categories="datacenter_cpu,datacenter_gpu")["rows"]
    assert [row["hardware"] for row in rows] == ["AMD EPYC 9274F"]
    assert set(rows[0]) == CONFIG_FIELDS
    assert get(client, path, min_speed="20")["total_count"] == 1
    page = get(client, path, page_size="1", page="2")
    assert ([row["tokens_per_second"] for row in page["rows"]], page["total_count"]) == ([10.0], 2)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("grouped-performance", {"min_speed": "fast"}),
        ("grouped-performance", {"benchmark": "no-such"}),
        ("performance-grid", {"sort_by": "; drop table"}),
        ("performance-grid", {"page_size": "201"}),
        ("configurations", {"page": "0"}),
        ("runs", {"page": "-1"}),
        ("comparison", {}),
        ("comparison", {"config_a": "x", "config_b": "y"}),
        ("comparison", {"run": [str(UUID(int=number)) for number in range(9)]}),
    ],
)
def test_junk_in_the_query_is_a_400_that_names_it(
    client: Client, path: str, query: dict[str, Any]
) -> None:
    response = client.get(f"/api/{path}", query)
    answer = response.json()
    assert (response.status_code, answer["code"]) == (400, "bad_request")
    assert answer["error"]
    assert set(answer["details"][0]) == {"path", "message", "value"}


def test_configurations_and_runs_are_newest_first(client: Client) -> None:
    old = make_run(started_at="2026-01-01T00:00:00Z")
    new = make_run(started_at="2026-02-01T00:00:00Z")
    other = make_run(model_name="Cumulus-3B", started_at="2026-03-01T00:00:00Z")
    running = make_run(
        model_name="Stratus-1B", status="running", figures={}, started_at="2026-04-01T00:00:00Z"
    )
    make_run(review_state=ReviewState.PENDING, model_name="Hidden-1B")
    make_score(variant=old.variant, benchmark="gsm8k", score=60)
    answer = get(client, "/api/configurations", benchmark="gsm8k")
    assert answer["total_count"] == 2
    first, second = answer["configurations"]
    assert set(first) == LINE_FIELDS
    assert [first["id"], second["id"]] == [str(other.pk), str(new.pk)]
    assert (second["runs"], second["overall_score"]) == (2, 60.0)
    assert (first["overall_score"], first["status"]) == (None, "completed")
    answer = get(client, "/api/runs", page_size="3")
    assert answer["total_count"] == 4
    assert [row["id"] for row in answer["runs"]] == [str(run.pk) for run in (running, other, new)]
    assert set(answer["runs"][0]) == LINE_FIELDS


@pytest.mark.parametrize(
    "names", [("config_a", "config_b"), ("configA", "configB"), ("run", "run")]
)
def test_comparison_of_two(client: Client, names: tuple[str, str]) -> None:
    a = make_run(figures=speed(80), concurrent_requests=1)
    b = make_run(figures=speed(40), concurrent_requests=8, quantization="Q8_0")
    make_score(variant=a.variant, benchmark="mmlu", categories={"law": 40.0}, score=40.0)
    make_score(variant=b.variant, benchmark="mmlu", categories={"law": 42.0}, score=42.0)
    query = f"{names[0]}={a.pk}&{names[1]}={b.pk}"
    answer = client.get(f"/api/comparison?{query}").json()
    assert set(answer["config_a"]) == SUBJECT_FIELDS
    assert [answer["config_a"]["id"], answer["config_b"]["id"]] == [str(a.pk), str(b.pk)]
    assert answer["configs"] == [answer["config_a"], answer["config_b"]]
    assert answer["config_a"]["performance"] == {
        "speed": 80.0,
        "memory": None,
        "loading_time": None,
        "prompt_speed": None,
    }
    (category,) = answer["categories"]
    assert (category["name"], category["score_a"], category["score_b"]) == ("law", 40.0, 42.0)
    assert category["scores"] == [40.0, 42.0]
    comparability = answer["comparability"]
    assert comparability["verdict"] == "conditional"
    assert comparability["metrics"]["tokens_per_second"] == "conditional"
    difference = comparability["differences"][0]
    assert (difference["field"], difference["values"]) == ("concurrent_requests", [1, 8])
    assert difference["effect"]


def test_comparison_of_eight_and_of_unknown_runs(client: Client) -> None:
    runs = [make_run(quantization=f"Q{bits}_0") for bits in range(1, 9)]
    answer = get(client, "/api/comparison", run=[str(run.pk) for run in runs])
    assert [item["id"] for item in answer["configs"]] == [str(run.pk) for run in runs]
    unknown = str(uuid4())
    response = client.get(f"/api/comparison?config_a={runs[0].pk}&config_b={unknown}")
    assert (response.status_code, response.json()["details"][0]["value"]) == (404, unknown)


def test_detail_tells_everything(client: Client) -> None:
    report = ingest(copy.deepcopy(SEED))
    run_id = SEED["experiment_run"]["id"]
    answer = get(client, f"/api/detail/{run_id}", benchmark="gsm8k")
    assert set(answer) >= {"config", "categories", "system_info", "workload", "metrics"}
    config = answer["config"]
    assert set(config) == SUBJECT_FIELDS | {"backend_version", "status", "test_run_date"}
    assert config["model"] == "acme-labs/Nimbus-14B-Instruct"
    assert (config["backend_version"], config["status"]) == ("b4810", "completed")
    assert config["test_run_date"] == "2026-11-20T09:30:00Z"
    assert config["overall_score"] == pytest.approx(100 * 1010 / 1319)
    assert answer["categories"] == [
        {
            "benchmark": "mmlu",
            "name": "law",
            "score": 41.0,
            "total_questions": 100,
            "correct_answers": 41,
        }
    ]
    assert {score["benchmark"]: score["is_current"] for score in answer["scores"]} == {
        "mmlu": False,
        "gsm8k": True,
    }
    assert answer["system_info"] == {
        "gpu_model": "RTX 4080",
        "gpu_count": 1,
        "gpu_memory_gb": 16.0,
        "cpu_model": "AMD Ryzen 7 7700X",
        "cpu_arch": "zen4",
        "ram_gb": 64.0,
        "ram_type": "DDR5",
        "virtualization_type": None,
        "optimizations": ["CUDA"],
        "category": "consumer_gpu",
        "platform": "1× RTX 4080",
    }
    assert answer["workload"] == {
        "load_kind": None,
        "concurrent_requests": 4,
        "request_rate": None,
        "input_tokens": None,
        "output_tokens": None,
        "context_depth": None,
        "max_context_length": 8192,
        "batch_size": None,
        "load_pattern": "Concurrent",
        "dataset_name": "ShareGPT",
        "gpu_power_limit_watts": 280.0,
    }
    assert {(item["metric"], item["statistic"], item["value"]) for item in answer["metrics"]} == {
        ("tokens_per_second", "mean", 61.7),
        ("ttft_ms", "p95", 182.0),
    }
    provenance = answer["provenance"]
    assert provenance["upload_id"] == str(report.upload_id)
    assert (provenance["sha256"], provenance["file_name"]) == (report.sha256, "test.json")
    assert (provenance["format"], provenance["tool"]) == ("experiment-json", None)


def test_a_withdrawn_run_is_gone_with_the_reason_but_not_for_curators(client: Client) -> None:
    run = make_run()
    withdraw(run_ids=[run.pk], who=OPERATOR, reason="Wrong driver.")
    for path in (f"/api/detail/{run.pk}", f"/api/comparison?run={run.pk}&run={make_run().pk}"):
        response = client.get(path)
        assert (response.status_code, response.json()["code"]) == (410, "withdrawn")
        assert "Wrong driver." in response.json()["error"]
    assert client.get(f"/api/detail/{run.pk}", headers=bearer("curate")).status_code == 200
    client.force_login(make_staff())
    assert client.get(f"/api/detail/{run.pk}").status_code == 200


@pytest.mark.parametrize(
    "run_id",
    [
        "0199d3a0-0000-7000-8000-000000000000",
        "0199D3A0-0000-7000-8000-00000000000A",
        "1",
        "no-id",
    ],
)
def test_detail_of_nothing_is_a_404(client: Client, run_id: str) -> None:
    response = client.get(f"/api/detail/{run_id}")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def fill(count: int, start: int) -> list[TestRun]:
    """Make runs of different models on two machines, with scores in two protocols."""
    runs = []
    for number in range(start, start + count):
        gpu_model = ("RTX 4090", "RTX 3090")[number % 2]
        run = make_run(model_name=f"Model-{number}", gpu_model=gpu_model, figures=speed(number + 1))
        make_score(variant=run.variant, benchmark="mmlu", protocol=Protocol(shots=number % 2))
        runs.append(run)
    return runs


def test_lists_take_as_many_queries_for_twenty_rows_as_for_two(client: Client) -> None:
    def queries(path: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert client.get(path).status_code == 200
        return len(captured)

    paths = [
        f"/api/{name}"
        for name in ("grouped-performance", "performance-grid", "configurations", "runs")
    ]
    runs = fill(2, start=0)
    few = {path: queries(path) for path in paths}
    runs += fill(18, start=2)
    assert {path: queries(path) for path in paths} == few
    assert max(few.values()) <= 10
    two = "/api/comparison?" + "&".join(f"run={run.pk}" for run in runs[:2])
    eight = "/api/comparison?" + "&".join(f"run={run.pk}" for run in runs[:8])
    assert queries(two) == queries(eight) <= 8
    assert queries(f"/api/detail/{runs[0].pk}") <= 12


@pytest.mark.parametrize(
    ("path", "name"), [("grouped-performance", "models"), ("performance-grid", "rows")]
)
def test_beyond_the_last_page_there_are_no_rows(client: Client, path: str, name: str) -> None:
    make_run()
    answer = client.get(f"/api/{path}", {"page": 9999}).json()
    assert (answer[name], answer["total_count"]) == ([], 1)

"""The pipeline: what is written, what is unchanged, what is refused, all or nothing."""

import copy
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, models
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.models import BenchmarkScore, ModelVariant
from benchmarks.services import withdraw_score
from benchsite.common.review import ReviewState
from experiments.choices import UploadOutcome
from experiments.ingest.actor import Actor
from experiments.ingest.pipeline import ingest_file
from experiments.ingest.report import Refusal, Report
from experiments.ingest.review import set_review_state, withdraw_run
from experiments.models import ApiToken, Configuration, Measurement, TestRun, Upload, UploadContent
from tests.experiments.samples import SEED
from tests.experiments.test_llama_bench import row
from tests.factories import experiment, ingest, make_run

FACTS: tuple[type[models.Model], ...] = (
    TestRun,
    Measurement,
    Configuration,
    ModelVariant,
    BenchmarkScore,
)


def counts() -> dict[str, int]:
    """Return how many rows each table of facts has."""
    return {model.__name__: model._default_manager.count() for model in FACTS}


def send(data: bytes, **options: Any) -> Report:
    fields = options.pop("fields", {})
    return ingest_file(data=data, file_name="f", fields=fields, actor=Actor(), **options)


@pytest.fixture
def seed() -> dict[str, Any]:
    return copy.deepcopy(SEED)


def test_the_seed_experiment_goes_in_as_it_stands(db: None, seed: dict[str, Any]) -> None:
    report = ingest(seed)
    assert report.outcome == "created"
    run = TestRun.objects.with_names().get(pk=seed["experiment_run"]["id"])
    assert str(run.variant) == "acme-labs/Nimbus-14B-Instruct · Q5_K_M"
    assert run.hardware.gpu_model == "RTX 4080"
    assert run.hardware.ram_type == "DDR5"
    assert run.backend == "llama.cpp"
    assert run.gpu_power_limit_watts == 280
    assert run.configuration.load_class == "concurrent"
    measured = {(m.metric, m.statistic): (m.value, m.unit) for m in run.measurements.all()}
    assert measured == {
        ("tokens_per_second", "mean"): (61.7, "tok/s"),
        ("ttft_ms", "p95"): (182.0, "ms"),
    }
    scores = {score.benchmark.slug: score for score in run.variant.scores.all()}
    assert scores["gsm8k"].score == pytest.approx(76.573, abs=0.001)
    assert scores["gsm8k"].is_current
    assert not scores["mmlu"].complete
    assert scores["mmlu"].categories.get().score == 41.0


def test_scores_alone_touch_no_run(db: None, seed: dict[str, Any]) -> None:
    ingest(seed)
    before = list(TestRun.objects.values()), list(Measurement.objects.values())
    inner = seed["experiment_run"]
    report = ingest(
        {
            "model_name": inner["model_name"],
            "quantization": "q5_k_m",
            "benchmark_scores": [
                {"type": "HellaSwag", "data": {"accuracy": 81.5}},
                {"type": "HumanEval", "data": {"pass_at_1": 60.4, "total_problems": 164}},
            ],
            "timestamp": "2026-11-21T00:00:00Z",
        }
    )
    assert report.outcome == "created"
    assert (list(TestRun.objects.values()), list(Measurement.objects.values())) == before
    assert ModelVariant.objects.count() == 1


def test_the_same_bytes_again_write_nothing(db: None, seed: dict[str, Any]) -> None:
    first = ingest(seed)
    before = counts(), Upload.objects.count()
    again = ingest(seed)
    assert again.outcome == "unchanged"
    assert again.upload_id == first.upload_id
    assert [run.id for run in again.runs] == [run.id for run in first.runs]
    assert {score.id for score in again.scores} == {score.id for score in first.scores}
    assert (counts(), Upload.objects.count()) == before


def test_other_bytes_with_the_same_facts_are_kept_and_unchanged(
    db: None, seed: dict[str, Any]
) -> None:
    ingest(seed)
    before = counts()
    report = send(json.dumps(seed, indent=4).encode())
    assert report.outcome == "unchanged"
    assert counts() == before
    assert UploadContent.objects.count() == 2


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_two_at_the_same_moment_leave_one(seed: dict[str, Any]) -> None:
    def send_once(_number: int) -> str:
        try:
            return ingest(seed).outcome
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(send_once, range(4)))
    assert sorted(outcomes) == ["created", "unchanged", "unchanged", "unchanged"]
    assert (TestRun.objects.count(), Upload.objects.count()) == (1, 1)


def test_bytes_are_kept_exactly_and_refused_ones_too(db: None, seed: dict[str, Any]) -> None:
    data = b"\xef\xbb\xbf" + json.dumps(seed).encode() + b"\r\n"
    assert Upload.objects.get(pk=send(data).upload_id or "").content.data == data
    bad = b"{ this is not JSON"
    report = send(bad)
    upload = Upload.objects.get(pk=report.upload_id or "")
    assert upload.outcome == UploadOutcome.REJECTED
    assert upload.content.data == bad
    assert upload.report["errors"][0]["path"] == "line 1, column 3"


def test_a_refused_file_may_be_sent_again_with_what_was_missing(db: None) -> None:
    data = json.dumps([row(gpu_info="", cpu_info="")]).encode()
    refused = send(data)
    assert refused.refusal is Refusal.MISSING
    assert refused.missing == ("gpu_model",)
    accepted = send(data, fields={"gpu_model": "NVIDIA GeForce RTX 4090", "gpu_count": "2"})
    assert accepted.outcome == "created"
    run = TestRun.objects.get(pk=accepted.runs[0].id)
    assert (run.hardware.gpu_model, run.hardware.gpu_count) == ("RTX 4090", 2)
    assert send(data).outcome == "unchanged"
    assert send(data, fields={"gpu_model": "RTX 3090"}).refusal is Refusal.CONFLICT


def test_context_overrides_names_with_a_warning_and_never_figures(db: None) -> None:
    report = send(
        json.dumps([row()]).encode(),
        fields={"model_name": "Renamed-1B", "output_tokens": "9"},
    )
    run = TestRun.objects.get(pk=report.runs[0].id)
    assert run.variant.model_name == "Renamed-1B"
    assert run.output_tokens == 128
    assert [warning.value for warning in report.warnings] == ["Renamed-1B", 9.0]


def test_a_dry_run_writes_nothing_and_says_what_would_be(db: None, seed: dict[str, Any]) -> None:
    before = counts(), Upload.objects.count(), UploadContent.objects.count()
    report = ingest(seed, dry_run=True)
    assert report.outcome == "dry_run"
    assert [str(run.id) for run in report.runs] == [seed["experiment_run"]["id"]]
    assert (counts(), Upload.objects.count(), UploadContent.objects.count()) == before


def test_the_same_id_with_other_content_is_a_conflict(db: None, seed: dict[str, Any]) -> None:
    ingest(seed)
    seed["experiment_run"]["performance_metrics"][0]["value"] = 99.0
    before = counts()
    report = ingest(seed)
    assert report.refusal is Refusal.CONFLICT
    assert counts() == before
    replaced = ingest(seed, replace=True)
    assert replaced.runs[0].action == "replaced"
    run = TestRun.objects.get(pk=seed["experiment_run"]["id"])
    assert run.measurements.get(metric="tokens_per_second").value == 99.0
    run.configuration.refresh_from_db()
    assert run.configuration.tokens_per_second == 99.0


def as_token(name: str) -> Actor:
    ApiToken.issue(name=name, scopes=["upload"])
    return Actor(token=ApiToken.objects.get(name=name))


def send_as(actor: Actor, run: dict[str, Any], **options: Any) -> Report:
    data = json.dumps({"experiment_run": run}).encode()
    return ingest_file(data=data, file_name="f", fields={}, actor=actor, **options)


def test_an_unfinished_run_is_completed_by_who_sent_it_without_replace(db: None) -> None:
    mine, other = as_token("mine"), as_token("other")
    run = experiment(status="running", figures={})
    send_as(mine, run)
    done = {**experiment(), "id": run["id"]}
    assert send_as(other, done).refusal is Refusal.CONFLICT
    assert send_as(mine, done).runs[0].action == "replaced"
    assert TestRun.objects.get(pk=run["id"]).status == "completed"


def test_a_finished_run_is_replaced_by_who_sent_it_and_by_nobody_else(db: None) -> None:
    mine, other = as_token("mine"), as_token("other")
    run = experiment()
    send_as(mine, run)
    changed = {**run, "notes": "measured again"}
    assert send_as(mine, changed).refusal is Refusal.CONFLICT
    assert send_as(other, changed, replace=True).refusal is Refusal.CONFLICT
    assert send_as(mine, changed, replace=True).runs[0].action == "replaced"
    assert TestRun.objects.get(pk=run["id"]).notes == "measured again"


@pytest.mark.parametrize("state", [ReviewState.WITHDRAWN, ReviewState.REJECTED])
def test_what_a_curator_took_out_comes_back_by_a_curator_only(db: None, state: ReviewState) -> None:
    mine = as_token("mine")
    run = experiment()
    send_as(mine, run)
    set_review_state(run_ids=[run["id"]], state=state, reason="made up")
    changed = {**run, "notes": "honest"}
    assert send_as(mine, changed, replace=True).refusal is Refusal.WITHDRAWN
    assert send_as(Actor(is_curator=True), changed, replace=True).accepted


def test_a_withdrawn_run_is_refused_until_it_is_restored(db: None) -> None:
    run = {"experiment_run": experiment()}
    run_id = ingest(run).runs[0].id
    withdraw_run(run=TestRun.objects.get(pk=run_id), reason="wrong machine")
    assert Configuration.objects.get().runs == 0
    assert ingest(run).refusal is Refusal.WITHDRAWN
    assert ingest(run, replace=True).accepted
    assert Configuration.objects.get().runs == 1
    assert TestRun.objects.get(pk=run_id).review_state == ReviewState.PUBLISHED


def test_replacing_a_run_supersedes_the_scores_it_brought(db: None) -> None:
    def scored(score: float, day: int) -> dict[str, Any]:
        data = {
            "benchmark_name": "MMLU-Pro",
            "score": score,
            "timestamp": f"2026-11-{day:02}T00:00:00Z",
        }
        return {**run, "benchmark_scores": [{"type": "Generic", "data": data}]}

    def current() -> list[float]:
        return [score.score for score in BenchmarkScore.objects.current()]

    run = experiment()
    ingest({"experiment_run": scored(90.0, 20)})
    assert current() == [90.0]
    ingest({"experiment_run": scored(35.0, 10)}, replace=True)
    assert current() == [35.0]
    ingest({"experiment_run": run}, replace=True)
    assert current() == []
    ingest({"experiment_run": scored(90.0, 20)}, replace=True)
    assert current() == [90.0]


def test_a_score_that_stands_elsewhere_too_is_not_superseded(
    db: None, seed: dict[str, Any]
) -> None:
    inner = seed["experiment_run"]
    names = {"model_name": inner["model_name"], "quantization": inner["quantization"]}
    ingest(seed)
    ingest({**names, "benchmark_scores": inner["benchmark_scores"]})
    inner["benchmark_scores"] = []
    assert ingest(seed, replace=True).accepted
    assert BenchmarkScore.objects.current().get().benchmark.slug == "gsm8k"


def test_bytes_whose_run_was_replaced_since_are_not_unchanged(db: None) -> None:
    first = {"experiment_run": experiment()}
    ingest(first)
    second = {"experiment_run": {**first["experiment_run"], "notes": "again"}}
    ingest(second, replace=True)
    assert ingest(first).refusal is Refusal.CONFLICT
    assert ingest(first, replace=True).accepted
    assert TestRun.objects.get().notes is None


def test_what_waits_for_review_is_published_by_an_upload_that_may(
    db: None, seed: dict[str, Any]
) -> None:
    assert ingest(seed, review_state=ReviewState.PENDING).outcome == "created"
    assert Configuration.objects.get().runs == 0
    report = ingest(seed)
    assert report.outcome == "created"
    assert {run.action for run in report.runs} == {"published"}
    assert {score.action for score in report.scores} == {"published"}
    assert Configuration.objects.get().runs == 1
    assert BenchmarkScore.objects.current().get().benchmark.slug == "gsm8k"
    assert ingest(seed, review_state=ReviewState.PENDING).outcome == "unchanged"


def test_a_withdrawn_score_is_refused_until_a_curator_restores_it(db: None) -> None:
    scores = {
        "model_name": "m",
        "quantization": "Q8_0",
        "benchmark_scores": [{"type": "HellaSwag", "data": {"accuracy": 81.0}}],
    }
    ingest(scores)
    withdraw_score(score_id=BenchmarkScore.objects.get().pk, reason="wrong model")
    assert ingest(scores).refusal is Refusal.WITHDRAWN
    assert ingest(scores, replace=True).accepted
    assert BenchmarkScore.objects.current().count() == 1


def test_what_waits_for_review_tells_nothing_about_the_variant(db: None) -> None:
    def size(parameters: int) -> bytes:
        return json.dumps([row(model_n_params=parameters)]).encode()

    pending = Actor(review_state=ReviewState.PENDING)
    ingest_file(data=size(1), file_name="f", fields={}, actor=pending)
    assert ModelVariant.objects.get().parameters is None
    assert send(size(1235814432)).accepted
    assert ModelVariant.objects.get().parameters == 1235814432


@pytest.mark.parametrize(
    "fields",
    [
        {
            "concurrent_requests": 2**31 - 1,
            "batch_size": 2**31 - 1,
            "input_tokens": 123456789012.0,
            "output_tokens": 123456789012.0,
            "context_depth": 2**31 - 1,
            "load_pattern": "p" * 100,
            "dataset_name": "d" * 200,
        },
        {
            "figures": {
                "tokens_per_second": (1e300, "tok/s", None),
                "gpu_power_watts": (1e-10, "W", None),
            }
        },
    ],
    ids=["longest load", "infinite efficiency"],
)
def test_extremes_are_stored(db: None, fields: dict[str, Any]) -> None:
    assert make_run(**fields).configuration.runs == 1


def test_loads_that_differ_are_never_one_configuration(db: None) -> None:
    make_run(load_pattern="a dataset=b")
    make_run(load_pattern="a", dataset_name="b")
    assert Configuration.objects.count() == 2


def test_the_time_of_a_figure_and_the_context_of_a_score_are_kept(
    db: None, seed: dict[str, Any]
) -> None:
    seed["experiment_run"]["benchmark_scores"][1]["data"]["context"] = {"seed": 7}
    ingest(seed)
    figure = Measurement.objects.get(metric="ttft_ms")
    assert figure.context == {"timestamp": "2026-11-20T09:30:00+00:00"}
    assert BenchmarkScore.objects.get(benchmark__slug="gsm8k").context == {"seed": 7}


def test_fields_that_scores_alone_cannot_use_are_named(db: None) -> None:
    report = send(
        json.dumps(
            {
                "model_name": "m",
                "quantization": "Q8_0",
                "benchmark_scores": [{"type": "HellaSwag", "data": {"accuracy": 81.0}}],
            }
        ).encode(),
        fields={"gpu_model": "RTX 4090", "source_url": "https://example.org/scores"},
    )
    assert [warning.value for warning in report.warnings] == ["gpu_model"]
    assert BenchmarkScore.objects.get().source_url == "https://example.org/scores"


def test_pending_runs_count_only_once_published(db: None) -> None:
    run = make_run(review_state=ReviewState.PENDING)
    assert Configuration.objects.get().runs == 0
    set_review_state(run_ids=[run.pk], state=ReviewState.PUBLISHED)
    configuration = Configuration.objects.get()
    assert (configuration.runs, configuration.tokens_per_second) == (1, 50.0)
    assert configuration.representative_id == run.pk


def test_power_and_speed_give_tokens_per_kwh_marked_as_derived(db: None) -> None:
    run = make_run(
        figures={
            "tokens_per_second": (100.0, "tok/s", "decode"),
            "gpu_power_watts": (400.0, "W", "gpu"),
        }
    )
    derived = run.measurements.get(metric="tokens_per_kwh")
    assert derived.value == 900_000.0
    assert derived.definition == "gpu"
    assert derived.derived_from == ["tokens_per_second mean", "gpu_power_watts mean"]
    assert run.configuration.tokens_per_kwh == 900_000.0


def test_units_are_converted_and_unknown_metrics_kept(db: None) -> None:
    run = make_run(
        figures={
            "ttft_ms": (0.25, "s", None),
            "memory_usage_gb": (2048.0, "MiB", None),
            "tokens_accepted_share": (0.7, "", None),
        }
    )
    measured = {m.metric: (m.value, m.unit) for m in run.measurements.all()}
    assert measured == {
        "ttft_ms": (250.0, "ms"),
        "memory_usage_gb": (pytest.approx(2.147483648), "GB"),
        "tokens_accepted_share": (0.7, ""),
    }


def test_a_fraction_where_percent_is_meant_waits_for_confirmation(db: None) -> None:
    report = ingest(
        {
            "model_name": "m",
            "quantization": "Q8_0",
            "benchmark_scores": [{"type": "HellaSwag", "data": {"accuracy": 0.81}}],
        }
    )
    score = BenchmarkScore.objects.get()
    assert score.needs_confirmation
    assert not score.is_current
    assert any("fraction" in warning.message for warning in report.warnings)


def test_names_as_uploaded_are_kept_beside_canonical_ones(db: None) -> None:
    run = make_run(quantization="q4_k_m", backend="LlamaCPP", gpu_model="NVIDIA GeForce RTX 4090")
    assert run.variant.quantization == "Q4_K_M"
    assert run.reported_names == {
        "quantization": "q4_k_m",
        "backend": "LlamaCPP",
        "gpu_model": "NVIDIA GeForce RTX 4090",
    }


def test_a_warning_stays_with_its_run(db: None) -> None:
    doubtful = experiment(figures={"ttft_ms": (0.001, "ms", None)})
    report = ingest({"experiment_runs": [experiment(), doubtful]})
    kept = TestRun.objects.get(pk=doubtful["id"]).warnings
    assert kept == [warning.as_dict() for warning in report.warnings]
    assert kept[0]["path"] == "experiment_runs[1].performance_metrics[0].value"
    assert TestRun.objects.exclude(pk=doubtful["id"]).get().warnings == []


def test_files_with_one_sweep_label_are_one_sweep(db: None) -> None:
    first = make_run(sweep="night run", concurrent_requests=1)
    second = make_run(sweep="night run", concurrent_requests=8)
    other = make_run(sweep="night run", model_name="another-model")
    assert first.sweep_id == second.sweep_id
    assert other.sweep_id != first.sweep_id


def test_the_number_of_queries_does_not_grow_with_runs(db: None) -> None:
    def queries(count: int) -> int:
        runs = [experiment() for _ in range(count)]
        with CaptureQueriesContext(connection) as captured:
            assert ingest({"experiment_runs": runs}).accepted
        return len(captured)

    queries(1)
    assert queries(2) == queries(20)


BAD_EXPERIMENTS: dict[str, tuple[list[Any], Any, str]] = {
    "nan": (["performance_metrics", 0, "value"], float("nan"), "performance_metrics[0].value"),
    "infinity": (["performance_metrics", 0, "value"], 1e999, "performance_metrics[0].value"),
    "negative": (["performance_metrics", 0, "value"], -1.0, "performance_metrics[0].value"),
    "text": (["performance_metrics", 0, "value"], "fast", "performance_metrics[0].value"),
    "unknown unit": (["performance_metrics", 0, "unit"], "furlong", "performance_metrics[0].unit"),
    "wrong unit": (["performance_metrics", 0, "unit"], "W", "performance_metrics[0].unit"),
    "unknown score type": (["benchmark_scores", 0, "type"], "IQ", "benchmark_scores[0]"),
    "correct above total": (
        ["benchmark_scores", 1, "data", "problems_solved"],
        1400,
        "benchmark_scores[1].Gsm8kScore.data",
    ),
    "score 130": (
        ["benchmark_scores", 0, "data", "categories", 0, "score"],
        130.0,
        "benchmark_scores[0].MMLU.data.categories[0].score",
    ),
    "empty hardware": (["hardware_config"], {}, "hardware_config"),
    "memory without gpu": (
        ["hardware_config"],
        {"cpu_model": "x", "gpu_memory_gb": 8},
        "hardware_config",
    ),
    "blank name": (["model_name"], "  ", "model_name"),
    "long name": (["model_name"], "n" * 2_000_000, "model_name"),
    "date": (["timestamp"], "20 November", "timestamp"),
    "misspelt field": (["concurent_requests"], 4, "concurent_requests"),
    "no metrics": (["performance_metrics"], [], ""),
    "nan in settings": (["settings"], {"x": float("nan")}, "settings.x"),
    "lone surrogate": (["notes"], "\ud800", "notes"),
    "nul": (["notes"], "a\x00b", "notes"),
    "invisible name": (["model_name"], "\u200b", "model_name"),
    "invisible backend": (["backend"], "\u200b", "backend"),
    "far offset": (["timestamp"], "2100-12-31T23:59:59-23:59", "timestamp"),
    "far year": (["timestamp"], "9999-12-31T23:59:59Z", "timestamp"),
    "arabic digits": (
        ["performance_metrics", 0, "statistic"],
        "p٣٣",
        "performance_metrics[0].statistic",
    ),
    "samples miscounted": (
        ["performance_metrics", 0],
        {
            "metric_name": "tokens_per_second",
            "value": 1.5,
            "unit": "tok/s",
            "sample_count": 7,
            "samples": [1.0, 2.0],
        },
        "performance_metrics[0]",
    ),
    "infinite once converted": (
        ["performance_metrics", 0],
        {"metric_name": "memory_usage_gb", "value": 1e300, "unit": "TB", "samples": [1e308]},
        "performance_metrics[0].samples[0]",
    ),
    "zero for unknown": (["performance_metrics", 1, "value"], 0.0, "performance_metrics[1].value"),
    "share as total": (
        ["performance_metrics", 0, "unit"],
        "tok/s/gpu",
        "performance_metrics[0].unit",
    ),
    "benchmark without a name": (
        ["benchmark_scores", 0],
        {"type": "Generic", "data": {"benchmark_name": "!!!", "score": 4.0}},
        "benchmark_scores[0]",
    ),
}


@pytest.mark.parametrize("case", BAD_EXPERIMENTS)
def test_bad_experiments_are_refused_by_path_and_write_nothing(
    db: None, seed: dict[str, Any], case: str
) -> None:
    place, value, path = BAD_EXPERIMENTS[case]
    target: Any = seed["experiment_run"]
    for part in place[:-1]:
        target = target[part]
    target[place[-1]] = value
    before = counts()
    report = ingest(seed)
    assert report.refusal in (Refusal.INVALID, Refusal.UNREADABLE)
    expected = "experiment_run" + (f".{path}" if path else "")
    assert expected.split(".Gsm8k")[0] in report.errors[0].path
    assert report.errors[0].message.endswith((".", "?"))
    assert counts() == before


BAD_FILES = {
    "empty": (b"", Refusal.UNREADABLE),
    "white space": (b" \n\t", Refusal.UNREADABLE),
    "not JSON": (b"{speed: fast}", Refusal.UNREADABLE),
    "truncated": (json.dumps(SEED).encode()[:-30], Refusal.UNREADABLE),
    "latin-1": ('{"model": "é"}'.encode("latin-1"), Refusal.UNREADABLE),
    "conflict markers": (b"<<<<<<< HEAD\n{}\n=======\n", Refusal.UNREADABLE),
    "deep": (b"[" * 100_000, Refusal.UNREADABLE),
    "deep but whole": (b"[" * 5000 + b"]" * 5000, Refusal.UNREADABLE),
    "twice the key": (b'{"experiment_run": {}, "experiment_run": {}}', Refusal.UNREADABLE),
    "endless integer": (b'{"experiment_run": ' + b"9" * 10_000 + b"}", Refusal.UNREADABLE),
    "unknown JSON": (b'{"hello": "world"}', Refusal.UNKNOWN_FORMAT),
    "unknown text": (b"hello, world", Refusal.UNKNOWN_FORMAT),
    "a number": (b"42", Refusal.UNKNOWN_FORMAT),
    "run is no object": (b'{"experiment_run": 7}', Refusal.INVALID),
    "no runs": (b'{"experiment_runs": []}', Refusal.INVALID),
    "binary": (bytes(range(256)), Refusal.UNREADABLE),
    "byte order mark alone": (b"\xff\xfe", Refusal.UNREADABLE),
    "another mark alone": (b"\xef\xbb\xbf", Refusal.UNREADABLE),
    "line separator alone": ("\u2028".encode(), Refusal.UNREADABLE),
    "array cut between runs": (
        b"[\n" + json.dumps(SEED).encode() + b",\n",
        Refusal.UNREADABLE,
    ),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_files_are_refused_and_write_nothing(db: None, case: str) -> None:
    data, refusal = BAD_FILES[case]
    before = counts()
    report = send(data)
    assert report.refusal is refusal
    assert report.errors
    assert counts() == before


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"gpu_count": "many"}, "context.gpu_count"),
        ({"gpu_memory_gb": "-1"}, "context.gpu_memory_gb"),
        ({"unheard_of": "1"}, "context.unheard_of"),
        ({"source_url": "javascript:alert(1)"}, "context.source_url"),
    ],
)
def test_wrong_context_is_refused(db: None, fields: dict[str, str], path: str) -> None:
    report = send(json.dumps([row()]).encode(), fields=fields)
    assert report.refusal is Refusal.INVALID
    assert report.errors[0].path == path


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


def paths(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value inside a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, item in items:
        found.append((*here, key))
        if isinstance(item, dict | list):
            found += paths(item, (*here, key))
    return found


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_mutated_files_never_raise_and_never_write_in_part(db: None, data: st.DataObject) -> None:
    document: Any = data.draw(st.sampled_from([SEED, [row(), row(n_prompt=512, n_gen=0)]]))
    document = copy.deepcopy(document)
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(paths(document)))
        target = document
        for part in path[:-1]:
            target = target[part]
        if data.draw(st.booleans()):
            target[path[-1]] = data.draw(json_values)
        else:
            del target[path[-1]]
        if not document or not paths(document):
            break
    before = counts()
    report = send(json.dumps(document).encode())
    if report.accepted:
        assert report.outcome in ("created", "unchanged")
    else:
        assert counts() == before
        assert report.errors


def test_every_sample_file_goes_in_and_a_second_time_changes_nothing(db: None) -> None:
    folder = Path(__file__).resolve().parents[2] / "experiments" / "sample"
    files = sorted(folder.glob("*.json"))
    assert len(files) >= 20
    for expected in ("created", "unchanged"):
        for path in files:
            report = send(path.read_bytes())
            assert report.outcome == expected, f"{path.name}: {report.summary}"
    assert not TestRun.objects.filter(models.Q(source_url=None) & models.Q(notes=None)).exists()
    assert not BenchmarkScore.objects.filter(source_url=None, notes=None).exists()

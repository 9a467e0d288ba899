"""The pipeline: what is written, what is unchanged, what is refused, all or nothing."""

import copy
import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, models
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from benchmarks.models import BenchmarkScore, ModelVariant
from benchsite.common.review import ReviewState
from experiments.choices import UploadOutcome
from experiments.ingest.actor import Actor
from experiments.ingest.drafts import confirm_draft, make_draft
from experiments.ingest.pipeline import ingest_file
from experiments.ingest.report import Refusal, Report
from experiments.ingest.review import set_review_state
from experiments.ingest.store import Received
from experiments.models import Configuration, Measurement, TestRun, Upload, UploadContent
from tests.experiments.samples import SEED
from tests.experiments.test_llama_bench import row
from tests.experiments.ways_in import facts
from tests.factories import experiment, ingest, make_run
from tests.people import OPERATOR


def send(data: bytes, **options: Any) -> Report:
    fields = options.pop("fields", {})
    return ingest_file(data=data, file_name="f", fields=fields, actor=Actor(), **options)


@pytest.fixture
def seed() -> dict[str, Any]:
    return copy.deepcopy(SEED)


def test_text_with_marks_of_the_database_stays_as_it_is(db: None, seed: dict[str, Any]) -> None:
    texts = ["\\N", "\\.", "a\tb", "one\r\ntwo\n", "C:\\new\\table", '"x"', "é\u2028ö", "", "\\\t"]
    seed["experiment_run"].pop("id")
    seed["experiment_run"].pop("benchmark_scores")
    runs = [
        {**seed["experiment_run"], "notes": text, "settings": {"text": text, text: [text]}}
        for text in texts
    ]
    assert ingest({"experiment_runs": runs}).outcome == "created"
    stored = [(run.notes, run.settings) for run in TestRun.objects.order_by("created_at")]
    assert stored == [(text, {"text": text, text: [text]}) for text in texts]


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
    before = facts(), Upload.objects.count()
    again = ingest(seed)
    assert again.outcome == "unchanged"
    assert again.upload_id == first.upload_id
    assert [run.id for run in again.runs] == [run.id for run in first.runs]
    assert {score.id for score in again.scores} == {score.id for score in first.scores}
    assert (facts(), Upload.objects.count()) == before


def test_other_bytes_with_the_same_facts_are_kept_and_unchanged(
    db: None, seed: dict[str, Any]
) -> None:
    ingest(seed)
    before = facts()
    report = send(json.dumps(seed, indent=4).encode())
    assert report.outcome == "unchanged"
    assert facts() == before
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
    before = facts(), Upload.objects.count(), UploadContent.objects.count()
    report = ingest(seed, dry_run=True)
    assert report.outcome == "dry_run"
    assert [str(run.id) for run in report.runs] == [seed["experiment_run"]["id"]]
    assert (facts(), Upload.objects.count(), UploadContent.objects.count()) == before


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
    set_review_state(run_ids=[run.pk], state=ReviewState.PUBLISHED, who=OPERATOR)
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


def test_a_run_that_stands_twice_is_taken_once_and_told(db: None) -> None:
    document = experiment()
    report = ingest({"experiment_runs": [document, document]})
    assert report.outcome == "created"
    assert TestRun.objects.count() == 1
    told = {problem.path: problem.message for problem in report.warnings}
    assert "taken once" in told["experiment_runs[1]"]


def test_a_time_in_the_future_is_doubted(db: None) -> None:
    report = ingest({"experiment_run": experiment(started_at="2099-01-01T00:00:00Z")})
    assert report.outcome == "created"
    assert [p.value for p in report.warnings if "future" in p.message] == [
        "2099-01-01T00:00:00+00:00"
    ]
    assert not ingest({"experiment_run": experiment()}).warnings


def test_a_packed_file_that_grows_beyond_the_limit_is_too_large(
    db: None, settings: Settings
) -> None:
    settings.BENCHSITE_MAX_UPLOAD_BYTES = 10_000
    report = send(gzip.compress(b" " * 20_000))
    assert report.refusal == Refusal.TOO_LARGE
    assert "10,000" in report.summary
    assert not Upload.objects.exists()


def test_an_older_draft_confirmed_later_counts_as_the_newer_upload(
    db: None, seed: dict[str, Any]
) -> None:
    actor = Actor(is_curator=True)
    data = json.dumps(seed).encode()
    first = Received(data=data, file_name="a", fields={"notes": "draft"}, actor=actor)
    make_draft(first)
    waiting = Upload.objects.drafts().get()
    assert send(data).outcome == "created"
    waiting.replacing = True
    waiting.save()
    assert confirm_draft(waiting, actor).outcome == "created"
    assert TestRun.objects.get().notes == "draft"
    assert send(data).upload_id == waiting.pk

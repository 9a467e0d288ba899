"""Taking an export in: unchanged where it came from, believed from some, a claim from others."""

import json
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from benchmarks.models import BenchmarkScore, ModelVariant
from experiments.formats.origin import checksum
from experiments.models import Sweep, TestRun
from experiments.provenance import claimed_origin, provenance_of
from tests.experiments.exported import answers, empty_site, export, records, take_in
from tests.experiments.senders import Sender
from tests.experiments.tokens import bearer
from tests.factories import experiment, ingest, make_run, make_score

pytestmark = pytest.mark.django_db


def _edited(data: bytes, **fields: Any) -> bytes:
    """Return an export of one run with other values in the run, and its checksum made anew."""
    head, run, *rest = data.splitlines()
    record = json.loads(run)["experiment_run"] | fields
    record["checksum"] = checksum(record)
    return b"\n".join([head, json.dumps({"experiment_run": record}).encode(), *rest])


@pytest.mark.parametrize("sender", ["curator", "other"])
def test_an_export_changes_nothing_where_it_comes_from(
    client: Client, people: dict[str, Sender], sender: str
) -> None:
    make_run(model_name="Nimbus-14B", sweep="mine")
    make_score(categories={"law": 40.0, "history": 60.0}, benchmark="mmlu")
    exported, before = export(), dict(answers(client))
    scores = set(BenchmarkScore.objects.values_list("id", flat=True))
    response = client.post(
        "/api/uploads",
        data=exported,
        content_type="application/json",
        headers=people[sender].headers,
    )
    assert (response.status_code, response.json()["outcome"]) == (200, "unchanged")
    assert TestRun.objects.count() == 1
    assert set(BenchmarkScore.objects.values_list("id", flat=True)) == scores
    assert dict(answers(client)) == before
    assert records(export()) == records(exported)


def test_the_file_that_made_a_run_is_known_to_the_site_that_took_in_the_export() -> None:
    document = {"experiment_run": _without_id()}
    assert ingest(document).accepted
    exported = export()
    empty_site()
    assert take_in(exported).accepted
    again = ingest(document)
    assert (again.outcome, TestRun.objects.count()) == ("unchanged", 1)


def test_a_curators_token_takes_an_export_in_by_the_api(client: Client) -> None:
    run = make_run(started_at="2026-11-20T09:30:00")
    score = make_score()
    exported, before = export(), dict(answers(client))
    empty_site()
    response = client.post(
        "/api/uploads",
        data=exported,
        content_type="application/json",
        headers=bearer("upload", "curate"),
    )
    assert response.status_code == 201, response.json()
    assert (TestRun.objects.get().pk, BenchmarkScore.objects.get().pk) == (run.pk, score.pk)
    assert dict(answers(client)) == before
    assert records(export()) == records(exported)


def _without_id() -> dict[str, Any]:
    record = experiment()
    del record["id"]
    return record


def test_what_was_changed_after_the_export_is_refused() -> None:
    run = make_run()
    head, line = export().splitlines()
    record = json.loads(line)
    record["experiment_run"]["performance_metrics"][0]["value"] = 5000.0
    report = take_in(b"\n".join([head, json.dumps(record).encode()]))
    assert [error.path for error in report.errors] == ["line 2: experiment_run.checksum"]
    assert run.measurements.get().value == 50.0


def test_json_that_was_read_and_written_by_another_program_is_the_same_export() -> None:
    make_run()
    exported = export()
    empty_site()
    rewritten = exported.replace(b"50.0", b"50")
    assert rewritten != exported
    assert take_in(rewritten).accepted


def test_what_others_say_of_where_a_run_comes_from_is_a_claim(people: dict[str, Sender]) -> None:
    run = make_run()
    exported = export()
    origin = json.loads(exported.splitlines()[1])["experiment_run"]["origin"]
    empty_site()
    assert take_in(exported, is_curator=False).accepted
    stored = TestRun.objects.get()
    assert stored.pk == run.pk
    assert stored.content_hash != origin["content_hash"]
    assert stored.created_at != run.created_at
    item = stored.upload_items.get()
    found, claim = provenance_of(item), claimed_origin(item)
    assert found is not None
    assert claim is not None
    assert (found.upload_id, found.is_stated) == (item.upload_id, False)
    assert str(claim.upload_id) == origin["upload"]["id"]


def test_a_claimed_sweep_joins_no_other(client: Client) -> None:
    sweep = Sweep.objects.create(key="ab" * 32)
    run = make_run()
    TestRun.objects.filter(pk=run.pk).update(sweep=sweep)
    exported = export()
    TestRun.objects.all().delete()
    assert take_in(exported, is_curator=False).accepted
    assert TestRun.objects.get().sweep_id != sweep.pk


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"content_hash": "abc"}, "origin.content_hash"),
        ({"settings_key": "G" * 64}, "origin.settings_key"),
        ({"workload_key": '{"concurrency":7}'}, "origin.workload_key"),
        ({"received_at": "yesterday"}, "origin.received_at"),
        ({"nonsense": 1}, "origin.nonsense"),
    ],
)
def test_wrong_origins_are_refused_with_their_place(change: dict[str, Any], place: str) -> None:
    make_run()
    exported = export()
    origin = json.loads(exported.splitlines()[1])["experiment_run"]["origin"]
    empty_site()
    report = take_in(_edited(exported, origin=origin | change))
    assert not report.accepted
    assert [error.path for error in report.errors] == [f"line 2: experiment_run.{place}"]
    assert not TestRun.objects.exists()


def test_an_id_of_another_score_is_refused() -> None:
    make_score(score=70.0)
    head, line = export().splitlines()
    record = json.loads(line)
    record["benchmark_scores"][0]["data"]["score"] = 71.0
    record["benchmark_scores"][0]["origin"]["content_key"] = "cd" * 32
    record["checksum"] = checksum(record)
    report = take_in(b"\n".join([head, json.dumps(record).encode()]))
    assert [error.path for error in report.errors] == ["line 2: benchmark_scores[0].id"]
    assert BenchmarkScore.objects.get().score == 70.0


def test_facts_of_a_variant_come_along() -> None:
    run = make_run()
    facts = {"parameters": 14_000_000_000, "family": "Nimbus", "quantizer": "acme"}
    ModelVariant.objects.filter(pk=run.variant_id).update(**facts)
    exported = export()
    empty_site()
    assert take_in(exported).accepted
    assert ModelVariant.objects.filter(**facts).exists()


def test_a_run_without_a_known_time_or_figure_comes_along() -> None:
    run = make_run(status="failed", performance_metrics=[])
    TestRun.objects.filter(pk=run.pk).update(started_at=None, zone_known=False)
    exported = export()
    empty_site()
    report = take_in(exported)
    assert report.accepted, report.errors
    assert TestRun.objects.get().started_at is None
    assert records(export())[0] | {"checksum": None} == records(exported)[0] | {"checksum": None}


_NUMBERS = st.floats(min_value=0.01, max_value=1e5, allow_nan=False)
_WORDS = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=30)
_RUNS = st.fixed_dictionaries(
    {
        "figures": st.dictionaries(
            st.sampled_from(["tokens_per_second", "prompt_processing_speed"]),
            st.tuples(_NUMBERS, st.just("tok/s"), st.sampled_from([None, "wall_clock"])),
            min_size=1,
        ),
        "gpu_count": st.integers(1, 8),
    },
    optional={
        "request_rate": st.one_of(st.integers(1, 50), st.floats(0.1, 50)),
        "input_tokens": st.floats(1, 1e5),
        "batch_size": st.integers(1, 500),
        "dataset_name": _WORDS,
        "speculation": _WORDS,
        "settings": st.dictionaries(_WORDS, st.one_of(st.booleans(), st.integers(), _WORDS)),
        "notes": _WORDS,
        "sweep": _WORDS,
        "parallelism": st.fixed_dictionaries({"tensor": st.integers(1, 8)}),
        "complete": st.booleans(),
        "load_kind": st.sampled_from(["isolated", "serving", "batch"]),
        "started_at": st.sampled_from(["2026-11-20T09:30:00", "2026-11-20T09:30:00.123456Z"]),
    },
)


class AnyRuns(TestCase):
    """A TestCase, so that every example begins with an empty site."""

    @given(runs=st.lists(_RUNS, min_size=1, max_size=4))
    def test_any_runs_are_exported_again_as_they_were(self, runs: list[dict[str, Any]]) -> None:
        for fields in runs:
            make_run(**fields)
        exported = export()
        assert take_in(exported).outcome == "unchanged"
        empty_site()
        report = take_in(exported)
        assert report.accepted, report.errors
        assert records(export()) == records(exported)

"""Values that cannot be right, by the API and by the form: the place, the value, what is needed.

Whole files that cannot be read are in test_bad_files.py, requests in test_bad_bodies.py and
test_served_bodies.py.
"""

import json
from typing import Any

import pytest
from django.test import Client

from benchmarks.models import BenchmarkScore
from experiments.models import Measurement, TestRun
from tests.experiments.samples import SEED
from tests.experiments.ways_in import WayIn, by_api, by_form, confirm, facts
from tests.experiments.wrong_values import (
    GPU,
    METRIC,
    SAME,
    SCORE,
    VALUE,
    WRONG,
    changed,
    score,
)

pytestmark = pytest.mark.django_db

both_ways = pytest.mark.parametrize("way", [by_api, by_form])


@both_ways
@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_value_is_refused_where_it_stands(client: Client, way: WayIn, case: str) -> None:
    wrong = WRONG[case]
    before = facts()
    answer = way(client, wrong.file(), "wrong & <odd>.json")
    assert answer.status == wrong.status, answer.text
    told = answer.error_at(f"experiment_run.{wrong.place if wrong.at is None else wrong.at}")
    assert wrong.says in told.message
    assert told.message.endswith((".", "?"))
    shown = wrong.value if wrong.shown is SAME else wrong.shown
    assert told.value == (None if shown is None else str(shown))
    assert facts() == before
    if way is by_form:
        assert "wrong & <odd>.json" in answer.text


@both_ways
def test_every_problem_of_a_file_is_told_at_once(client: Client, way: WayIn) -> None:
    wrong = changed("timestamp", "today")["experiment_run"]
    del wrong["model_name"]
    runs = {"experiment_runs": [wrong, changed(GPU, -1)["experiment_run"]]}
    answer = way(client, json.dumps(runs).encode(), "two.json")
    assert answer.status == 422
    assert [error.path for error in answer.errors] == [
        "experiment_runs[0].model_name",
        "experiment_runs[0].timestamp",
        f"experiment_runs[1].{GPU}",
    ]


@both_ways
@pytest.mark.parametrize(
    ("name", "value", "unit", "stored", "stored_unit"),
    [
        ("ttft_ms", 0.25, "s", 250.0, "ms"),
        ("memory_usage_gb", 2048, "MiB", 2.147483648, "GB"),
        ("model_loading_time", 1500, "ms", 1.5, "s"),
        ("tokens_per_second", 600, "tokens per minute", 10.0, "tok/s"),
        ("error_rate", 0.25, "ratio", 25.0, "%"),
        ("tokens_accepted_share", 0.7, "", 0.7, ""),
    ],
)
def test_units_are_converted(
    client: Client,
    way: WayIn,
    name: str,
    value: float,
    unit: str,
    stored: float,
    stored_unit: str,
) -> None:
    document = changed(METRIC, {"metric_name": name, "value": value, "unit": unit})
    answer = way(client, json.dumps(document).encode(), "units.json")
    assert answer.status in (200, 201), answer.text
    if way is by_form:
        confirm(client)
    measured = Measurement.objects.get(metric=name, statistic="mean")
    assert measured.value == pytest.approx(stored)
    assert measured.unit == stored_unit


@both_ways
@pytest.mark.parametrize(
    ("place", "value", "path", "says"),
    [
        ("timestamp", "2026-11-20T09:30:00", "timestamp", "names no zone"),
        (VALUE, 2e6, VALUE, "please check"),
        (f"{METRIC}.metric_name", "magic", f"{METRIC}.metric_name", "does not know this metric"),
        ("benchmark_scores", score("HellaSwag", accuracy=0.81), SCORE, "fraction"),
        ("quantization", "Q9_Z", "quantization", "does not know this quantization"),
    ],
)
def test_what_is_only_doubtful_is_taken_with_a_warning(
    client: Client, way: WayIn, place: str, value: Any, path: str, says: str
) -> None:
    answer = way(client, json.dumps(changed(place, value)).encode(), "doubtful.json")
    assert answer.status in (200, 201), answer.text
    warned = {warning.path.removeprefix("experiment_run."): warning for warning in answer.warnings}
    assert says in warned[path].message
    if way is by_form:
        confirm(client)
    run = TestRun.objects.get()
    assert run.zone_known == (place != "timestamp")
    fractions = BenchmarkScore.objects.filter(benchmark__slug="hellaswag")
    assert not any(item.is_current or not item.needs_confirmation for item in fractions)


CONTEXT = [
    ("gpu_count", "many", "A whole number is needed here."),
    ("gpu_count", "0", "1 or more"),
    ("gpu_count", "1000000000", "32,767 or less"),
    ("gpu_memory_gb", "-1", "above 0"),
    ("gpu_memory_gb", "1e400", "NaN and infinity"),
    ("ram_gb", "nan", "NaN and infinity"),
    ("concurrent_requests", "2147483648", "below 2,147,483,648"),
    ("source_url", "javascript:alert(1)", "https://example.org"),
    ("source_url", "http://[", "https://example.org"),
    ("model_name", "\u200b", "U+200B"),
    ("model_name", "x" * 201, "201 characters"),
]


@both_ways
@pytest.mark.parametrize(("name", "value", "says"), CONTEXT)
def test_wrong_context_is_refused_by_its_field(
    client: Client, way: WayIn, name: str, value: str, says: str
) -> None:
    before = facts()
    answer = way(client, json.dumps(SEED).encode(), "good.json", **{name: value})
    assert answer.status == 422
    told = answer.error_at(f"context.{name}")
    assert says in told.message
    assert told.value is not None
    assert told.value.startswith(value[:100])
    assert facts() == before


def test_a_context_field_that_does_not_exist_is_named_with_the_nearest(client: Client) -> None:
    answer = by_api(client, json.dumps(SEED).encode(), "good.json", gpu_modle="RTX 4090")
    assert answer.status == 422
    assert "is “gpu_model” meant?" in answer.error_at("context.gpu_modle").message


@both_ways
def test_two_runs_with_one_id_are_a_conflict(client: Client, way: WayIn) -> None:
    runs = [SEED["experiment_run"], changed("notes", "another")["experiment_run"]]
    before = facts()
    answer = way(client, json.dumps({"experiment_runs": runs}).encode(), "twins.json")
    assert answer.status == 409
    told = answer.error_at("experiment_runs[1].id")
    assert told.value == SEED["experiment_run"]["id"]
    assert "same id" in told.message
    assert facts() == before

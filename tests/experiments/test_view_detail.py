"""The page of one run."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from benchsite.common.review import ReviewState
from experiments.models import TestRun
from tests.factories import (
    STARTED_AT,
    experiment,
    ingest,
    make_run,
    make_score,
    make_staff,
    make_variant,
)

pytestmark = pytest.mark.django_db

FIGURES = {
    "tokens_per_second": (61.7, "tok/s", "decode"),
    "ttft_p95_ms": (182.0, "ms", "client"),
    "gpu_power_watts": (280.0, "W", "gpu"),
}
CATEGORIES = {"law": 41.0, "physics": 52.0, "history": 63.0}


def address(run: TestRun) -> str:
    return f"/detail/{run.pk}/"


def body(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return str(response.content.decode())


def test_run_detail_shows_every_figure_with_statistic_and_definition(client: Client) -> None:
    text = body(client, address(make_run(figures=FIGURES)))
    assert "61.7" in text
    assert "decode only" in text
    assert "p95" in text
    assert "182.0" in text
    assert "derived" in text  # tokens per kWh


def test_run_detail_shows_what_is_not_known_as_a_dash(client: Client) -> None:
    text = body(client, address(make_run()))
    assert "<dt>RAM</dt>" in text
    assert "None" not in text


def test_run_detail_shows_reported_names_beside_canonical_ones(client: Client) -> None:
    text = body(client, address(make_run(gpu_model="NVIDIA GeForce RTX 4090")))
    assert "as reported: <samp>NVIDIA GeForce RTX 4090</samp>" in text


def test_run_detail_draws_a_radar_of_three_categories(client: Client) -> None:
    run = make_run()
    make_score(variant=run.variant, benchmark="mmlu", categories=CATEGORIES)
    text = body(client, address(run))
    assert "scatterpolar" in text
    assert "vendor/plotly.min.js" in text
    assert "physics" in text


def test_run_detail_loads_no_chart_library_without_a_chart(client: Client) -> None:
    run = make_run()
    make_score(variant=run.variant, benchmark="gsm8k")
    assert "plotly" not in body(client, address(run))


def test_run_detail_sums_repeats_up(client: Client) -> None:
    runs = [
        make_run(
            figures={"tokens_per_second": (speed, "tok/s", "decode")},
            started_at=(STARTED_AT + timedelta(hours=hour)).isoformat(),
        )
        for hour, speed in enumerate((40.0, 50.0, 70.0))
    ]
    summary = body(client, address(runs[0])).split('id="repeats"')[1]
    for figure in ("50.0", "40.0", "70.0", "The 3 runs"):
        assert figure in summary


def test_run_detail_lists_its_sweep_by_load(client: Client) -> None:
    runs = [
        make_run(sweep="curve", concurrent_requests=users, source_url="https://example.org/")
        for users in (1, 8)
    ]
    text = body(client, address(runs[0]))
    assert "Its sweep" in text
    assert f'href="/detail/{runs[1].pk}/"' in text
    assert "8 users" in text


def test_run_detail_lists_the_variant_on_other_machines(client: Client) -> None:
    here, there = make_run(), make_run(gpu_model="NVIDIA GeForce RTX 3090")
    text = body(client, address(here))
    assert f'href="/compare/{here.pk}/{there.pk}/"' in text


def test_run_detail_tells_where_the_run_came_from(client: Client) -> None:
    text = body(client, address(make_run(source_url="https://example.org/result")))
    assert "test.json" in text
    assert "parser version" in text
    assert 'href="https://example.org/result"' in text


def test_run_detail_escapes_what_uploaders_wrote(client: Client) -> None:
    text = body(client, address(make_run(notes="<script>alert(1)</script>")))
    assert "<script>alert" not in text


def test_run_detail_offers_the_same_as_csv(client: Client) -> None:
    response = client.get(address(make_run(figures=FIGURES)), {"format": "csv"})
    assert response["Content-Type"].startswith("text/csv")
    lines = response.content.decode().splitlines()
    assert "Throughput,tokens_per_second,mean,decode only,61.7,tok/s," in lines


def test_run_detail_csv_never_holds_a_formula(client: Client) -> None:
    run = make_run(dataset_name="=HYPERLINK(1)")
    text = client.get(address(run), {"format": "csv"}).content.decode()
    assert "'=HYPERLINK(1)" in text


def test_run_detail_of_an_unknown_run_is_not_found(client: Client) -> None:
    assert client.get(f"/detail/{uuid4()}/").status_code == 404


def test_run_detail_of_a_withdrawn_run_is_gone_with_the_reason(client: Client) -> None:
    run = make_run()
    TestRun.objects.filter(pk=run.pk).update(
        review_state=ReviewState.WITHDRAWN, review_reason="The fan was broken."
    )
    response = client.get(address(run))
    assert response.status_code == 410
    assert "The fan was broken." in response.content.decode()
    client.force_login(make_staff())
    assert "The fan was broken." in body(client, address(run))


@pytest.mark.parametrize("state", [ReviewState.PENDING, ReviewState.REJECTED])
def test_run_detail_of_an_unpublished_run_is_for_curators(
    client: Client, state: ReviewState
) -> None:
    run = make_run()
    TestRun.objects.filter(pk=run.pk).update(review_state=state)
    assert client.get(address(run)).status_code == 404
    client.force_login(make_staff())
    assert "Only curators see this page" in body(client, address(run))


def test_run_detail_asks_as_much_for_many_runs_as_for_few(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    run = _with_relatives("few", 2)
    many = _with_relatives("many", 20)
    for item in (run, many):
        with django_assert_num_queries(11):
            body(client, address(item))


def _with_relatives(model_name: str, number: int) -> TestRun:
    """Make a run in a sweep of some runs, with as many repeats, machines and categories."""
    for index in range(number):
        runs = [
            experiment(
                model_name=model_name,
                sweep=model_name,
                started_at=(STARTED_AT + timedelta(minutes=index)).isoformat(),
            ),
            experiment(model_name=model_name, gpu_model=f"Unheard-of {index}"),
        ]
        assert ingest({"experiment_runs": runs}).accepted
    make_score(
        variant=make_variant(model_name=model_name),
        benchmark="mmlu",
        categories={f"category {index}": 50.0 for index in range(number)},
    )
    return TestRun.objects.filter(variant__model_name=model_name, sweep__isnull=False)[0]

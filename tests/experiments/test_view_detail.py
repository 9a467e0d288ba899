"""The page of one run."""

import re
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


def words(text: str, end: str) -> str:
    """Return the words up to an end tag, tags left out."""
    return " ".join(re.sub(r"<[^>]+>", " ", text.split(end)[0]).split())


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


def test_run_detail_folds_what_is_not_known_into_a_line(client: Client) -> None:
    text = body(client, address(make_run()))
    assert "<dt>RAM</dt>" not in text
    unknown = text.split('id="on-what"')[1].split("</section>")[0].split("Not known: ")[1]
    assert "RAM, RAM type" in unknown
    assert "None" not in text


def test_run_detail_sums_up_how_fast_how_good_and_how_sure(client: Client) -> None:
    metrics = [
        {"metric_name": name, "value": value, "unit": "tok/s", "definition": "decode"}
        for name, value in (("tokens_per_second", 61.74), ("tokens_per_second_std", 0.53))
    ]
    run = make_run(
        performance_metrics=[item | {"sample_count": 5} for item in metrics], output_tokens=128
    )
    make_score(variant=run.variant, benchmark="mmlu", score=71.2)
    make_score(variant=run.variant, benchmark="gsm8k", score=80.0)
    summary = words(body(client, address(run)).split('aria-label="Summary"')[1], "</section>")
    assert "Load 1 user 128 tokens out" in summary
    assert "Generation speed 61.74 ± 0.53 tok/s decode only" in summary
    assert "Quality: MMLU 71.2" in summary
    assert "1 more benchmark" in summary
    assert "1 run measured once" in summary
    assert "5 samples in this run" in summary
    assert "Not known: Prompt speed, Time to first token, Memory used" in summary


def test_run_detail_writes_the_spread_beside_the_mean(client: Client) -> None:
    metrics = [
        {"metric_name": name, "value": value, "unit": "ms", "definition": "client"}
        for name, value in (("ttft_ms", 190.61), ("ttft_std_ms", 48.62), ("ttft_p95_ms", 260.0))
    ]
    text = body(client, address(make_run(performance_metrics=metrics)))
    told = words(text.split('id="metrics"')[1], "</section>")
    assert "mean 190.6 ± 48.6 ms" in told
    assert "p95 260.0 – ms" in told
    assert "std " not in told.split("Latency")[1]


def test_run_detail_links_metrics_and_definitions_to_their_pages(client: Client) -> None:
    text = body(client, address(make_run(figures=FIGURES | {"bogomips": (3.0, "x", None)})))
    metrics = text.split('id="metrics"')[1].split("</section>")[0]
    assert 'href="/metrics/ttft_ms/"' in metrics
    assert 'href="/metrics/tokens_per_second/#decode"' in metrics
    assert "bogomips" in metrics
    assert "/metrics/bogomips" not in metrics


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


def test_run_detail_offers_each_table_as_csv_and_json(client: Client) -> None:
    run = _with_relatives("few", 3)
    text = body(client, address(run))
    tables = set(re.findall(r"format=csv&amp;table=([\w-]+)", text))
    named = {"metrics", "scores", "repeats", "repeated-runs", "sweep", "machines", "history"}
    assert named < tables
    assert len(tables - named) == 1  # the categories of its one benchmark
    for table in tables:
        written = client.get(address(run), {"format": "csv", "table": table})
        rows = client.get(address(run), {"format": "json", "table": table}).json()["rows"]
        assert len(rows) == len(written.content.decode().splitlines()) - 1 > 0


def test_run_detail_leaves_out_columns_that_no_run_has_values_in(client: Client) -> None:
    text = body(client, address(_with_relatives("few", 2)))
    sweep = text.split('id="sweep"')[1].split("</table>")[0]
    assert "Generation speed" in sweep
    assert "Time to first token" not in sweep


def test_run_detail_has_no_table_of_another_name(client: Client) -> None:
    response = client.get(address(make_run()), {"format": "json", "table": "nonsense"})
    assert response.status_code == 400
    assert "no table “nonsense”" in response.content.decode()


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
        with django_assert_num_queries(12):
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


def test_run_detail_lists_the_newest_of_many_repeats_and_says_so(client: Client) -> None:
    runs = [
        experiment(started_at=(STARTED_AT + timedelta(minutes=number)).isoformat())
        for number in range(52)
    ]
    assert ingest({"experiment_runs": runs}).accepted
    by_age = TestRun.objects.order_by("started_at")
    for run in (by_age[0], by_age[51]):
        text = body(client, address(run))
        assert "50 of 52 runs, the newest first" in text
        assert text.count("Compare<") == 49
        assert "this run" in text
    path = address(by_age[0])
    rows = client.get(path, {"format": "json", "table": "repeated-runs"}).json()["rows"]
    assert len(rows) == 52

"""Two to eight runs side by side."""

from html import unescape
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from benchmarks.services import Protocol
from benchsite.common.review import ReviewState
from experiments.models import TestRun
from tests.factories import make_run, make_score, make_staff

pytestmark = pytest.mark.django_db

FULL = {
    "tokens_per_second": (60.0, "tok/s", "decode"),
    "prompt_processing_speed": (1800.0, "tok/s", "prefill"),
    "ttft_ms": (120.0, "ms", "client"),
    "memory_usage_gb": (11.0, "GB", None),
}
FASTER = FULL | {"tokens_per_second": (90.0, "tok/s", "decode")}
CATEGORIES = {"law": 41.0, "physics": 52.0, "history": 63.0}
OTHER_GPU = "NVIDIA GeForce RTX 3090"


def page(client: Client, *runs: TestRun, **query: str) -> str:
    response = client.get("/compare/", {"run": [str(run.pk) for run in runs], **query})
    assert response.status_code == 200
    return unescape(str(response.content.decode()))


def section(text: str, name: str) -> str:
    return text.split(f'id="{name}"')[1].split("</section>")[0]


def test_comparison_of_equal_loads_is_comparable_and_marks_the_better(client: Client) -> None:
    text = page(client, make_run(figures=FULL), make_run(figures=FASTER, gpu_model=OTHER_GPU))
    assert "Comparable</h2>" in text
    assert section(text, "metrics").count("▲ better") == 1


def test_comparison_names_each_difference_with_its_effect(client: Client) -> None:
    one = make_run(figures=FULL)
    eight = make_run(figures=FASTER, concurrent_requests=8)
    verdict = section(page(client, one, eight), "verdict")
    assert "Comparable under conditions" in verdict
    assert "Concurrent requests" in verdict
    assert "A: 1; B: 8" in " ".join(verdict.split())
    assert "lengthen every latency" in verdict


def test_comparison_never_marks_a_winner_among_definitions(client: Client) -> None:
    decode = make_run(figures={"tokens_per_second": (60.0, "tok/s", "decode")})
    wall = make_run(
        figures={"tokens_per_second": (50.0, "tok/s", "wall_clock")}, gpu_model=OTHER_GPU
    )
    text = page(client, decode, wall)
    assert "Not comparable" in section(text, "verdict")
    assert "▲ better" not in text
    assert "performance-chart" not in text
    assert "wall clock" in section(text, "metrics")


def test_comparison_shows_a_missing_value_as_a_dash_that_never_loses(client: Client) -> None:
    without = {name: figure for name, figure in FULL.items() if name != "ttft_ms"}
    text = page(client, make_run(figures=FULL), make_run(figures=without, gpu_model=OTHER_GPU))
    row = section(text, "metrics").split("Time to first token")[1].split("</tr>")[0]
    assert "–" in row
    assert "▲" not in row


def test_comparison_draws_bars_below_three_common_metrics(client: Client) -> None:
    text = page(client, make_run(), make_run(gpu_model=OTHER_GPU))
    assert '"type": "bar"' in text
    assert "scatterpolar" not in text


def test_comparison_draws_radars_with_gaps_for_what_is_not_known(client: Client) -> None:
    a = make_run(figures=FULL, quantization="Q8_0")
    b = make_run(figures=FULL)
    make_score(variant=a.variant, benchmark="mmlu", categories=CATEGORIES)
    make_score(variant=b.variant, benchmark="mmlu", categories=CATEGORIES | {"law": 70.0})
    make_score(variant=a.variant, benchmark="mmlu", categories=CATEGORIES | {"art": 1.0})
    text = page(client, a, b)
    assert text.count('"type": "scatterpolar"') == 4
    assert "null" in text


def test_comparison_never_draws_scores_of_two_protocols_together(client: Client) -> None:
    a, b = make_run(quantization="Q8_0"), make_run()
    make_score(variant=a.variant, benchmark="mmlu", categories=CATEGORIES)
    make_score(
        variant=b.variant, benchmark="mmlu", categories=CATEGORIES, protocol=Protocol(shots=5)
    )
    text = page(client, a, b)
    assert "quality-chart" not in text
    assert "Not comparable" in section(text, "quality")


def test_comparison_takes_eight_runs_in_their_order(client: Client) -> None:
    runs = [make_run(gpu_model=f"Unheard-of {index}") for index in range(8)]
    text = page(client, *runs)
    places = [text.index(f"/detail/{run.pk}/") for run in runs]
    assert places == sorted(places)


def test_comparison_of_two_has_an_address_of_its_own(client: Client) -> None:
    a, b = make_run(), make_run(gpu_model=OTHER_GPU)
    assert client.get(f"/compare/{a.pk}/{b.pk}/").status_code == 200
    assert client.get(f"/compare/{a.pk}/{a.pk}/").status_code == 400
    assert client.get(f"/compare/{a.pk}/{b.pk}/", {"benchmark": "nonsense"}).status_code == 400


def test_comparison_drops_the_filters_of_the_grid(client: Client) -> None:
    a, b = make_run(), make_run(gpu_model=OTHER_GPU)
    query = {"run": [str(a.pk), str(b.pk)], "q": "nimbus", "benchmark": ""}
    response = client.get("/compare/", query)
    assert response.status_code == 302
    assert response["Location"] == f"/compare/?run={a.pk}&run={b.pk}"


@pytest.mark.parametrize("number", [0, 1, 9])
def test_comparison_of_too_few_or_many_says_what_to_do(client: Client, number: int) -> None:
    response = client.get("/compare/", {"run": [str(uuid4()) for _ in range(number)]})
    assert response.status_code == 400
    assert "Choose 2 to 8 runs" in response.content.decode()


def test_comparison_of_the_same_run_twice_says_what_to_do(client: Client) -> None:
    run_id = str(uuid4())
    response = client.get("/compare/", {"run": [run_id, run_id]})
    assert response.status_code == 400
    assert "The same run is chosen twice" in response.content.decode()


def test_comparison_of_what_is_no_id_says_so(client: Client) -> None:
    response = client.get("/compare/", {"run": ["x", "<b>"]})
    assert response.status_code == 400
    assert "not the id of a run" in response.content.decode()


def test_comparison_of_an_unpublished_run_is_not_found(client: Client) -> None:
    known, hidden = make_run(), make_run(review_state=ReviewState.PENDING, gpu_model=OTHER_GPU)
    response = client.get("/compare/", {"run": [str(known.pk), str(hidden.pk)]})
    assert response.status_code == 404
    assert f"No published run has the id {hidden.pk}" in response.content.decode()


def test_comparison_offers_the_same_as_csv(client: Client) -> None:
    a, b = make_run(figures=FULL), make_run(figures=FASTER, gpu_model=OTHER_GPU)
    response = client.get(f"/compare/{a.pk}/{b.pk}/", {"format": "csv"})
    lines = response.content.decode().splitlines()
    assert lines[0].startswith("section,item,statistic,unit,verdict,A: ")
    assert "metric,tokens_per_second,mean,tok/s,strict,60.0,90.0" in lines


def test_comparison_asks_as_much_for_eight_runs_as_for_two(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    runs = [make_run(figures=FULL, gpu_model=f"Unheard-of {index}") for index in range(8)]
    make_score(variant=runs[0].variant, benchmark="mmlu", categories=CATEGORIES)
    for chosen in (runs[:2], runs):
        with django_assert_num_queries(5):
            page(client, *chosen)


def test_comparison_with_a_withdrawn_run_is_gone_with_the_reason(client: Client) -> None:
    ids = [str(make_run(concurrent_requests=count).pk) for count in (1, 2)]
    TestRun.objects.filter(pk=ids[1]).update(
        review_state=ReviewState.WITHDRAWN, review_reason="The fan was broken."
    )
    response = client.get("/compare/", {"run": ids})
    assert response.status_code == 410
    assert "The fan was broken." in response.content.decode()
    client.force_login(make_staff())
    assert client.get("/compare/", {"run": ids}).status_code == 200

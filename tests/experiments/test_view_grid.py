"""The performance grid as a page: fragment, filters, unfolding, ticking, empty states."""

from collections.abc import Sequence
from html import unescape

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from benchsite.common.review import ReviewState
from experiments.grid import row_key
from tests.factories import experiment, ingest, make_run, make_score, make_variant

pytestmark = pytest.mark.django_db

OTHER_GPU = "NVIDIA GeForce RTX 3090"
HTMX = {"HX-Request": "true"}
QUERIES_OF_AN_UNFOLDED_GRID = 14


def page(client: Client, query: dict[str, str | Sequence[str]] | None = None) -> str:
    response = client.get("/", query)
    assert response.status_code == 200
    return " ".join(unescape(response.content.decode()).split())


def test_grid_has_one_row_a_model_with_definition_and_load(client: Client) -> None:
    run = make_run()
    make_run(gpu_model=OTHER_GPU, figures={"tokens_per_second": (20.0, "tok/s", "decode")})
    text = page(client)
    assert text.count("platforms qualify") == 1
    assert "2 of 2 platforms qualify" in text
    assert f"/detail/{run.pk}/" in text
    assert "decode only</span> · 1 user" in text


def test_grid_says_which_load_is_used_and_offers_the_others(client: Client) -> None:
    make_run(model_name="A")
    make_run(model_name="B")
    make_run(model_name="C", concurrent_requests=8)
    text = page(client)
    assert "single user (2)" in text
    assert "concurrent users (1)" in text
    assert "“single user” is shown because it has the most models" in text
    chosen = page(client, {"load_class": "concurrent"})
    assert "“concurrent users” was chosen" in chosen
    assert "8 users" in chosen


def test_grid_warns_of_two_definitions_of_speed(client: Client) -> None:
    make_run(model_name="A")
    assert "different definitions" not in page(client)
    make_run(model_name="B", figures={"tokens_per_second": (9.0, "tok/s", "wall_clock")})
    assert "different definitions" in page(client)


def test_grid_lists_a_variant_with_scores_alone(client: Client) -> None:
    make_score(variant=make_variant(model_name="Only-Scores"), benchmark="gsm8k", score=61.5)
    text = page(client)
    assert "Only-Scores" in text
    assert "scores only, no run yet" in text
    assert "61.5" in text


def test_grid_answers_htmx_with_the_results_alone(client: Client) -> None:
    make_run()
    response = client.get("/", headers=HTMX)
    text = response.content.decode()
    assert "<html" not in text
    assert 'id="grid-results"' in text
    assert "innerHTML:#grid-status" in text
    assert "HX-Request" in response["Vary"]


def test_grid_answers_history_with_the_whole_page(client: Client) -> None:
    response = client.get("/", headers=HTMX | {"HX-History-Restore-Request": "true"})
    assert "<html" in response.content.decode()
    assert "HX-History-Restore-Request" in response["Vary"]


def test_grid_unfolds_platforms_and_their_configurations(client: Client) -> None:
    make_run()
    deep = make_run(context_depth=4096, figures={"tokens_per_second": (30.0, "tok/s", "decode")})
    key = row_key("Nimbus-14B", "")
    folded = page(client)
    assert "more configuration" not in folded
    assert f'expand={key}"' in folded
    text = page(client, {"expand": key})
    assert "1 more configuration" in text
    assert f"/detail/{deep.pk}/" not in text
    platform_key = deep.hardware.platform.key
    text = page(client, {"expand": [key, f"{key}.{platform_key}"]})
    assert f"/detail/{deep.pk}/" in text
    assert "depth 4,096" in text


def test_grid_keeps_what_is_ticked_while_filtering(client: Client) -> None:
    run = make_run()
    make_run(model_name="Other")
    shown = page(client, {"run": str(run.pk)})
    assert f'value="{run.pk}" id="tick-{run.pk}"' in shown
    assert "1 ticked" in shown
    hidden = page(client, {"run": str(run.pk), "q": "Other"})
    assert f'id="kept-{run.pk}" checked' in hidden
    assert "1 ticked" in hidden


def test_grid_ignores_ticks_that_are_no_runs(client: Client) -> None:
    assert "0 ticked" in page(client, {"run": ["x", "0193a0de-5c11-7a42-9b0e-6f1d2c3b4a55"]})


def test_grid_marks_the_sorted_column(client: Client) -> None:
    make_run()
    text = page(client, {"sort_by": "memory"})
    assert 'aria-sort="ascending"' in text
    assert "sort_by=memory&sort_direction=desc" in text


def test_grid_pages_keep_the_whole_state(client: Client) -> None:
    for name in ("A", "B", "C"):
        make_run(model_name=name)
    text = page(client, {"page_size": "2", "sort_by": "name"})
    assert "Page 1 of 2" in text
    assert "?page_size=2&sort_by=name&page=2" in text
    assert "Page 2 of 2" in page(client, {"page_size": "2", "page": "99"})


def test_grid_without_any_result_says_what_to_do(client: Client) -> None:
    assert "No results here yet" in page(client)


def test_grid_without_a_match_says_what_to_do(client: Client) -> None:
    make_run()
    text = page(client, {"q": "nothing-of-the-kind"})
    assert "Nothing matches these filters" in text
    assert "Clear all filters" in text


@pytest.mark.parametrize(
    "query",
    [
        {"min_speed": "fast"},
        {"benchmark": "nonsense"},
        {"load_class": "x"},
        {"page": "0"},
        {"sort_by": "1; DROP"},
        {"hardware_categories": "toaster"},
        {"min_quality": "nan"},
    ],
)
def test_grid_answers_junk_with_a_sentence(client: Client, query: dict[str, str]) -> None:
    response = client.get("/", query)
    assert response.status_code == 400
    assert "These filters cannot be read" in response.content.decode()


def test_grid_takes_nul_bytes_for_junk(client: Client) -> None:
    for name in ("q", "expand", "run", "platform", "format", "benchmark"):
        assert client.get("/", {name: "a\x00b"}).status_code in (200, 400)


def test_grid_offers_the_same_as_csv_and_json(client: Client) -> None:
    run = make_run()
    lines = client.get("/", {"format": "csv"}).content.decode().splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("model,Nimbus-14B,,Q4_K_M,")
    assert lines[1].endswith(str(run.pk))
    assert "/api/grouped-performance?q=nim" in page(client, {"q": "nim"})


def test_grid_csv_holds_unfolded_rows(client: Client) -> None:
    make_run()
    make_run(gpu_model=OTHER_GPU)
    query = {"format": "csv", "expand": row_key("Nimbus-14B", "")}
    lines = client.get("/", query).content.decode().splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ["model", "platform", "platform"]


def test_grid_asks_as_much_for_twenty_rows_as_for_two(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    assert ingest(
        {"experiment_runs": [experiment(model_name=f"M{index:02}") for index in range(20)]}
    ).accepted
    for size in (2, 20):
        expand = [row_key(f"M{index:02}", "") for index in range(size)]
        with django_assert_num_queries(QUERIES_OF_AN_UNFOLDED_GRID):
            page(client, {"page_size": str(size), "sort_by": "name", "expand": expand})


def test_patterns_are_there_only_with_debug(client: Client, settings: Settings) -> None:
    assert client.get("/patterns/").status_code == 404
    settings.DEBUG = True
    assert client.get("/patterns/").status_code == 200


def test_grid_offers_nothing_that_waits_for_review(client: Client) -> None:
    make_run()
    make_run(quantization="WAITING_Q9", review_state=ReviewState.PENDING)
    waiting = make_variant(quantization="WAITING_Q9")
    make_score(variant=waiting, benchmark="waiting-eval", review_state=ReviewState.PENDING)
    assert "waiting" not in page(client).lower()
    assert client.get("/api/runs", {"benchmark": "waiting-eval"}).status_code == 400
    make_score(variant=waiting, benchmark="waiting-eval", score=11.0)
    assert "waiting-eval" in page(client)
    assert "WAITING_Q9" in page(client)
    assert client.get("/api/runs", {"benchmark": "waiting-eval"}).status_code == 200

"""The performance grid as a page: fragment, unfolding, ticking, sorting, columns, exports."""

import re
from html import unescape
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from benchsite.common.review import ReviewState
from experiments.grid import SORT_KEYS, row_key
from experiments.models import TestRun
from tests.experiments.grid_page import Query, address, address_of, asked, page, speed
from tests.factories import experiment, ingest, make_run, make_score, make_variant

pytestmark = pytest.mark.django_db

OTHER_GPU = "NVIDIA GeForce RTX 3090"
HTMX = {"HX-Request": "true"}
QUERIES_OF_AN_UNFOLDED_GRID = 5  # one is the version of the data; and one more with ticks


def test_grid_has_one_row_a_model_with_definition_and_load(client: Client) -> None:
    run = make_run()
    make_run(gpu_model=OTHER_GPU, figures={"tokens_per_second": (20.0, "tok/s", "decode")})
    text = page(client)
    assert text.count('<tbody id="model-') == 1
    assert '2 of 2 platforms<span class="expander__rest"> qualify</span>' in text
    assert f"/detail/{run.pk}/" in text
    assert "decode only · 1 user</span>" in text


def test_grid_shows_repeats_with_median_and_spread(client: Client) -> None:
    make_run(figures=speed(50.0))
    assert "runs:" not in page(client)
    make_run(figures=speed(54.0))
    assert "52.0<" in page(client)
    assert "2 runs: 50.0–54.0" in page(client)


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
    assert "Tick one more to compare." in shown
    hidden = page(client, {"run": str(run.pk), "q": "Other"})
    assert f'value="{run.pk}" id="kept-{run.pk}"' in hidden
    assert "1 ticked" in hidden


def test_grid_ignores_ticks_that_are_no_runs(client: Client) -> None:
    make_run()
    waiting = make_run(model_name="Other", review_state=ReviewState.PENDING)
    text = page(client, {"run": ["x", str(uuid4()), str(waiting.pk)]})
    assert "0 ticked" in text
    assert "run=" not in text


def test_grid_compares_two_to_eight(client: Client) -> None:
    runs = [make_run(model_name=f"lab/M{index}") for index in range(9)]
    ids = [str(run.pk) for run in runs]
    assert "Tick 2 to 8 configurations" in page(client)
    text = page(client, {"run": ids[:8], "benchmark": "gsm8k"})
    href = address(text, "grid-compare")
    assert urlsplit(href).path == "/compare/"
    assert asked(href) == {"benchmark": ["gsm8k"], "run": ids[:8]}
    assert client.get(href).status_code == 200
    assert "M0 Q4_K_M · 1× RTX 4090<" in text
    assert asked(address(text, f"untick-{ids[0]}"))["run"] == ids[1:8]
    too_many = page(client, {"run": ids})
    assert "At most 8 can be compared: untick 1." in too_many
    assert 'id="grid-compare"' not in too_many


def test_grid_tells_equal_names_of_ticks_apart(client: Client) -> None:
    runs = [make_run(context_depth=depth) for depth in (0, 4096)]
    text = page(client, {"run": [str(run.pk) for run in runs]})
    assert "1× RTX 4090 · depth 4,096<" in text


def test_grid_takes_ticks_along_where_scripts_are_off(client: Client) -> None:
    run, ticked = make_run(), make_run(model_name="Other")
    text = page(client, {"run": str(run.pk), "min_speed": "5"})
    found = re.search(
        r'<noscript><button [^>]*name="follow" value="([^"]*sort_by=memory[^"]*)"', text
    )
    assert found
    sent = {"follow": found[1], "run": str(ticked.pk), "q": "typed, not applied", "min_speed": ""}
    response = client.get("/", sent)
    assert response.status_code == 302
    assert response["Location"] == f"/?min_speed=5&sort_by=memory&run={ticked.pk}#grid-results"


@pytest.mark.parametrize(
    "link",
    [
        "https://example.org/?q=x",
        "//example.org/?q=x#y",
        "\\\\example.org?q=x",
        "http://[x?q=x",
        "?q=x#a b",
    ],
)
def test_grid_follows_no_link_elsewhere(client: Client, link: str) -> None:
    assert client.get("/", {"follow": link})["Location"].startswith("/?q=x")


def test_grid_links_are_plain_in_fragments(client: Client) -> None:
    make_run()
    assert "<noscript>" not in client.get("/", headers=HTMX).content.decode()


def test_grid_marks_the_sorted_column(client: Client) -> None:
    make_run()
    text = page(client, {"sort_by": "memory"})
    assert 'aria-sort="ascending"' in text
    assert "sorted by memory used, lowest first." in text
    assert asked(address(text, "sort-memory")) == {
        "sort_by": ["memory"],
        "sort_direction": ["desc"],
    }
    assert asked(address(text, "sort-when")) == {"sort_by": ["when"]}


@pytest.mark.parametrize("sort_by", list(SORT_KEYS))
def test_grid_sorts_by_every_column(client: Client, sort_by: str) -> None:
    make_run(model_name="A", backend="vllm", quantization="Q8_0")
    make_run(model_name="B", gpu_model=OTHER_GPU, figures=speed(20.0))
    for direction in ("asc", "desc"):
        text = page(
            client, {"sort_by": sort_by, "sort_direction": direction, "columns": "power,when"}
        )
        assert text.count('<tbody id="model-') == 2
    everything = page(client, {"columns": ",".join(["power", *SORT_KEYS])})
    assert f'id="sort-{sort_by}"' in everything


def test_grid_pages_keep_the_whole_state(client: Client) -> None:
    for name in ("A", "B", "C"):
        make_run(model_name=name)
    text = page(client, {"page_size": "2", "sort_by": "name"})
    assert "Page 1 of 2" in text
    assert address(text, "page-next") == "/?sort_by=name&page_size=2&page=2"
    beyond = page(client, {"page_size": "2", "page": "99"})
    assert "Page 2 of 2" in beyond
    assert asked(address(beyond, "page-previous")) == {"page_size": ["2"], "page": ["1"]}
    assert asked(address(beyond, "sort-name")) == {"page_size": ["2"], "sort_by": ["name"]}


def test_grid_shows_the_columns_asked_for(client: Client) -> None:
    make_run()
    for text in (page(client), page(client, {"columns": "bogus,"})):
        assert "sort-quality" in text
        assert "sort-power" not in text
    text = page(client, {"columns": ["runs,speed", "bogus", "power"]})
    assert re.findall(r'<a [^>]*id="sort-(\w+)"', text) == ["name", "speed", "power", "runs"]
    assert asked(address(text, "sort-speed"))["columns"] == ["speed,power,runs"]
    alone = page(client, {"columns": "model"})
    assert re.findall(r'<a [^>]*id="sort-(\w+)"', alone) == ["name"]
    assert asked(address(alone, "sort-name"))["columns"] == ["model"]


def test_grid_heads_lead_to_what_a_metric_is(client: Client) -> None:
    make_run()
    for href in re.findall(r'href="(/metrics/\w+/)"', page(client, {"columns": "power,speed"})):
        assert client.get(href).status_code == 200


def test_grid_offers_the_page_as_csv_and_json(client: Client) -> None:
    run = make_run()
    lines = client.get("/", {"format": "csv"}).content.decode().splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("model,Nimbus-14B,,Q4_K_M,")
    assert lines[1].endswith(str(run.pk))
    query = {"columns": "speed,when", "q": "nim"}
    text = page(client, {**query, "run": str(run.pk)})
    head, row = client.get(unescape(address_of(text, "CSV"))).content.decode().splitlines()
    assert head == (
        "level,model,lora_adapter,tokens_per_second,tokens_per_second_min,"
        "tokens_per_second_max,tokens_per_second_definition,load,load_kind,newest_at,"
        "run_id"
    )
    data = client.get(unescape(address_of(text, "JSON"))).json()
    assert (data["total_count"], data["load_class"], data["page"]) == (1, "single", 1)
    assert list(data["rows"][0]) == head.split(",")
    assert data["rows"][0]["run_id"] == str(run.pk) == row.split(",")[-1]
    assert data["rows"][0]["tokens_per_second"] == 50.0


def test_grid_and_its_api_list_the_same_models(client: Client) -> None:
    for name, value in (("A", 30.0), ("B", 20.0), ("C", 10.0)):
        make_run(model_name=name, figures=speed(value))
    text = page(client, {"page_size": "2", "page": "2", "q": "", "columns": "speed"})
    href = address_of(text, "API")
    assert href == "/api/grouped-performance?page_size=2&page=2"
    models = client.get(href).json()["models"]
    rows = client.get(address_of(text, "JSON")).json()["rows"]
    assert [row["model"] for row in rows] == [model["model_name"] for model in models] == ["C"]


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
        query: Query = {"page_size": str(size), "sort_by": "name", "expand": expand}
        with django_assert_num_queries(QUERIES_OF_AN_UNFOLDED_GRID):
            page(client, query)
    make_score(variant=make_variant(model_name="M01"), benchmark="gsm8k", score=61.5)
    for size in (2, 8):
        run = [str(run.pk) for run in TestRun.objects.all()[:size]]
        with django_assert_num_queries(QUERIES_OF_AN_UNFOLDED_GRID + 1):
            page(client, {**query, "run": run})


def test_patterns_are_there_only_with_debug(client: Client, settings: Settings) -> None:
    assert client.get("/patterns/").status_code == 404
    settings.DEBUG = True
    assert client.get("/patterns/").status_code == 200

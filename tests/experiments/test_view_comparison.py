"""Two to eight runs side by side."""

import json
import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit
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


def answer(client: Client, *runs: TestRun, **query: str) -> Any:
    return client.get("/compare/", {"run": [str(run.pk) for run in runs], **query})


def row(text: str, label: str) -> str:
    """Return the words of the row of a metric in the performance table, tags left out."""
    found = section(text, "metrics").split("<tbody>")[1].split(f">{label}<")[1].split("</tr>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", found).split())


def link(text: str, identity: str) -> dict[str, list[str]]:
    """Return the query of the link with an id."""
    tag = text.split(f'id="{identity}"')[1].split(">")[0]
    return parse_qs(urlsplit(tag.split('href="')[1].split('"')[0]).query)


def slots(text: str, chart: str) -> dict[str, int]:
    """Return the slot of the colour of each trace of a chart by its letter."""
    data = text.split(f'<script id="{chart}-figure" type="application/json">')[1]
    figure = json.loads(data.split("</script>")[0])
    return {trace["name"][0]: trace["meta"]["slot"] for trace in figure["data"]}


def measured(value: float, spread: float | None = None, samples: int = 5) -> list[dict[str, Any]]:
    """Return the metrics of a run: its generation speed, and the standard deviation if any."""
    figures = [("mean", value), *([("std", spread)] if spread is not None else [])]
    return [
        {
            "metric_name": "tokens_per_second",
            "statistic": statistic,
            "value": figure,
            "unit": "tok/s",
            "definition": "decode",
            "sample_count": samples,
        }
        for statistic, figure in figures
    ]


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


def test_comparison_names_a_value_once_for_all_runs_that_have_it(client: Client) -> None:
    runs = [
        make_run(gpu_model=f"Unheard-of {place}", concurrent_requests=users, figures=FULL)
        for place, users in enumerate([1, 8, 1])
    ]
    verdict = section(page(client, *runs), "verdict")
    assert "A, C: 1; B: 8" in " ".join(verdict.split())


def test_comparison_says_where_it_is_not_known_whether_runs_differ(client: Client) -> None:
    one = make_run(backend_version="b4810", context_depth=4096)
    other = make_run(backend_version="b4811", gpu_model=OTHER_GPU)
    text = " ".join(section(page(client, one, other), "subjects").split())
    assert "? unknown on one side" in text.split(">Context depth<")[1].split("</tr>")[0]
    assert "≠ differs" in text.split(">Backend version<")[1].split("</tr>")[0]


def test_comparison_marks_no_winner_that_is_written_like_another(client: Client) -> None:
    runs = [
        make_run(gpu_model=f"Unheard-of {place}", figures={"memory_usage_gb": (size, "GB", None)})
        for place, size in enumerate([49.61, 49.64, 49.9])
    ]
    assert "▲ best" not in row(page(client, *runs), "Memory used")
    assert "▲ better" in row(page(client, runs[0], runs[2]), "Memory used")


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
    told = row(text, "Time to first token")
    assert "–" in told
    assert "▲" not in told


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
        with django_assert_num_queries(6):
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


def test_comparison_says_of_which_metrics_values_may_be_compared(client: Client) -> None:
    eight = make_run(figures=FULL | {"model_size_gb": (8.0, "GB", None)}, concurrent_requests=8)
    verdict = section(
        page(client, make_run(figures=FULL | {"model_size_gb": (8.0, "GB", None)}), eight),
        "verdict",
    )
    assert 'As they stand: <a href="/metrics/model_size_gb/">Model size</a>' in verdict
    minded = verdict.split("With the differences in mind:")[1]
    assert minded.index("Generation speed") < minded.index("Time to first token")


def test_comparison_writes_a_value_to_the_digit_of_its_spread(client: Client) -> None:
    a = make_run(performance_metrics=measured(190.61, 48.62))
    b = make_run(performance_metrics=measured(512.3), gpu_model=OTHER_GPU)
    told = row(page(client, a, b), "Generation speed")
    assert "190.6 ± 48.6 (n = 5)" in told
    assert "std" not in told


def test_comparison_calls_nothing_better_within_the_noise(client: Client) -> None:
    a = make_run(performance_metrics=measured(100.0, 20.0))
    b = make_run(performance_metrics=measured(104.0, 20.0), gpu_model=OTHER_GPU)
    text = page(client, a, b)
    assert "▲" not in section(text, "metrics")
    assert "+4.0 % ≈ within noise" in row(
        page(client, a, b, baseline=str(a.pk)), "Generation speed"
    )
    c = make_run(performance_metrics=measured(150.0, 20.0), gpu_model="Unheard-of")
    assert "▲ best" in section(page(client, a, b, c), "metrics")


def test_comparison_links_metrics_and_definitions_to_their_pages(client: Client) -> None:
    metrics = section(
        page(client, make_run(figures=FULL), make_run(figures=FULL, gpu_model=OTHER_GPU)), "metrics"
    )
    assert 'href="/metrics/ttft_ms/"' in metrics
    assert 'href="/metrics/tokens_per_second/#decode"' in metrics


def test_comparison_shows_differences_only_on_demand(client: Client) -> None:
    a, b = make_run(figures=FULL), make_run(figures=FASTER, gpu_model=OTHER_GPU)
    every = page(client, a, b)
    assert "Prompt speed" in section(every, "metrics")
    assert link(every, "rows-differences")["only"] == ["differences"]
    told = page(client, a, b, only="differences")
    assert "Generation speed" in section(told, "metrics")
    assert "Prompt speed" not in section(told, "metrics")
    assert "3 rows in which the runs do not differ are left out" in section(told, "metrics")
    assert "Quantization" not in section(told, "subjects")
    assert "only" not in link(told, "rows-all")


def test_comparison_keeps_a_missing_value_among_the_differences(client: Client) -> None:
    without = {name: figure for name, figure in FULL.items() if name != "ttft_ms"}
    a, b = make_run(figures=FULL), make_run(figures=without, gpu_model=OTHER_GPU)
    told = page(client, a, b, only="differences")
    assert "Time to first token" in section(told, "metrics")


def test_comparison_shows_the_load_even_where_it_is_equal(client: Client) -> None:
    a, b = make_run(), make_run(gpu_model=OTHER_GPU)
    assert "Concurrent requests" in section(page(client, a, b), "subjects")
    assert "Concurrent requests" not in section(page(client, a, b, only="differences"), "subjects")


def test_comparison_with_a_baseline_tells_signed_differences(client: Client) -> None:
    a, b = make_run(figures=FULL), make_run(figures=FASTER, gpu_model=OTHER_GPU)
    slower = FULL | {"ttft_ms": (240.0, "ms", "client")}
    c = make_run(figures=slower, gpu_model="Unheard-of")
    text = page(client, a, b, c, baseline=str(a.pk))
    assert "+50 % ▲ better" in row(text, "Generation speed")
    assert "+100 % ▼ worse" in row(text, "Time to first token")
    assert "best" not in row(text, "Generation speed")
    assert "baseline" not in link(text, "pin-A")
    assert link(text, "pin-B")["baseline"] == [str(b.pk)]


def test_comparison_with_a_baseline_never_measures_what_is_not_comparable(client: Client) -> None:
    decode = make_run(figures={"tokens_per_second": (60.0, "tok/s", "decode")})
    wall = make_run(
        figures={"tokens_per_second": (50.0, "tok/s", "wall_clock")}, gpu_model=OTHER_GPU
    )
    metrics = section(page(client, decode, wall, baseline=str(decode.pk)), "metrics")
    assert "%" not in metrics
    assert "worse" not in metrics


def test_comparison_with_a_baseline_tells_scores_in_points(client: Client) -> None:
    a, b, c = make_run(), make_run(quantization="Q8_0"), make_run(quantization="Q5_K_M")
    make_score(variant=a.variant, benchmark="gsm8k", score=50.0)
    make_score(variant=b.variant, benchmark="gsm8k", score=53.2)
    told = section(page(client, a, b, c, baseline=str(a.pk)), "quality")
    assert "+3.2\xa0points ▲ better" in told
    assert told.count("▲ better") == 1


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"baseline": str(uuid4())}, "The baseline is not one of the compared runs."),
        ({"baseline": "x"}, "The baseline is the id of a compared run."),
        ({"only": "x"}, "“only” is “differences” or left out."),
        ({"letters": "AA"}, "The letters of the runs are different ones of ABCDEFGH"),
        ({"letters": "ABC"}, "The letters of the runs are different ones of ABCDEFGH"),
        ({"letters": "AZ"}, "The letters of the runs are different ones of ABCDEFGH"),
    ],
)
def test_comparison_says_what_is_wrong_with_its_address(
    client: Client, query: dict[str, str], sentence: str
) -> None:
    response = answer(client, make_run(), make_run(gpu_model=OTHER_GPU), **query)
    assert response.status_code == 400
    assert sentence in unescape(response.content.decode())


def test_comparison_swaps_runs_that_keep_letters_and_colours(client: Client) -> None:
    runs = [make_run(figures=FULL, gpu_model=f"Unheard-of {index}") for index in range(3)]
    text = page(client, *runs)
    assert slots(text, "performance-chart") == {"A": 0, "B": 1, "C": 2}
    assert 'id="swap-1"' not in text
    query = link(text, "swap-3")
    assert query["run"] == [str(runs[index].pk) for index in (0, 2, 1)]
    assert query["letters"] == ["ACB"]
    swapped = page(client, runs[0], runs[2], runs[1], letters="ACB")
    assert slots(swapped, "performance-chart") == {"A": 0, "C": 2, "B": 1}
    assert section(swapped, "metrics").count("series--3") == 1


def test_comparison_removes_a_run_and_the_rest_keep_their_letters(client: Client) -> None:
    runs = [make_run(figures=FULL, gpu_model=f"Unheard-of {index}") for index in range(3)]
    text = page(client, *runs, baseline=str(runs[0].pk))
    query = link(text, "remove-1")
    assert query == {"run": [str(runs[1].pk), str(runs[2].pk)], "letters": ["BC"]}
    left = page(client, *runs[1:], letters="BC")
    assert slots(left, "performance-chart") == {"B": 1, "C": 2}
    assert "remove-1" not in left


def test_comparison_finds_runs_to_add_by_words(client: Client) -> None:
    a, b = make_run(), make_run(gpu_model=OTHER_GPU)
    other = make_run(model_name="Stratus-7B", gpu_model=OTHER_GPU)
    make_run(model_name="Stratus-9B", gpu_model=OTHER_GPU, review_state=ReviewState.PENDING)
    text = page(client, a, b, find="3090 stratus")
    assert link(text, "add-1")["run"] == [str(run.pk) for run in (a, b, other)]
    assert "add-2" not in text
    assert "add-1" not in page(client, a, b, other, find="stratus")


def test_comparison_that_finds_nothing_to_add_says_what_to_try(client: Client) -> None:
    text = page(client, make_run(), make_run(gpu_model=OTHER_GPU), find="zephyr")
    assert "Nothing else is found for “zephyr”" in text
    assert "try fewer words" in text


def test_comparison_that_finds_many_asks_for_more_words(client: Client) -> None:
    runs = [make_run(gpu_model=f"Unheard-of {index}") for index in range(13)]
    text = page(client, *runs[:2], find="nimbus")
    assert "add-10" in text
    assert "add-11" not in text
    assert "There are more" in text


def test_comparison_of_eight_takes_no_other(client: Client) -> None:
    runs = [make_run(gpu_model=f"Unheard-of {index}") for index in range(8)]
    text = page(client, *runs, find="nimbus")
    assert 'id="find"' not in text
    assert "8 runs are the most" in text


def test_comparison_heads_name_what_tells_the_runs_apart(client: Client) -> None:
    text = page(client, make_run(), make_run(concurrent_requests=8))
    names = re.findall(r'table__run-name">([^<]*)<', section(text, "metrics"))
    assert names == ["1 user", "8 users"]


def test_comparison_of_two_shows_as_much_as_any_other(client: Client) -> None:
    a, b = make_run(figures=FULL), make_run(figures=FASTER, gpu_model=OTHER_GPU)
    query = {"only": "differences", "baseline": str(a.pk), "letters": "BA", "find": "x"}
    text = unescape(client.get(f"/compare/{a.pk}/{b.pk}/", query).content.decode())
    assert "+50\xa0% ▲ better" in section(text, "metrics")
    assert link(text, "swap-2")["run"] == [str(b.pk), str(a.pk)]


def test_comparison_answers_htmx_with_its_fragment(client: Client) -> None:
    runs = [make_run(), make_run(gpu_model=OTHER_GPU)]
    query = {"run": [str(run.pk) for run in runs]}
    fragment = client.get("/compare/", query, headers={"HX-Request": "true"})
    assert "<html" not in fragment.content.decode()
    assert "hx-swap-oob" in fragment.content.decode()
    assert "HX-Request" in fragment["Vary"]
    restored = client.get(
        "/compare/",
        query,
        headers={"HX-Request": "true", "HX-History-Restore-Request": "true"},
    )
    assert "<html" in restored.content.decode()


@pytest.mark.parametrize("table", ["metrics", "quality", "subjects"])
def test_comparison_offers_each_table_as_csv_and_json(client: Client, table: str) -> None:
    a, b = make_run(figures=FULL), make_run(figures=FASTER, gpu_model=OTHER_GPU)
    make_score(variant=a.variant, benchmark="mmlu", categories=CATEGORIES)
    text = page(client, a, b)
    assert f"format=csv&table={table}" in section(text, table)
    written = answer(client, a, b, format="csv", table=table)
    assert written["Content-Disposition"].endswith(f'"comparison-{table}.csv"')
    rows = answer(client, a, b, format="json", table=table).json()["rows"]
    assert len(rows) == len(written.content.decode().splitlines()) - 1 > 0


def test_comparison_exports_exactly_what_it_shows(client: Client) -> None:
    a = make_run(performance_metrics=measured(100.0, 2.0))
    b = make_run(performance_metrics=measured(150.0), gpu_model=OTHER_GPU)
    query = {"baseline": str(a.pk), "only": "differences", "format": "json"}
    (row,) = answer(client, a, b, table="metrics", **query).json()["rows"]
    names = list(row)
    assert row[names[5]] == 100.0
    assert row["A std"] == 2.0
    assert row["B std"] is None
    assert row["B change from A"] == 50.0
    assert row["B is"] == "better"
    long = answer(client, a, b, **query).json()["rows"]
    assert {"change", "metric", "subject"} <= {item["section"] for item in long}
    assert "Quantization" not in {item["item"] for item in long}


def test_comparison_exports_the_definition_of_each_value_where_they_differ(client: Client) -> None:
    decode = make_run(figures={"tokens_per_second": (60.0, "tok/s", "decode")})
    wall = make_run(
        figures={"tokens_per_second": (50.0, "tok/s", "wall_clock")}, gpu_model=OTHER_GPU
    )
    (row,) = answer(client, decode, wall, table="metrics", format="json").json()["rows"]
    assert (row["A definition"], row["B definition"]) == ("decode only", "wall clock")


def test_comparison_has_no_table_of_another_name(client: Client) -> None:
    runs = [make_run(), make_run(gpu_model=OTHER_GPU)]
    response = answer(client, *runs, table="nonsense", format="csv")
    assert response.status_code == 400
    assert "It has: all, metrics, quality, subjects." in response.content.decode()

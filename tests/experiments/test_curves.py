"""Curves, heatmaps and depth charts of a sweep: what is drawn, what is left out and why."""

import json
import re
from html import unescape
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go
import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from experiments.curve_charts import Heat, Trace, curves, heatmap
from experiments.curves import LENGTH_TOLERANCE, length_groups
from experiments.models import TestRun
from tests.experiments.sweeps import sent, served
from tests.factories import experiment

pytestmark = pytest.mark.django_db


def page(client: Client, run: TestRun, **query: str) -> str:
    response = client.get(f"/detail/{run.pk}/", query)
    assert response.status_code == 200
    return " ".join(unescape(response.content.decode()).split())


def drawn(text: str, chart: str) -> dict[str, Any]:
    """Return the figure of a chart."""
    found = re.search(rf'<script id="{chart}-figure" type="application/json">(.*?)</script>', text)
    assert found, chart
    figure: dict[str, Any] = json.loads(found[1])
    go.Figure(figure)
    return figure


def loads(text: str, chart: str = "curve-chart") -> list[str]:
    """Return the loads that stand at the points of a chart."""
    return [label for trace in drawn(text, chart)["data"] for label in trace["text"]]


def test_a_sweep_is_one_curve_with_a_point_for_each_load(client: Client) -> None:
    runs = sent(*(served(users) for users in (16, 1, 4)))
    figure = drawn(page(client, runs[0]), "curve-chart")
    mean, p50, p99 = figure["data"]
    assert [trace["name"] for trace in figure["data"]] == ["mean", "p50", "p99"]
    assert (mean["x"], mean["y"]) == ([100.0, 400.0, 1600.0], [11.0, 14.0, 26.0])
    assert p50["y"] == [10.0, 13.0, 25.0]
    assert p99["text"] == ["1", "4", "16"]
    assert mean["hovertext"][2] == "16 users: 1,600 tok/s; TTFT mean 26 ms"


def test_files_of_one_label_are_one_curve(client: Client) -> None:
    runs = [sent(served(users))[0] for users in (1, 2, 4)]
    assert len({run.sweep_id for run in runs}) == 1
    assert loads(page(client, runs[1])) == ["1", "2", "4"]


def test_the_address_chooses_the_latency(client: Client) -> None:
    (run, _other) = sent(served(1), served(4))
    text = page(client, run)
    for name in ("ttft_ms", "tpot_ms", "e2e_latency_ms"):
        assert f'href="?latency={name}#curve"' in text
    chosen = page(client, run, latency="tpot_ms")
    assert drawn(chosen, "curve-chart")["layout"]["yaxis"]["title"]["text"] == (
        "Time per output token, ms"
    )
    assert (
        'href="?latency=tpot_ms#curve" title="Time per output token" aria-current="true"' in chosen
    )
    assert drawn(page(client, run, latency="junk"), "curve-chart") == drawn(text, "curve-chart")


def test_the_table_of_a_curve_is_downloaded_as_it_is_shown(client: Client) -> None:
    (run, other) = sent(served(1), served(4))
    query = {"format": "csv", "table": "curve", "latency": "e2e_latency_ms"}
    lines = client.get(f"/detail/{run.pk}/", query).content.decode().splitlines()
    assert lines == [
        'run,load,"tokens_per_second, tok/s",definition,"e2e_latency_ms mean, ms",'
        '"e2e_latency_ms p50, ms","e2e_latency_ms p99, ms",e2e_latency_ms definition',
        f"{run.pk},1 user,100.0,wall clock,11.0,10.0,31.0,at the client",
        f"{other.pk},4 users,400.0,wall clock,14.0,13.0,34.0,at the client",
    ]


@pytest.mark.parametrize(
    "apart",
    [
        {"input_tokens": 8192},
        {"output_tokens": 512},
        {"context_depth": 4096},
        {"dataset_name": "ShareGPT"},
        {"load_pattern": "bursts"},
        {"gpu_power_limit_watts": 300},
        {"batch_size": 4},
        {"backend_version": "0.9"},
        {"load_kind": "batch"},
        {"parallelism": {"tensor": 2}},
    ],
)
def test_points_of_another_workload_are_another_curve(
    client: Client, apart: dict[str, Any]
) -> None:
    runs = sent(*(served(users) for users in (1, 2)), *(served(u, **apart) for u in (4, 8, 16)))
    assert len({run.sweep_id for run in runs}) == 1
    text = page(client, runs[0])
    assert loads(text) == ["1", "2"]
    assert "Other curves of this sweep, of other workloads:" in text
    assert "(3 points)" in text
    assert loads(page(client, runs[2])) == ["4", "8", "16"]


def test_a_rate_is_a_load_of_its_own(client: Client) -> None:
    runs = sent(*(served(users) for users in (1, 2)), *(served(rate=r) for r in (0.5, 4)))
    assert loads(page(client, runs[0])) == ["1", "2"]
    text = page(client, runs[2])
    assert loads(text) == ["0.5/s", "4/s"]
    assert "its load (requests per second)" in text


def test_lengths_that_were_sampled_are_the_same_workload(client: Client) -> None:
    runs = sent(*(served(u, output_tokens=n) for u, n in ((1, 204.2), (2, 205.9), (4, 197.0))))
    assert loads(page(client, runs[0])) == ["1", "2", "4"]


@given(st.lists(st.floats(1, 100_000), min_size=1))
def test_equal_lengths_are_close_to_their_next(lengths: list[float]) -> None:
    groups = length_groups(lengths)
    ordered = sorted(set(lengths))
    for before, after in pairwise(ordered):
        assert (groups[before] == groups[after]) == (after <= LENGTH_TOLERANCE * before)


def test_curves_never_join_sweeps(client: Client) -> None:
    runs = sent(*(served(u) for u in (1, 2)), *(served(u, sweep="morning") for u in (4, 8)))
    assert loads(page(client, runs[0])) == ["1", "2"]


def test_what_was_measured_otherwise_is_left_out_and_said(client: Client) -> None:
    runs = sent(
        *(served(users) for users in (1, 2, 4)),
        served(8, definition="busiest_second"),
        served(16, latencies=()),
        served(32, status="failed"),
    )
    text = page(client, runs[0])
    assert loads(text) == ["1", "2", "4"]
    assert "2 runs are left out: without tok/s as “wall clock” and TTFT as “at the client”." in text
    assert "1 run is left out: not completed, or partial." in text


def test_a_run_outside_the_curve_of_its_sweep_says_so(client: Client) -> None:
    runs = sent(served(1), served(2), served(64, load_pattern="all at once"))
    text = page(client, runs[2])
    assert loads(text) == ["1", "2"]
    assert "This run is no point of it" in text


@pytest.mark.parametrize(
    "runs", [[served(1)], [served(4), served(4)], [served(1, latencies=())] * 2]
)
def test_there_is_no_curve_of_one_load_or_without_latencies(
    client: Client, runs: list[dict[str, Any]]
) -> None:
    first, *_others = sent(*({**run, "id": experiment()["id"]} for run in runs))
    assert 'id="curve"' not in page(client, first)


def test_headlines_are_not_those_of_the_busiest_second(client: Client) -> None:
    run = served(4)
    peak = {"metric_name": "tokens_per_second", "value": 987.6, "unit": "tok/s"}
    run["performance_metrics"].append(peak | {"definition": "busiest_second"})
    (stored, _other) = sent(run, served(8))
    assert stored.configuration.tokens_per_second == 400.0
    assert stored.configuration.tokens_per_second_definition == "wall_clock"
    text = page(client, stored)
    assert "987.6" not in text.split('id="sweep"')[1].split("</section>")[0]
    assert "987.6" not in text.split('aria-label="Summary"')[1].split("</section>")[0]
    answer = client.get(f"/api/detail/{stored.pk}").json()
    assert answer["config"]["performance"]["speed"] == 400.0


def test_a_heatmap_has_a_cell_for_each_load_and_depth(client: Client) -> None:
    runs = sent(
        *(
            served(users, context_depth=depth)
            for users in (1, 8)
            for depth in (0, 4096)
            if (users, depth) != (8, 4096)
        ),
        served(8, context_depth=0),
    )
    text = page(client, runs[0])
    (cells,) = drawn(text, "heatmap-chart")["data"]
    assert (cells["x"], cells["y"]) == (["1", "8"], ["0", "4,096"])
    assert cells["z"] == [[100.0, 800.0], [100.0, None]]
    assert cells["hovertext"][0][1] == "8 users, 0 tokens deep: 800 tok/s, median of 2 runs"
    assert cells["hovertext"][1][1] == "8 users, 4,096 tokens deep: not measured"
    query = {"format": "csv", "table": "heatmap"}
    lines = client.get(f"/detail/{runs[0].pk}/", query).content.decode().splitlines()
    assert lines == [r"Context depth \ Concurrent users,1,8", "0,100.0,800.0", '"4,096",100.0,']


@pytest.mark.parametrize(
    ("name", "values", "title"),
    [
        ("gpu_power_limit_watts", (200, 300), "concurrent users and power limit in watts"),
        ("input_tokens", (512, 4096), "concurrent users and input tokens"),
    ],
)
def test_a_heatmap_takes_the_second_dimension_of_its_sweep(
    client: Client, name: str, values: tuple[int, int], title: str
) -> None:
    second: list[dict[str, Any]] = [{name: value} for value in values]
    runs = sent(*(served(users, **fields) for users in (1, 8) for fields in second))
    assert f"Generation speed by {title}" in page(client, runs[0])


def isolated(depth: int, speed: float) -> dict[str, Any]:
    return experiment(
        load_kind="isolated",
        sweep="night",
        context_depth=depth,
        figures={"tokens_per_second": (speed, "tok/s", "decode")},
    )


def test_a_sweep_of_depths_alone_is_a_line(client: Client) -> None:
    runs = sent(*(isolated(depth, 60 - depth / 1000) for depth in (8192, 0, 4096)))
    (line,) = drawn(page(client, runs[0]), "depth-chart")["data"]
    assert line["x"] == [0, 4096, 8192]
    assert line["hovertext"][0] == "depth 0: 60 tok/s"
    two = sent(*(isolated(depth, 60) | {"sweep": "dawn"} for depth in (0, 4096)))
    assert 'id="depths"' not in page(client, two[0])


def test_the_page_asks_as_much_for_a_long_sweep_as_for_a_short_one(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    short = sent(*(served(users) for users in (1, 2)))
    long = sent(*(served(users, sweep="long") for users in range(1, 41)))
    for run in (short[0], long[0]):
        with django_assert_num_queries(11):
            page(client, run)


def test_figures_of_sweeps_are_figures_plotly_knows() -> None:
    trace = Trace(name="<A>", slot=9, x=[1, 2], y=[1, None], words=["a", "b"], labels=["1", "2"])
    figure = curves([trace, trace], x_title="x", y_title="y")
    go.Figure(figure)
    assert figure["data"][0]["name"] == "&lt;A&gt;"
    heat = Heat(columns=["1"], rows=["0"], values=[[None]], texts=[["–"]], words=[["none"]])
    go.Figure(heatmap(heat, x_title="x", y_title="y", unit="tok/s"))


def test_latencies_far_apart_stand_on_a_logarithmic_axis() -> None:
    near = Trace(name="A", slot=0, x=[1, 2], y=[10, 400], words=["", ""])
    far = Trace(name="B", slot=1, x=[1, 2], y=[10, 600], words=["", ""])
    assert "type" not in curves([near], x_title="", y_title="")["layout"]["yaxis"]
    assert curves([far], x_title="", y_title="")["layout"]["yaxis"]["type"] == "log"

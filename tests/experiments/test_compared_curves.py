"""Sweeps of compared runs over each other: in the runs' colours, and on one axis only what fits."""

import json
import re
from html import unescape
from typing import Any

import plotly.graph_objects as go
import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from experiments.models import TestRun
from tests.experiments.sweeps import sent, served
from tests.factories import make_run

pytestmark = pytest.mark.django_db
OTHER_GPU = "NVIDIA GeForce RTX 3090"


def page(client: Client, *runs: TestRun, **query: str) -> str:
    response = client.get("/compare/", {"run": [str(run.pk) for run in runs], **query})
    assert response.status_code == 200, response.content
    return " ".join(unescape(response.content.decode()).split())


def drawn(text: str) -> list[dict[str, Any]]:
    """Return the traces of the curves, none where there are none."""
    found = re.search(
        r'<script id="curves-chart-figure" type="application/json">(.*?)</script>', text
    )
    figure = json.loads(found[1]) if found else {"data": []}
    go.Figure(figure)
    traces: list[dict[str, Any]] = figure["data"]
    return traces


def sweep(name: str, *users: int, **fields: Any) -> TestRun:
    """Send a sweep; return its first run."""
    return sent(*(served(number, sweep=name, **fields) for number in users))[0]


def test_two_sweeps_lie_over_each_other_in_their_runs_colours(client: Client) -> None:
    a, b = sweep("a", 1, 4), sweep("b", 1, 2, 8, gpu_model=OTHER_GPU)
    first, second = drawn(page(client, a, b))
    assert (first["text"], second["text"]) == (["1", "4"], ["1", "2", "8"])
    assert (first["meta"]["slot"], second["meta"]["slot"]) == (0, 1)
    swapped = drawn(page(client, b, a, letters="BA"))
    assert [trace["meta"]["slot"] for trace in swapped] == [1, 0]
    assert second["hovertext"][2] == "B: 8 users: 800 tok/s; TTFT mean 18 ms"


def test_the_address_chooses_latency_and_statistic(client: Client) -> None:
    a, b = sweep("a", 1, 4), sweep("b", 1, 8, gpu_model=OTHER_GPU)
    text = page(client, a, b, latency="e2e_latency_ms", statistic="p99")
    assert [trace["y"] for trace in drawn(text)] == [[31.0, 34.0], [31.0, 38.0]]
    assert "latency=tpot_ms&statistic=p99#curves" in text
    assert "latency=e2e_latency_ms&statistic=p50#curves" in text
    for wrong in ("latency=speed", "statistic=p0"):
        assert client.get(f"/compare/{a.pk}/{b.pk}/?{wrong}").status_code == 400


def test_the_table_of_the_curves_is_downloaded(client: Client) -> None:
    a, b = sweep("a", 1, 4), sweep("b", 2, 8, gpu_model=OTHER_GPU)
    query = {"run": [str(a.pk), str(b.pk)], "format": "csv", "table": "curves"}
    head, *lines = client.get("/compare/", query).content.decode().splitlines()
    assert head.startswith(
        'sweep,run,load,"tokens_per_second, tok/s",definition,"ttft_ms mean, ms"'
    )
    assert [line.split(",")[2:4] for line in lines] == [
        ["1 user", "100.0"],
        ["4 users", "400.0"],
        ["2 users", "200.0"],
        ["8 users", "800.0"],
    ]


def test_what_does_not_fit_is_left_out_and_said(client: Client) -> None:
    a, b = sweep("a", 1, 4), sweep("b", 1, 8, gpu_model=OTHER_GPU)
    other_kind = sweep("c", 1, 8, load_kind="batch")
    other_definition = sweep("d", 1, 8, definition="rate_over_time")
    same = TestRun.objects.filter(sweep=a.sweep).exclude(pk=a.pk).get()
    alone = make_run(model_name="Alone")
    text = page(client, a, b, other_kind, other_definition, same, alone)
    assert [trace["name"][:1] for trace in drawn(text)] == ["A", "B"]
    assert "C is left out: measured as “offline batch”, the others as “serving”." in text
    assert (
        "D is left out: its sweep lacks generation speed as “wall clock” or time to first token as "
        "“at the client”."
    ) in text
    assert "E is a point of the same curve as A." in text
    assert "F has no curve" in text


@pytest.mark.parametrize(
    "fields",
    [{"load_kind": "batch"}, {"definition": "rate_over_time"}, {"latencies": ()}],
)
def test_sweeps_that_do_not_fit_are_never_on_one_axis(
    client: Client, fields: dict[str, Any]
) -> None:
    assert drawn(page(client, sweep("a", 1, 4), sweep("b", 1, 8, **fields))) == []


def test_workloads_that_differ_are_named(client: Client) -> None:
    a, b = sweep("a", 1, 4), sweep("b", 1, 8, input_tokens=8192)
    text = page(client, a, b)
    assert (
        "Their workloads differ, so compare with care: A: about 1,000 tokens in · about 130 tokens "
        "out; B: about 8,200 tokens in · about 130 tokens out."
    ) in text


def test_curves_cost_the_same_whatever_their_number(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    runs = [sweep(str(number), *range(1, 4 + number)) for number in range(8)]
    for chosen in (runs[:2], runs):
        with django_assert_num_queries(7):
            page(client, *chosen)

"""The pages that say what is measured; they need no database, which is closed to these tests."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from experiments.metrics import METRICS, MetricGroup, aliases_of
from experiments.metrics.model import Metric

EVERY_METRIC = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS.keys())


def metric_page(client: Client, metric: Metric) -> str:
    response = client.get(reverse("experiments:metric", args=[metric.key]))
    assert response.status_code == 200
    return str(response.content.decode())


def test_metrics_lists_every_metric_under_its_group(client: Client) -> None:
    text = client.get("/metrics/").content.decode()
    groups = [
        group.value
        for group in MetricGroup
        if f'scope="rowgroup">{escape(group.value)}</th>' in text
    ]
    assert groups == sorted({m.group.value for m in METRICS.values()}, key=groups.index)
    for metric in METRICS.values():
        assert text.count(f'href="/metrics/{metric.key}/"') == 1
        assert escape(metric.measures) in text


@EVERY_METRIC
def test_metric_says_what_it_is_and_how_each_tool_computes_it(
    client: Client, metric: Metric
) -> None:
    text = metric_page(client, metric)
    assert f"<h1>{escape(metric.label)}</h1>" in text
    assert escape(metric.measures) in text
    assert escape(metric.unit) in text
    assert ("higher" if metric.higher_is_better else "lower") in text
    for definition in metric.definitions:
        assert f'id="{definition.id}"' in text
        assert escape(definition.formula) in text
        assert f'href="{escape(definition.source)}"' in text
    for alias in aliases_of(metric.key):
        assert f"<code>{escape(alias)}</code>" in text


def test_metric_with_several_definitions_warns_that_they_do_not_compare(client: Client) -> None:
    several = [metric for metric in METRICS.values() if len(metric.definitions) > 1]
    assert several
    for metric in several:
        assert "never ranked or called better against each other" in metric_page(client, metric)


def test_metric_that_is_derived_says_so(client: Client) -> None:
    derived = [metric for metric in METRICS.values() if metric.derived]
    assert derived
    for metric in derived:
        assert "derived from other figures" in metric_page(client, metric)


@pytest.mark.parametrize("key", ["nothing", "TTFT_MS", "tokens-per-second"])
def test_metric_that_is_not_known_is_a_404(client: Client, key: str) -> None:
    assert client.get(f"/metrics/{key}/").status_code == 404


def test_metrics_are_there_as_files(client: Client) -> None:
    rows = client.get("/metrics/?format=json").json()["rows"]
    assert {row["key"]: row["measures"] for row in rows} == {
        key: metric.measures for key, metric in METRICS.items()
    }
    first = client.get("/metrics/?format=csv").content.decode().splitlines()[0]
    assert first == "group,key,metric,measures,unit,higher_is_better,definitions"


@EVERY_METRIC
def test_metric_definitions_are_there_as_files(client: Client, metric: Metric) -> None:
    rows = client.get(f"/metrics/{metric.key}/?format=json&table=definitions").json()["rows"]
    assert [(row["id"], row["formula"]) for row in rows] == [
        (item.id, item.formula) for item in metric.definitions
    ]
    assert ("format=csv" in metric_page(client, metric)) == bool(metric.definitions)


def test_metrics_have_no_other_table(client: Client) -> None:
    assert client.get("/metrics/?format=csv&table=nothing").status_code == 400


def test_metric_pages_only_read(client: Client) -> None:
    assert client.post("/metrics/").status_code == 405
    assert client.post("/metrics/ttft_ms/").status_code == 405

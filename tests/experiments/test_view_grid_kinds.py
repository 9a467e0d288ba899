"""Isolated tests, served requests and offline batches never rank against each other unasked."""

import pytest
from django.test import Client

from tests.experiments.grid_page import address, asked, page, speed
from tests.factories import make_run

MIXED = "Here they rank across ways of measuring, and do not compare:"


@pytest.fixture
def two_kinds(db: None) -> None:
    """Two models by llama-bench's kind of test, one of them and a third one served to one user."""
    make_run(model_name="Alpha", load_kind="isolated", figures=speed(90.0))
    make_run(model_name="Beta", load_kind="isolated", figures=speed(40.0))
    served = {"tokens_per_second": (60.0, "tok/s", "wall_clock")}
    make_run(model_name="Beta", load_kind="serving", figures=served)
    make_run(model_name="Gamma", load_kind="serving", figures=served, concurrent_requests=8)


@pytest.mark.usefixtures("two_kinds")
def test_grid_ranks_the_kind_of_load_that_most_models_have(client: Client) -> None:
    text = page(client)
    assert "Of its ways of measuring, “isolated test” has the most models" in text
    assert "isolated test (2)" in text
    assert "serving (1)" in text
    assert "any (2)" in text
    assert MIXED not in text
    answer = client.get("/api/grouped-performance").json()
    assert (answer["load_used"], answer["load_kind_used"]) == ("single", "isolated")
    assert not answer["load_kinds_mixed"]
    speeds = [
        item["best_hardware"]["best_config"]["tokens_per_second"] for item in answer["models"]
    ]
    assert speeds == [90.0, 40.0]


@pytest.mark.usefixtures("two_kinds")
def test_grid_says_plainly_that_kinds_of_load_are_ranked_together(client: Client) -> None:
    text = page(client)
    href = address(text, "kind-any")
    assert asked(href) == {"load_kind": ["any"]}
    together = page(client, {"load_kind": "any"})
    assert MIXED in together
    assert "measured: in any way" in together
    answer = client.get(f"/api/grouped-performance{href.removeprefix('/')}").json()
    assert (answer["load_kind_used"], answer["load_kinds_mixed"]) == ("any", True)
    best = [item["best_hardware"]["best_config"] for item in answer["models"]]
    assert [(item["load_kind"], item["tokens_per_second"]) for item in best] == [
        ("isolated", 90.0),
        ("serving", 60.0),
    ]


@pytest.mark.usefixtures("two_kinds")
def test_grid_chooses_the_class_of_load_within_the_kind_asked_for(client: Client) -> None:
    text = page(client, {"load_kind": "serving", "load_class": "concurrent"})
    assert "“serving” was chosen" in text
    assert "Gamma" in text
    assert 'id="kind-any"' not in text
    assert client.get("/", {"load_kind": "fast"}).status_code == 400


def test_grid_says_where_it_is_not_stated_how_speeds_were_measured(
    client: Client, db: None
) -> None:
    make_run()
    assert "How they were measured is not stated, so they may not compare." in page(client)


def test_other_machines_are_those_measured_in_the_same_way(client: Client, db: None) -> None:
    run = make_run(load_kind="isolated")
    make_run(load_kind="isolated", gpu_model="NVIDIA GeForce RTX 3090")
    make_run(load_kind="serving", gpu_model="NVIDIA L40S")
    text = client.get(f"/detail/{run.pk}/").content.decode()
    assert "RTX 3090" in text
    assert "L40S" not in text

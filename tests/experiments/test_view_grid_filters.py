"""The filters of the grid's page: choices with counts, chips, what to loosen, junk."""

from dataclasses import fields, replace
from html import unescape

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from benchsite.common.review import ReviewState
from experiments.forms import GridForm
from experiments.grid import FILTERS, GridCriteria, Where
from experiments.presenters.grid import COLUMNS
from experiments.presenters.grid.address import PARAMETERS
from experiments.presenters.grid.columns import Cell, Column
from tests.experiments.grid_page import address, asked, page, speed
from tests.factories import make_run, make_score, make_variant

pytestmark = pytest.mark.django_db

OTHER_GPU = "NVIDIA GeForce RTX 3090"
QUERIES_WITHOUT_A_MATCH = 4  # one is the version of the data


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


def test_every_filter_of_the_registry_is_asked_for_kept_and_told() -> None:
    """What the registry does not do by itself: a field of the form and a value in the criteria."""
    held = {field.name for field in fields(GridCriteria)}
    boxes = {item.beside for item in FILTERS.values() if item.beside}
    assert {*FILTERS, *boxes} <= set(GridForm.base_fields)
    assert {*FILTERS, *boxes} <= held
    assert {*FILTERS, *boxes} <= set(PARAMETERS)


def test_a_filter_is_changed_in_one_place(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(model_name="A", figures=speed(50.0))
    make_run(model_name="B", figures=speed(9.0))
    changed = replace(
        FILTERS["min_speed"],
        chip="faster than {:g}",
        passes=lambda criteria: Where("cfg_speed > %s", (criteria.min_speed,)),
    )
    monkeypatch.setitem(FILTERS, "min_speed", changed)
    text = page(client, {"min_speed": "9"})
    assert "faster than 9 <" in text
    assert text.count('<tbody id="model-') == 1
    nothing = page(client, {"min_speed": "50"})
    assert "2 models without “faster than 50”" in nothing


def test_two_limits_are_met_by_one_configuration_or_not_at_all(client: Client) -> None:
    """A fast one that needs much and a lean one that is slow are no fast and lean one."""
    unknown = {"include_unknown": "on"}
    asked_for = {"min_speed": "50", "max_memory_gb": "40"}

    def models(**more: str) -> int:
        text = page(client, {**asked_for, **more})
        listed = text.count('<tbody id="model-')
        assert f'<option value="llama.cpp">llama.cpp ({listed})</option>' in text
        return listed

    def measure(depth: int, tok_s: float, memory: float | None) -> None:
        figures = speed(tok_s)
        if memory is not None:
            figures["memory_usage_gb"] = (memory, "GB", None)
        make_run(figures=figures, context_depth=depth)

    measure(1, 80.0, 60.0)
    measure(2, 20.0, 20.0)
    assert (models(), models(**unknown)) == (0, 0)
    measure(3, 30.0, None)
    assert (models(), models(**unknown)) == (0, 0)
    measure(4, 55.0, None)
    assert (models(), models(**unknown)) == (0, 1)
    measure(5, 50.0, 40.0)
    assert (models(), models(**unknown)) == (1, 1)


def test_a_filter_finds_what_stands_behind_a_faster_one_of_another_kind(client: Client) -> None:
    make_run(load_kind="serving", backend="vllm", figures=speed(90.0))
    make_run(load_kind="isolated", backend="vllm", figures=speed(80.0))
    make_run(load_kind="isolated", backend="llama.cpp", figures=speed(50.0))
    make_run(load_kind="serving", backend="llama.cpp", figures=speed(40.0))
    anyhow = {"load_kind": "any"}
    assert ">90.0<" in page(client, anyhow)
    for kind, figure in (("any", "50.0"), ("isolated", "50.0"), ("serving", "40.0")):
        text = page(client, {"load_kind": kind, "backend": "llama.cpp"})
        assert f">{figure}<" in text
        assert text.count('<tbody id="model-') == 1


def test_a_column_is_added_in_one_place(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(backend="vllm")
    extra = Column(
        key="loud",
        label="Loud backend",
        cell=lambda facts: Cell(facts.configuration.backend.upper() if facts.configuration else ""),
        fields=(("loud", lambda facts: facts.level),),
    )
    monkeypatch.setitem(COLUMNS, "loud", extra)
    text = page(client, {"columns": "loud"})
    assert 'value="loud"' in text
    assert "Loud backend" in text
    assert ">VLLM</td>" in text
    rows = client.get("/", {"columns": "loud", "format": "json"}).json()["rows"]
    assert rows[0]["loud"] == "model"


def test_grid_chips_remove_one_filter_each(client: Client) -> None:
    run = make_run(gpu_model=OTHER_GPU)
    kept = {"sort_by": "name", "run": str(run.pk), "expand": "abc", "columns": "speed,runs"}
    filters: dict[str, str | list[str]] = {
        "q": "nim",
        "min_speed": "5",
        "max_memory_gb": "24",
        "include_unknown": "on",
        "hardware_categories": ["consumer_gpu", "datacenter_gpu"],
        "backend": "llama.cpp",
        "quantization": "Q4_K_M",
        "platform": run.hardware.platform.key,
        "load_class": "single",
    }
    text = page(client, {**filters, **kept, "page": "1"})
    assert "(10 active)" in text
    assert "min speed 5 tok/s <" in text
    assert "platform: 1× RTX 3090 <" in text
    whole = asked(address(text, "sort-name"))
    for name in filters.keys() - {"hardware_categories"}:
        left = asked(address(text, f"chip-{name}"))
        assert whole.keys() - left.keys() == {name, "sort_direction"}
    left = asked(address(text, "chip-hardware_categories-consumer_gpu"))
    assert left["hardware_categories"] == ["datacenter_gpu"]
    cleared = {name: value.split() for name, value in kept.items()}
    assert asked(address(text, "grid-clear")) == cleared


def test_grid_filters_say_how_many_models_they_leave(client: Client) -> None:
    make_run(model_name="A")
    make_run(model_name="B", backend="vllm")
    make_run(model_name="C", backend="vllm", gpu_model=OTHER_GPU, figures=speed(9.0))
    text = page(client, {"min_speed": "10"})
    assert '<option value="vllm">vllm (1)</option>' in text
    assert ">1× RTX 3090 (0)</option>" in text
    assert "consumer GPU (2)" in text
    assert 'id="id_min_speed_helptext">9.00 to 50.0<' in text
    chosen = page(client, {"backend": "llama.cpp"})
    assert '<option value="vllm">vllm (2)</option>' in chosen
    assert '<option value="llama.cpp" selected>llama.cpp (1)</option>' in chosen


def test_grid_without_any_result_says_what_to_do(client: Client) -> None:
    for query in ({}, {"q": "nothing"}):
        text = page(client, query)
        assert "No results here yet" in text
        assert "/admin/experiments/upload/add/" in text
        assert "manage.py load_sample" in text
        assert "POST /api/uploads" in text


def test_grid_without_a_match_says_what_to_loosen(client: Client) -> None:
    make_run(model_name="A")
    make_run(model_name="B")
    text = page(client, {"min_speed": "99", "backend": "llama.cpp", "expand": "abc"})
    assert "Nothing matches these filters" in text
    assert "2 models without “min speed 99 tok/s”" in text
    assert "without “backend" not in text
    assert asked(address(text, "without-chip-min_speed")) == {
        "backend": ["llama.cpp"],
        "expand": ["abc"],
    }
    assert "Clear all filters: 2 models" in text
    assert asked(address(text, "without-any")) == {"expand": ["abc"]}


def test_grid_without_a_match_says_when_no_filter_alone_is_to_blame(client: Client) -> None:
    make_run()
    text = page(client, {"q": "nothing-of-the-kind", "backend": "vllm"})
    assert "No filter alone is to blame" in text
    assert "Clear all filters: 1 model<" in text


def test_grid_asks_little_where_nothing_matches(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_run()
    for query in ({"q": "zzz"}, {"q": "zzz", "backend": "y", "min_speed": "5", "platform": "z"}):
        with django_assert_num_queries(QUERIES_WITHOUT_A_MATCH):
            page(client, query)


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


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"min_speed": "fast"}, "“fast” is no number; write 24 or 24.5."),
        ({"min_quality": "nan"}, "“nan” is no number; write 24 or 24.5."),
        ({"min_speed": "-1"}, "This must be 0 or more."),
        ({"benchmark": "nope"}, "There is no benchmark “nope” here; choose one of the list."),
    ],
)
def test_grid_names_the_value_that_is_wrong(
    client: Client, query: dict[str, str], said: str
) -> None:
    assert said in unescape(client.get("/", query).content.decode())


def test_grid_keeps_the_rest_while_a_filter_is_wrong(client: Client) -> None:
    run = make_run()
    query = {"min_speed": "x", "sort_by": "y", "page_size": "5", "run": str(run.pk)}
    text = client.get("/", query).content.decode()
    assert f'<input type="hidden" name="run" value="{run.pk}">' in text
    assert '<input type="hidden" name="page_size" value="5">' in text
    assert 'name="sort_by"' not in text


def test_grid_takes_nul_bytes_for_junk(client: Client) -> None:
    for name in ("q", "expand", "run", "platform", "format", "benchmark"):
        assert client.get("/", {name: "a\x00b"}).status_code in (200, 400)


def test_grid_offers_nothing_that_waits_for_review(client: Client) -> None:
    make_run()
    make_run(quantization="WAITING_Q9", review_state=ReviewState.PENDING)
    waiting = make_variant(model_name="acme/Scored-Alone", quantization="WAITING_Q9")
    make_score(variant=waiting, benchmark="waiting-eval", review_state=ReviewState.PENDING)
    assert "waiting" not in page(client).lower()
    assert client.get("/api/runs", {"benchmark": "waiting-eval"}).status_code == 400
    make_score(variant=waiting, benchmark="waiting-eval", score=11.0)
    assert "waiting-eval" in page(client)
    assert "WAITING_Q9" in page(client)
    assert client.get("/api/runs", {"benchmark": "waiting-eval"}).status_code == 200

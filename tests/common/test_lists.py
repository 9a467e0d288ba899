"""Long lists of the admin and the API: found by index, counted as far as it is worth it."""

from uuid import UUID

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from benchsite.common import lists
from benchsite.common.lists import BoundedPaginator, ids_beginning_with
from experiments.models import TestRun
from hardware.models import HardwareProfile
from tests.common.quiet import while_nothing_is_written
from tests.factories import make_run, make_staff

pytestmark = pytest.mark.django_db
RUNS = "/admin/experiments/testrun/"


@pytest.fixture
def curator(client: Client) -> Client:
    client.force_login(make_staff())
    return client


@pytest.fixture
def few_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "MOST_COUNTED", 3)


def found(curator: Client, words: str) -> set[str]:
    answer = curator.get(RUNS, {"q": words})
    assert answer.status_code == 200
    return {str(run.pk) for run in answer.context["cl"].result_list}


def test_runs_are_found_by_words_of_model_machine_and_id(curator: Client) -> None:
    fast = make_run(model_name="Nimbus-14B", gpu_model="NVIDIA GeForce RTX 4090")
    slow = make_run(model_name="Stratus-7B", quantization="Q8_0", gpu_model="Tesla T4")
    one, other = str(fast.pk), str(slow.pk)
    assert found(curator, "nimbus") == {one}
    assert found(curator, "q8_0 t4") == {other}
    assert found(curator, '"RTX 4090"') == {one}
    assert found(curator, "nimbus t4") == set()
    assert found(curator, one[:8]) == found(curator, one.upper()) == {one}
    assert found(curator, one[:13]) == {one}
    assert found(curator, "nothing like it") == set()


def test_a_word_that_no_name_has_reads_no_run(curator: Client) -> None:
    make_run()
    with CaptureQueriesContext(connection) as queries:
        assert found(curator, "zzz") == set()
    assert not any('FROM "experiments_testrun"' in query["sql"] for query in queries)


@pytest.mark.parametrize("text", ["", "xyz", "0193-", "0" * 33, "é", "0193a0de 5c11"])
def test_what_is_no_beginning_of_an_id(text: str) -> None:
    condition = ids_beginning_with(text)
    assert (condition is None) == (text != "0193-")


def test_ids_are_found_from_the_least_to_the_greatest() -> None:
    ids = [UUID(int=0x0193 << 112), UUID(int=(0x0194 << 112) - 1), UUID(int=0x0194 << 112)]
    for run_id in ids:
        make_run(run_id=run_id)
    condition = ids_beginning_with("0193")
    assert condition is not None
    assert set(TestRun.objects.filter(condition).values_list("pk", flat=True)) == set(ids[:2])


def test_a_long_list_says_that_it_was_not_counted_to_its_end(
    curator: Client, few_are_counted: None
) -> None:
    for _number in range(4):
        make_run()
    page = curator.get(RUNS).content.decode()
    assert "3+ test runs" in page
    assert len(found(curator, "nimbus")) == 4


def test_a_short_list_is_counted(few_are_counted: None) -> None:
    for number in range(3):
        make_run(gpu_model=f"Prototype {number}")
    pages = BoundedPaginator(HardwareProfile.objects.order_by("pk"), 2)
    assert (str(pages.count), pages.num_pages) == ("3", 2)
    assert BoundedPaginator([1, 2], 5).count == 2
    assert BoundedPaginator(LogEntry.objects.all(), 5).count == 0


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.parametrize("address", ["/api/runs", "/api/configurations"])
def test_totals_are_counted_once_and_follow_every_write(client: Client, address: str) -> None:
    make_run()

    def pages() -> tuple[int, int, list[str]]:
        first = client.get(address, {"page": 1}).json()["total_count"]
        with CaptureQueriesContext(connection) as queries:
            second = client.get(address, {"page": 2}).json()["total_count"]
        return first, second, [query["sql"] for query in queries]

    first, second, asked = while_nothing_is_written(pages)
    assert (first, second) == (1, 1)
    assert not any("COUNT(*)" in sql for sql in asked)
    make_run(model_name="Stratus-7B")
    assert client.get(address, {"page": 1}).json()["total_count"] == 2

"""The admin: pages load, measured values stay, actions keep the current score right."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from benchmarks.models import Benchmark, BenchmarkScore, ModelVariant, ScoreRevision
from benchmarks.protocol import Protocol
from benchmarks.services import CategoryData
from benchsite.common.review import ReviewState
from tests.benchmarks.factories import make_score, make_variant

pytestmark = pytest.mark.django_db
SCORES_URL = "/admin/benchmarks/benchmarkscore/"


@pytest.fixture
def curator(client: Client) -> Client:
    """Return a client logged in as a superuser."""
    client.force_login(User.objects.create_superuser("curator", password="secret-words"))
    return client


def act(curator: Client, action: str, score: BenchmarkScore, reason: str = "") -> BenchmarkScore:
    """Run an action on a score and return the score as it is then."""
    values = {"action": action, "_selected_action": str(score.pk), "reason": reason}
    response = curator.post(SCORES_URL, values, follow=True)
    assert response.status_code == 200
    assert b"1 scores" in response.content
    score.refresh_from_db()
    return score


@pytest.mark.parametrize("page", ["modelvariant", "benchmark", "benchmarkscore"])
def test_list_loads_and_searches(curator: Client, page: str) -> None:
    make_score(variant=make_variant(model_name="acme/One"))
    url = reverse(f"admin:benchmarks_{page}_changelist")
    assert curator.get(url).status_code == 200
    assert curator.get(url, {"q": "acme"}).status_code == 200


@pytest.mark.parametrize("page", ["modelvariant", "benchmarkscore"])
def test_list_takes_the_same_queries_for_any_number(curator: Client, page: str) -> None:
    url = reverse(f"admin:benchmarks_{page}_changelist")

    def queries_with(count: int) -> int:
        while BenchmarkScore.objects.count() < count:
            make_score(categories=(CategoryData("law", 50.0),))
        with CaptureQueriesContext(connection) as queries:
            assert curator.get(url).status_code == 200
        return len(queries)

    queries_with(2)  # content types are cached from here on
    assert queries_with(2) == queries_with(20)


def test_change_pages_load(curator: Client) -> None:
    score = make_score(categories=(CategoryData("law", 41.0),), protocol=Protocol(shots=8))
    for row in (score, score.variant, score.benchmark):
        url = reverse(f"admin:benchmarks_{row._meta.model_name}_change", args=[row.pk])
        response = curator.get(url)
        assert response.status_code == 200
    assert b"shots 8" in response.content
    assert curator.get(reverse("admin:benchmarks_modelvariant_add")).status_code == 200


def test_score_is_neither_edited_nor_added_nor_deleted(curator: Client) -> None:
    score = make_score(score=50.0)
    curator.post(f"{SCORES_URL}{score.pk}/change/", {"score": "99", "is_current": ""})
    score.refresh_from_db()
    assert (score.score, score.is_current) == (50.0, True)
    assert curator.get(f"{SCORES_URL}add/").status_code == 403
    assert curator.get(f"{SCORES_URL}{score.pk}/delete/").status_code == 403


def test_variant_names_are_read_only_once_made(curator: Client) -> None:
    variant = make_variant(model_name="acme/One")
    url = reverse("admin:benchmarks_modelvariant_change", args=[variant.pk])
    values = {"model_name": "acme/Other", "quantization": "F16", "family": "nimbus"}
    assert curator.post(url, values).status_code == 302
    variant.refresh_from_db()
    assert (variant.model_name, variant.family) == ("acme/One", "nimbus")
    assert variant.quantizer is None


def test_publish_action(curator: Client) -> None:
    score = act(curator, "publish", make_score(review_state=ReviewState.PENDING))
    assert (score.review_state, score.is_current) == ("published", True)


@pytest.mark.parametrize(("action", "state"), [("reject", "rejected"), ("withdraw", "withdrawn")])
def test_taking_back_actions(curator: Client, action: str, state: str) -> None:
    score = act(curator, action, make_score(), reason="wrong template")
    assert (score.review_state, score.is_current) == (state, False)
    assert score.review_reason == "wrong template"
    revision = ScoreRevision.objects.get()
    assert (revision.action, revision.who_label) == (state, "curator")
    assert revision.reason == "wrong template"
    page = curator.get(f"{SCORES_URL}{score.pk}/change/").content.decode()
    assert "wrong template" in page


@pytest.mark.parametrize(
    ("action", "value"), [("confirm_as_fractions", 67.0), ("confirm_as_stated", 0.67)]
)
def test_confirm_actions(curator: Client, action: str, value: float) -> None:
    score = act(curator, action, make_score(score=0.67, needs_confirmation=True))
    assert score.score == pytest.approx(value)
    assert score.is_current


def test_preferring_a_protocol_chooses_current_scores_anew(curator: Client) -> None:
    variant = make_variant()
    older = make_score(variant=variant, score=30, protocol=Protocol(shots=8))
    make_score(variant=variant, score=20)
    benchmark = Benchmark.objects.get(slug="gsm8k")
    url = reverse("admin:benchmarks_benchmark_change", args=[benchmark.pk])
    values = {
        "slug": benchmark.slug,
        "name": benchmark.name,
        "measures": benchmark.measures,
        "higher_is_better": "on",
        "category_groups": "{}",
        "preferred_protocol_key": "shots 8",
    }
    assert curator.post(url, values).status_code == 302
    assert BenchmarkScore.objects.current().get() == older
    assert curator.post(url, values | {"preferred_protocol_key": ""}).status_code == 302
    benchmark.refresh_from_db()
    assert benchmark.preferred_protocol_key is None


def test_reader_without_rights_sees_nothing(client: Client) -> None:
    client.force_login(User.objects.create_user("reader", is_staff=True))
    assert client.get(SCORES_URL).status_code == 403
    assert not ModelVariant.objects.exists()

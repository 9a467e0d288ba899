"""What is true of the database after any sequence of uploads, withdrawals and restorings."""

from collections.abc import Iterable, Mapping
from statistics import median
from typing import Any
from uuid import UUID

from benchmarks.models import BenchmarkScore, ScoreRevision
from benchsite.common.review import TAKEN_OUT
from experiments.models import Configuration, Measurement, RunRevision, TestRun, UploadItem
from experiments.summaries import refresh_configurations


def check_invariants() -> None:
    """Assert that there is one truth, and a history that leads to it."""
    check_current_scores()
    check_summaries()
    check_provenance()
    runs = dict(TestRun.objects.values_list("pk", "review_state"))
    scores = dict(BenchmarkScore.objects.values_list("pk", "review_state"))
    check_chains(RunRevision.objects.order_by("id").values_list("run", *_LINK), runs)
    check_chains(ScoreRevision.objects.order_by("id").values_list("score", *_LINK), scores)


_LINK = ("state_before", "state")


def check_chains(links: Iterable[tuple[UUID, str, str]], states: Mapping[UUID, str]) -> None:
    """Assert that each change begins where the last one ended, and that the last one holds."""
    reached: dict[UUID, str] = {}
    for pk, before, after in links:
        assert reached.get(pk, before) == before, f"{pk}: a change is not in the history"
        assert pk in reached or before not in TAKEN_OUT
        reached[pk] = after
    for pk, state in states.items():
        assert reached.get(pk, state) == state, f"{pk}: a change is not in the history"
        assert pk in reached or state not in TAKEN_OUT


def check_current_scores() -> None:
    """Assert that the score that stands for a variant is the one that should."""
    rankable = BenchmarkScore.objects.rankable().in_order_of_preference()
    wanted = set(rankable.distinct("variant_id", "benchmark_id").values_list("pk", flat=True))
    assert set(BenchmarkScore.objects.current().values_list("pk", flat=True)) == wanted


def check_summaries() -> None:
    """Assert that configurations say what their runs say, by a rebuild and by other means."""
    before = _summaries()
    refresh_configurations([row["id"] for row in before])
    assert _summaries() == before
    for row in before:
        runs = TestRun.objects.ranked().filter(configuration=row["id"])
        speeds = Measurement.objects.filter(
            run__in=runs, metric="tokens_per_second", statistic="mean"
        ).values_list("value", flat=True)
        assert row["runs"] == len(runs)
        assert row["tokens_per_second"] == (median(speeds) if speeds else None)
        assert (row["representative_id"] is None) == (not runs)
    ranked = set(TestRun.objects.ranked().values_list("configuration_id", flat=True))
    assert ranked == {row["id"] for row in before if row["runs"]}


def check_provenance() -> None:
    """Assert that an upload tells where each run and each score comes from."""
    made = UploadItem.objects.exclude(action="unchanged")
    assert not TestRun.objects.exclude(pk__in=made.filter(run__isnull=False).values("run"))
    assert not BenchmarkScore.objects.exclude(
        pk__in=made.filter(score__isnull=False).values("score")
    )


def _summaries() -> list[dict[str, Any]]:
    return [dict(row) for row in Configuration.objects.order_by("id").values()]

"""Made-up results for benches: the same for the same seed, consistent, never among real ones."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from benchmarks.models import BenchmarkScore, ModelVariant
from benchmarks.services import refresh_current_scores
from experiments.grid import GridCriteria, grid_page
from experiments.load import plan_load
from experiments.models import Configuration, Measurement, TestRun
from hardware.models import Platform
from tests.experiments.invariants import check_current_scores, check_summaries
from tests.factories import make_run

# VACUUM runs outside transactions.
pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def generated(runs: int = 300, shape: str = "wide", **options: Any) -> str:
    """Run the command and return what it says."""
    output = StringIO()
    call_command("generate_load", runs=runs, seed=7, shape=shape, stdout=output, **options)
    return output.getvalue()


@pytest.mark.parametrize(("shape", "configurations"), [("repeats", 6), ("wide", 102)])
def test_load_is_consistent(shape: str, configurations: int) -> None:
    said = generated(shape=shape)
    assert said.startswith(f"300 runs of {configurations} configurations, 2,400 measurements")
    assert TestRun.objects.count() == 300
    assert Configuration.objects.count() == configurations
    assert Measurement.objects.count() == 8 * 300
    assert (ModelVariant.objects.count(), Platform.objects.count()) == (2000, 50)
    scored = BenchmarkScore.objects.current()
    assert 900 < scored.count() < 1100
    check_summaries()
    check_current_scores()
    refresh_current_scores(list(scored.values_list("variant_id", flat=True)))
    assert grid_page(GridCriteria()).rows


def test_the_same_seed_plans_the_same() -> None:
    plans = [plan_load(runs=200, seed=seed, shape="wide") for seed in (1, 1, 2)]
    assert plans[0] == plans[1] != plans[2]


def test_load_keeps_away_from_what_people_sent() -> None:
    make_run()
    with pytest.raises(CommandError, match="People uploaded 1 files"):
        generated()
    assert TestRun.objects.count() == 1
    generated(among_real_uploads=True)
    assert TestRun.objects.count() == 301


def test_load_is_not_written_twice() -> None:
    generated()
    with pytest.raises(CommandError, match="here already"):
        generated()
    assert TestRun.objects.count() == 300

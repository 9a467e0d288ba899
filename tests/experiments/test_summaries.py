"""What the grid reads beside the raw runs: kept in step, and rebuilt where somebody meddled."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import IntegrityError

from benchsite.common.review import ReviewState
from experiments.ingest.review import set_review_state
from experiments.models import Configuration, GridCell, GridModel, GridPlace, TestRun
from tests.experiments.invariants import check_summaries
from tests.factories import experiment, ingest, make_run
from tests.people import OPERATOR

pytestmark = pytest.mark.django_db


def rebuilt() -> str:
    """Run the command and return what it says."""
    output = StringIO()
    call_command("rebuild_summary", stdout=output)
    return output.getvalue()


def test_many_kinds_of_runs_are_summed_up_right(many_rows: None) -> None:
    check_summaries()


def test_summaries_follow_a_model_that_leaves_and_comes_back(many_rows: None) -> None:
    ids = list(TestRun.objects.values_list("pk", flat=True))
    for state in (ReviewState.WITHDRAWN, ReviewState.PUBLISHED):
        for start in range(0, len(ids), 31):
            set_review_state(run_ids=ids[start : start + 31], state=state, who=OPERATOR)
            check_summaries()
        assert GridPlace.objects.exists() == GridCell.objects.exists()
        assert GridPlace.objects.exists() == (state == ReviewState.PUBLISHED)


def test_rebuilding_finds_nothing_to_mend() -> None:
    make_run()
    assert rebuilt() == "The summaries were right: no row differed.\n"


def test_rebuilding_mends_what_somebody_changed_by_hand() -> None:
    make_run()
    make_run(model_name="Other", gpu_model="NVIDIA GeForce RTX 3090")
    Configuration.objects.update(tokens_per_second=1.0, tops=0)
    GridModel.objects.update(platforms=7)
    GridPlace.objects.all()[:1].get().delete()
    GridPlace.objects.update(trades=[[1.0, 2.0]])
    GridCell.objects.update(tokens_per_second_max=3.0)
    said = rebuilt()
    assert said.endswith("9 rows differed and are right now.\n"), said
    assert "experiments_gridplace" in said
    check_summaries()


def test_rebuilding_takes_out_what_stands_for_nothing() -> None:
    run = make_run()
    TestRun.objects.filter(pk=run.pk).update(review_state=ReviewState.WITHDRAWN)
    assert GridPlace.objects.exists()
    assert "experiments_gridplace" in rebuilt()
    assert not GridPlace.objects.exists()
    assert not GridCell.objects.exists()
    assert "no row differed" in rebuilt()


def test_models_are_numbered_without_gaps() -> None:
    names = [f"M{number}" for number in range(5)]
    for name in names:
        report = ingest({"experiment_runs": [experiment(model_name=n) for n in ("M0", name)]})
        assert report.accepted
    assert list(GridModel.objects.order_by("pk").values_list("pk", "model_name")) == list(
        enumerate(names, 1)
    )


@pytest.mark.parametrize("model", [GridModel, GridPlace, GridCell])
def test_nothing_is_summed_up_twice(model: type[GridModel | GridPlace | GridCell]) -> None:
    make_run()
    row = model._default_manager.get()
    row.pk = row.pk + 1
    with pytest.raises(IntegrityError):
        row.save(force_insert=True)

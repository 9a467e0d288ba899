"""`manage.py withdraw`: out of every list, and back."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from benchmarks.models import BenchmarkScore
from experiments.models import Configuration, RunRevision, TestRun
from tests.experiments.senders import Sender, only_upload, send_file, two_runs
from tests.factories import make_run, make_staff

pytestmark = pytest.mark.django_db


def run_command(*arguments: str) -> str:
    out = StringIO()
    call_command("withdraw", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_withdraws_and_restores(people: dict[str, Sender]) -> None:
    send_file(people["sender"].actor, two_runs())
    upload = only_upload()
    run = TestRun.objects.filter(variant__model_name="Nimbus-14B").get()
    score = BenchmarkScore.objects.get()
    make_staff(name="ann")
    out = run_command(str(run.pk), str(score.pk), "--reason", "wrong driver", "--user", "ann")
    assert out.splitlines() == [f"run {run.pk}: withdrawn", f"score {score.pk}: withdrawn"]
    assert RunRevision.objects.get().who_label == "ann"
    assert "withdrawn already" in run_command(str(run.pk), "--reason", "again")
    out = run_command(str(upload.pk), "--reason", "all wrong")
    assert "1 runs and 0 scores withdrawn; 2 left as they are" in out
    assert run_command(str(upload.pk), "--undo").startswith(f"upload {upload.pk}: 2 runs and 1")
    assert "published already" in run_command(str(score.pk), "--undo")
    assert Configuration.objects.filter(runs=1).count() == 2


@pytest.mark.parametrize("bad", ["0193a0de-5c11-7a42-9b0e-000000000000", "nonsense"])
def test_the_command_changes_nothing_where_an_id_is_not_known(bad: str) -> None:
    run = make_run()
    with pytest.raises(CommandError, match=bad):
        run_command(str(run.pk), bad, "--reason", "x")
    assert not RunRevision.objects.exists()


@pytest.mark.parametrize("options", [[], ["--reason", " "], ["--reason", "x", "--user", "nobody"]])
def test_the_command_wants_a_reason_and_a_known_user(options: list[str]) -> None:
    with pytest.raises(CommandError):
        run_command(str(make_run().pk), *options)

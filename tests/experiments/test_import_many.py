"""Thousands of files: read by several processes, written in batches, the same as one by one."""

import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.db import models, transaction
from pytest_django import DjangoAssertNumQueries, Settings

from benchsite import env
from experiments.ingest import long_lines, many
from experiments.ingest.readers import Readers, ReadersLostError, ToRead
from experiments.models import Measurement, TestRun, Upload
from experiments.models.summaries import ModelSetField
from tests.experiments.exported import empty_site, export, records
from tests.experiments.invariants import check_invariants
from tests.experiments.test_import_results import read_report, run
from tests.factories import experiment, make_run, make_score
from tests.servers import url_of_the_tests

MADE_HERE = (models.DateTimeField, models.AutoField)
RUN_ID = UUID("00000000-0000-4000-8000-00000000f00d")


def write_many(folder: Path, count: int, *, seed: int = 1) -> None:
    """Write files as a lab has them: results, the same twice, broken ones, and what is none."""
    chance = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        kind = chance.random() if number else 1.0
        path = folder / f"{number:04}.json"
        if kind < 0.05:
            shutil.copy(folder / "0000.json", path)
        elif kind < 0.1:
            path.write_text('{"experiment_run": {')
        elif kind < 0.15:
            path.write_text('{"notes": "fans at full speed"}')
        elif kind < 0.2:
            document = experiment(model_name=f"Model-{number % 7}")
            del document["performance_metrics"]
            path.write_text(json.dumps({"experiment_run": document}))
        elif kind < 0.3:
            score = {"type": "GSM8K", "data": {"problems_solved": number, "total_problems": 1319}}
            scores = {"model_name": "Model-1", "quantization": "Q8_0", "benchmark_scores": [score]}
            path.write_text(json.dumps(scores))
        else:
            document = experiment(
                model_name=f"Model-{number % 7}",
                gpu_model=chance.choice(["RTX 4090", "Tesla T4", None]),
                concurrent_requests=chance.choice([1, 4]),
                notes=f"run {number}",
            )
            document["id"] = f"00000000-0000-4000-8000-{number:012}"
            path.write_text(json.dumps({"experiment_run": document}))


def everything() -> dict[str, list[dict[str, Any]]]:
    """Return all rows of uploads and facts, without keys and times that were made here.

    The grid's summaries number models as they come: `check_invariants` makes them by hand.
    """
    tables = {}
    models_of_app = apps.get_app_config("experiments").get_models()
    kept = [model for model in models_of_app if not model.__name__.startswith("Grid")]
    for model in [*kept, *_facts()]:  # the invariants check what the grid reads
        fields = [
            field
            for field in model._meta.concrete_fields
            if not isinstance(field, (*MADE_HERE, ModelSetField))
            and not field.is_relation
            and not _is_own_id(field)
        ]
        rows = [
            {field.name: field.value_from_object(row) for field in fields}
            for row in model._default_manager.all()
        ]
        tables[model.__name__] = sorted(rows, key=repr)
    for upload in tables["Upload"]:
        upload["report"] = {**upload["report"], "scores": len(upload["report"]["scores"])}
    return tables


def _facts() -> list[type[models.Model]]:
    names = ("ModelVariant", "BenchmarkScore", "ScoreCategory", "ScoreRevision")
    return [apps.get_model("benchmarks", name) for name in names] + [
        apps.get_model("hardware", name) for name in ("HardwareProfile", "Platform")
    ]


def _is_own_id(field: Any) -> bool:
    return field.primary_key and field.model not in (TestRun,)


def without_made(line: dict[str, Any]) -> dict[str, Any]:
    """Return a line of a report without what was made here."""
    scores = [score | {"id": None} for score in line["scores"]]
    return line | {"upload_id": None, "scores": scores}


def imported(folder: Path, report: Path, **options: Any) -> Any:
    """Import a folder and return all that there is then; nothing of it stays."""
    with transaction.atomic():
        run(folder, report=str(report), **options)
        check_invariants()
        found = everything()
        transaction.set_rollback(True)
    lines, summary = read_report(report)
    return found, {path: without_made(line) for path, line in lines.items()}, summary


@pytest.mark.django_db
@pytest.mark.parametrize("seed", [1, 2])
def test_batches_by_several_processes_are_what_one_by_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    folder = tmp_path / "results"
    write_many(folder, 130, seed=seed)
    monkeypatch.setattr(many, "BATCH_FILES", 40)
    together = imported(folder, tmp_path / "together.jsonl", jobs=3)
    monkeypatch.setattr(many, "BATCH_FILES", 1)
    assert imported(folder, tmp_path / "alone.jsonl", jobs=1) == together
    outcomes = together[2]["outcomes"]
    assert set(outcomes) == {"created", "unchanged", "rejected"}


@pytest.mark.django_db
def test_runs_that_change_are_written_alone_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "results"
    write_many(folder, 60)
    run(folder)
    for path in list(folder.iterdir())[::3]:
        path.write_text(path.read_text().replace("fans", "no fans").replace("run ", "run again "))
    for number in (61, 62, 63):  # one run in three versions
        document = experiment(notes=f"version {number}") | {"id": str(RUN_ID)}
        (folder / f"{number:04}.json").write_text(json.dumps({"experiment_run": document}))
    together = imported(folder, tmp_path / "together.jsonl", replace=True)
    monkeypatch.setattr(many, "BATCH_FILES", 1)
    assert imported(folder, tmp_path / "alone.jsonl", replace=True) == together
    versions = [row for row in together[0]["TestRun"] if row["id"] == RUN_ID]
    assert [row["notes"] for row in versions] == ["version 63"]


@pytest.mark.django_db
def test_many_files_take_few_queries(
    tmp_path: Path, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(100):
        document = experiment(notes=f"run {number}")
        (tmp_path / f"{number}.json").write_text(json.dumps({"experiment_run": document}))
    with django_assert_max_num_queries(60):
        run(tmp_path)
    with django_assert_max_num_queries(6):
        printed, _complaint = run(tmp_path)
    assert "unchanged        100" in printed


def test_a_reader_that_ends_is_told_and_nothing_waits_for_it() -> None:
    with Readers(1, limit_bytes=1000) as readers:
        (reading,) = readers.hand_over([ToRead(b"{}", "empty.json")]).wait()
        assert reading.is_no_result
        (process,) = multiprocessing.active_children()
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        with pytest.raises(ReadersLostError, match="--jobs 1"):
            readers.hand_over([ToRead(b"{}", "empty.json")] * 50).wait()


@pytest.mark.django_db
def test_json_lines_beyond_the_limit_come_in_parts(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [json.dumps({"experiment_run": experiment(notes=f"run {i}")}) for i in range(25)]
    path = tmp_path / "site.jsonl"
    path.write_text("\n".join(lines))
    settings.BENCHSITE_MAX_UPLOAD_BYTES = 9_000
    monkeypatch.setattr(long_lines, "PART_LINES", 10)
    printed, complaint = run(path, report=str(tmp_path / "report"))
    assert complaint is None
    assert "25 runs and 0 scores were written." in printed
    names = Upload.objects.order_by("created_at").values_list("file_name", flat=True)
    assert list(names) == [f"site.jsonl#lines={part}" for part in ("1-10", "11-20", "21-25")]
    assert read_report(tmp_path / "report")[1]["files"] == 3
    printed, complaint = run(path)
    assert "unchanged          3" in printed
    path.write_text("\n".join([*lines[:12], "x" * 13_000, *lines[12:]]))
    printed, complaint = run(path)
    assert complaint == "1 of 3 files were not taken."
    assert "site.jsonl#lines=11-20: " in printed


@pytest.mark.django_db
def test_an_export_beyond_the_limit_comes_in_parts(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in range(25):
        make_run(model_name=f"Nimbus-{place}")
    make_score(benchmark="mmlu")
    exported = export()
    empty_site()
    path = tmp_path / "export.jsonl"
    path.write_bytes(exported)
    settings.BENCHSITE_MAX_UPLOAD_BYTES = 30_000
    monkeypatch.setattr(long_lines, "PART_LINES", 10)
    assert len(exported) > settings.BENCHSITE_MAX_UPLOAD_BYTES
    printed, complaint = run(path)
    assert complaint is None
    assert "25 runs and 1 score were written." in printed
    assert records(export()) == records(exported)
    printed, _complaint = run(path)
    assert "unchanged          3" in printed


@pytest.mark.django_db
def test_other_long_files_are_refused(tmp_path: Path, settings: Settings) -> None:
    settings.BENCHSITE_MAX_UPLOAD_BYTES = 100
    (tmp_path / "a.jsonl").write_text('{"model": "x"}\n' * 50)
    (tmp_path / "b.jsonl").write_bytes(b"\xff\xfe" * 100)
    printed, complaint = run(tmp_path)
    assert complaint == "2 of 2 files were not taken."
    assert printed.count("larger than 100 bytes") == 2


@pytest.mark.parametrize("jobs", ["0", "65", "two"])
def test_jobs_are_a_number_of_processes(jobs: str) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "import_results", "x", "--jobs", jobs],
        cwd=env.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "--jobs" in done.stderr


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_after_a_kill_whole_files_are_in_and_the_same_command_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    for number in range(600):
        document = experiment(model_name=f"Model-{number % 5}", notes=f"run {number}")
        (folder / f"{number:04}.json").write_text(json.dumps({"experiment_run": document}))
    report = tmp_path / "report.jsonl"
    process = subprocess.Popen(
        [sys.executable, "manage.py", "import_results", str(folder), "--report", str(report)],
        cwd=env.BASE_DIR,
        env=os.environ | {"DATABASE_URL": url_of_the_tests()},
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    while process.poll() is None and TestRun.objects.count() == 0:
        os.sched_yield()
    process.kill()
    process.communicate()
    there = TestRun.objects.count()
    assert 0 < there < 600
    assert Upload.objects.count() == there
    assert Measurement.objects.values("run").distinct().count() == there
    check_invariants()
    printed, complaint = run(folder)
    assert complaint is None
    assert f"unchanged{there:>11}" in printed
    assert TestRun.objects.count() == 600

"""Stored uploads read again by another parser: preview, apply, undo, and nothing else touched."""

from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from typing import Any
from uuid import UUID, uuid5

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.models import BenchmarkScore
from benchsite.common.review import ReviewState, Who
from experiments import formats
from experiments.formats.documents import ParsedFile, RunDocument
from experiments.ingest.review import edit_run, set_review_state
from experiments.models import Reparse, ReparseItem, TestRun, Upload
from experiments.reparse import services
from experiments.reparse.selection import Selection
from experiments.reparse.services import ReparseError, apply, preview, undo
from tests.experiments.exported import empty_site, export, take_in
from tests.experiments.invariants import check_invariants
from tests.experiments.other_parser import use_parser, with_figure, with_more, with_runs
from tests.factories import experiment, ingest, make_run
from tests.people import OPERATOR

OF_REPARSES = {"experiments_reparse", "experiments_reparseitem"}
HISTORY = {"experiments_runrevision", "benchmarks_scorerevision"}
SUMMARIES = {
    *("experiments_gridmodel", "experiments_gridplace", "experiments_gridcell"),
    "experiments_repeatfigures",
}
EVERYTHING = Selection()


def dump(*, without: set[str] = OF_REPARSES | HISTORY | SUMMARIES) -> dict[str, list[str]]:
    """Return every row of every table as text, in order.

    The grid's summaries number models and places anew: `check_invariants` makes them by hand.
    """
    tables = sorted(set(connection.introspection.table_names()) - without)
    rows = {}
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" t ORDER BY 1')
            rows[table] = [text for (text,) in cursor]
    return rows


def scored(score: float, **fields: object) -> dict[str, object]:
    """Return a run that brings a score."""
    data = {"benchmark_name": "Made up", "score": score, "timestamp": "2026-11-20T10:00:00Z"}
    return experiment(**fields, benchmark_scores=[{"type": "Generic", "data": data}])  # type: ignore[arg-type]


def better(parsed: ParsedFile) -> ParsedFile:
    """Read everything otherwise: figures, a metric, names, scores; drop a run, find one more."""

    def changed(run: RunDocument) -> RunDocument:
        run = with_more(with_figure(run, "tokens_per_second", 61.7), "ttft_ms", -0.0 + 31.25, "ms")
        setup = replace(run.setup, kv_cache_type="q8_0", settings={"n_batch": 512})
        return replace(
            run,
            backend_version="b4810",
            setup=setup,
            hardware=replace(run.hardware, ram_gb=96.0),
            model=replace(run.model, quantization="Q5_K_M"),
            scores=tuple(replace(item, stated_score=77.0) for item in run.scores),
        )

    kept = tuple(changed(run) for run in parsed.runs if run.notes != "drop me")
    found = tuple(
        replace(run, given_id=str(uuid5(UUID(run.given_id), "found")), path=f"{run.path}.found")
        for run in kept[:1]
        if run.given_id
    )
    return replace(parsed, runs=(*kept, *found))


def effects(reparse: Reparse, subject: str) -> dict[str, int]:
    counts: dict[str, int] = reparse.counts.get(subject, {})
    return counts


def test_a_preview_says_what_would_change_and_changes_nothing(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run()
    before = dump()
    use_parser(monkeypatch, lambda parsed: with_runs(parsed, faster))
    reparse = preview(EVERYTHING, who=OPERATOR)
    assert dump() == before
    item = reparse.items.get(subject="run")
    assert (item.subject_id, item.effect) == (run.pk, "changed")
    assert item.changes == [["tokens_per_second mean decode", "50.0 tok/s", "60.0 tok/s"]]
    assert effects(reparse, "upload") == {"changed": 1}


def faster(run: RunDocument) -> RunDocument:
    return with_figure(run, "tokens_per_second", 60.0)


def test_the_same_parser_changes_nothing(db: None) -> None:
    make_run()
    ingest({"experiment_run": scored(76.5)})
    reparse = preview(EVERYTHING, who=OPERATOR)
    assert reparse.counts == {"run": {"same": 2}, "score": {"same": 1}, "upload": {"same": 2}}
    before = dump(without=OF_REPARSES)
    assert apply(reparse.pk, who=OPERATOR).applied == 0
    assert dump(without=OF_REPARSES) == before


def test_applying_writes_figures_names_and_history_and_keeps_what_people_did(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = scored(76.5, notes="from the file")
    ingest({"experiment_runs": [first, experiment(notes="drop me")]})
    run_id = UUID(str(first["id"]))
    edit_run(run_id=run_id, changes={"notes": "mended by hand"}, who=OPERATOR)
    created_at = TestRun.objects.get(pk=run_id).created_at
    use_parser(monkeypatch, better)
    reparse = preview(EVERYTHING, who=OPERATOR)
    assert effects(reparse, "run") == {"changed": 1, "found": 1, "gone": 1}
    assert effects(reparse, "score") == {"found": 1, "gone": 1}
    done = apply(reparse.pk, who=OPERATOR)
    assert (done.applied, done.left) == (6, 0)
    run = TestRun.objects.with_names().get(pk=run_id)
    assert (run.notes, run.created_at) == ("mended by hand", created_at)
    assert (run.variant.quantization, run.hardware.ram_gb) == ("Q5_K_M", 96.0)
    assert run.configuration.tokens_per_second == 61.7
    assert run.measurements.get(metric="ttft_ms").samples == [31.25, 0.1]
    revision = run.revisions.get(action="reparsed")
    assert revision.before is not None
    assert revision.before["measurements"][0]["value"] == 50.0
    gone = TestRun.objects.get(review_state=ReviewState.WITHDRAWN)
    assert str(reparse) in gone.review_reason
    assert BenchmarkScore.objects.get(is_current=True).score == 77.0
    assert Upload.objects.get().parser_version == 99
    assert not Selection(outdated=True).uploads().exists()
    check_invariants()


def test_a_thousand_uploads_are_read_again_and_put_back_exactly(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1000):
        runs = [scored(50 + number % 40, model_name=f"Model {number % 30}")]
        if number % 3 == 0:
            runs.append(experiment(model_name="Nimbus", notes="drop me"))
        state = ReviewState.PENDING if number % 5 == 0 else ReviewState.PUBLISHED
        ingest({"experiment_runs": runs}, review_state=state)
    before = dump()
    use_parser(monkeypatch, better)
    reparse = preview(EVERYTHING, who=OPERATOR)
    assert dump() == before
    assert effects(reparse, "run") == {"changed": 1000, "found": 1000, "gone": 334}
    assert apply(reparse.pk, who=OPERATOR).left == 0
    check_invariants()
    assert TestRun.objects.filter(review_state=ReviewState.PENDING).count() == 400
    assert undo(reparse.pk, who=OPERATOR) == reparse.items.exclude(effect="same").count()
    assert dump() == before
    check_invariants()


def test_applying_touches_only_what_the_preview_names(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [make_run(notes=notes) for notes in ("one", "two", "three")]

    def change(run: RunDocument) -> RunDocument:
        return faster(run) if run.notes == "two" else run

    use_parser(monkeypatch, lambda parsed: with_runs(parsed, change))
    reparse = preview(EVERYTHING, who=OPERATOR)
    before = dump()
    apply(reparse.pk, who=OPERATOR)
    after = dump()
    assert [name for name in before if name not in SUMMARIES and before[name] != after[name]] == [
        "experiments_configuration",
        "experiments_measurement",
        "experiments_upload",
    ]
    named = set(reparse.items.filter(subject="run", effect="changed").values_list("subject_id"))
    assert named == {(runs[1].pk,)}
    other = set(before["experiments_measurement"]) & set(after["experiments_measurement"])
    assert len(other) == len(before["experiments_measurement"]) - runs[1].measurements.count()


def withdraw_it(run: TestRun) -> None:
    set_review_state(run_ids=[run.pk], state=ReviewState.WITHDRAWN, who=OPERATOR, reason="no")


def edit_it(run: TestRun) -> None:
    edit_run(run_id=run.pk, changes={"notes": "edited"}, who=OPERATOR)


def replace_it(run: TestRun) -> None:
    changed = experiment(run_id=run.pk, figures={"tokens_per_second": (70.0, "tok/s", "decode")})
    assert ingest({"experiment_run": changed}, replace=True).accepted


@pytest.mark.parametrize("act", [withdraw_it, edit_it, replace_it])
def test_what_changed_since_the_preview_is_left(
    db: None, monkeypatch: pytest.MonkeyPatch, act: Callable[[TestRun], None]
) -> None:
    run, other = make_run(), make_run(model_name="Other")
    use_parser(monkeypatch, lambda parsed: with_runs(parsed, faster))
    reparse = preview(EVERYTHING, who=OPERATOR)
    act(run)
    before = dump(without=set())["experiments_testrun"]
    done = apply(reparse.pk, who=OPERATOR)
    assert (done.applied, done.left) == (2, 2)
    assert all(item.reason for item in reparse.items.filter(left=True))
    assert str(run.pk) in str(list(reparse.items.filter(left=True).values_list("subject_id")))
    assert other.measurements.get(metric="tokens_per_second").value == 60.0
    mine = [row for row in before if str(run.pk) in row]
    assert [row for row in dump(without=set())["experiments_testrun"] if str(run.pk) in row] == mine


def test_an_upload_that_arrives_between_preview_and_apply_stays_as_it_is(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run()
    use_parser(monkeypatch, better)
    reparse = preview(EVERYTHING, who=OPERATOR)
    late = make_run(model_name="Late", quantization="Q6_K")
    before = dump()
    apply(reparse.pk, who=OPERATOR)
    late.refresh_from_db()
    assert late.measurements.filter(metric="tokens_per_second").get().value == 61.7
    undo(reparse.pk, who=OPERATOR)
    assert dump() == before
    check_invariants()


@pytest.mark.parametrize("act", [withdraw_it, edit_it])
def test_an_undo_is_refused_where_something_changed_and_names_it(
    db: None, monkeypatch: pytest.MonkeyPatch, act: Callable[[TestRun], None]
) -> None:
    run = make_run()
    use_parser(monkeypatch, lambda parsed: with_runs(parsed, faster))
    reparse = preview(EVERYTHING, who=OPERATOR)
    apply(reparse.pk, who=OPERATOR)
    act(run)
    before = dump(without=set())
    with pytest.raises(ReparseError, match=str(run.pk)):
        undo(reparse.pk, who=OPERATOR)
    assert dump(without=set()) == before


def test_a_run_of_a_later_upload_is_read_from_that_upload_alone(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run()
    replace_it(run)
    use_parser(monkeypatch, lambda parsed: with_runs(parsed, faster))
    reparse = preview(EVERYTHING, who=OPERATOR)
    (item,) = reparse.items.filter(subject="run")
    assert item.upload == Upload.objects.order_by("-created_at").first()


def test_a_parser_that_refuses_the_file_is_a_problem_and_changes_nothing(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run()
    use_parser(
        monkeypatch,
        lambda parsed: with_runs(
            parsed, lambda run: replace(run, model=replace(run.model, quantization=None))
        ),
    )
    reparse = preview(EVERYTHING, who=OPERATOR)
    assert reparse.counts == {"upload": {"problem": 1}}
    assert "quantization" in reparse.items.get().reason
    before = dump(without=OF_REPARSES)
    assert apply(reparse.pk, who=OPERATOR).applied == 0
    assert dump(without=OF_REPARSES) == before


def test_a_file_that_is_of_no_known_format_any_more_is_a_problem(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run()
    others = tuple(item for item in formats.FORMATS if item.name != "experiment-json")
    monkeypatch.setattr(formats, "FORMATS", others)
    reparse = preview(EVERYTHING, who=OPERATOR)
    assert reparse.counts == {"upload": {"problem": 1}}
    assert reparse.items.get().reason.startswith("No known format matches this file.")


def with_scores(parsed: ParsedFile, **changes: object) -> ParsedFile:
    def changed(run: RunDocument) -> RunDocument:
        scores = tuple(replace(item, **changes) for item in run.scores)  # type: ignore[arg-type]
        return replace(run, scores=scores)

    return with_runs(parsed, changed)


def test_a_score_that_several_files_bring_changes_once(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _upload in range(3):
        ingest({"experiment_run": scored(76.5)})
    before = dump()
    use_parser(monkeypatch, lambda parsed: with_scores(parsed, stated_score=77.0))
    reparse = preview(EVERYTHING, who=OPERATOR)
    assert effects(reparse, "score") == {"found": 1, "gone": 1}
    apply(reparse.pk, who=OPERATOR)
    check_invariants()
    assert BenchmarkScore.objects.get(is_current=True).upload_items.count() == 3
    undo(reparse.pk, who=OPERATOR)
    assert dump() == before


def test_a_score_stays_that_another_file_brings_still(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest({"experiment_run": scored(76.5, notes="without")})
    ingest({"experiment_run": scored(76.5, notes="with")})

    def change(run: RunDocument) -> RunDocument:
        return replace(run, scores=()) if run.notes == "without" else run

    use_parser(monkeypatch, lambda parsed: with_runs(parsed, change))
    first = Upload.objects.earliest("created_at")
    reparse = preview(Selection(upload_ids=(first.pk,)), who=OPERATOR)
    assert effects(reparse, "score") == {"same": 1}


def test_a_score_with_the_same_values_changes_in_place(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest({"experiment_run": scored(76.5)})
    score = BenchmarkScore.objects.get(is_current=True)
    before = dump()
    use_parser(
        monkeypatch,
        lambda parsed: with_scores(parsed, complete=False, partial_reason="10 of 100 questions"),
    )
    reparse = preview(EVERYTHING, who=OPERATOR)
    item = reparse.items.get(subject="score")
    assert (item.subject_id, item.effect) == (score.pk, "changed")
    apply(reparse.pk, who=OPERATOR)
    score.refresh_from_db()
    assert (score.complete, score.is_current) == (False, False)
    assert score.revisions.get().action == "reparsed"
    undo(reparse.pk, who=OPERATOR)
    assert dump() == before
    check_invariants()


def test_reading_with_the_earlier_parser_again_brings_its_scores_back(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest({"experiment_run": scored(76.5)})
    with monkeypatch.context() as patch:
        use_parser(patch, lambda parsed: with_scores(parsed, stated_score=77.0))
        apply(preview(EVERYTHING, who=OPERATOR).pk, who=OPERATOR)
    before = dump()
    again = preview(EVERYTHING, who=OPERATOR)
    assert effects(again, "score") == {"found": 1, "gone": 1}
    apply(again.pk, who=OPERATOR)
    assert BenchmarkScore.objects.get(is_current=True).score == 76.5
    check_invariants()
    undo(again.pk, who=OPERATOR)
    assert dump() == before
    check_invariants()


def test_runs_of_a_sweep_become_another_variant_together(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "AT_ONCE", 1)
    for number in range(3):
        runs = [experiment(sweep="load", concurrent_requests=1 + number)]
        ingest({"experiment_runs": runs})
    before = dump()
    use_parser(monkeypatch, better)
    reparse = preview(EVERYTHING, who=OPERATOR)
    assert apply(reparse.pk, who=OPERATOR).left == 0
    assert len(set(TestRun.objects.values_list("sweep", flat=True))) == 1
    check_invariants()
    undo(reparse.pk, who=OPERATOR)
    assert dump() == before


@pytest.mark.parametrize("is_curator", [True, False])
def test_an_export_that_was_taken_in_is_believed_again_as_far_as_it_was(
    db: None, monkeypatch: pytest.MonkeyPatch, is_curator: bool
) -> None:
    make_run(sweep="mine", started_at="2026-11-20T09:30:00")
    ingest({"experiment_run": scored(76.5)})
    exported = export()
    empty_site()
    assert take_in(exported, is_curator=is_curator).accepted
    same = preview(EVERYTHING, who=OPERATOR)
    assert same.counts == {"run": {"same": 2}, "score": {"same": 1}, "upload": {"same": 1}}
    before = dump()
    use_parser(monkeypatch, lambda parsed: with_runs(parsed, faster))
    reparse = preview(EVERYTHING, who=OPERATOR)
    assert apply(reparse.pk, who=OPERATOR).left == 0
    run = TestRun.objects.get(sweep__isnull=False)
    assert run.measurements.get(metric="tokens_per_second").value == 60.0
    undo(reparse.pk, who=OPERATOR)
    assert dump() == before


@given(
    changes=st.lists(
        st.fixed_dictionaries(
            {
                "drop": st.booleans(),
                "find": st.booleans(),
                # Eighths: the middle of two is exact, however it is computed.
                "speed": st.integers(min_value=1, max_value=10**9).map(lambda number: number / 8),
                "model": st.sampled_from(["Nimbus-14B", "Other", "New"]),
                "pattern": st.sampled_from([None, "Poisson", "Burst"]),
                "score": st.none() | st.floats(min_value=2, max_value=100),
            }
        ),
        min_size=4,
        max_size=4,
    )
)
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_parser_changes_is_applied_as_previewed_and_put_back(
    db: None, changes: list[dict[str, Any]]
) -> None:
    if not Upload.objects.exists():
        for names in (("0", "1"), ("2",), ("3",)):
            ingest({"experiment_runs": [scored(70.0, notes=name) for name in names]})
        make_run(model_name="Other", notes="none")

    def change(run: RunDocument) -> list[RunDocument]:
        how = changes[int(run.notes)] if run.notes and run.notes.isdigit() else None
        if how is None:
            return [run]
        score = {} if how["score"] is None else {"stated_score": how["score"]}
        read = replace(
            with_figure(run, "tokens_per_second", how["speed"]),
            model=replace(run.model, model_name=how["model"]),
            workload=replace(run.workload, load_pattern=how["pattern"]),
            scores=tuple(replace(item, **score) for item in run.scores),
        )
        more = replace(read, given_id=str(uuid5(UUID(run.given_id), "more")), path=f"{run.path}.m")
        return [read] * (not how["drop"]) + [more] * how["find"]

    before = dump()
    with transaction.atomic(), pytest.MonkeyPatch.context() as patch:
        use_parser(
            patch,
            lambda parsed: replace(
                parsed, runs=tuple(new for run in parsed.runs for new in change(run))
            ),
        )
        reparse = preview(EVERYTHING, who=OPERATOR)
        assert dump() == before
        assert apply(reparse.pk, who=OPERATOR).left == 0
        check_invariants()
        again = preview(EVERYTHING, who=OPERATOR)
        assert not again.items.filter(effect__in=["changed", "found"])
        undo(reparse.pk, who=OPERATOR)
    assert dump() == before
    check_invariants()


def test_a_reparse_goes_from_preview_to_applied_to_undone_and_nowhere_else(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run()
    use_parser(monkeypatch, better)
    reparse = preview(EVERYTHING, who=OPERATOR)
    with pytest.raises(ReparseError, match="preview, not applied"):
        undo(reparse.pk, who=OPERATOR)
    apply(reparse.pk, who=OPERATOR)
    with pytest.raises(ReparseError, match="applied, not a preview"):
        apply(reparse.pk, who=OPERATOR)
    undo(reparse.pk, who=Who("ann", "user:1"))
    reparse.refresh_from_db()
    assert (reparse.state, reparse.undone_by) == ("undone", "ann")
    assert not ReparseItem.objects.filter(images__isnull=False)
    with pytest.raises(ReparseError, match="undone"):
        apply(reparse.pk, who=OPERATOR)


def test_the_command_previews_applies_lists_and_undoes(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run()
    before = dump()
    use_parser(monkeypatch, better)
    said = command("--outdated")
    reparse = Reparse.objects.get()
    assert "runs: 1 change, 1 found" in said
    assert f"--apply {reparse.pk}" in said
    assert "Applied: 3 changes." in command("--apply", str(reparse.pk))
    assert "applied" in command("--list")
    assert "Nothing to read again" in command("--outdated")
    assert "all as before" in command("--undo", str(reparse.pk))
    assert dump() == before


def test_the_command_wants_to_be_told_which_uploads(db: None) -> None:
    for arguments in ([], ["--upload", "x"], ["--format", "x"], ["--since", "x"]):
        with pytest.raises(CommandError):
            command(*arguments)


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("reparse", *arguments, stdout=out)
    return out.getvalue()

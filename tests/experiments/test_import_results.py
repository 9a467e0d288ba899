"""`manage.py import_results`: which files it takes, what it says, what it writes."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from benchsite import env
from experiments.ingest import many
from experiments.ingest.context import CONTEXT_FIELDS
from experiments.ingest.files import find_files
from experiments.ingest.report import Refusal, Report
from experiments.ingest.tally import Tally
from experiments.models import TestRun, Upload, UploadContent
from tests.factories import experiment, make_staff

SAMPLES = Path(__file__).parent / "samples"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\xff\xfe"


class Terminal(io.StringIO):
    """Output of a terminal, which may do something at each line that is written to it."""

    def __init__(self, on_write: Callable[[str], None] | None = None) -> None:
        super().__init__()
        self.on_write = on_write

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if self.on_write:
            self.on_write(text)
        return super().write(text)


def run(*arguments: str | Path, **options: Any) -> tuple[str, str | None]:
    """Run the command; return what it printed, and its complaint if it failed."""
    printed = options.pop("stdout", io.StringIO())
    complaint = None
    try:
        call_command("import_results", *map(str, arguments), stdout=printed, **options)
    except CommandError as error:
        complaint = str(error)
    return printed.getvalue(), complaint


def read_report(path: Path) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Return the lines of a report by path, and its summary."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {line["path"]: line for line in lines[:-1]}, lines[-1]["summary"]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Return a folder as benchmarkers keep them: results in folders, and what lies beside."""
    folder = tmp_path / "results"
    (folder / "rtx4090" / ".cache").mkdir(parents=True)
    (folder / "h100").mkdir()
    shutil.copy(SAMPLES / "llama_bench.json", folder / "rtx4090" / "bench.json")
    shutil.copy(SAMPLES / "llama_bench_no_gpu.json", folder / "h100" / "bench.json")
    shutil.copy(SAMPLES / "seed_experiment.json", folder / "seed.json")
    (folder / "rtx4090" / ".cache" / "old.json").write_text("{")
    (folder / "h100" / "chart.png").write_bytes(PNG)
    (folder / "h100" / "notes.txt").write_text("Fans at full speed.\n")
    return folder


@pytest.fixture
def good(results: Path) -> Path:
    """Return the same folder with nothing in it but results that say all."""
    shutil.rmtree(results / "h100")
    shutil.rmtree(results / "rtx4090" / ".cache")
    return results


def test_a_folder_is_read_with_all_that_is_below_it(db: None, results: Path) -> None:
    printed, complaint = run(results)
    assert complaint == "3 of 5 files were not taken."
    assert list(Upload.objects.order_by("file_name").values_list("file_name", "outcome")) == [
        ("h100/bench.json", "rejected"),
        ("rtx4090/bench.json", "created"),
        ("seed.json", "created"),
    ]
    assert TestRun.objects.count() == 2
    lines = printed.splitlines()
    assert f"Hidden, left out: {results}/rtx4090/.cache." in lines
    assert "created            2   experiment-json 1, llama-bench-json 1" in lines
    assert "rejected           3   not recognised 2, llama-bench-json 1" in lines
    assert "2 runs and 2 scores were written." in lines
    assert lines[-1] == "See the grid at http://127.0.0.1:8000/"


def test_what_is_missing_is_named_with_the_option_and_what_the_name_suggests(
    db: None, results: Path
) -> None:
    printed, _ = run(results)
    assert (
        f"- {results}/h100/bench.json lacks gpu_model: send again with "
        '--gpu-model "H100" (suggested by the name: is it right?).'
    ) in printed.splitlines()


def test_hints_do_not_grow_with_the_files() -> None:
    tally = Tally(total=1000, dry_run=False)
    for number in range(1000):
        suggested = {"gpu_model": f"GPU {number}"}
        report = Report(
            outcome="rejected",
            sha256="",
            missing=("gpu_model", "backend"),
            suggestions=suggested,
            refusal=Refusal.MISSING,
        )
        tally.add(f"{number}.json", report)
    hints = list(tally.hints())
    assert len(hints) == 11
    assert hints[0].startswith("0.json lacks gpu_model, backend: send again with --gpu-model ")
    assert hints[-1] == (
        "10.json, 11.json, 12.json, 13.json, 14.json and 985 more lack gpu_model, backend: "
        "send again with --gpu-model … --backend …"
    )


def test_options_say_what_a_file_does_not(db: None, results: Path) -> None:
    _, complaint = run(results / "h100" / "bench.json", gpu_model="H100 PCIe", gpu_count="2")
    assert complaint is None
    made = TestRun.objects.with_names().get()
    assert str(made.hardware.platform) == "2× H100 PCIe"
    assert made.hardware.gpu_count == 2


def test_every_context_field_is_an_option_and_reaches_the_upload(db: None, good: Path) -> None:
    given = {
        name: "3" if name != "source_url" else "https://example.org/" for name in CONTEXT_FIELDS
    }
    options = [f"--{name.replace('_', '-')}={value}" for name, value in given.items()]
    _, complaint = run(good / "rtx4090", *options)
    assert complaint is None
    assert {
        name: str(value).removesuffix(".0") for name, value in Upload.objects.get().context.items()
    } == given


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"gpu_count": "two"}, "--gpu-count “two”: "),
        ({"ram_gb": "-1"}, "--ram-gb “-1”: "),
        ({"source_url": "nowhere"}, "--source-url “nowhere”: "),
        ({"model_name": "x" * 201}, "--model-name “xxx"),
        ({"user": "nobody"}, "--user: there is no user nobody."),
    ],
)
def test_wrong_options_are_refused_before_any_file_is_read(
    db: None, good: Path, tmp_path: Path, options: dict[str, str], complaint: str
) -> None:
    report = tmp_path / "report.jsonl"
    printed, said = run(good, report=str(report), **options)
    assert said is not None
    assert said.startswith(complaint)
    assert printed == ""
    assert not report.exists()
    assert not Upload.objects.exists()


def test_a_dry_run_writes_nothing(db: None, results: Path) -> None:
    printed, complaint = run(results, dry_run=True)
    assert complaint == "3 of 5 files were not taken."
    assert not Upload.objects.exists()
    assert not UploadContent.objects.exists()
    assert "would be taken     2   experiment-json 1, llama-bench-json 1" in printed
    assert "2 runs and 2 scores would be written." in printed
    assert printed.endswith("Nothing was written: this was a dry run.\n")


def test_the_second_time_all_is_unchanged(db: None, good: Path) -> None:
    assert run(good)[1] is None
    uploads = Upload.objects.count()
    printed, complaint = run(good)
    assert complaint is None
    assert "unchanged          2   experiment-json 1, llama-bench-json 1" in printed
    assert "0 runs and 0 scores were written." in printed
    assert Upload.objects.count() == uploads


def test_other_content_is_a_conflict_until_it_may_replace(db: None, tmp_path: Path) -> None:
    document = experiment()
    for name, notes in (("a.json", "first"), ("b.json", "second")):
        run_of = {"experiment_run": document | {"notes": notes}}
        (tmp_path / name).write_text(json.dumps(run_of), encoding="utf-8")
    printed, complaint = run(tmp_path)
    assert complaint == "1 of 2 files were not taken."
    assert f"- {tmp_path}/b.json: --replace takes the content of these files" in printed
    assert TestRun.objects.get().notes == "first"
    assert run(tmp_path / "b.json", replace=True)[1] is None
    assert TestRun.objects.get().notes == "second"


def test_uploads_are_those_of_the_user(db: None, good: Path) -> None:
    user = make_staff(name="ann")
    run(good, user="ann")
    assert {upload.uploaded_by for upload in Upload.objects.all()} == {user}


def test_the_report_has_a_line_a_file_and_a_summary(
    db: None, results: Path, tmp_path: Path
) -> None:
    report = tmp_path / "report.jsonl"
    run(results, results / "gone.json", report=str(report))
    lines, summary = read_report(report)
    taken = lines[f"{results}/rtx4090/bench.json"]
    upload = Upload.objects.get(pk=taken["upload_id"])
    assert taken["sha256"] == upload.content_id
    assert taken["runs"] == [str(item.run_id) for item in upload.items.all()]
    assert (taken["outcome"], taken["format"], taken["code"]) == (
        "created",
        "llama-bench-json",
        None,
    )
    lacking = lines[f"{results}/h100/bench.json"]
    assert (lacking["outcome"], lacking["code"]) == ("rejected", "missing")
    assert (lacking["missing"], lacking["errors"][0]["path"]) == (["gpu_model"], "gpu_model")
    assert lacking["suggestions"] == {"gpu_model": "H100"}
    chart = lines[f"{results}/h100/chart.png"]
    assert (chart["outcome"], chart["code"], chart["upload_id"]) == (
        "rejected",
        "unknown_format",
        None,
    )
    gone = lines[f"{results}/gone.json"]
    assert (gone["outcome"], gone["sha256"]) == ("unread", None)
    assert gone["errors"][0]["message"] == "There is no such file or folder."
    assert summary == {
        "files": 6,
        "done": 6,
        "outcomes": {
            "unread": {"unreadable": 1},
            "created": {"experiment-json": 1, "llama-bench-json": 1},
            "rejected": {"llama-bench-json": 1, "not recognised": 2},
        },
        "runs": {"created": 2},
        "scores": {"created": 2},
        "dry_run": False,
        "interrupted": False,
    }


def test_the_report_does_not_overwrite_what_is_imported(db: None, good: Path) -> None:
    before = (good / "seed.json").read_bytes()
    _, complaint = run(good, report=str(good / "seed.json"))
    assert complaint == (
        f"--report: {good}/seed.json is one of the files to import; name another one."
    )
    assert (good / "seed.json").read_bytes() == before
    assert run(good, report=str(good / "no" / "such.jsonl"))[1] == (
        f"--report: {good}/no/such.jsonl cannot be written: No such file or directory."
    )


def test_files_beside_results_are_not_kept(db: None, results: Path) -> None:
    """They count as rejected unless the user says that they may be passed over."""
    (results / "h100" / "bench.json").unlink()
    printed, complaint = run(results)
    assert complaint == "2 of 4 files were not taken."
    assert "--skip-unknown passes over them" in printed
    assert not Upload.objects.filter(outcome="rejected").exists()
    printed, complaint = run(results, skip_unknown=True)
    assert complaint is None
    assert "skipped            2   not recognised 2" in printed


def test_a_damaged_result_is_never_passed_over(db: None, good: Path) -> None:
    (good / "cut.json").write_bytes((SAMPLES / "llama_bench.json").read_bytes()[:-30])
    printed, complaint = run(good, skip_unknown=True)
    assert complaint == "1 of 3 files were not taken."
    assert f"{good}/cut.json: line " in printed
    assert Upload.objects.get(outcome="rejected").file_name == "cut.json"


def test_a_file_that_was_named_is_kept_whatever_it_is(db: None, results: Path) -> None:
    _, complaint = run(results / "h100" / "notes.txt", skip_unknown=True)
    assert complaint == "1 of 1 files were not taken."
    assert Upload.objects.get().outcome == "rejected"


def test_no_file_speaks_to_the_terminal(db: None, tmp_path: Path) -> None:
    run_of = {"experiment_run": experiment() | {"\x1b[2J": 1}}
    (tmp_path / "a.json").write_text(json.dumps(run_of), encoding="utf-8")
    printed, _ = run(tmp_path)
    assert f"{tmp_path}/a.json: experiment_run.�[2J: " in printed
    assert "\x1b" not in printed


def test_standard_input(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    data = (SAMPLES / "seed_experiment.json").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    _, complaint = run("-")
    assert complaint is None
    assert Upload.objects.get().file_name == ""


# ------------------------------------------------------------------ which files


def names(*arguments: str | Path) -> list[str]:
    return [file.name for file in find_files(map(str, arguments)).files]


def test_patterns_and_folders_give_each_file_once_in_a_stable_order(results: Path) -> None:
    everything = ["seed.json", "h100/bench.json", "h100/chart.png", "h100/notes.txt"]
    everything.append("rtx4090/bench.json")
    assert names(results) == everything
    assert names(results, results / "seed.json", results) == everything
    assert names(results / "**" / "*.json") == [
        "h100/bench.json",
        "rtx4090/bench.json",
        "seed.json",
    ]
    assert names(results / "*" / "bench.json") == ["h100/bench.json", "rtx4090/bench.json"]
    assert names(results / "rtx*") == ["rtx4090/bench.json"]
    assert sorted(names(results / "**")) == sorted(everything)
    assert names(results / "rtx4090" / ".cache" / "*") == ["old.json"]


def test_a_path_is_kept_as_it_was_typed_when_it_is_relative(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(results.parent)
    assert names("results/h100") == [
        "results/h100/bench.json",
        "results/h100/chart.png",
        "results/h100/notes.txt",
    ]
    assert names("./results/seed.json") == ["results/seed.json"]
    assert names("results/*.json") == ["results/seed.json"]
    assert names("../" + results.parent.name + "/results/seed.json") == ["seed.json"]
    assert names(results / "seed.json") == ["seed.json"]
    monkeypatch.chdir(results)
    assert names(".")[0] == "seed.json"


def test_a_name_with_brackets_is_no_pattern_where_it_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "run[1].json").write_text("{}")
    assert names(tmp_path / "run[1].json") == ["run[1].json"]


def test_a_long_name_keeps_its_end(tmp_path: Path) -> None:
    folder = tmp_path / ("a" * 120) / ("b" * 120) / ("c" * 120)
    folder.mkdir(parents=True)
    (folder / "x.json").write_text("{}")
    assert names(tmp_path) == ["b" * 120 + "/" + "c" * 120 + "/x.json"]


@pytest.mark.parametrize(
    ("make", "argument", "why"),
    [
        (lambda _: None, "gone.json", "There is no such file or folder."),
        (lambda folder: (folder / "empty").mkdir(), "empty", "There is no file in this folder."),
        (lambda _: None, "*.json", "No file matches this pattern."),
        (
            lambda folder: (folder / "loop").symlink_to("loop"),
            "loop",
            "Too many levels of symbolic links.",
        ),
        (lambda folder: (folder / "link").symlink_to("gone"), "", "No such file or directory."),
        (lambda folder: os.mkfifo(folder / "pipe"), "", "This is no file; name it itself"),
        (lambda folder: (folder / "f").write_text(""), "f/g.json", "Not a directory."),
    ],
)
def test_what_leads_to_no_file_is_a_line_of_the_report(
    db: None, tmp_path: Path, make: Callable[[Path], None], argument: str, why: str
) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    make(folder)
    printed, complaint = run(f"{folder}/{argument}" if argument else folder)
    assert complaint == "1 of 1 files were not taken."
    assert f": {why}" in printed.splitlines()[0]
    assert "not read           1   unreadable 1" in printed


def test_links_to_folders_are_not_followed_and_said(db: None, good: Path) -> None:
    (good / "latest").symlink_to(good, target_is_directory=True)
    (good / "again.json").symlink_to("seed.json")
    printed, complaint = run(good)
    assert complaint is None
    assert (
        f"Links to folders, not followed; give them as paths: {good}/latest."
        in printed.splitlines()
    )
    assert "created            2" in printed
    assert "unchanged          1" in printed


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_that_are_not_utf8_are_taken_and_said(db: None, tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/caf\xe9\n.json"
    Path(os.fsdecode(raw)).write_bytes((SAMPLES / "llama_bench.json").read_bytes())
    printed, complaint = run(tmp_path, verbosity=2)
    assert complaint is None
    assert f"{tmp_path}/caf��.json: created: 1 run" in printed.splitlines()
    assert "Names that are not UTF-8 text, kept as shown: " in printed
    assert Upload.objects.get().file_name == "caf��.json"


def test_a_file_that_vanishes_meanwhile_is_a_line(db: None, good: Path) -> None:
    (good / ".notes").write_text("What is hidden is said before the first file is read.")
    terminal = Terminal(lambda _: (good / "seed.json").unlink(missing_ok=True))
    printed, complaint = run(good / "rtx4090", good, verbosity=2, stdout=terminal)
    assert complaint == "1 of 2 files were not taken."
    assert f"{good}/seed.json: No such file or directory." in printed


def test_a_file_beyond_the_limit_is_not_read(db: None, tmp_path: Path) -> None:
    with (tmp_path / "huge.json").open("wb") as sparse:
        sparse.truncate(2**36)
    printed, complaint = run(tmp_path)
    assert complaint == "1 of 1 files were not taken."
    limit = f"{settings.BENCHSITE_MAX_UPLOAD_BYTES:,}"
    assert f"huge.json: The file is larger than {limit} bytes, the limit of this site." in printed
    assert not Upload.objects.exists()


# ------------------------------------------------------------------ on a terminal


def test_progress_is_shown_on_a_terminal_only(
    db: None, good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = Terminal()
    monkeypatch.setattr(sys, "stderr", errors)
    run(good, dry_run=True)
    assert errors.getvalue() == ""
    run(good, dry_run=True, stdout=Terminal())
    assert "0/2" in errors.getvalue()


def test_ctrl_c_stops_between_batches(
    db: None, good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many, "BATCH_FILES", 1)
    report = tmp_path / "report.jsonl"
    interrupt_once = iter([lambda: signal.raise_signal(signal.SIGINT)])

    def interrupt(_text: str) -> None:
        next(interrupt_once, lambda: None)()

    printed, complaint = run(good, verbosity=2, stdout=Terminal(interrupt), report=str(report))
    assert complaint == "Stopped."
    assert "Stopped after 1 of 2 files. The same command goes on: what is in answers" in printed
    assert Upload.objects.get().file_name == "seed.json"
    assert read_report(report)[1]["interrupted"] is True
    printed, complaint = run(good)
    assert complaint is None
    assert "created            1   llama-bench-json 1" in printed
    assert "unchanged          1   experiment-json 1" in printed


def test_a_second_ctrl_c_ends_at_once(db: None, good: Path) -> None:
    def interrupt_twice(text: str) -> None:
        if text.startswith(str(good)):
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    # Where the tests run in the background of a shell, they were started with another one.
    started_with = signal.signal(signal.SIGINT, signal.default_int_handler)
    _, complaint = run(good, verbosity=2, stdout=Terminal(interrupt_twice))
    assert complaint == "Stopped."
    assert signal.signal(signal.SIGINT, started_with) is signal.default_int_handler


def test_the_exit_status_is_that_of_a_failure() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "import_results", "no-such-file.json"],
        cwd=env.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "no-such-file.json: There is no such file or folder." in done.stdout
    assert done.stderr.strip() == "CommandError: 1 of 1 files were not taken."

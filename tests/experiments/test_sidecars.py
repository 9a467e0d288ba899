"""`benchsite.yaml`: the context of the files below it."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from experiments.models import TestRun, Upload
from tests.experiments.test_import_results import SAMPLES, read_report, run

pytestmark = pytest.mark.django_db
VLLM = SAMPLES / "vllm_serve.json"


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """Return a folder with two results that name no machine, one below the other."""
    folder = tmp_path / "lab"
    (folder / "h100" / "fp8").mkdir(parents=True)
    for number, place in enumerate(("h100/a.json", "h100/fp8/b-fp8.json")):
        record = json.loads(VLLM.read_text())
        record["duration"] += number
        (folder / place).write_text(json.dumps(record))
    return folder


def write(folder: Path, text: str, name: str = "benchsite.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def contexts() -> dict[str, Any]:
    return dict(Upload.objects.accepted().values_list("file_name", "context"))


def test_nearer_sidecars_win_field_by_field_and_options_over_all(lab: Path, tmp_path: Path) -> None:
    outer = write(lab, "backend: vLLM\nbackend_version: '0.10'\nquantization: BF16\n")
    inner = write(lab / "h100" / "fp8", "quantization: FP8\ngpu_model: H100\n", "benchsite.yml")
    report = tmp_path / "report.jsonl"
    printed, complaint = run(lab, gpu_model="H200", gpu_count="8", report=str(report))
    assert complaint is None
    common = {"backend": "vLLM", "backend_version": "0.10", "gpu_model": "H200", "gpu_count": 8}
    assert contexts() == {
        "h100/a.json": common | {"quantization": "BF16"},
        "h100/fp8/b-fp8.json": common | {"quantization": "FP8"},
    }
    lines, _summary = read_report(report)
    assert lines[str(lab / "h100/a.json")]["context_from"] == [str(outer)]
    assert lines[str(lab / "h100/fp8/b-fp8.json")]["context_from"] == [str(outer), str(inner)]
    assert "2 files have context from 2 sidecars (benchsite.yaml)." in printed


def test_patterns_give_more_to_some_files(lab: Path) -> None:
    write(
        lab,
        """
backend: vLLM
gpu_model: H100
quantization: BF16
files:
  "*-fp8.json":
    quantization: FP8
  h100/fp8/*:
    notes: from the second week
""",
    )
    assert run(lab)[1] is None
    found = contexts()
    assert found["h100/a.json"]["quantization"] == "BF16"
    assert found["h100/fp8/b-fp8.json"]["quantization"] == "FP8"
    assert found["h100/fp8/b-fp8.json"]["notes"] == "from the second week"


def test_a_file_has_the_same_context_however_it_is_named(lab: Path) -> None:
    write(lab, "backend: vLLM\ngpu_model: H100\nquantization: BF16\n")
    assert run(lab)[1] is None
    printed, complaint = run(lab / "h100" / "a.json", lab / "h100" / "fp8")
    assert complaint is None
    assert "unchanged          2" in printed
    assert TestRun.objects.count() == 2


@pytest.mark.parametrize("way", ["..", "a link"])
def test_sidecars_of_folders_on_the_way_to_a_file_say_nothing(
    way: str, lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stated = write(lab, "backend: vLLM\ngpu_model: H100\nquantization: BF16\n")
    other = tmp_path / "other"
    other.mkdir()
    write(other, "gpu_model: RTX 4090\nnotes: of another folder\n")
    (other / "link").symlink_to(lab, target_is_directory=True)
    monkeypatch.chdir(other)
    report = tmp_path / "report.jsonl"
    _printed, complaint = run("../lab" if way == ".." else "link", report=str(report))
    assert complaint is None
    lines, _summary = read_report(report)
    assert {tuple(line["context_from"]) for line in lines.values()} == {(str(stated),)}
    assert all(context["gpu_model"] == "H100" for context in contexts().values())
    assert not any("notes" in context for context in contexts().values())


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("gpu: H100\n", ": gpu", "gpu_model"),
        ("gpu_count: many\n", ": gpu_count", "number"),
        ("backend_version: 0.10\n", ": backend_version", "text"),
        ("- H100\n", "", "a field and its value in each line"),
        ("gpu_model: [\n", "", ""),
        ("files: H100\n", ": files", "patterns of file names"),
        ("files:\n  '*.json': H100\n", ": files.*.json", "fields to values"),
        ("files:\n  '*.json': {gpu: H100}\n", ": files.*.json.gpu", "gpu_model"),
    ],
)
def test_a_broken_sidecar_refuses_what_is_below_it_and_nothing_else(
    lab: Path, tmp_path: Path, text: str, place: str, message: str
) -> None:
    path = write(lab / "h100", text)
    shutil.copy(SAMPLES / "seed_experiment.json", lab / "seed.json")
    report = tmp_path / "report.jsonl"
    _printed, complaint = run(lab, report=str(report))
    assert complaint == "2 of 3 files were not taken."
    assert list(contexts()) == ["seed.json"]
    lines, _summary = read_report(report)
    line = lines[str(lab / "h100" / "a.json")]
    (error,) = line["errors"]
    assert line["code"] == "invalid"
    assert error["path"].startswith(f"{path}{place}")
    assert message in error["message"]


def test_two_sidecars_in_a_folder_are_one_too_many(lab: Path) -> None:
    write(lab, "backend: vLLM\n")
    write(lab, "backend: SGLang\n", "benchsite.yml")
    printed, complaint = run(lab)
    assert complaint == "2 of 2 files were not taken."
    assert "Two sidecars are in this folder" in printed


def test_a_sidecar_is_no_result(lab: Path) -> None:
    path = write(lab, "backend: vLLM\ngpu_model: H100\nquantization: BF16\n")
    assert run(lab / "*")[1] is None
    printed, complaint = run(path)
    assert complaint == "1 of 1 files were not taken."
    assert "gives context to the files of its folder; name the folder" in printed


def test_folders_with_nothing_but_a_sidecar_are_said_to_be_empty(tmp_path: Path) -> None:
    write(tmp_path, "backend: vLLM\n")
    printed, complaint = run(tmp_path)
    assert complaint is not None
    assert "There is no file in this folder." in printed

"""What the tests of the score formats share."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.catalogue import catalogue
from experiments.formats import detect_format
from experiments.formats.content import decode
from experiments.formats.documents import (
    InvalidFileError,
    ParsedFile,
    Problem,
    ScoreDocument,
)
from experiments.ingest.actor import Actor
from experiments.ingest.pipeline import ingest_file
from experiments.ingest.report import Report

SAMPLES = Path(__file__).parent / "samples"
SUBJECTS = next(entry.expected_categories for entry in catalogue() if entry.slug == "mmlu")


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def parse(data: bytes | str | dict[str, Any] | list[Any], format_name: str) -> ParsedFile:
    """Parse data that must be recognised as the format named."""
    if not isinstance(data, bytes | str):
        data = json.dumps(data)
    content = decode(data if isinstance(data, bytes) else data.encode())
    found = detect_format(content)
    assert found.name == format_name
    return found.parse(content)


def problems(data: bytes | str | dict[str, Any], format_name: str) -> list[Problem]:
    """Return why data of the format named is refused."""
    with pytest.raises(InvalidFileError) as caught:
        parse(data, format_name)
    return list(caught.value.problems)


def scores(parsed: ParsedFile) -> dict[str, list[ScoreDocument]]:
    """Return the scores of a file by benchmark."""
    found: dict[str, list[ScoreDocument]] = {}
    for score_set in parsed.score_sets:
        for score in score_set.scores:
            found.setdefault(score.benchmark, []).append(score)
    return found


def only(parsed: ParsedFile, benchmark: str) -> ScoreDocument:
    """Return the one score of a benchmark."""
    (score,) = scores(parsed)[benchmark]
    return score


def new_file(**tasks: dict[str, Any]) -> dict[str, Any]:
    """Return a file of version 0.4 with these tasks, version 1 each, five examples."""
    return {
        "results": tasks,
        "versions": dict.fromkeys(tasks, 1.0),
        "n-shot": dict.fromkeys(tasks, 5),
        "config": {"model": "hf", "model_args": "pretrained=acme/Nimbus,dtype=bfloat16"},
        "lm_eval_version": "0.4.9",
        "date": 1777446661.698126,
    }


def old_file(**tasks: dict[str, Any]) -> dict[str, Any]:
    """Return a file of version 0.3."""
    return {
        "results": tasks,
        "versions": dict.fromkeys(tasks, 0),
        "config": {
            "model": "hf-causal",
            "model_args": "pretrained=acme/Nimbus,dtype=float16",
            "num_fewshot": 5,
            "limit": None,
        },
    }


def group(name: str, parts: dict[str, float], **more: Any) -> dict[str, Any]:
    """Return a file with a group of tasks, their accuracy and numbers of questions."""
    data = new_file(
        **{name: {"acc,none": 0.5, "acc_stderr,none": 0.01, "alias": name}},
        **{part: {"alias": f" - {part}", "acc,none": value} for part, value in parts.items()},
    )
    data["group_subtasks"] = {name: list(parts)}
    data["n-samples"] = {part: {"original": 100, "effective": 100} for part in parts}
    return data | more


def ingest_scores(data: dict[str, Any] | bytes, **fields: str) -> Report:
    """Send a file through the pipeline with these context fields."""
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return ingest_file(data=raw, file_name="results.json", fields=fields, actor=Actor())

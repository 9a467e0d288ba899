"""EvalPlus leaderboard `results.json`: pass@1 in percent for each model, by four benchmarks."""

import math
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from benchmarks.protocol import Protocol
from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.documents import (
    InvalidFileError,
    ParsedFile,
    Problem,
    ScoreDocument,
    ScoreSetDocument,
)
from experiments.formats.evalplus import about
from experiments.formats.evalplus.scores import HARNESS, NOTHING_PASSED
from experiments.formats.fields import Url
from experiments.formats.model_names import served_model
from experiments.formats.numbers import is_number, no_result, positive
from experiments.formats.problems import join_path, short_value
from experiments.formats.records import records_of

_PASS_AT_1 = "pass@1"  # noqa: S105 - no password
_BENCHMARKS = ("humaneval", "humaneval+", "mbpp", "mbpp+")
_URL: TypeAdapter[str] = TypeAdapter(Url)
_PROMPTED = {True: "yes", False: "no"}


def _detect(content: Content) -> bool:
    entries = content.first_record.values()
    return any(
        isinstance(item, dict) and isinstance(item.get(_PASS_AT_1), dict) for item in entries
    )


def _parse(content: Content) -> ParsedFile:
    problems: list[Problem] = []
    warnings: list[Problem] = []
    score_sets = []
    for place, record in records_of(content):
        if isinstance(record, Problem):
            problems.append(record)
            continue
        for name, entry in record.items():
            path = join_path(place, name)
            if not isinstance(entry, dict) or not isinstance(entry.get(_PASS_AT_1), dict):
                message = "A model has its figures under pass@1."
                problems.append(Problem(path, message, short_value(entry)))
                continue
            scores = _scores(entry, path, problems, warnings)
            if scores:
                score_sets.append(
                    ScoreSetDocument(path=path, model=served_model(name), scores=tuple(scores))
                )
    if not score_sets and not problems:
        problems.append(Problem("", "No model has a figure."))
    if problems:
        raise InvalidFileError(*problems)
    return ParsedFile(score_sets=tuple(score_sets), warnings=tuple(warnings))


def _scores(
    entry: Mapping[str, Any], path: str, problems: list[Problem], warnings: list[Problem]
) -> list[ScoreDocument]:
    """Return the scores of a model; null stands for a benchmark that was not run."""
    figures = entry[_PASS_AT_1]
    prompted = entry.get("prompted")
    size = entry.get("size")
    values = {}
    for name, value in figures.items():
        place = join_path(path, _PASS_AT_1, name)
        if value is None:
            continue
        if not is_number(value):
            problems.append(Problem(place, "A number is expected here.", short_value(value)))
        elif isinstance(value, float) and not math.isfinite(value):
            warnings.append(no_result(place, value))
        elif not 0 <= value <= 100:
            problems.append(Problem(place, "pass@1 is given in percent, 0 to 100.", value))
        else:
            values[name] = float(value)
    return [
        ScoreDocument(
            path=join_path(path, _PASS_AT_1, name),
            benchmark=name,
            stated_score=value,
            protocol=Protocol(
                harness=HARNESS,
                metric_filter=_PASS_AT_1,
                chat_template=_PROMPTED.get(prompted) if isinstance(prompted, bool) else None,
            ),
            scale_known=name in _BENCHMARKS and max(values.values()) > 1,
            doubt=None if value else NOTHING_PASSED,
            source_url=_link(entry.get("link")),
            context={"billion_parameters": size} if _is_size(size) else {},
        )
        for name, value in values.items()
    ]


def _link(value: Any) -> str | None:
    try:
        return _URL.validate_python(value)
    except ValidationError:
        return None


def _is_size(value: Any) -> bool:
    return positive(value, below=1e6) is not None


FORMAT = Format(
    name="evalplus-leaderboard",
    title="EvalPlus leaderboard JSON",
    version=1,
    detect=_detect,
    parse=_parse,
    about=about.LEADERBOARD,
    tool="EvalPlus leaderboard",
    file_name="results.json",
    fills=("model_name", "scores"),
    lacks=("quantization",),
)

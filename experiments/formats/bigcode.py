"""bigcode-evaluation-harness JSON: pass@k by task with its configuration, or pass@k alone.

OpenAI's human-eval prints the latter, too. It names no benchmark: it is taken for HumanEval, and a
curator has to confirm that.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.protocol import Protocol
from experiments.formats.base import About, Format, ScoreFacts
from experiments.formats.content import Content
from experiments.formats.documents import (
    InvalidFileError,
    ParsedFile,
    Problem,
    ScoreDocument,
    ScoreSetDocument,
)
from experiments.formats.lm_eval.model import model_document
from experiments.formats.numbers import as_percent, is_number, no_result, read_number
from experiments.formats.problems import join_path, short_value
from experiments.formats.records import records_of

_HARNESS = "bigcode-evaluation-harness"
_PREFIX = "pass@"
_LONGEST_FACT = 50
_LARGEST_FACT = 1e15
_ASSUMED = "humaneval"
_DOUBT = "the file names no benchmark, HumanEval is assumed"
_ARGUMENTS = ("model", "revision", "precision", "load_in_8bit", "load_in_4bit")
_KEPT = ("temperature", "top_p", "top_k", "n_samples", "max_length_generation", "seed", "precision")


def _detect(content: Content) -> bool:
    record = content.first_record
    if _is_bare(record):
        return True
    config = record.get("config")
    tasks = [value for key, value in record.items() if key != "config"]
    return isinstance(config, dict) and "model" in config and any(map(_is_bare, tasks))


def _is_bare(value: Any) -> bool:
    """Tell whether a value is an object of nothing but pass@k."""
    return isinstance(value, dict) and bool(value) and all(key.startswith(_PREFIX) for key in value)


def _parse(content: Content) -> ParsedFile:
    problems: list[Problem] = []
    warnings: list[Problem] = []
    score_sets = []
    for place, record in records_of(content):
        if isinstance(record, Problem):
            problems.append(record)
            continue
        nested = record.get("config")
        config = nested if isinstance(nested, dict) else {}
        arguments = {key: config[key] for key in _ARGUMENTS if config.get(key) is not None}
        arguments["peft"] = config.get("peft_model")
        tasks = {_ASSUMED: record} if _is_bare(record) else record
        scores = [
            score
            for name, task in tasks.items()
            if _is_bare(task)
            for score in _scores(
                name,
                task,
                place if task is record else join_path(place, name),
                config,
                problems,
                warnings,
            )
        ]
        if not scores and not problems:
            problems.append(Problem(place, "No task has a figure of pass@k."))
        score_sets.append(
            ScoreSetDocument(path=place, model=model_document(arguments), scores=tuple(scores))
        )
    if problems:
        raise InvalidFileError(*problems)
    return ParsedFile(score_sets=tuple(score_sets), warnings=tuple(warnings))


def _scores(
    task: str,
    figures: Mapping[str, Any],
    path: str,
    config: Mapping[str, Any],
    problems: list[Problem],
    warnings: list[Problem],
) -> Iterator[ScoreDocument]:
    """Yield a score for each k, pass@1 last: it stands for the benchmark."""
    limit = config.get("limit")
    for name, raw in sorted(figures.items(), key=lambda item: item[0] == "pass@1"):
        place = join_path(path, name)
        value = _share(raw, place, problems, warnings)
        if value is None:
            continue
        yield ScoreDocument(
            path=place,
            benchmark=task if name == "pass@1" else f"{task}_{name.replace('@', '_at_')}",
            stated_score=value,
            protocol=Protocol(harness=_HARNESS if config else None, metric_filter=name),
            complete=limit is None,
            partial_reason=None if limit is None else f"limit {short_value(limit)}",
            scale_known=True,
            doubt=None if config else _DOUBT,
            context={key: config[key] for key in _KEPT if _is_plain(config.get(key))},
        )


def _share(raw: Any, place: str, problems: list[Problem], warnings: list[Problem]) -> float | None:
    """Return a share in percent; one above 1 is a percentage already."""
    value = read_number(raw) if isinstance(raw, str) else raw
    if not is_number(value):
        problems.append(Problem(place, "A number is expected here.", short_value(raw)))
    elif isinstance(value, float) and not math.isfinite(value):
        warnings.append(no_result(place, value))
    elif not 0 <= value <= 100:
        problems.append(Problem(place, "pass@k lies between 0 and 1.", short_value(value)))
    elif value == 0:
        problems.append(Problem(place, "No task passed: that is a broken run.", value))
    elif value > 1:
        warnings.append(Problem(place, "Taken as a percentage; the harness writes 0 to 1.", value))
        return float(value)
    else:
        return as_percent(float(value))
    return None


def _is_plain(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) < _LONGEST_FACT
    return isinstance(value, bool) or (is_number(value) and abs(value) < _LARGEST_FACT)


FORMAT = Format(
    name="bigcode-json",
    title="bigcode-evaluation-harness JSON, or pass@k alone",
    version=1,
    detect=_detect,
    parse=_parse,
    about=About(
        what='bigcode-evaluation-harness JSON; `{"pass@1": …}` alone',
        run_for_each="no run: scores",
        says="pass@k by task, model and precision",
        asks="what a bare file lacks: all",
        facts=(
            ScoreFacts(
                model="● else ?",
                quantization="○ precision, else ?",
                harness="○",
                metric="●",
                complete="○ limit",
            ),
        ),
    ),
    tool="bigcode-evaluation-harness",
    command="accelerate launch main.py --model MODEL --tasks humaneval --allow_code_execution",
    file_name="evaluation_results.json",
    fills=("model_name", "quantization", "scores"),
    lacks=("model_name", "quantization"),
)

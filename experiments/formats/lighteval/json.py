"""lighteval results JSON, of `config_general` with the model in it or in `model_config`."""

from dataclasses import replace

from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.documents import InvalidFileError, ParsedFile, Problem, ScoreSetDocument
from experiments.formats.lighteval import about
from experiments.formats.lighteval.model import (
    read_context,
    read_model,
    read_protocol,
    size_hint,
)
from experiments.formats.lighteval.tasks import read_tasks
from experiments.formats.lm_eval.harness import Evaluation
from experiments.formats.lm_eval.record import Record
from experiments.formats.lm_eval.scores import parse_evaluations
from experiments.formats.problems import short_value
from experiments.formats.records import records_of

_NO_TASK = "The file holds the figures of no task; did the evaluation finish?"


def _detect(content: Content) -> bool:
    record = content.first_record
    return all(isinstance(record.get(key), dict) for key in ("config_general", "results"))


def _parse(content: Content) -> ParsedFile:
    parsed = ParsedFile()
    problems: list[Problem] = []
    for place, value in records_of(content):
        if isinstance(value, Problem):
            problems.append(value)
            continue
        record = Record(value, place)
        evaluations = _evaluations(record)
        if not evaluations and not record.problems:
            record.complain(_NO_TASK, None, "results")
        problems += record.problems
        if problems:
            continue
        found = parse_evaluations(evaluations, record.warnings)
        scores = tuple(score for item in found.score_sets for score in item.scores)
        model = evaluations[0].model
        score_set = ScoreSetDocument(path=place, model=model, scores=scores)
        hint = size_hint(record.section("config_general"), model, place)
        parsed = replace(
            parsed,
            score_sets=(*parsed.score_sets, score_set),
            warnings=(*parsed.warnings, *found.warnings, *hint),
        )
    if problems:
        raise InvalidFileError(*dict.fromkeys(problems))
    return parsed


def _evaluations(record: Record) -> list[Evaluation]:
    """Return an evaluation for each suite and number of examples: names of tasks repeat in them."""
    if not isinstance(record.value.get("results"), dict):
        record.complain("The results of the tasks are missing.", None, "results")
    general = record.section("config_general")
    nested = general.get("model_config")
    config = nested if isinstance(nested, dict) else record.section("model_config")
    limit = general.get("max_samples")
    return [
        Evaluation(
            path=record.place,
            model=read_model(general, config),
            tasks=tasks,
            protocol=read_protocol(general, config),
            limit=None if limit is None else str(short_value(limit)),
            context=read_context(general, config),
            doubts_guessing=True,
        )
        for tasks in read_tasks(record)
    ]


FORMAT = Format(
    name="lighteval-json",
    title="lighteval JSON",
    version=1,
    detect=_detect,
    parse=_parse,
    about=about.JSON,
    tool="lighteval",
    command='lighteval accelerate "model_name=MODEL" "leaderboard|gsm8k|5" --output-dir results',
    file_name="results_2026-11-20T09-30-00.json",
    fills=("model_name", "quantization", "scores"),
    lacks=("quantization",),
)

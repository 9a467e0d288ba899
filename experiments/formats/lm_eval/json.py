"""lm-evaluation-harness results JSON, of version 0.3 and before and of 0.4 and after."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from benchmarks.protocol import Protocol
from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.documents import InvalidFileError, ParsedFile, Problem
from experiments.formats.fields import EARLIEST_YEAR, LATEST_YEAR, epoch_moment
from experiments.formats.lm_eval import about
from experiments.formats.lm_eval.harness import Evaluation
from experiments.formats.lm_eval.model import (
    kept_arguments,
    model_document,
    read_arguments,
    reported_names,
    shared_protocol,
    text_of,
)
from experiments.formats.lm_eval.record import Record
from experiments.formats.lm_eval.results import read_tasks
from experiments.formats.lm_eval.scores import parse_evaluations
from experiments.formats.problems import join_path, short_value

# Files of other tools with the same two keys.
_OTHER_TOOLS = ("config_general", "config_tasks")
_KEPT_FACTS = (
    "git_hash", "transformers_version", "fewshot_as_multiturn", "model_dtype", "model_revision",
    "model_sha", "chat_template_sha", "system_instruction_sha",
)  # fmt: skip
_KEPT_GENERATION = (
    "temperature", "top_p", "top_k", "min_p", "max_gen_toks", "do_sample", "num_beams",
    "repetition_penalty", "seed",
)  # fmt: skip
_LONGEST_FACT = 200


def _detect(content: Content) -> bool:
    record = content.first_record
    if not isinstance(record.get("results"), dict) or any(key in record for key in _OTHER_TOOLS):
        return False
    config = record.get("config")
    return (
        isinstance(record.get("versions"), dict)
        or "lm_eval_version" in record
        or (isinstance(config, dict) and {"model", "model_args"} <= config.keys())
    )


def _parse(content: Content) -> ParsedFile:
    evaluations = []
    problems: list[Problem] = []
    warnings: list[Problem] = []
    for place, value in _records(content):
        if not isinstance(value, dict):
            problems.append(Problem(place, "Results are an object.", short_value(value)))
            continue
        record = Record(value, place)
        evaluations.append(_evaluation(record))
        problems += record.problems
        warnings += record.warnings
    if problems:
        raise InvalidFileError(*dict.fromkeys(problems))
    return parse_evaluations(evaluations, warnings)


def _records(content: Content) -> Iterator[tuple[str, Any]]:
    """Yield each results object of the file and its place."""
    for document in content.json[0]:
        if isinstance(document.value, list):
            for index, item in enumerate(document.value):
                yield join_path(document.place, index), item
        else:
            yield document.place, document.value


def _evaluation(record: Record) -> Evaluation:
    if not isinstance(record.value.get("results"), dict):
        record.complain("The results of the tasks are missing.", None, "results")
    if not isinstance(record.value.get("versions"), dict):
        message = "The versions of the tasks are missing; send the file as the harness wrote it."
        record.complain(message, record.value.get("versions"), "versions")
    config = record.section("config")
    arguments = _arguments(record, config, "model_args")
    limit = config.get("limit")
    return Evaluation(
        path=record.place,
        model=model_document(arguments, record.value.get("model_name")),
        tasks=read_tasks(record),
        protocol=_protocol(record, config, arguments),
        limit=None if limit is None else _limit_text(limit),
        measured_at=_measured_at(record),
        context=_context(record, config, arguments),
    )


def _limit_text(limit: Any) -> str:
    return f"{limit:g}" if isinstance(limit, float) else str(short_value(limit))


def _arguments(record: Record, config: Mapping[str, Any], name: str) -> dict[str, Any]:
    try:
        return read_arguments(config.get(name))
    except ValueError:
        # The value may hold an API key: it is not repeated.
        kind = type(config.get(name)).__name__
        record.complain("An object or a text like key=value,… is expected.", kind, "config", name)
        return {}


def _protocol(record: Record, config: Mapping[str, Any], arguments: Mapping[str, Any]) -> Protocol:
    """Return what all scores of the record share.

    A template's text belongs to the model, so two models never share it: whether one was used,
    and which system instruction beside it, is what makes scores comparable. "" tells neither.
    """
    shared = shared_protocol(arguments, config.get("model"))
    used = shared.chat_template
    template = record.value.get("chat_template", "")
    if used is None and template != "":
        used = "yes" if template else "no"
    if record.value.get("system_instruction"):
        sha = text_of(record.value.get("system_instruction_sha")) or "of unknown hash"
        used = f"{used or 'not known'}, system instruction {sha[:16]}"
    return replace(
        shared,
        harness_version=text_of(record.value.get("lm_eval_version")),
        chat_template=used,
    )


def _measured_at(record: Record) -> datetime | None:
    """Return the time at which the harness started: seconds since 1970, UTC."""
    seconds = record.number(record.value.get("date"), "date")
    if seconds is None:
        return None
    try:
        return epoch_moment(seconds)
    except ValueError:
        message = f"A date is seconds since 1970, in the years {EARLIEST_YEAR} to {LATEST_YEAR}."
        record.complain(message, record.value.get("date"), "date")
        return None


def _context(
    record: Record, config: Mapping[str, Any], arguments: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what else is known of the evaluation; only keys that hold no secret."""
    generation = _arguments(record, config, "gen_kwargs")
    names = reported_names(arguments, record.value.get("model_name"))
    facts: dict[str, Any] = {
        "model": names[0] if names else None,
        "model_type": config.get("model"),
        "batch_size": config.get("batch_size"),
        "limit": config.get("limit"),
        "model_args": kept_arguments(arguments),
        "gen_kwargs": {k: generation[k] for k in _KEPT_GENERATION if _is_short(generation.get(k))},
        **{name: record.value.get(name) for name in _KEPT_FACTS},
    }
    return {
        name: value
        for name, value in facts.items()
        if (isinstance(value, dict) and value) or _is_short(value)
    }


def _is_short(value: Any) -> bool:
    """Tell whether a value is a scalar that can be kept: no NaN, no long text."""
    if isinstance(value, float):
        return abs(value) < float("inf")
    return isinstance(value, bool | int) or (
        isinstance(value, str) and 0 < len(value) <= _LONGEST_FACT
    )


FORMAT = Format(
    name="lm-eval-json",
    title="lm-evaluation-harness JSON",
    version=1,
    detect=_detect,
    parse=_parse,
    about=about.JSON,
    tool="lm-evaluation-harness",
    command="lm_eval --model hf --model_args pretrained=MODEL --tasks gsm8k --output_path results",
    file_name="results_2026-11-20T09-30-00.json",
    fills=("model_name", "quantization", "scores"),
    lacks=("quantization",),
)

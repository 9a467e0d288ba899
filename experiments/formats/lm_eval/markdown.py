"""lm-evaluation-harness's Markdown table, as printed on the console and pasted from it.

A line above the table names model, arguments and limit. Newer tables show labels (" - humanities")
where older ones show task names, so the parts of a group are known by their indent.
"""

import re
from collections.abc import Iterable
from typing import Any

from benchmarks.totals import category_key
from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.documents import InvalidFileError, ParsedFile, Problem
from experiments.formats.lm_eval import about
from experiments.formats.lm_eval.harness import (
    Evaluation,
    TaskResult,
    nested,
    plain_label,
    version_text,
)
from experiments.formats.lm_eval.model import (
    kept_arguments,
    model_document,
    read_arguments,
    reported_names,
    shared_protocol,
)
from experiments.formats.lm_eval.scores import parse_evaluations
from experiments.formats.lm_eval.table import HEADER, Block, TableReader, TableTask
from experiments.formats.lm_eval.tasks import curated

# The filter that tells a part of MMLU-Pro run alone; parts of MMLU have names of their own.
_PARTS_BY_LABEL = {"mmlu_pro": "custom-extract", "mmlu": None}


def _detect(content: Content) -> bool:
    return HEADER.search(content.text) is not None


def _parse(content: Content) -> ParsedFile:
    reader = TableReader()
    for number, line in enumerate(content.text.splitlines(), 1):
        reader.read(number, line)
    blocks = [block for block in reader.blocks if block.tasks]
    if not blocks and not reader.problems:
        reader.problems.append(Problem("", "The table has a header and no row."))
    if reader.problems:
        raise InvalidFileError(*reader.problems)
    return parse_evaluations(
        [_evaluation(block, several=len(blocks) > 1) for block in blocks], reader.warnings
    )


def _evaluation(block: Block, *, several: bool) -> Evaluation:
    found = block.invocation
    arguments = _arguments(found["arguments"]) if found else {}
    model_type = found["model"] if found else None
    shots = found["shots"] if found else ""
    tasks = _named(block.tasks.values())
    children = nested((name, task.label) for name, task in tasks.items())
    context = {
        "model": next(iter(reported_names(arguments)), None),
        "model_type": model_type,
        "model_args": kept_arguments(arguments),
    }
    return Evaluation(
        path=f"line {block.line}" if several else "",
        model=model_document(arguments),
        tasks={
            name: TaskResult(
                name=name,
                path=f"line {task.line}",
                label=plain_label(task.label),
                figures=tuple(task.figures.values()),
                version=version_text(task.version),
                shots=_count(task.shots) if task.shots else _count(shots),
                children=children.get(name, ()),
            )
            for name, task in tasks.items()
        },
        protocol=shared_protocol(arguments, model_type),
        limit=None if found is None or found["limit"] == "None" else found["limit"],
        context={name: value for name, value in context.items() if value},
    )


def _named(tasks: Iterable[TableTask]) -> dict[str, TableTask]:
    """Return the tasks by their names; a part that was run alone gets the name of its whole.

    The harness labels mmlu_anatomy "anatomy" and mmlu_pro_math "math" (which is no MATH).
    """
    named = {}
    for task in tasks:
        filters = {figure.metric_filter for figure in task.figures.values()}
        name = task.name
        for benchmark, own_filter in _PARTS_BY_LABEL.items():
            alone = own_filter is None or own_filter in filters
            if alone and category_key(name) in map(category_key, _parts(benchmark)):
                name = f"{benchmark}_{category_key(name)}"
        named[name] = task
    return named


def _parts(benchmark: str) -> tuple[str, ...]:
    entry = curated(benchmark)
    return (*entry.expected_categories, *entry.category_groups) if entry else ()


def _arguments(text: str) -> dict[str, Any]:
    try:
        return read_arguments(text)
    except ValueError:
        return {}


def _count(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,6}", text) else None


FORMAT = Format(
    name="lm-eval-markdown",
    title="lm-evaluation-harness Markdown table",
    version=1,
    detect=_detect,
    parse=_parse,
    about=about.MARKDOWN,
    tool="lm-evaluation-harness",
    file_name="result.md",
    fills=("scores",),
    lacks=("model_name", "quantization"),
)

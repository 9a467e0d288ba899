"""The report of chigkim's Ollama-MMLU-Pro, or its console output with progress bars between.

Its tokens per second are a by-product of many requests at once and are no measured speed.
"""

import re
from datetime import datetime
from typing import Any

from benchmarks.quantization import split_model_file_name
from benchmarks.totals import CategoryData, category_key
from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.documents import (
    InvalidFileError,
    ModelDocument,
    ParsedFile,
    Problem,
    UnreadableError,
)
from experiments.formats.fields import EARLIEST_YEAR, LATEST_YEAR
from experiments.formats.mmlu_pro import about
from experiments.formats.mmlu_pro.scores import CHIGKIM, score_file
from experiments.formats.model_names import clean_name
from experiments.formats.problems import short_value

_CATEGORY_DONE = re.compile(r"Finished testing (?P<category>.+) in \d.*")
_ALL_DONE = re.compile(r"Finished the benchmark in .*")
_TOTAL = re.compile(
    r"Total, (?P<correct>\d{1,9})/(?P<total>\d{1,9}), (?P<percent>\d{1,3}(\.\d+)?)%"
)
_FAILED_TOTAL = re.compile(r"Total, .*")
_DETECTED = re.compile(r"^Total, \d+/\d+, ", re.MULTILINE)
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?")
_INFERENCE_FACTS = ("temperature", "top_p", "max_tokens", "style")
_SUBSETS = ("subset", "subset_percent")
_WHOLE = {"subset": (0, 1.0), "subset_percent": (0, 100)}  # 0 is false: not used
_BEGINNING = 2_000
_LARGEST_SETTING = 1e9
_PROMPT_IN_CHAT = {"multi_chat": "yes", "single_chat": "yes", "no_chat": "no"}


def _detect(content: Content) -> bool:
    return "Finished testing" in content.text and _DETECTED.search(content.text) is not None


def _parse(content: Content) -> ParsedFile:
    problems: list[Problem] = []
    categories, overall = _read_totals(content.text, problems)
    config = _config(content)
    measured_at = _measured_at(content.text, problems)
    if not categories and not problems:
        problems.append(Problem("", "The report has no total of any category."))
    if problems:
        raise InvalidFileError(*problems)
    inference, test = _section(config, "inference"), _section(config, "test")
    style = inference.get("style")
    finished = overall is not None
    return score_file(
        path="",
        harness=CHIGKIM,
        model=_model(_section(config, "server").get("model")),
        categories=list(categories.values()),
        stated_score=overall.score if overall else None,
        correct=overall.correct if overall else None,
        total=overall.total if overall else None,
        chat_template=_PROMPT_IN_CHAT.get(style) if isinstance(style, str) else None,
        partial_reasons=[
            None if finished else "the report has no end: the benchmark did not finish",
            *_subset_reasons(test),
        ],
        measured_at=measured_at,
        context=_facts(inference),
    )


def _read_totals(
    text: str, problems: list[Problem]
) -> tuple[dict[str, CategoryData], CategoryData | None]:
    """Return the total of each category and the last one over all, which a report repeats."""
    categories: dict[str, CategoryData] = {}
    overall = None
    open_name: str | None = None
    for line_number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if done := _CATEGORY_DONE.fullmatch(line):
            open_name = done["category"]
        elif _ALL_DONE.fullmatch(line):
            open_name = ""
        elif _FAILED_TOTAL.fullmatch(line) and open_name is not None:
            total = _total(line, f"line {line_number}", open_name, problems)
            if total is not None and open_name:
                categories[category_key(open_name)] = total
            elif total is not None:
                overall = total
            open_name = None
    return categories, overall


def _total(line: str, place: str, name: str, problems: list[Problem]) -> CategoryData | None:
    """Return a total; None for the error that is printed when no question was answered."""
    found = _TOTAL.fullmatch(line)
    if found is None:
        if not line.endswith("error"):
            message = "A total is written like “Total, 166/410, 40.49%”."
            problems.append(Problem(place, message, line[:80]))
        return None
    correct, total, percent = int(found["correct"]), int(found["total"]), float(found["percent"])
    if total == 0 or correct > total or percent > 100:
        message = "The right answers are at most as many as the questions, and the share 100 %."
        problems.append(Problem(place, message, line[:80]))
        return None
    return CategoryData(name, percent, correct, total)


def _config(content: Content) -> dict[str, Any]:
    """Return the configuration that the report begins with, {} where it is lost."""
    try:
        records = [document.value for document in content.json[0]]
    except UnreadableError:
        return {}
    found = (item for item in records if isinstance(item, dict) and "server" in item)
    return next(found, {})


def _section(config: dict[str, Any], name: str) -> dict[str, Any]:
    value = config.get(name)
    return value if isinstance(value, dict) else {}


def _model(reported: Any) -> ModelDocument:
    """Return the model as the server calls it, "llama3:8b-instruct-q8_0"."""
    name = clean_name(reported)
    base, quantization = split_model_file_name(name) if name else (None, None)
    return ModelDocument(model_name=base if quantization else name, quantization=quantization)


def _subset_reasons(test: dict[str, Any]) -> list[str]:
    """Return why the configuration asked for fewer questions than there are."""
    return [
        f"{name} {short_value(value)}"
        for name in _SUBSETS
        if (value := test.get(name)) is not None and value not in _WHOLE[name]
    ]


def _facts(inference: dict[str, Any]) -> dict[str, Any]:
    """Return how the answers were generated."""
    found = {name: inference.get(name) for name in _INFERENCE_FACTS}
    return {
        name: value
        for name, value in found.items()
        if isinstance(value, str)
        or (isinstance(value, int | float) and abs(value) < _LARGEST_SETTING)
    }


def _measured_at(text: str, problems: list[Problem]) -> datetime | None:
    """Return the time in the first lines of the report; the report gives no zone."""
    for line in text[:_BEGINNING].splitlines():
        if _TIMESTAMP.fullmatch(line.strip()):
            try:
                moment = datetime.fromisoformat(line.strip())
            except ValueError:
                problems.append(Problem("", "The report begins with a time that is none.", line))
                return None
            if EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
                return moment
            message = f"The year lies between {EARLIEST_YEAR} and {LATEST_YEAR}."
            problems.append(Problem("", message, line))
    return None


FORMAT = Format(
    name="mmlu-pro-report",
    title="MMLU-Pro report (chigkim)",
    version=1,
    detect=_detect,
    parse=_parse,
    about=about.REPORT,
    tool="Ollama-MMLU-Pro",
    command="python run_openai.py --url http://localhost:11434/v1 --model MODEL",
    file_name="report.txt",
    fills=("model_name", "quantization", "scores"),
    lacks=("quantization",),
)

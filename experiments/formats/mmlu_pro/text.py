"""TIGER-Lab's MMLU-Pro summary text: accuracy by category, then over all questions."""

import re

from benchmarks.totals import CategoryData, category_key
from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.documents import InvalidFileError, ModelDocument, ParsedFile, Problem
from experiments.formats.mmlu_pro import about
from experiments.formats.mmlu_pro.scores import TIGER_LAB, score_file
from experiments.formats.numbers import as_percent

_HEADER = re.compile(r"^-+ ?category level sta", re.MULTILINE)
_LINE = re.compile(r"Average accuracy(?P<colon>:)?\s*(?P<number>\S+)(\s+-\s+(?P<category>.+))?")
_CATEGORIES = 14


def _detect(content: Content) -> bool:
    return _HEADER.search(content.text) is not None


def _parse(content: Content) -> ParsedFile:
    categories: dict[str, CategoryData] = {}
    overall: float | None = None
    problems: list[Problem] = []
    for line_number, line in enumerate(content.text.splitlines(), 1):
        found = _LINE.fullmatch(line.strip())
        if found is None:
            continue
        place = f"line {line_number}"
        accuracy = _accuracy(found["number"], place, problems)
        name = found["category"]
        if name is None:
            overall = accuracy
        elif category_key(name) in categories:
            message = "This category stands twice; send the summaries of two runs one by one."
            problems.append(Problem(place, message, name))
        else:
            categories[category_key(name)] = CategoryData(category=name, score=accuracy)
    if not problems and (overall is None or not categories):
        message = (
            f"The summary is cut off: it has {len(categories)} of {_CATEGORIES} categories and "
            f"{'no' if overall is None else 'an'} overall accuracy. Send it once the run is done."
        )
        problems.append(Problem("", message, len(categories)))
    if problems:
        raise InvalidFileError(*problems)
    return score_file(
        path="",
        harness=TIGER_LAB,
        model=ModelDocument(model_name=None, quantization=None),
        categories=list(categories.values()),
        stated_score=overall,
    )


def _accuracy(text: str, place: str, problems: list[Problem]) -> float | None:
    """Return an accuracy in percent."""
    if re.fullmatch(r"[01](\.[0-9]{1,17})?", text) and float(text) <= 1:
        return as_percent(float(text))
    problems.append(Problem(place, "An accuracy lies between 0 and 1.", text[:80]))
    return None


FORMAT = Format(
    name="mmlu-pro-text",
    title="MMLU-Pro summary text (TIGER-Lab)",
    version=1,
    detect=_detect,
    parse=_parse,
    about=about.TEXT,
    tool="MMLU-Pro",
    file_name="summary.txt",
    fills=("scores",),
    lacks=("model_name", "quantization"),
)

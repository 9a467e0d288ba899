"""MMLU-Pro summary JSON: right and wrong answers by category, and in total.

A script of TIGER-Lab's writes all categories so far into each file; the total then spans them.
"""

from collections.abc import Mapping
from typing import Any

from benchmarks.totals import CategoryData
from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.documents import InvalidFileError, ModelDocument, ParsedFile, Problem
from experiments.formats.mmlu_pro import about
from experiments.formats.mmlu_pro.scores import CHIGKIM, TIGER_LAB, score_file
from experiments.formats.numbers import as_percent, is_number
from experiments.formats.problems import join_path, short_value

_COUNTS = ("corr", "wrong")
_TOTAL = "total"
# chigkim's script counts here the answers it could not read and guessed.
_GUESSED = "random"
_LARGEST = 10**9


def _detect(content: Content) -> bool:
    total = content.first_record.get(_TOTAL)
    return isinstance(total, dict) and total.keys() >= {*_COUNTS, "acc"}


def _parse(content: Content) -> ParsedFile:
    documents, _skipped = content.json
    if len(documents) > 1 or not isinstance(documents[0].value, dict):
        message = "One summary is expected in a file; send those of different models one by one."
        raise InvalidFileError(Problem("", message, len(documents)))
    place, record = documents[0].place, documents[0].value
    problems: list[Problem] = []
    counts = {
        name: _read(value, join_path(place, name), problems)
        for name, value in record.items()
        if name != _GUESSED
    }
    if not problems and len(counts) == 1:
        problems.append(Problem(place, "There is no category beside the total."))
    if problems:
        raise InvalidFileError(*problems)
    total = counts.pop(_TOTAL)
    guessed = record.get(_GUESSED)
    context = {"guessed_answers": guessed} if _is_plain(guessed) else {}
    return score_file(
        path=place,
        harness=CHIGKIM if guessed is not None else TIGER_LAB,
        model=ModelDocument(model_name=None, quantization=None),
        categories=[
            CategoryData(category=name, score=item.score, correct=item.correct, total=item.total)
            for name, item in counts.items()
        ],
        stated_score=total.score,
        correct=total.correct,
        total=total.total,
        context=context,
    )


def _read(value: Any, path: str, problems: list[Problem]) -> CategoryData:
    """Return counts and percentage of one entry, noting what is wrong with it."""
    nothing = CategoryData(category=path)
    if not isinstance(value, dict):
        problems.append(
            Problem(path, "An object with corr, wrong and acc is expected.", short_value(value))
        )
        return nothing
    found: dict[str, Any] = {}
    for name in (*_COUNTS, "acc"):
        number: Any = value.get(name)
        if not _is_number(number):
            message = "A number is expected here."
        elif name == "acc" and not 0 <= number <= 1:
            message = "The share of right answers lies between 0 and 1."
        elif name != "acc" and not (number >= 0 and number == int(number)):
            message = "A count is a whole number from 0 on."
        else:
            found[name] = number
            continue
        problems.append(Problem(join_path(path, name), message, short_value(number)))
    if len(found) < len(_COUNTS) + 1:
        return nothing
    correct, wrong = int(found["corr"]), int(found["wrong"])
    if correct + wrong == 0:
        problems.append(Problem(path, "No question was answered; leave the category out.", 0))
    return CategoryData(path, as_percent(found["acc"]), correct, correct + wrong)


def _is_number(value: Any) -> bool:
    """Tell whether a value is a number of a size that counts of questions have; NaN is not."""
    return is_number(value) and -_LARGEST <= value <= _LARGEST


def _is_plain(value: Any) -> bool:
    """Tell whether a value is an object of counts that can be kept as it is."""
    return isinstance(value, Mapping) and all(map(_is_number, value.values()))


FORMAT = Format(
    name="mmlu-pro-json",
    title="MMLU-Pro summary JSON",
    version=1,
    detect=_detect,
    parse=_parse,
    about=about.JSON,
    tool="MMLU-Pro",
    file_name="summary.json",
    fills=("scores",),
    lacks=("model_name", "quantization"),
)

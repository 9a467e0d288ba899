"""pydantic's validation errors as problems in the words of an uploader."""

import json
import math
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from experiments.formats.documents import MOST_PROBLEMS, Problem

_MAX_VALUE_LENGTH = 200
_MAX_KEY_LENGTH = 100
_LARGEST_SHOWN = 1e15
_OBJECT = "An object {{ … }} is needed here."
_WHOLE_NUMBER = "A whole number is needed here"
_UUID = "An id is a UUID, such as 0193a0de-5c11-7a42-9b0e-6f1d2c3b4a55."
_URL = "An address is written like https://example.org/results."
# By pydantic's error types; {…} are what it tells of the error.
_MESSAGES = {
    "missing": "This field is required.",
    "finite_number": "A number is needed here; NaN and infinity are not measurements.",
    "string_type": "A text is needed here.",
    "string_too_short": "This is blank; at least {min_length} character is needed here.",
    "string_too_long": "This has {length} characters; there is room for {max_length}.",
    "bool_type": "true or false is needed here.",
    "int_from_float": f"{_WHOLE_NUMBER}.",
    "int_parsing_size": "This number is too large.",
    "greater_than": "This number must be above {gt}.",
    "greater_than_equal": "This number must be {ge} or more.",
    "less_than": "This number must be below {lt}.",
    "less_than_equal": "This number must be {le} or less.",
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "dict_type": _OBJECT,
    "list_type": "A list [ … ] is needed here.",
    "too_short": "This list is empty; it has at least {min_length} entry.",
    "too_long": "This list has {actual_length} entries; there is room for {max_length}.",
    "literal_error": "One of these is needed here: {expected}.",
    "union_tag_invalid": "One of these is needed here: {expected_tags}.",
    "union_tag_not_found": "This field is required.",
    "uuid_type": _UUID,
    "uuid_parsing": _UUID,
    "url_parsing": _URL,
    "url_scheme": _URL,
}
_NUMBER_TYPES = ("int_type", "int_parsing", "float_type", "float_parsing")
ShapeT = TypeVar("ShapeT", bound=BaseModel)
_TAG_TYPES = ("union_tag_invalid", "union_tag_not_found")


def problems_of(
    error: ValidationError, place: str = "", *, source: Any = None, names: Collection[str] = ()
) -> list[Problem]:
    """Return one problem for each place with an error, with a path such as `metrics[0].value`.

    `source` is the value that was validated: with it, what pydantic puts into its paths beyond
    keys and indexes (which member of a union it tried) is left out. `names` are the names that
    fields have, of which the nearest is offered for one that is unknown. After one problem more
    than are told the rest is left out.
    """
    problems: dict[str, Problem] = {}
    for item in error.errors(include_url=False):
        if len(problems) > MOST_PROBLEMS:
            break
        location = item["loc"] if source is None else _steps_within(source, item)
        path = join_path(place, *location)
        problems.setdefault(path, Problem(path, _message(item, names), _value(item)))
    return list(problems.values())


def checked(shape: type[ShapeT], value: Any, place: str, problems: list[Problem]) -> ShapeT | None:
    """Return a value in its shape, or None with a problem for each place that cannot be right."""
    try:
        return shape.model_validate(value)
    except ValidationError as error:
        problems += problems_of(error, place, source=value)
        return None


def join_path(place: str, *parts: int | str) -> str:
    """Return a path of keys and indexes below a place, written as in JavaScript."""
    path = place
    for part in parts:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            key = part if len(part) <= _MAX_KEY_LENGTH else part[:_MAX_KEY_LENGTH] + "…"
            path += (
                f"{': ' if path.startswith('line') and ':' not in path else '.'}{key}"
                if path
                else key
            )
    return path


def short_value(value: Any) -> Any:
    """Return a value as a report may show it: plain ones as they are, long ones as a cut text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float) and abs(value) < _LARGEST_SHOWN:
        return value
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False, default=str)
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _MAX_VALUE_LENGTH else text[: _MAX_VALUE_LENGTH - 1] + "…"


def _steps_within(source: Any, item: ErrorDetails) -> list[int | str]:
    """Return the keys and indexes that lead through `source` to the place of an error."""
    steps: list[int | str] = []
    value = source
    for part in item["loc"]:
        is_key = isinstance(value, Mapping) and part in value
        if is_key or (isinstance(value, list) and isinstance(part, int) and part < len(value)):
            value = value[part]
            steps.append(part)
    if item["type"] == "missing":
        steps.append(item["loc"][-1])
    elif item["type"] in _TAG_TYPES:
        steps.append(_tag(item))
    return steps


def _tag(item: ErrorDetails) -> str:
    """Return the name of the field that tells the members of a union apart."""
    return str(item["ctx"]["discriminator"]).strip("'")


def _value(item: ErrorDetails) -> Any:
    if item["type"] in ("missing", "union_tag_not_found"):
        return None
    value = item["input"]
    return short_value(value.get(_tag(item)) if item["type"] in _TAG_TYPES else value)


def _message(item: ErrorDetails, names: Collection[str]) -> str:
    """Say what would be right at the place of an error."""
    kind, value = item["type"], item["input"]
    if kind == "extra_forbidden":
        return _unknown_field(str(item["loc"][-1]), names)
    if kind in _NUMBER_TYPES:
        return _no_number(value, whole=kind.startswith("int"))
    if kind not in _MESSAGES:
        message = item["msg"].removeprefix("Value error, ")
        return message if message.endswith((".", "?")) else message + "."
    facts = {name: _figure(fact) for name, fact in item.get("ctx", {}).items()}
    length = len(value) if isinstance(value, str) else 0
    return _MESSAGES[kind].format(**{"length": f"{length:,}", **facts})


def _figure(fact: Any) -> str:
    """Return a limit as people read it; other facts as text."""
    if isinstance(fact, int):
        return f"{fact:,}"
    return f"{fact:,.15g}" if isinstance(fact, float) else str(fact)


def _unknown_field(name: str, names: Collection[str]) -> str:
    short = len(name) <= _MAX_KEY_LENGTH
    nearest = get_close_matches(name, names, n=1, cutoff=0.75) if short else ()
    advice = f"is “{nearest[0]}” meant?" if nearest else "see the format's description."
    return f"This is not a field of the format; {advice}"


def _no_number(value: Any, *, whole: bool) -> str:
    """Say how the number is written that is needed instead of `value`."""
    needed = _WHOLE_NUMBER if whole else "A number is needed here"
    if isinstance(value, bool):
        return f"{needed}, not true or false."
    if isinstance(value, int):
        return "This number is too large."
    if isinstance(value, str):
        return f"{needed}, without quotation marks." if _is_number(value) else f"{needed}."
    if isinstance(value, float):
        return f"{needed}, without a decimal point."
    return f"{needed}."


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False

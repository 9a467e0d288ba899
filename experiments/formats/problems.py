"""pydantic's validation errors as problems in the words of an uploader."""

from typing import Any

from pydantic import ValidationError

from experiments.formats.documents import Problem

_MAX_VALUE_LENGTH = 200
_MESSAGES = {
    "missing": "This field is required.",
    "extra_forbidden": "This is not a field of the format; see the format's description.",
    "finite_number": "A number is needed here; NaN and infinity are not measurements.",
}


def problems_of(error: ValidationError, place: str = "") -> list[Problem]:
    """Return one problem for each validation error, with a path such as `metrics[0].value`."""
    return [
        Problem(
            join_path(place, *item["loc"]),
            _message(item["type"], item["msg"]),
            None if item["type"] == "missing" else short_value(item["input"]),
        )
        for item in error.errors(include_url=False)
    ]


def join_path(place: str, *parts: int | str) -> str:
    """Return a path of keys and indexes below a place, written as in JavaScript."""
    path = place
    for part in parts:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            path += (
                f"{': ' if path.startswith('line') and ':' not in path else '.'}{part}"
                if path
                else part
            )
    return path


def short_value(value: Any) -> Any:
    """Return a value as a report may show it: scalars as they are, long ones cut."""
    if isinstance(value, bool | int | None.__class__):
        return value
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _MAX_VALUE_LENGTH else text[: _MAX_VALUE_LENGTH - 1] + "…"


def _message(kind: str, message: str) -> str:
    message = _MESSAGES.get(kind, message.removeprefix("Value error, "))
    return message if message.endswith((".", "?")) else message + "."

"""Text that no database can store, nesting that no result file has: refused in what was read."""

import re
from typing import Any

from experiments.formats.documents import Problem, UnreadableError

_MAX_DEPTH = 100
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_ESCAPED = re.compile(r"\\u(?:0000|d[89a-f])", re.IGNORECASE)
TOO_DEEP = Problem("", f"The file is nested deeper than {_MAX_DEPTH} levels.")


def may_be_unstorable(text: str) -> bool:
    """Tell whether JSON may hold what no database can store: by itself, or as an escape."""
    is_unstorable = not text.isascii() and _UNSTORABLE.search(text)
    return bool(is_unstorable or _ESCAPED.search(text))


def is_deep(value: Any) -> bool:
    """Tell whether a value is nested as deep as is allowed, or deeper."""
    level: list[Any] = [[value]]
    for _depth in range(_MAX_DEPTH + 1):
        level = [
            item
            for holder in level
            for item in (holder.values() if isinstance(holder, dict) else holder)
            if isinstance(item, dict | list)
        ]
        if not level:
            return False
    return True


def check_text(value: Any, path: str, depth: int = 0) -> None:
    """Refuse text that no database can store, and nesting that no result file has."""
    if depth > _MAX_DEPTH:
        raise UnreadableError(TOO_DEEP)
    if isinstance(value, str):
        if found := _UNSTORABLE.search(value):
            raise UnreadableError(
                Problem(
                    path,
                    "The text holds a NUL character or half of a surrogate pair; remove it.",
                    ascii(value[max(found.start() - 10, 0) : found.start() + 10]),
                )
            )
    elif isinstance(value, dict):
        for key, item in value.items():
            check_text(key, path, depth + 1)
            check_text(item, f"{path}.{key}" if path else key, depth + 1)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            check_text(item, f"{path}[{index}]", depth + 1)

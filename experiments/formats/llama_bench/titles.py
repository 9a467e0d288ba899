"""What a table of llama-bench is called: the heading and the line that stand above it."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.quantization import tidy_name

MAX_TITLE = 120
MAX_LINE = 1000  # longer lines are no titles

_HEADING = re.compile(r"#{1,6}\s+(.*?)[#\s]*|={2,}\s+(.+?)\s+={2,}|(?:\*\*|__)(.+?)(?:\*\*|__)")
# What llama.cpp, its backends and a shell write: function names before a colon, devices, commands,
# and times, which would set each upload apart from the next.
_LOG = re.compile(
    r"[~a-z0-9]+(?:_[a-z0-9]+)+\s*:"
    r"|(?:device \d+|build|main|load|warning|error|system.info)\s*:"
    r"|found \d+ "
    r"|```|~~~|<"
    r"|(?:\$|>|❯|%|PS )\s?",
    re.IGNORECASE,
)
_COMMAND = re.compile(r"llama-bench\S*\s+-")
_TIME_OF_DAY = re.compile(r"\d:[0-5]\d:[0-5]\d")
_WORD = re.compile(r"\w")


class Title(NamedTuple):
    """The nearest heading above a table, and the nearest line of text between the two."""

    heading: str | None
    text: str | None


def find_title(lines: Sequence[str]) -> Title | None:
    """Return what the lines above a table call it, None where they are logs alone."""
    text = None
    for line in reversed(lines):
        stripped = line.strip() if len(line) <= MAX_LINE else ""
        if found := _HEADING.fullmatch(stripped):
            heading = _short(next(part for part in found.groups() if part is not None))
            if heading:
                return Title(heading, text)
        elif text is None and _says_something(stripped):
            text = _short(stripped)
    return Title(None, text) if text else None


def _says_something(line: str) -> bool:
    return not (
        line.startswith("|")
        or not _WORD.search(line)
        or _LOG.match(line)
        or _COMMAND.search(line)
        or _TIME_OF_DAY.search(line)
    )


def _short(text: str) -> str:
    tidied = tidy_name(text).strip(" *_`")
    return tidied if len(tidied) <= MAX_TITLE else tidied[: MAX_TITLE - 1] + "…"

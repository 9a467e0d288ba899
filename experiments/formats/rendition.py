"""What everybody may read of a file that was sent: its JSON without all that is private.

Of files in other forms the public sees the hash alone: their lines mix figures with whatever a
shell printed, and what the site read of them stands on the pages of their runs.
"""

import re
from collections.abc import Mapping
from typing import Any

from experiments.formats import FORMATS
from experiments.formats.content import Content
from experiments.formats.numbers import without_nonfinite
from experiments.formats.private import LONGEST_LIST, LONGEST_VALUE, is_personal
from experiments.redaction import (
    HIDDEN,
    is_private,
    is_secret,
    name_of_value,
    redact,
    redact_text,
)

LARGEST_BYTES = 4_000_000
"""Larger files hold per-request records for the most part, which no rendition shows."""
DEEPEST = 20
_ADDRESS = re.compile(
    r"\b\d{1,3}(?:\.\d{1,3}){3}\b|\b[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,4}\b"
)


def has_rendition(format_name: str | None) -> bool:
    """Tell whether files of a format are JSON, as its usual file name says."""
    names = {item.name: item.file_name for item in FORMATS}
    return names.get(format_name or "", "").endswith((".json", ".jsonl"))


def public_documents(content: Content) -> list[Any]:
    """Return the JSON documents of a file as everybody may read them.

    Hidden is what is named like a secret, an address, a command or a text of a conversation, and
    every text that is long; of home folders the last part of a path is kept. Lists of more than
    LONGEST_LIST things inside a document are left out: they are of single requests.
    """
    documents, _skipped = content.json
    return [_public(document.value) for document in documents]


def _public(value: Any, name: str = "", depth: int = 0) -> Any:
    if depth > DEEPEST:
        return "left out: nested too deeply"
    is_plain = not isinstance(value, Mapping | list)
    if value and not isinstance(value, bool):
        if is_secret(name, value if is_plain else "") or is_private(name, value):
            return HIDDEN
        if is_personal(name, value):
            return HIDDEN
    if isinstance(value, Mapping):
        called = name_of_value(value)
        return {
            _shown(key): _public(item, called if key == "value" else key, depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return _public_list(value, depth)
    if isinstance(value, str):
        too_long = len(value) > LONGEST_VALUE
        return f"left out: a text of {len(value):,} characters" if too_long else _shown(value)
    return without_nonfinite(value)


def _public_list(items: list[Any], depth: int) -> Any:
    """Return a list, its texts judged as the words of a command."""
    if depth and len(items) > LONGEST_LIST:
        return f"left out: a list of {len(items):,}"
    if all(isinstance(item, str) for item in items):
        return [_public(item, depth=depth + 1) for item in redact(items)]
    return [_public(item, depth=depth + 1) for item in items]


def _shown(text: str) -> str:
    return _ADDRESS.sub(HIDDEN, redact_text(text))

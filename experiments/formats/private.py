"""What of a tool's record may be kept as settings: no secrets, prompts, answers or addresses.

The bytes of an upload hold all of it, and only its uploader and curators can fetch them.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from experiments.formats.documents import Problem
from experiments.formats.numbers import without_nonfinite
from experiments.redaction import HIDDEN, PRIVATE_NAMES, SENT_ALONG, redact

LONGEST_VALUE = 200
LONGEST_LIST = 20
MOST_SETTINGS = 500
_DEEPEST = 8
# What people sent and were answered, and where and under which name they keep things.
_PERSONAL = re.compile(
    rf"{PRIVATE_NAMES}|message|inputs?|outputs?|responses?|completions?|"
    r"urls?|target|api_base|address|\w+_(url|urls|target|address)|"
    r"user|username|email|ip|cli_command|command|command_line|argv|cwd|home"
)
_ADDRESS = re.compile(r"\w+://\S+|(localhost|[\w-]+(\.[\w-]+)+):\d{2,5}(/\S*)?")
_PERSONAL_OBJECTS = re.compile(rf"{SENT_ALONG}|(extra_)?body")


def public_settings(
    record: Mapping[str, Any], *, skip: Collection[str] = ()
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the settings of a record by dotted name, and the names of what was hidden.

    `skip` names top-level keys that are no settings. Nested objects are flattened; nulls, long
    lists and long texts are left out (they are data, not settings). Hidden is what is named like
    a secret, an address, a command or a text of a conversation; of a path in somebody's home
    folder the last part is kept.
    """
    settings: dict[str, Any] = {}
    hidden: list[str] = []
    for name, key, value in _leaves(record, skip):
        if _is_personal(_plain_key(key), value):
            hidden.append(name)
        elif _is_setting(value):
            finite = without_nonfinite(value)
            shown = redact(finite, name=key)
            if shown != finite:
                hidden.append(name)
            if shown != HIDDEN and len(settings) < MOST_SETTINGS:
                settings[name] = shown
    return settings, tuple(hidden)


def hidden_warning(place: str, names: Collection[str]) -> list[Problem]:
    """Return the warning that tells which fields were hidden, none where none was."""
    if not names:
        return []
    message = (
        "These may hold secrets or personal data: they are in the file you sent, which only you "
        "and curators can fetch, and are shown to nobody else."
    )
    shown = sorted(set(names))
    more = f" and {len(shown) - LONGEST_LIST} more" if len(shown) > LONGEST_LIST else ""
    return [Problem(place, message, ", ".join(shown[:LONGEST_LIST]) + more)]


def is_personal(name: str, value: Any) -> bool:
    """Tell whether what is called so is somebody's own, or data of single requests."""
    return _is_personal(_plain_key(name), value)


def _leaves(
    record: Mapping[str, Any], skip: Collection[str], prefix: str = "", depth: int = 0
) -> Iterator[tuple[str, str, Any]]:
    """Yield (dotted name, last key, value) of all that is not null."""
    for key, value in record.items():
        name = f"{prefix}{key}"
        if (not depth and key in skip) or value is None or len(name) > LONGEST_VALUE:
            continue
        if isinstance(value, Mapping) and not _PERSONAL_OBJECTS.fullmatch(_plain_key(key)):
            if depth < _DEEPEST:
                yield from _leaves(value, (), f"{name}.", depth + 1)
        else:
            yield name, key, value


def _plain_key(key: str) -> str:
    """Return a key as settings are mostly named: `--data-parallel-address` is one, too."""
    return key.lower().lstrip("-").replace("-", "_")


def _is_personal(key: str, value: Any) -> bool:
    """Tell whether a value is somebody's own; a number never is."""
    if _PERSONAL_OBJECTS.fullmatch(key):
        return bool(value)
    texts = value if isinstance(value, list) else [value]
    if any(isinstance(item, str) and _ADDRESS.fullmatch(item) for item in texts):
        return True
    return bool(value) and isinstance(value, str | list) and bool(_PERSONAL.fullmatch(key))


def _is_setting(value: Any) -> bool:
    """Tell settings from data: long texts, long lists and lists of objects are data."""
    if isinstance(value, str):
        return len(value) <= LONGEST_VALUE
    if isinstance(value, list):
        plain = all(item is None or isinstance(item, bool | int | float | str) for item in value)
        return plain and len(value) <= LONGEST_LIST
    return isinstance(value, bool | int | float)

"""What the public may read of settings, notes and file names: no secrets, no home folders (pure).

The database keeps what came; pages and exports show it through `redact` and `redact_text`.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

HIDDEN = "hidden"

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_SECRET_WORD = re.compile(
    "apikey|auth|authorization|bearer|cookie|credentials?|passphrase|passwd|passwords?|privatekey|"
    "pwd|secrets?|token"
)
_SECRET_KEYS = frozenset({"access", "api", "encryption", "private", "signing", "ssh"})
_NUMBER = re.compile(r"-?\d{1,12}(\.\d+)?")

# Each pattern starts where a word starts, so that reading stays linear in the length of the text.
_ASSIGNED = re.compile(
    r"""(?<![\w.-])(?P<name>[A-Za-z_-][\w.-]*)(?P<between>["']?\s*(?:=|:(?!//))\s*["']?)"""
    r"""(?P<value>(?:(?:bearer|basic)\s+)?[^\s"',;&]+)""",
    re.IGNORECASE,
)
_FLAG = re.compile(
    r"""(?<![\w-])(?P<name>--?[A-Za-z][\w-]*)(?P<between>\s+["']?)(?P<value>(?!--)[^\s"']+)"""
)
_BEARER = re.compile(r"""\b(bearer\s+)[^\s"',;]+""", re.IGNORECASE)
_URL_LOGIN = re.compile(r"(?<=://)[^\s/@]+@")
_PATH = re.compile(
    r"""(?:file://|(?<![\w/\\.~-]))"""
    r"""(?:[A-Za-z]:[\\/]+Users[\\/]+[^\\/:"'\n]*(?:[\\/][^\s"',;=:]*)?|/(?!/)[^\s"',;=:]*)"""
)
_SEPARATORS = re.compile(r"[\\/]+")


def redact(value: Any, *, name: str = "") -> Any:
    """Return a setting as the public may read it; `name` is what it is called."""
    if isinstance(value, Mapping):
        if _is_secret(name) and value:
            return HIDDEN
        return {redact_text(str(key)): redact(item, name=str(key)) for key, item in value.items()}
    if value is None or isinstance(value, bool) or value == "":
        return value
    if _is_secret(name, value):
        return HIDDEN
    if isinstance(value, str):
        return redact_text(value)
    return _redact_list(value) if isinstance(value, Sequence) else value


def redact_text(text: str) -> str:
    """Return a text without the secrets it assigns, and paths in home folders as file names."""
    text = _ASSIGNED.sub(_hide_value, text)
    text = _FLAG.sub(_hide_value, text)
    text = _BEARER.sub(rf"\g<1>{HIDDEN}", text)
    text = _URL_LOGIN.sub(f"{HIDDEN}@", text)
    return _PATH.sub(lambda match: _without_home(match[0]), text)


def _redact_list(items: Sequence[Any]) -> list[Any]:
    """Return a list whose items may be the words of a command: `--api-key`, then the key."""
    flags = ["", *(item if isinstance(item, str) and item[:1] == "-" else "" for item in items)]
    return [redact(item, name=flag) for flag, item in zip(flags, items, strict=False)]


def _is_secret(name: str, value: Any = "") -> bool:
    """Tell whether a thing of this name is secret; a number called token is a count of them."""
    words = [word.lower() for word in _WORD.findall(name)]
    found = {word for word in words if _SECRET_WORD.fullmatch(word)}
    if found == {"token"} and _NUMBER.fullmatch(str(value)):
        return False
    is_key = any(last == "key" and first in _SECRET_KEYS for first, last in pairwise(words))
    return bool(found) or is_key


def _hide_value(match: re.Match[str]) -> str:
    if not _is_secret(match["name"], match["value"]):
        return match[0]
    return f"{match['name']}{match['between']}{HIDDEN}"


def _without_home(path: str) -> str:
    """Return the last part of a path in somebody's home folder, other paths as they are."""
    parts = [part for part in _SEPARATORS.split(path.removeprefix("file://")) if part]
    for place, part in enumerate(parts):
        if part in ("home", "Users"):
            return parts[-1] if len(parts) > place + 2 else HIDDEN
    return parts[-1] if len(parts) > 1 and parts[0] == "root" else path

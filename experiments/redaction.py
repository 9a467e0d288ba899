"""What the public may read of settings, notes and file names: no secrets, no home folders (pure).

The database keeps what came, but for names, which are searched and indexed: these are stored
redacted. Pages and exports show all else through `redact` and `redact_text`.
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
SENT_ALONG = r"((extra|http|request)_)?headers?|cookies?"
PRIVATE_NAMES = (
    rf"ssl_\w+|host|hostname|\w+_host(name)?|{SENT_ALONG}|"
    r"(generated_|prompt_)?(texts?|prompts?)|messages"
)
"""Where a server listens and by which certificate, what clients send along, what people said."""
_PRIVATE = re.compile(PRIVATE_NAMES)
_NAMES_ITS_VALUE = ("name", "key", "variable", "path")
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
# Tokens that tell themselves by how they begin, wherever they stand.
_TOKEN = re.compile(
    r"""\b(?:(?:hf|gh[opsu]|gsk|r8|sk_live|sk_test)_[A-Za-z0-9]{20,}|github_pat_\w{20,}"""
    r"""|(?:bsk_|glpat-|nvapi-|xox[abprs]-|sk-)[\w-]{20,}"""
    r"""|AKIA[0-9A-Z]{16}\b|AIza[\w-]{30,}|eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?)"""
)
# The value of a short flag that is a login, or long and of letters and digits mixed, as keys are.
_SHORT_FLAG = re.compile(
    r"""(?<![\w-])(?P<flag>-[A-Za-z])(?P<between>[\s=]+["']?)(?P<value>[^\s"']+)"""
)
_LOGIN_FLAGS = ("-u", "-U")
_KEY_LIKE = re.compile(r"(?=\D*\d)(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9+=]{20,}")
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
        if value and (is_secret(name) or is_private(name, value)):
            return HIDDEN
        called = name_of_value(value)
        return {
            redact_text(str(key)): redact(item, name=called if key == "value" else str(key))
            for key, item in value.items()
        }
    if value is None or isinstance(value, bool) or value == "":
        return value
    if is_secret(name, value) or is_private(name, value):
        return HIDDEN
    if isinstance(value, str):
        return redact_text(value)
    return _redact_list(value) if isinstance(value, Sequence) else value


def redact_text(text: str) -> str:
    """Return a text without the secrets it assigns, and paths in home folders as file names."""
    text = _ASSIGNED.sub(_hide_value, text)
    text = _FLAG.sub(_hide_value, text)
    text = _SHORT_FLAG.sub(_hide_key, text)
    text = _TOKEN.sub(HIDDEN, text)
    text = _BEARER.sub(rf"\g<1>{HIDDEN}", text)
    text = _URL_LOGIN.sub(f"{HIDDEN}@", text)
    return _PATH.sub(lambda match: _without_home(match[0]), text)


def is_private(name: str, value: Any) -> bool:
    """Tell whether a thing of this name is somebody's own, which a number never is."""
    last = name.rpartition(".")[2].lstrip("-").replace("-", "_").lower()
    return not isinstance(value, int | float) and bool(value) and bool(_PRIVATE.fullmatch(last))


def name_of_value(pairs: Mapping[Any, Any]) -> str:
    """Return what the value of {"name": "HF_TOKEN", "value": …} is called, "value" if nothing."""
    names = (pairs.get(key) for key in _NAMES_ITS_VALUE)
    return next((name for name in names if isinstance(name, str) and name), "value")


def _redact_list(items: Sequence[Any]) -> list[Any]:
    """Return a list whose items may be the words of a command: `--api-key`, then the key."""
    flags = ["", *(item if isinstance(item, str) and item[:1] == "-" else "" for item in items)]
    return [_redact_word(flag, item) for flag, item in zip(flags, items, strict=False)]


def _redact_word(flag: str, item: Any) -> Any:
    """Return a word of a command as it may be read behind the word `flag`."""
    both = _SHORT_FLAG.fullmatch(f"{flag} {item}")
    return HIDDEN if both and _hide_key(both) != both[0] else redact(item, name=flag)


def is_secret(name: str, value: Any = "") -> bool:
    """Tell whether a thing of this name is secret; a number called token is a count of them."""
    words = [word.lower() for word in _WORD.findall(name)]
    found = {word for word in words if _SECRET_WORD.fullmatch(word)}
    if found == {"token"} and _NUMBER.fullmatch(str(value)):
        return False
    is_key = any(last == "key" and first in _SECRET_KEYS for first, last in pairwise(words))
    return bool(found) or is_key


def _hide_value(match: re.Match[str]) -> str:
    if not is_secret(match["name"], match["value"]):
        return match[0]
    return f"{match['name']}{match['between']}{HIDDEN}"


def _hide_key(match: re.Match[str]) -> str:
    flag, value = match["flag"], match["value"]
    is_login = flag in _LOGIN_FLAGS and ":" in value
    if not is_login and not _KEY_LIKE.fullmatch(value):
        return match[0]
    return f"{flag}{match['between']}{HIDDEN}"


def _without_home(path: str) -> str:
    """Return the last part of a path in somebody's home folder, other paths as they are."""
    parts = [part for part in _SEPARATORS.split(path.removeprefix("file://")) if part]
    for place, part in enumerate(parts):
        if part in ("home", "Users"):
            return parts[-1] if len(parts) > place + 2 else HIDDEN
    return parts[-1] if len(parts) > 1 and parts[0] == "root" else path

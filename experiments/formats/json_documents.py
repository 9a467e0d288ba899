"""JSON as tools and scripts write it: one value, or many with other lines between them."""

import json
import re
from dataclasses import dataclass
from typing import Any

from experiments.formats.documents import Problem, UnreadableError
from experiments.formats.storable import TOO_DEEP, check_text, is_deep, may_be_unstorable

MOST_DOCUMENTS = 200_000
MOST_LINES = 1_000_000  # of those between documents
# What C and C++ print for numbers that are none, where JSON expects a value. Text in quotes is
# matched to be passed over; it ends with its line, so that a stray quotation mark harms no more.
_QUOTED_OR_NONFINITE = re.compile(
    r'"(?:[^"\\\n]|\\.)*"?'
    r"|(?<=[\s:,\[])-?(?:nan|inf)(?:\((?:ind|snan)\))?(?=\s*[,}\]])",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Document:
    """One JSON value of a file and where it stands (`""` for the whole file)."""

    place: str
    value: Any


def read_documents(text: str) -> tuple[tuple[Document, ...], int]:
    """Read one JSON value, or many with other lines between them: those are counted.

    Raises UnreadableError for broken JSON, keys that stand twice, text that cannot be stored, and
    nesting and numbers beyond reason. A text without any JSON gives no documents.
    """
    try:
        whole = _parse(text, 0, whole=True)[0]
    except json.JSONDecodeError as error:
        mended = _QUOTED_OR_NONFINITE.sub(_as_nan, text)
        if mended != text:
            return read_documents(mended)
        documents, skipped = _read_many(text)
        if not documents and text.lstrip()[:1] in ("{", "["):
            raise _broken(text, error) from error
        return documents, skipped
    if may_be_unstorable(text) or is_deep(whole):
        check_text(whole, "")
    return (Document("", whole),), 0


def _as_nan(found: re.Match[str]) -> str:
    """Return NaN as Python reads it, in as many characters; text in quotes stays as it is."""
    written = found[0]
    return written if written.startswith('"') else "NaN".ljust(len(written))


def _read_many(text: str) -> tuple[tuple[Document, ...], int]:
    """Read JSON values that follow each other; lines that start none are counted and skipped."""
    documents: list[Document] = []
    skipped = 0
    position = 0
    line_number = 1
    is_doubtful = may_be_unstorable(text)
    while position < len(text):
        line_end = text.find("\n", position)
        line_end = len(text) if line_end < 0 else line_end
        line = text[position:line_end]
        start = position + len(line) - len(line.lstrip())
        next_position = line_end + 1
        value = None
        if line.lstrip().startswith("{") or _may_be_array(line.strip()):
            try:
                value, next_position = _parse(text, start, whole=False)
            except json.JSONDecodeError as error:
                raise _broken(text, error) from error
        if _holds_object(value):
            place = f"line {line_number}"
            if is_doubtful or is_deep(value):
                check_text(value, place)
            documents.append(Document(place, value))
        else:
            skipped += bool(line.strip())
        if len(documents) > MOST_DOCUMENTS or skipped > MOST_LINES:
            raise UnreadableError(_TOO_MANY)
        line_number += text.count("\n", position, next_position)
        position = next_position
    return tuple(documents), skipped


def _may_be_array(line: str) -> bool:
    """Whether a line opens a JSON array with objects in it, or one that goes on behind the line.

    A log line such as "[INFO] …" does neither, nor does "[1] 4711", as a shell says of a job.
    """
    if not line.startswith("["):
        return False
    try:
        value, _end = _parse(line, 0, whole=False)
    except json.JSONDecodeError as error:
        return error.pos >= len(line)
    return _holds_object(value)


def _holds_object(value: Any) -> bool:
    items = value if isinstance(value, list) else [value]
    return any(isinstance(item, dict) for item in items)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object, refusing a key that stands twice: one of its values would be lost."""
    built = dict(pairs)
    if len(built) != len(pairs):
        seen: set[str] = set()
        for key, _value in pairs:
            if key in seen:
                raise UnreadableError(
                    Problem(key, "This key stands twice in one object; keep the right one.", key)
                )
            seen.add(key)
    return built


_DECODER = json.JSONDecoder(object_pairs_hook=_object)


def _parse(text: str, start: int, *, whole: bool) -> tuple[Any, int]:
    """Parse one JSON value from `start`; return it and the position behind it.

    Nesting beyond reason and endless integers are refused; other faults raise JSONDecodeError.
    """
    try:
        return (_DECODER.decode(text), len(text)) if whole else _DECODER.raw_decode(text, start)
    except RecursionError as error:
        raise UnreadableError(TOO_DEEP) from error
    except ValueError as error:
        if isinstance(error, json.JSONDecodeError):
            raise
        raise UnreadableError(
            Problem("", "A number in the file has too many digits to be a measurement.")
        ) from error


_TOO_MANY = Problem(
    "",
    f"The file holds more than {MOST_DOCUMENTS:,} JSON documents, or {MOST_LINES:,} other lines "
    "between them; split it.",
)


def _broken(text: str, error: json.JSONDecodeError) -> UnreadableError:
    """Describe broken JSON by line, column and the text around the place."""
    return UnreadableError(
        Problem(
            f"line {error.lineno}, column {error.colno}",
            f"This is not valid JSON: {error.msg}. Is the file complete?",
            text[max(error.pos - 20, 0) : error.pos + 20],
        )
    )

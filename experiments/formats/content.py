"""From bytes to text and JSON documents, with a clear error for everything that is neither."""

import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from experiments.formats.documents import Problem, UnreadableError

_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_MAX_DEPTH = 100
_EMPTY = Problem("", "The file is empty; send the file your tool wrote.")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_CONFLICT = re.compile(r"^(<{7} |={7}$|>{7} )", re.MULTILINE)


@dataclass(frozen=True)
class Document:
    """One JSON value of a file and where it stands (`""` for the whole file)."""

    place: str
    value: Any


@dataclass(frozen=True)
class Content:
    """A received file as text; JSON is read once, when it is first asked for."""

    text: str
    file_name: str = ""

    @property
    def looks_like_json(self) -> bool:
        """Whether the first character that is not white space opens a JSON object or array."""
        return self.text.lstrip()[:1] in ("{", "[")

    @cached_property
    def json(self) -> tuple[tuple[Document, ...], int]:
        """The JSON documents of the file and the number of lines skipped between them.

        Raises UnreadableError for broken JSON. A file without any JSON gives no documents.
        """
        return _read_documents(self.text)

    @cached_property
    def first_record(self) -> dict[str, Any]:
        """The object that tells the format: the first, or the first of the first array, or {}."""
        documents, _skipped = self.json
        if not documents:
            return {}
        value = documents[0].value
        if isinstance(value, list):
            value = next((item for item in value if isinstance(item, dict)), {})
        return value if isinstance(value, dict) else {}


def decode(data: bytes, file_name: str = "") -> Content:
    """Return the file as text: UTF-8, or UTF-16 with a byte order mark.

    Raises UnreadableError for empty files, other encodings and merge conflict markers.
    """
    if not data.strip():
        raise UnreadableError(_EMPTY)
    encoding = next((name for bom, name in _BOMS if data.startswith(bom)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise UnreadableError(
            Problem(
                f"byte {error.start}",
                "This is not UTF-8 text (or UTF-16 with a byte order mark); "
                "save it in UTF-8 or send the original file.",
                data[error.start : error.start + 8].hex(" "),
            )
        ) from error
    if not text.strip():
        raise UnreadableError(_EMPTY)
    if "\x00" in text:
        line = text.count("\n", 0, text.index("\x00")) + 1
        raise UnreadableError(
            Problem(f"line {line}", "The file holds a NUL character: this is no text file.")
        )
    if conflict := _CONFLICT.search(text):
        line = text.count("\n", 0, conflict.start()) + 1
        raise UnreadableError(
            Problem(
                f"line {line}",
                "The file holds a merge conflict marker; resolve the conflict first.",
                conflict.group(0).strip(),
            )
        )
    return Content(text, file_name)


def _read_documents(text: str) -> tuple[tuple[Document, ...], int]:
    """Read one JSON value, or many with other lines between them."""
    try:
        whole = _parse(text, 0, whole=True)[0]
    except json.JSONDecodeError as error:
        documents, skipped = _read_many(text)
        if not documents and text.lstrip()[:1] in ("{", "["):
            raise _broken(text, error) from error
        return documents, skipped
    _check_text(whole, "")
    return (Document("", whole),), 0


def _read_many(text: str) -> tuple[tuple[Document, ...], int]:
    """Read JSON values that follow each other; lines that start none are counted and skipped."""
    documents: list[Document] = []
    skipped = 0
    position = 0
    line_number = 1
    while position < len(text):
        line_end = text.find("\n", position)
        line_end = len(text) if line_end < 0 else line_end
        line = text[position:line_end]
        start = position + len(line) - len(line.lstrip())
        next_position = line_end + 1
        if text[start : start + 1] in ("{", "["):
            try:
                value, next_position = _parse(text, start, whole=False)
            except json.JSONDecodeError as error:
                # A log line such as "[INFO] …" fails at once; an array that was cut off does not.
                if text[start] == "{" or error.pos > line_end:
                    raise _broken(text, error) from error
                skipped += 1
            else:
                place = f"line {line_number}"
                _check_text(value, place)
                documents.append(Document(place, value))
        else:
            skipped += bool(line.strip())
        line_number += text.count("\n", position, next_position)
        position = next_position
    return tuple(documents), skipped


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
        raise UnreadableError(_TOO_DEEP) from error
    except ValueError as error:
        if isinstance(error, json.JSONDecodeError):
            raise
        raise UnreadableError(
            Problem("", "A number in the file has too many digits to be a measurement.")
        ) from error


_TOO_DEEP = Problem("", f"The JSON is nested deeper than {_MAX_DEPTH} levels.")


def _broken(text: str, error: json.JSONDecodeError) -> UnreadableError:
    """Describe broken JSON by line, column and the text around the place."""
    return UnreadableError(
        Problem(
            f"line {error.lineno}, column {error.colno}",
            f"This is not valid JSON: {error.msg}. Is the file complete?",
            text[max(error.pos - 20, 0) : error.pos + 20],
        )
    )


def _check_text(value: Any, path: str, depth: int = 0) -> None:
    """Refuse text that no database can store, and nesting that no result file has."""
    if depth > _MAX_DEPTH:
        raise UnreadableError(_TOO_DEEP)
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
            _check_text(key, path, depth + 1)
            _check_text(item, f"{path}.{key}" if path else key, depth + 1)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check_text(item, f"{path}[{index}]", depth + 1)

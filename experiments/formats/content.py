"""From bytes to text, JSON documents and YAML, with a clear error for everything that is neither.

Packed files are unpacked first; what is hashed and kept is what was sent.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from experiments.formats.documents import Problem, UnreadableError
from experiments.formats.json_documents import Document, read_documents
from experiments.formats.packed import GZIP, MAX_TEXT_BYTES, starts_zip, unpack_gzip
from experiments.formats.yaml_documents import read_yaml, top_level_keys

_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_EMPTY = Problem("", "The file is empty; send the file your tool wrote.")
_ARCHIVE = Problem(
    "",
    "This is a ZIP archive or an office document. An archive is opened where it is sent by itself, "
    "to the upload form, /api/uploads or import_results, and never inside another one.",
)
_CONFLICT = re.compile(r"^(?:<{7} |>{7} )", re.MULTILINE)
# What stands between the two versions also underlines a heading in Markdown, but never in JSON.
_CONFLICT_IN_JSON = re.compile(r"^(?:<{7} |>{7} |={7}\r?$)", re.MULTILINE)


@dataclass(frozen=True)
class Content:
    """A received file as text; JSON and YAML are read once, when they are first asked for."""

    text: str
    file_name: str = ""

    @property
    def looks_like_json(self) -> bool:
        """Whether the first character that is not white space opens a JSON object or array."""
        return self.text.lstrip()[:1] in ("{", "[")

    @property
    def json(self) -> tuple[tuple[Document, ...], int]:
        """The JSON documents of the file and the number of lines skipped between them.

        Raises UnreadableError for broken JSON. A file without any JSON gives no documents.
        """
        read = self._read_json
        if isinstance(read, UnreadableError):
            raise UnreadableError(*read.problems)
        return read

    @cached_property
    def _read_json(self) -> tuple[tuple[Document, ...], int] | UnreadableError:
        """What reading the JSON gave: each format asks, and broken JSON is read once, too."""
        try:
            return read_documents(self.text)
        except UnreadableError as error:
            return error

    def json_values(self) -> Iterator[tuple[str, Any]]:
        """Yield each JSON value with its place, those of an array at the top one by one."""
        for document in self.json[0]:
            if isinstance(document.value, list):
                for index, value in enumerate(document.value):
                    yield f"{document.place}[{index}]", value
            else:
                yield document.place, document.value

    @cached_property
    def yaml_keys(self) -> frozenset[str]:
        """The keys at the margin of a YAML mapping, none for JSON and what begins otherwise.

        Formats that may be YAML look here before they ask for `yaml`: parsing costs, this does not.
        """
        return frozenset() if self.looks_like_json else top_level_keys(self.text)

    @property
    def yaml(self) -> Any:
        """The value of the file read as YAML. Raises UnreadableError where it cannot be."""
        read = self._read_yaml
        if isinstance(read, UnreadableError):
            raise UnreadableError(*read.problems)
        return read

    @cached_property
    def _read_yaml(self) -> Any:
        try:
            return read_yaml(self.text)
        except UnreadableError as error:
            return error

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


def decode(data: bytes, file_name: str = "", *, limit_bytes: int = MAX_TEXT_BYTES) -> Content:
    """Return the file as text: UTF-8, or UTF-16 with a byte order mark, packed by gzip or not.

    `limit_bytes` bounds what a packed file unpacks to. Raises UnreadableError for empty files,
    damaged or cut gzip data, other encodings and merge conflict markers, and its subclass
    UnpackedTooLargeError for a packed file beyond the limit.
    """
    if data.startswith(GZIP):
        data = unpack_gzip(data, limit_bytes)
    if not data.strip():
        raise UnreadableError(_EMPTY)
    if starts_zip(data):
        raise UnreadableError(_ARCHIVE)
    text = _as_text(data)
    if not text.strip():
        raise UnreadableError(_EMPTY)
    if "\x00" in text:
        raise UnreadableError(
            Problem(
                _line_of(text, text.index("\x00")),
                "The file holds a NUL character: this is no text file, or UTF-16 without a byte "
                "order mark; save it in UTF-8.",
            )
        )
    content = Content(text, file_name)
    markers = _CONFLICT_IN_JSON if content.looks_like_json else _CONFLICT
    if conflict := markers.search(text):
        raise UnreadableError(
            Problem(
                _line_of(text, conflict.start()),
                "The file holds a merge conflict marker; resolve the conflict first.",
                conflict.group(0).strip(),
            )
        )
    return content


def _as_text(data: bytes) -> str:
    encoding = next((name for bom, name in _BOMS if data.startswith(bom)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        packed = data.startswith(GZIP)
        raise UnreadableError(
            Problem(
                f"byte {error.start}",
                "The file is packed twice by gzip; pack it once."
                if packed
                else "This is not UTF-8 text (or UTF-16 with a byte order mark); "
                "save it in UTF-8 or send the original file.",
                data[error.start : error.start + 8].hex(" "),
            )
        ) from error


def _line_of(text: str, position: int) -> str:
    return f"line {text.count(chr(10), 0, position) + 1}"

"""From the bytes of a file to canonical documents: knows no database, so any process can do it."""

from dataclasses import dataclass

from experiments.formats import detect_format
from experiments.formats.content import UnpackedTooLargeError, decode
from experiments.formats.documents import (
    FormatError,
    ParsedFile,
    Problem,
    UnknownFormatError,
    UnreadableError,
)
from experiments.ingest.report import Refusal

_GZIP = b"\x1f\x8b"
_LOOKED_AT = 8192  # bytes in which a file that is no text shows a NUL


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the bytes alone say: documents, or why there are none."""

    format: str | None = None
    parser_version: int | None = None
    parsed: ParsedFile | None = None
    refusal: Refusal | None = None
    errors: tuple[Problem, ...] = ()
    is_no_result: bool = False
    """Whether it is no result of a known format at all, and not a damaged one."""


def read(data: bytes, file_name: str, *, limit_bytes: int) -> Reading:
    """Decode, detect and parse a file; every kind of refusal ends in the reading."""
    try:
        content = decode(data, file_name, limit_bytes=limit_bytes)
        found = detect_format(content)
    except FormatError as error:
        is_binary = b"\x00" in data[:_LOOKED_AT] and not data.startswith(_GZIP)
        return Reading(
            refusal=refusal_of(error),
            errors=error.problems,
            is_no_result=is_binary or isinstance(error, UnknownFormatError),
        )
    try:
        parsed = found.parse(content)
    except FormatError as error:
        return Reading(
            format=found.name,
            parser_version=found.version,
            refusal=refusal_of(error),
            errors=error.problems,
        )
    return Reading(format=found.name, parser_version=found.version, parsed=parsed)


def refusal_of(error: FormatError) -> Refusal:
    """Return the kind of refusal that an error of reading is."""
    if isinstance(error, UnpackedTooLargeError):
        return Refusal.TOO_LARGE
    if isinstance(error, UnreadableError):
        return Refusal.UNREADABLE
    if isinstance(error, UnknownFormatError):
        return Refusal.UNKNOWN_FORMAT
    return Refusal.INVALID

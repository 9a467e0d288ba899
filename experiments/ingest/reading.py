"""From the bytes of a file to canonical documents: knows no database, so any process can do it."""

from dataclasses import dataclass

from experiments.formats import detect_format
from experiments.formats.content import decode
from experiments.formats.documents import (
    FormatError,
    ParsedFile,
    Problem,
    UnknownFormatError,
    UnreadableError,
)
from experiments.formats.packed import GZIP, UnpackedTooLargeError, starts_zip
from experiments.ingest.report import Refusal

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
        is_binary = b"\x00" in data[:_LOOKED_AT] and not _may_hold_results(data, file_name)
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


def _may_hold_results(data: bytes, file_name: str) -> bool:
    """Tell whether binary data may be packed results; an archive in an archive is not opened.

    Other programs keep what they write in archives, too, under names of their own.
    """
    is_archive = starts_zip(data) and file_name.casefold().endswith(".zip")
    return is_archive or data.startswith(GZIP)


def refusal_of(error: FormatError) -> Refusal:
    """Return the kind of refusal that an error of reading is."""
    if isinstance(error, UnpackedTooLargeError):
        return Refusal.TOO_LARGE
    if isinstance(error, UnreadableError):
        return Refusal.UNREADABLE
    if isinstance(error, UnknownFormatError):
        return Refusal.UNKNOWN_FORMAT
    return Refusal.INVALID

"""Which files are no results at all: what lies beside results is not kept."""

from django.conf import settings

from experiments.formats import detect_format
from experiments.formats.content import decode
from experiments.formats.documents import FormatError, Problem, UnknownFormatError
from experiments.formats.packed import GZIP, starts_zip

_LOOKED_AT = 8192  # bytes in which a file that is no text shows a NUL


def unrecognised(data: bytes, file_name: str) -> tuple[Problem, ...]:
    """Return why a file is no result of a known format; () where it is, or is a damaged one.

    An archive within an archive may hold results: it is refused, not passed over.
    """
    try:
        detect_format(decode(data, file_name, limit_bytes=settings.BENCHSITE_MAX_UPLOAD_BYTES))
    except UnknownFormatError as error:
        return error.problems
    except FormatError as error:
        may_hold_results = data.startswith(GZIP) or (
            starts_zip(data) and file_name.casefold().endswith(".zip")
        )
        return error.problems if b"\x00" in data[:_LOOKED_AT] and not may_hold_results else ()
    return ()

"""Packed files: gzip is unpacked within a limit, ZIP archives are told by how they begin."""

import zlib

from experiments.formats.documents import Problem, UnreadableError

MAX_TEXT_BYTES = 64 * 2**20
"""How large a packed file may be when it is unpacked, unless the caller sets another limit."""

GZIP = b"\x1f\x8b"
"""What gzip data begins with."""

_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")  # with files, empty, in several parts
_GZIP_WINDOW = 16 + zlib.MAX_WBITS  # zlib's way to ask for gzip, with its checksum
_GZIP_CHUNK = 2**16
_MAX_GZIP_MEMBERS = 10_000


class UnpackedTooLargeError(UnreadableError):
    """A packed file that is larger than the site takes once it is unpacked."""


def starts_zip(data: bytes) -> bool:
    """Tell whether bytes begin as a ZIP archive does; office documents do, too."""
    return data.startswith(_ZIP)


def unpack_gzip(data: bytes, limit_bytes: int) -> bytes:
    """Return what gzip data holds, never more than the limit; several files in a row are one.

    Raises UnpackedTooLargeError beyond the limit, UnreadableError for damaged data.
    """
    parts: list[bytes] = []
    left = limit_bytes
    position = 0
    for _member in range(_MAX_GZIP_MEMBERS):
        reader = zlib.decompressobj(_GZIP_WINDOW)
        while not reader.eof:
            chunk = data[position : position + _GZIP_CHUNK]
            if not chunk:
                message = "The gzip data ends too early; send the whole file."
                raise UnreadableError(Problem("", message, f"{len(data):,} bytes"))
            try:
                parts.append(reader.decompress(chunk, left + 1))
            except zlib.error as error:
                message = "The gzip data is damaged; pack the file again, or send it unpacked."
                raise UnreadableError(Problem(f"byte {position}", message, str(error))) from error
            position += len(chunk) - len(reader.unused_data)
            left -= len(parts[-1])
            if left < 0:
                message = f"Unpacked, the file is larger than {limit_bytes:,} bytes, the limit."
                raise UnpackedTooLargeError(Problem("", message, f"{len(data):,} bytes packed"))
        if not data[position : position + _GZIP_CHUNK].strip(b"\x00"):  # tools pad with zeros
            return b"".join(parts)
        if not data.startswith(GZIP, position):
            break
    message = "Behind the gzip data stand other bytes; pack the file again, or send it unpacked."
    value = data[position : position + 8].hex(" ")
    raise UnreadableError(Problem(f"byte {position}", message, value))

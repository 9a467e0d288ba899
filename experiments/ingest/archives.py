"""ZIP archives: their members are files of their own, read in memory and never written to disk.

Names of members are names only: they tell people where a file lay and lead nowhere.
"""

import re
import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePosixPath
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from experiments.choices import UploadOutcome
from experiments.formats.documents import FormatError, Problem, UnreadableError
from experiments.formats.packed import GZIP, UnpackedTooLargeError, starts_zip, unpack_gzip
from experiments.ingest.path_names import printable, shortened
from experiments.ingest.pipeline import keep_refused
from experiments.ingest.reading import Reading, read
from experiments.ingest.report import Refusal, Report
from experiments.ingest.store import Received

FORMAT = "zip"
MOST_MEMBERS = 500
"""How many files an archive may hold that one request sends: a preview takes 25 ms a file."""

HIGHEST_RATIO = 500
"""How much larger than packed a member may be; results are 5 to 50 times."""

_LEAST_SUSPICIOUS = 2**20  # bytes unpacked
_ENTRY = b"PK\x01\x02"  # begins each entry of the directory
NO_RESULTS = "No file of the archive is a result in a known format."
_ENTRIES_PER_MEMBER = 20  # hidden files and folders too; reading them costs memory
_ENCRYPTED = 0x1
_UNIX = 3
_JUNK = ("__macosx", "thumbs.db", "desktop.ini")
_DRIVE = re.compile(r"[A-Za-z]:")
_OFFICE = ("[Content_Types].xml", "mimetype")  # of OOXML and of OpenDocument
_BROKEN = (BadZipFile, EOFError, OSError, OverflowError, ValueError, struct.error, zlib.error)


class ArchiveError(FormatError):
    """An archive, or one of its members, that cannot be read; `refusal` says of which kind."""

    def __init__(self, refusal: Refusal, message: str, value: object = None) -> None:
        super().__init__(Problem("", message, value))
        self.refusal = refusal

    def report(self, file_name: str, sha256: str = "") -> Report:
        """Return the report of what could not be read."""
        return Report(
            outcome="rejected",
            sha256=sha256,
            file_name=file_name,
            format=FORMAT if sha256 else None,
            refusal=self.refusal,
            errors=self.problems,
        )


@dataclass(frozen=True)
class Member:
    """A file of an archive: its place in the directory, and its path as people may see it."""

    index: int
    name: str


class Archive:
    """The members of a ZIP, and what was left out of it: hidden files, folders, links.

    Raises ArchiveError for what is no archive, an office document, and one beyond the limits:
    so many files that unpack to `limit_bytes` together.
    """

    def __init__(self, data: bytes, limit_bytes: int, *, most_members: int = MOST_MEMBERS) -> None:
        self.members: list[Member] = []
        self.hidden: list[str] = []
        self.links: list[str] = []
        self.folders = 0
        self._limit_bytes = limit_bytes
        self._most_members = most_members
        if data.count(_ENTRY) > _ENTRIES_PER_MEMBER * most_members:
            raise self._too_many(data.count(_ENTRY))
        try:
            self._zip = ZipFile(BytesIO(data))
        except (*_BROKEN, NotImplementedError) as error:
            message = "This is no whole ZIP archive: its directory at the end cannot be read."
            raise ArchiveError(Refusal.UNREADABLE, message, _words(error)) from error
        self._infos = self._zip.infolist()
        if any(info.filename in _OFFICE for info in self._infos):
            message = (
                "This is an office document, no ZIP of results: send what your tool wrote, or the "
                "table as CSV."
            )
            raise ArchiveError(Refusal.UNKNOWN_FORMAT, message, self._infos[0].filename)
        self._sort_members()
        self._check_limits()

    def read(self, member: Member) -> bytes:
        """Return the bytes of a member; raises ArchiveError where it cannot be read."""
        info = self._infos[member.index]
        if info.flag_bits & _ENCRYPTED:
            message = "This file of the archive is encrypted; pack it without a password."
            raise ArchiveError(Refusal.UNREADABLE, message)
        if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            message = (
                "This file of the archive is packed by a method that is not read; use Deflate."
            )
            raise ArchiveError(Refusal.UNREADABLE, message, f"method {info.compress_type}")
        ratio = info.file_size / max(info.compress_size, 1)
        if info.file_size > _LEAST_SUSPICIOUS and ratio > HIGHEST_RATIO:
            message = f"Unpacked, this file is more than {HIGHEST_RATIO} times as large: no result."
            raise ArchiveError(Refusal.TOO_LARGE, message, f"{info.file_size:,} bytes")
        try:
            with self._zip.open(info) as opened:
                data = opened.read(info.file_size)
        except (*_BROKEN, NotImplementedError, RuntimeError) as error:
            message = "This file of the archive is damaged; pack it again."
            raise ArchiveError(Refusal.UNREADABLE, message, _words(error)) from error
        if data.startswith(GZIP):
            self._check_gzip(member, data)
        return data

    def files(self) -> Iterator[tuple[Member, tuple[bytes, Reading] | Report]]:
        """Yield each member with its bytes and reading, or with the report of why it is not taken.

        What lies beside results is "skipped" there, as in a folder: it is not kept.
        """
        for member in self.members:
            try:
                data = self.read(member)
            except ArchiveError as error:
                yield member, error.report(member.name)
                continue
            reading = read(data, member.name, limit_bytes=self._limit_bytes)
            if reading.is_no_result:
                yield (
                    member,
                    Report(
                        outcome="skipped",
                        sha256="",
                        file_name=member.name,
                        refusal=Refusal.UNKNOWN_FORMAT,
                        errors=reading.errors,
                    ),
                )
            else:
                yield member, (data, reading)

    def _sort_members(self) -> None:
        """Tell files to read from folders, hidden files and links."""
        for index, info in enumerate(self._infos):
            name = member_name(info.filename)
            parts = PurePosixPath(name).parts
            if info.filename.endswith("/"):  # is_dir() fails for a name of no letters
                self.folders += 1
            elif any(part.startswith(".") or part.casefold() in _JUNK for part in parts):
                self.hidden.append(name)
            elif _is_link(info):
                self.links.append(name)
            else:
                self.members.append(Member(index, name))

    def _check_limits(self) -> None:
        if len(self.members) > self._most_members:
            raise self._too_many(len(self.members))
        if not self.members:
            raise ArchiveError(Refusal.UNREADABLE, "The archive holds no file.")
        size = sum(self._infos[member.index].file_size for member in self.members)
        if size > self._limit_bytes:
            raise _too_large(self._limit_bytes, size)
        self._left = self._limit_bytes - size
        self._unpacked: dict[int, int] = {}  # bytes that gzip unpacks, by member

    def _too_many(self, count: int) -> ArchiveError:
        message = f"The archive holds more than {self._most_members:,} files; send it in parts."
        return ArchiveError(Refusal.TOO_LARGE, message, f"{count:,} files")

    def _check_gzip(self, member: Member, data: bytes) -> None:
        """Count what a member that is packed by gzip unpacks to, towards the limit of them all."""
        try:
            others = sum(size for index, size in self._unpacked.items() if index != member.index)
            left = max(self._left - others, 0)
            self._unpacked[member.index] = len(unpack_gzip(data, left))
        except UnpackedTooLargeError as error:
            raise _too_large(self._limit_bytes) from error
        except UnreadableError:
            return  # the pipeline says what is wrong with it


def refuse_archive(received: Received, error: ArchiveError, *, dry_run: bool = False) -> Report:
    """Report an archive none of whose files is kept; its own bytes then are, as of any file.

    But for a dry run, and for one beyond the limits.
    """
    report = error.report(received.stored_name, received.sha256)
    if dry_run or error.refusal is Refusal.TOO_LARGE:
        return report
    return keep_refused(received, report, UploadOutcome.REJECTED)


def is_archive(data: bytes) -> bool:
    """Tell whether bytes begin as a ZIP archive does."""
    return starts_zip(data)


def member_name(written: str) -> str:
    """Return the path of a member without what leads elsewhere: roots, drives, dots."""
    parts = re.split(r"[/\\]+", printable(written))
    kept = [part for part in parts if part not in ("", ".", "..") and not _DRIVE.fullmatch(part)]
    return shortened("/".join(kept)) or "unnamed"


def name_in_archive(archive_name: str, member: Member) -> str:
    """Return the name under which a member is kept: "results.zip/h100/bench.json"."""
    return shortened("/".join(filter(None, [archive_name, member.name])))


def _is_link(info: ZipInfo) -> bool:
    return info.create_system == _UNIX and stat.S_ISLNK(info.external_attr >> 16)


def _too_large(limit_bytes: int, size: int | None = None) -> ArchiveError:
    message = (
        f"Unpacked, the files of the archive are larger than {limit_bytes:,} bytes together, the "
        "limit; send it in parts."
    )
    return ArchiveError(Refusal.TOO_LARGE, message, f"{size:,} bytes" if size else None)


def _words(error: Exception) -> str:
    return printable(str(error))[:200] or type(error).__name__

"""Which files a command line means: files, folders, archives, patterns, standard input."""

import os
import re
import stat
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from experiments.formats.packed import MAX_TEXT_BYTES
from experiments.ingest.archives import Archive, ArchiveError, Member, is_archive, name_in_archive
from experiments.ingest.path_names import printable, shortened
from experiments.ingest.report import Refusal
from experiments.ingest.sidecars import is_sidecar

STANDARD_INPUT = "-"
MOST_MEMBERS = 20_000
"""How many files an archive may hold that a command reads, which no request waits for."""

_ZIP_SUFFIX = ".zip"
_BEGINNING = 4  # bytes that tell an archive
_MAGIC = re.compile(r"[*?[]")


class UnreadableFileError(Exception):
    """A file that cannot be read; the text says why."""


class TooLargeFileError(UnreadableFileError):
    """A file beyond the limit; no more of it was read than shows that."""


@dataclass(frozen=True, kw_only=True)
class FoundFile:
    """A file to read. `path` is None for standard input; `member` is set for one of an archive.

    `name` is what the pipeline is told: the path as it was typed where that is relative, and below
    a folder. What leads to an absolute path says where somebody keeps things, and is left out.
    """

    path: Path | None
    shown: str
    name: str
    was_named: bool
    member: Member | None = None


@dataclass(kw_only=True)
class Found:
    """What the arguments of a command line mean; `troubles` are (place, what is wrong)."""

    files: list[FoundFile] = field(default_factory=list)
    troubles: list[tuple[str, str]] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    linked_folders: list[str] = field(default_factory=list)
    odd_names: list[str] = field(default_factory=list)


def find_files(arguments: Iterable[str], limit_bytes: int = MAX_TEXT_BYTES) -> Found:
    """Return the files that paths, folders and patterns mean, each once, in a stable order.

    Folders are read with all that is below them, but for hidden files and folders and linked
    folders, which are listed; patterns may hold `**`, and find nothing hidden. An archive stands
    for its members, if it was named or is called .zip: other programs keep theirs in one, too. It
    may have `limit_bytes`, packed and unpacked.
    """
    finder = _Finder(limit_bytes)
    for argument in arguments:
        finder.add(argument)
    return finder.found


def read_file(file: FoundFile, limit_bytes: int) -> bytes:
    """Return the bytes of a file.

    Raises TooLargeFileError beyond `limit_bytes`, UnreadableFileError where it cannot be read.
    """
    if file.member is not None and file.path is not None:
        return _read_member(file.path, file.member, limit_bytes)
    is_too_large = False
    try:
        if file.path is None:
            data = sys.stdin.buffer.read(limit_bytes + 1)
        else:
            with file.path.open("rb") as opened:
                is_too_large = os.fstat(opened.fileno()).st_size > limit_bytes
                data = b"" if is_too_large else opened.read(limit_bytes + 1)
    except OSError as error:
        raise UnreadableFileError(_why(error)) from error
    if is_too_large or len(data) > limit_bytes:
        raise TooLargeFileError(
            f"The file is larger than {limit_bytes:,} bytes, the limit of this site."
        )
    return data


def _read_member(path: Path, member: Member, limit_bytes: int) -> bytes:
    try:
        return _archive(path, path.stat().st_mtime_ns, limit_bytes).read(member)
    except ArchiveError as error:
        too_large = error.refusal is Refusal.TOO_LARGE
        kind = TooLargeFileError if too_large else UnreadableFileError
        raise kind(error.problems[0].message) from error
    except OSError as error:
        raise UnreadableFileError(_why(error)) from error


@lru_cache(maxsize=1)  # members are read one after the other
def _archive(path: Path, _changed_ns: int, limit_bytes: int) -> Archive:
    """Return an archive, read once for all of its members; raises ArchiveError and OSError."""
    with path.open("rb") as opened:
        data = opened.read(limit_bytes + 1)
    if len(data) > limit_bytes:
        message = f"The archive is larger than {limit_bytes:,} bytes; unpack it, give the folder."
        raise ArchiveError(Refusal.TOO_LARGE, message)
    return Archive(data, limit_bytes, most_members=MOST_MEMBERS)


class _Finder:
    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self.found = Found()
        self._seen: set[str] = set()
        self._met = 0  # files and troubles

    def add(self, argument: str) -> None:
        """Take in one argument; what leads to no file is a trouble."""
        if argument == STANDARD_INPUT:
            self._add_file(None, argument, was_named=True)
            return
        path = Path(argument)
        try:
            mode = path.stat().st_mode
        except FileNotFoundError:
            self._add_pattern(argument)
        except (OSError, ValueError) as error:
            self._trouble(argument, _why(error))
        else:
            if stat.S_ISDIR(mode):
                self._add_folder(path, below=path)
            elif is_sidecar(path.name):
                why = "This gives context to the files of its folder; name the folder."
                self._trouble(argument, why)
            else:
                self._add_file(path, _typed_name(path, path.parent), was_named=True)

    def _add_pattern(self, argument: str) -> None:
        """Add what a pattern matches; a folder that it matches is read, but for one of `**`."""
        parts = Path(argument).parts
        first = next((i for i, part in enumerate(parts) if _MAGIC.search(part)), None)
        if first is None:
            self._trouble(argument, "There is no such file or folder.")
            return
        root, below = Path(*parts[:first]), list(parts[first:])
        if below[-1] == "**":
            below.append("*")
        shows_hidden = any(part.startswith(".") for part in below)
        before = self._met
        try:
            matches = sorted(root.glob(str(Path(*below))))
        except (OSError, ValueError) as error:
            self._trouble(argument, f"This pattern cannot be used: {_why(error)}")
            return
        for match in matches:
            if is_sidecar(match.name):
                continue
            hidden = any(part.startswith(".") for part in match.relative_to(root).parts)
            if hidden and not shows_hidden:
                continue
            if not match.is_dir():
                self._add_regular(match, below=root)
            elif "**" not in below:
                self._add_folder(match, below=root)
        if self._met == before:
            self._trouble(argument, "No file matches this pattern.")

    def _add_folder(self, folder: Path, *, below: Path) -> None:
        """Add the files of a folder, those of its own before those of the folders in it."""
        before = self._met
        waiting = [folder]
        while waiting:
            current = waiting.pop()
            try:
                entries = sorted(os.scandir(current), key=lambda entry: entry.name)
            except OSError as error:
                self._trouble(current, _why(error))
                continue
            folders = []
            for entry in entries:
                if entry.name.startswith("."):
                    self.found.hidden.append(printable(entry.path))
                elif entry.is_dir(follow_symlinks=False):
                    folders.append(Path(entry.path))
                elif is_sidecar(entry.name):
                    continue
                elif Path(entry.path).is_dir():
                    self.found.linked_folders.append(printable(entry.path))
                else:
                    self._add_regular(Path(entry.path), below=below)
            waiting += reversed(folders)
        if self._met == before:
            self._trouble(folder, "There is no file in this folder.")

    def _add_regular(self, path: Path, *, below: Path) -> None:
        """Add what a folder holds, if it is a file: a pipe or a device may never end."""
        try:
            mode = path.stat().st_mode
        except OSError as error:
            self._trouble(path, _why(error))
            return
        if stat.S_ISREG(mode):
            self._add_file(path, _typed_name(path, below), was_named=False)
        else:
            self._trouble(path, "This is no file; name it itself to have it read.")

    def _add_file(self, path: Path | None, name: str, *, was_named: bool) -> None:
        self._met += 1
        key = STANDARD_INPUT if path is None else str(path.absolute())
        if key in self._seen:
            return
        self._seen.add(key)
        shown = "standard input" if path is None else printable(str(path))
        if path is not None and printable(str(path)) != str(path):
            self.found.odd_names.append(shown)
        stored = "" if path is None else shortened(printable(name))
        file = FoundFile(path=path, shown=shown, name=stored, was_named=was_named)
        if path is None or not self._add_members(path, file):
            self.found.files.append(file)

    def _add_members(self, path: Path, file: FoundFile) -> bool:
        """Add the files of an archive in its place; False for what is none, or a document."""
        if not (file.was_named or path.suffix.casefold() == _ZIP_SUFFIX):
            return False
        try:
            with path.open("rb") as opened:
                if not is_archive(opened.read(_BEGINNING)):
                    return False
            archive = _archive(path, path.stat().st_mtime_ns, self._limit_bytes)
        except OSError:
            return False  # reading it says why
        except ArchiveError as error:
            if error.refusal is Refusal.UNKNOWN_FORMAT:
                return False
            self.found.troubles.append((file.shown, error.problems[0].message))
            return True
        self.found.hidden += [f"{file.shown}/{name}" for name in archive.hidden + archive.links]
        self.found.files += [
            FoundFile(
                path=path,
                shown=f"{file.shown}/{member.name}",
                name=name_in_archive(file.name, member),
                was_named=False,
                member=member,
            )
            for member in archive.members
        ]
        return True

    def _trouble(self, place: str | Path, why: str) -> None:
        self._met += 1
        self.found.troubles.append((printable(str(place)), why))


def _typed_name(path: Path, below: Path) -> str:
    """Return the path as typed, or below a folder where it is absolute or leads out of here."""
    if path.is_absolute() or ".." in below.parts:
        return path.relative_to(below).as_posix()
    return path.as_posix()


def _why(error: Exception) -> str:
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return printable(text.rstrip(".")) + "."

"""`benchsite.yaml`: what a folder's files do not say, written down beside them.

Its keys are context fields; `files` gives further ones to files whose name or path below the
folder matches a pattern, later patterns before earlier ones. It goes for its folder and all below;
a nearer one wins field by field.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from experiments.formats.content import decode
from experiments.formats.documents import FormatError, InvalidFileError, Problem
from experiments.formats.problems import short_value
from experiments.ingest.context import CONTEXT_FIELDS, read_context

NAMES = ("benchsite.yaml", "benchsite.yml")
_FILES = "files"
_LARGEST_BYTES = 1024 * 1024
_CONTEXT = "context."
_FIELDS = ", ".join(CONTEXT_FIELDS)


class SidecarError(FormatError):
    """A sidecar that cannot be used; nothing below it is taken without what it says."""


@dataclass(frozen=True, kw_only=True)
class Sidecar:
    """What one sidecar says: for all files, and for those of a pattern."""

    path: Path
    fields: Mapping[str, Any]
    by_pattern: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def fields_of(self, file: Path) -> dict[str, Any]:
        """Return what it says of a file of its folder, or below."""
        fields = dict(self.fields)
        below = file.relative_to(self.path.parent).as_posix()
        for pattern, more in self.by_pattern.items():
            if fnmatchcase(below, pattern) or fnmatchcase(file.name, pattern):
                fields |= more
        return fields


@dataclass(frozen=True, kw_only=True)
class Stated:
    """The context that sidecars give to a file, and which they are, the outermost first."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    sources: tuple[str, ...] = ()


def is_sidecar(name: str) -> bool:
    """Tell whether a file is a sidecar by its name; such a file is no result."""
    return name in NAMES


class Sidecars:
    """The sidecars of all folders that are asked for, each read once."""

    def __init__(self) -> None:
        self._by_folder: dict[Path, Sidecar | SidecarError | None] = {}

    def stated_for(self, file: Path) -> Stated:
        """Return what the sidecars of a file's folder and of those above it say.

        Folders above what was named on a command line count, too: a file has the same context
        however it is come by. Raises SidecarError.
        """
        # The folder as it is: in "../b" or below a link, `parents` would name folders on the way.
        path = file.parent.resolve() / file.name
        fields: dict[str, Any] = {}
        sources = []
        for folder in reversed(path.parents):
            sidecar = self._of_folder(folder)
            if sidecar is not None and (said := sidecar.fields_of(path)):
                fields |= said
                sources.append(str(sidecar.path))
        return Stated(fields=fields, sources=tuple(sources))

    def _of_folder(self, folder: Path) -> Sidecar | None:
        if folder not in self._by_folder:
            try:
                self._by_folder[folder] = _read(folder)
            except SidecarError as error:
                self._by_folder[folder] = error
        found = self._by_folder[folder]
        if isinstance(found, SidecarError):
            raise SidecarError(*found.problems)
        return found


def _read(folder: Path) -> Sidecar | None:
    """Return the sidecar of a folder, None where there is none."""
    found = [folder / name for name in NAMES if (folder / name).is_file()]
    if not found:
        return None
    path = found[0]
    if len(found) > 1:
        message = "Two sidecars are in this folder; keep one of them."
        raise SidecarError(Problem(str(path), message, found[1].name))
    try:
        with path.open("rb") as opened:
            data = opened.read(_LARGEST_BYTES + 1)
    except OSError as error:
        raise SidecarError(Problem(str(path), f"It cannot be read: {error.strerror}.")) from error
    if len(data) > _LARGEST_BYTES:
        raise SidecarError(Problem(str(path), f"It is larger than {_LARGEST_BYTES:,} bytes."))
    return _parsed(path, data)


def _parsed(path: Path, data: bytes) -> Sidecar:
    try:
        value = decode(data, path.name).yaml
    except FormatError as error:
        raise _at(path, error) from error
    if not isinstance(value, dict):
        message = "It is a mapping: a field and its value in each line."
        raise SidecarError(Problem(str(path), message, short_value(value)))
    patterns = value.pop(_FILES, None) or {}
    if not isinstance(patterns, dict):
        message = "It maps patterns of file names to fields."
        raise SidecarError(Problem(f"{path}: {_FILES}", message, short_value(patterns)))
    by_pattern = {
        pattern: _fields(path, more, f"{_FILES}.{pattern}.") for pattern, more in patterns.items()
    }
    return Sidecar(path=path, fields=_fields(path, value, ""), by_pattern=by_pattern)


def _fields(path: Path, value: Any, place: str) -> dict[str, Any]:
    """Return validated context fields as they were written."""
    if not isinstance(value, dict):
        message = f"It maps fields to values; they are {_FIELDS}."
        raise SidecarError(Problem(f"{path}: {place[:-1]}", message, short_value(value)))
    if unknown := [name for name in value if name not in CONTEXT_FIELDS]:
        message = f"This is no field; the fields are {_FIELDS}."
        raise SidecarError(*(Problem(f"{path}: {place}{name}", message, name) for name in unknown))
    try:
        return read_context(value).stated()
    except InvalidFileError as error:
        raise _at(path, error, place) from error


def _at(path: Path, error: FormatError, place: str = "") -> SidecarError:
    """Return the error with the sidecar's path before each place."""
    return SidecarError(
        *(
            Problem(
                f"{path}: {place}{problem.path.removeprefix(_CONTEXT)}".rstrip(": "),
                problem.message,
                problem.value,
            )
            for problem in error.problems
        )
    )

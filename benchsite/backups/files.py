"""A backup's folder: `manifest.json`, and each table's rows as gzipped COPY text (no Django)."""

import gzip
import hashlib
import json
import os
import shutil
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FORMAT = 1
MANIFEST = "manifest.json"
CHUNK_BYTES = 256 * 1024
QUICK = 1  # gzip's level: uploads are compressed already


class BackupError(Exception):
    """A backup that cannot be made or read; the text says why and what to do."""


@dataclass(frozen=True)
class Rows:
    """What is in a table, or in its file: the digest is of the text before compression."""

    count: int
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a backup holds; `sequences` are the last numbers given out."""

    made_at: str
    server_version: str
    migrations: tuple[tuple[str, str], ...]
    tables: dict[str, Rows]
    columns: dict[str, tuple[str, ...]]
    sequences: dict[str, int]

    @property
    def row_count(self) -> int:
        """All rows."""
        return sum(rows.count for rows in self.tables.values())

    @property
    def size_bytes(self) -> int:
        """The size of all text before compression."""
        return sum(rows.size_bytes for rows in self.tables.values())


class Counted:
    """Passes chunks on, and knows afterwards how many rows they held: each ends with a newline."""

    def __init__(self, chunks: Iterable[Any]) -> None:
        self._chunks = chunks
        self._digest = hashlib.sha256()
        self._count = self._size_bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            data = bytes(chunk)
            self._digest.update(data)
            self._count += data.count(b"\n")
            self._size_bytes += len(data)
            yield data

    @property
    def rows(self) -> Rows:
        """What went through."""
        return Rows(self._count, self._size_bytes, self._digest.hexdigest())


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Yield a private folder that gets its name only when it is whole.

    Raises BackupError where the name is taken, or where the disk is full.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BackupError(f"{folder} is there and not empty: choose a new folder for each backup.")
    half_done = folder.with_name(f".{folder.name}.half-done")
    try:
        shutil.rmtree(half_done, ignore_errors=True)
        half_done.mkdir(parents=True, mode=0o700)
        yield half_done
        half_done.rename(folder)
        _sync(folder.parent)
    except OSError as error:
        raise BackupError(f"{folder} cannot be written ({error.strerror}).") from error
    finally:
        shutil.rmtree(half_done, ignore_errors=True)


def write_table(folder: Path, table: str, chunks: Iterable[bytes]) -> None:
    """Write a table's text."""
    with _path(folder, table).open("xb") as file:
        with gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=QUICK, mtime=0) as z:
            for chunk in chunks:
                z.write(chunk)
        os.fsync(file.fileno())


def read_table(folder: Path, table: str) -> Iterator[bytes]:
    """Yield a table's text; raises BackupError where the file is missing or damaged."""
    path = _path(folder, table)
    try:
        with gzip.open(path) as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
    except (OSError, EOFError, zlib.error) as error:
        raise BackupError(f"{path} cannot be read ({error}): use another backup.") from error


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest, last of all."""
    with (folder / MANIFEST).open("x") as file:
        json.dump({"format": FORMAT, **asdict(manifest)}, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    _sync(folder)


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest; raises BackupError where the folder holds no backup of this format."""
    path = folder / MANIFEST
    try:
        stored = json.loads(path.read_text())
        if stored.pop("format") != FORMAT:
            raise BackupError(f"{path} is of another format: restore it with a newer site.")
        tables = {name: Rows(**rows) for name, rows in stored.pop("tables").items()}
        migrations = tuple((app, name) for app, name in stored.pop("migrations"))
        return Manifest(tables=tables, migrations=migrations, **stored)
    except OSError as error:
        raise BackupError(f"{path} cannot be read ({error.strerror}): no backup.") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BackupError(f"{path} is not the manifest of a backup.") from error


def check_files(folder: Path, manifest: Manifest) -> None:
    """Compare every file with the manifest; raises BackupError at the first that differs."""
    for table, expected in manifest.tables.items():
        counted = Counted(read_table(folder, table))
        for _ in counted:
            pass
        if counted.rows != expected:
            raise BackupError(
                f"{_path(folder, table)} is damaged ({counted.rows.count:,} rows instead of "
                f"{expected.count:,}, or other content): use another backup."
            )


def _path(folder: Path, table: str) -> Path:
    return folder / f"{table}.copy.gz"


def _sync(folder: Path) -> None:
    """Make the names of a folder's files last through a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

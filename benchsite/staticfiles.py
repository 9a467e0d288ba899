"""Static files: Plotly from its package, quick compression, and a fingerprint of them all."""

import hashlib
import importlib.util
import tempfile
import time
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import brotli
import django
from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.management.commands import collectstatic
from django.core.checks import CheckMessage, Error
from django.core.files.storage import FileSystemStorage
from django.core.management import call_command
from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage

KEPT_S = 30 * 24 * 3600  # files of earlier releases, for pages that are open since then
BROTLI_QUALITY = 9  # plotly.min.js: 0.5 s and 1.23 MB; at the best, 11, it is 9 s and 1.11 MB


class PlotlyFinder(finders.BaseFinder):
    """Serves `vendor/plotly.min.js` from the installed plotly package, which is never imported."""

    prefix = "vendor"
    file_name = "plotly.min.js"

    @cached_property
    def _storage(self) -> FileSystemStorage:
        package = importlib.util.find_spec("plotly")
        if package is None or package.origin is None:
            raise ModuleNotFoundError("plotly is not installed", name="plotly")
        storage = FileSystemStorage(location=Path(package.origin).parent / "package_data")
        storage.prefix = self.prefix  # type: ignore[attr-defined]  # collectstatic's own protocol
        return storage

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        """Report a plotly package without its script."""
        if self._storage.exists(self.file_name):
            return []
        text = f"The plotly package has no {self._storage.path(self.file_name)}."
        return [Error(text, id="benchsite.E001")]

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        """Return the script's path, or a list of it; for any other file an empty list."""
        if path != f"{self.prefix}/{self.file_name}":
            return []
        found = self._storage.path(self.file_name)
        return [found] if find_all else found

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Any]]:
        """List the one file."""
        yield self.file_name, self._storage


class QuickCompressor(Compressor):  # type: ignore[misc]  # whitenoise has no types
    """Compresses large scripts in a tenth of the time for a tenth more bytes."""

    @staticmethod
    def compress_brotli(data: bytes) -> bytes:
        """Return `data` compressed."""
        compressed: bytes = brotli.compress(data, quality=BROTLI_QUALITY)
        return compressed


class SiteStaticStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Hashed names and compressed copies, made by QuickCompressor."""

    def create_compressor(self, **kwargs: Any) -> Compressor:
        """Return the compressor that whitenoise is to use."""
        return QuickCompressor(**kwargs)


def collect_static() -> None:
    """Collect, hash and compress all static files, beside those of earlier releases.

    Each file appears whole, and the list of them last: processes that run meanwhile miss none, and
    neither do pages that a browser had open before. Old files go after a month.
    """
    root: Path = settings.STATIC_ROOT
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root, prefix=".new-") as folder:
        command = collectstatic.Command()
        command.storage = SiteStaticStorage(location=folder)
        call_command(command, interactive=False, verbosity=0)
        collected = [path for path in Path(folder).rglob("*") if path.is_file()]
        collected.sort(key=lambda path: path.name == SiteStaticStorage.manifest_name)
        for path in collected:
            target = root / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
    oldest = time.time() - KEPT_S
    for path in root.rglob("*"):
        if path.is_file() and path.stat().st_mtime < oldest:
            path.unlink()


def static_fingerprint() -> str:
    """Return a hash of every static file's name and content, and of what turns them into output."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(f"{django.__version__} {settings.STORAGES['staticfiles']}".encode())
    for finder in finders.get_finders():
        for path, storage in finder.list([]):
            with storage.open(path) as file:
                content = hashlib.blake2b(file.read()).hexdigest()
            digest.update(f"{getattr(storage, 'prefix', '')} {path} {content}\n".encode())
    return digest.hexdigest()

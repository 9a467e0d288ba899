"""DATABASE_URL: TLS, passwords from files, and what is said where it does not work."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from benchsite import env
from benchsite.embedded.places import find_places
from benchsite.embedded.programs import Programs
from benchsite.embedded.server import EmbeddedServer
from tests.servers import WITHOUT_FSYNC, temporary_folder, url_of
from tests.setup.test_embedded import SYSTEM_PROGRAMS
from tests.setup.test_serve import free_port

PASSWORD = "ä % & : / @"
OPENSSL = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
PASSWORDS_ONLY = """
local all all trust
{kind} all all 127.0.0.1/32 scram-sha-256
"""
HAS_TLS = bool(SYSTEM_PROGRAMS) and shutil.which("openssl") is not None
needs_tls = pytest.mark.skipif(
    not HAS_TLS, reason="the wheel's PostgreSQL has no TLS: it takes a system's one and openssl"
)
DEMANDING_MORE = """
import sys
import manage
from benchsite.common.management.commands import prepare

prepare.OLDEST_MAJOR = 99
sys.argv = ["manage.py", "prepare"]
manage.main()
"""


class NamedServer:
    """A server that others run, as the site sees it: an address, and what is needed to enter."""

    def __init__(self, server: EmbeddedServer, port: int, folder: Path) -> None:
        self.server = server
        self.port = port
        self.certificate = folder / "server.crt"
        self.password_file = folder / "password"

    def url(self, database: str = "results", **options: object) -> str:
        """Return its address for a user of the site's own."""
        query = "&".join(f"{name}={value}" for name, value in options.items())
        return f"postgres://site@127.0.0.1:{self.port}/{database}?{query}"

    def url_inside(self, database: str = "benchsite") -> str:
        """Return its address for its superuser, by the socket."""
        return f"{url_of(self.server)}&port={self.port}&dbname={database}"


def run(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run Python with these variables."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=env.BASE_DIR,
        env=os.environ | {"BENCHSITE_SECRET_KEY": "k" * 50} | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def make_certificate(server: EmbeddedServer, copy: Path) -> None:
    """Let the server have a certificate for 127.0.0.1, with a copy for its clients."""
    key, certificate = server.cluster / "server.key", server.cluster / "server.crt"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*OPENSSL, *subject, *files], capture_output=True, check=True)
    key.chmod(0o600)
    copy.write_bytes(certificate.read_bytes())
    if user := server.places.user:
        for path in (key, certificate):
            os.chown(path, user.uid, user.gid)


def make_databases(named: NamedServer) -> None:
    """Make the site's user, its database, and two that will not do."""
    with psycopg.connect(named.url_inside(), autocommit=True) as session:
        session.execute(psycopg.sql.SQL("CREATE ROLE site LOGIN PASSWORD {}").format(PASSWORD))
        session.execute("CREATE DATABASE results OWNER site")
        session.execute("CREATE DATABASE of_others")
        session.execute(
            "CREATE DATABASE ascii OWNER site ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0"
        )


@pytest.fixture(scope="module")
def named() -> Iterator[NamedServer]:
    """Run a server that takes passwords only, by TLS where it can, on a port of 127.0.0.1."""
    with temporary_folder() as folder:
        server = EmbeddedServer(find_places(folder, may_move=False), settings=WITHOUT_FSYNC)
        listening = {"listen_addresses": "127.0.0.1"}
        if HAS_TLS:
            server.programs = Programs(SYSTEM_PROGRAMS[-1], "system")
            listening["ssl"] = "on"
        with server:  # makes the cluster
            pass
        named = NamedServer(server, free_port(), folder)
        if HAS_TLS:
            make_certificate(server, named.certificate)
        named.password_file.write_text(f"{PASSWORD}\n", encoding="utf-8")
        kind = "hostssl" if HAS_TLS else "host"
        (server.cluster / "pg_hba.conf").write_text(PASSWORDS_ONLY.format(kind=kind))
        server.settings = {**WITHOUT_FSYNC, **listening, "port": str(named.port)}
        with server:
            make_databases(named)
            yield named


@needs_tls
def test_tls_and_a_password_from_a_file(named: NamedServer) -> None:
    done = run(
        "manage.py",
        "prepare",
        DATABASE_URL=named.url(sslmode="verify-full", sslrootcert=named.certificate),
        BENCHSITE_DB_PASSWORD_FILE=str(named.password_file),
    )
    assert (done.returncode, done.stderr) == (0, "")
    with psycopg.connect(named.url_inside("results")) as session:
        assert session.execute("SELECT count(*) > 0 FROM experiments_testrun").fetchone() == (True,)


def test_the_whole_address_from_a_file(named: NamedServer, tmp_path: Path) -> None:
    (tmp_path / "url").write_text(f"{named.url_inside()}\n")
    done = run(
        "manage.py", "migrate", "--check", DATABASE_URL="", DATABASE_URL_FILE=f"{tmp_path}/url"
    )
    assert done.returncode == 1  # migrations are due there: it was reached
    assert "cannot be used" not in done.stderr


@pytest.mark.parametrize(
    ("options", "password", "sentence"),
    [
        ({}, "wrong", "password authentication failed for user"),
        ({}, "", "no password supplied"),
        ({"sslmode": "very"}, PASSWORD, "invalid sslmode value"),
        *(
            pytest.param(options, PASSWORD, sentence, marks=needs_tls)
            for options, sentence in [
                ({"sslmode": "disable"}, "no encryption"),
                ({"sslmode": "verify-full", "sslrootcert": "/no/such.crt"}, "does not exist"),
                ({"sslmode": "verify-full", "sslrootcert": "system"}, "certificate verify failed"),
            ]
        ),
    ],
)
def test_what_keeps_the_site_out_is_one_sentence(
    named: NamedServer, options: dict[str, Any], password: str, sentence: str
) -> None:
    done = run(
        "manage.py",
        "prepare",
        DATABASE_URL=named.url(**options),
        BENCHSITE_DB_PASSWORD=password,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("The database cannot be used: ")
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("database", "sentence"),
    [
        ("of_others", "The user of DATABASE_URL must own the database."),
        ("ascii", "The database's encoding is SQL_ASCII; it must be UTF8"),
        ("nowhere", 'database "nowhere" does not exist'),
    ],
)
def test_a_database_that_will_not_do_is_one_sentence(
    named: NamedServer, database: str, sentence: str
) -> None:
    done = run(
        "manage.py", "prepare", DATABASE_URL=named.url(database), BENCHSITE_DB_PASSWORD=PASSWORD
    )
    assert done.returncode == 1
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_server_that_is_too_old_is_refused(named: NamedServer) -> None:
    """None so old is at hand: the demand is raised instead."""
    done = run("-c", DEMANDING_MORE, DATABASE_URL=named.url_inside())
    assert done.returncode == 1
    assert done.stderr.endswith("version 99 or later is needed.\n")

"""Backups: made beside a running site, restored page by page, refused when spoilt."""

import gzip
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from http import HTTPStatus
from pathlib import Path

import pytest
from django.db import connection

from benchsite import env
from benchsite.backups.work import make_backup
from benchsite.embedded.places import find_places
from benchsite.embedded.server import EmbeddedServer
from experiments.ingest.actor import Actor
from experiments.ingest.pipeline import ingest_file
from experiments.models import TestRun
from tests.experiments.samples import SEED
from tests.setup.test_embedded import SYSTEM_PROGRAMS, ask
from tests.setup.test_serve import free_port, serving

PATIENCE_S = 60
MOST_ADDRESSES = 250
STARTS = ("/", "/?expand=all", "/metrics/", "/api/runs", "/api/grouped-performance", "/api/docs")
LINK = re.compile(r'(?:href|hx-get)="(/[^"#]*)')
OF_A_VISIT = re.compile(r'(name="csrfmiddlewaretoken" value=|"X-CSRFToken": )"[^"]+"')


def manage(data_dir: Path, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of the site in this data folder."""
    given = {"BENCHSITE_DATA_DIR": str(data_dir), "DATABASE_URL": "", **variables}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=env.BASE_DIR,
        env=os.environ | given,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.fixture
def second_dir(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Iterator[Path]:
    """Return the data folder of another site."""
    folder = data_dir.with_name(f"{data_dir.name} second")
    folder.mkdir(mode=0o700)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a backup of a site with the sample data."""
    folder = Path("/tmp") / f"benchsite sample {os.getpid()}"
    folder.mkdir(mode=0o700)
    backup = tmp_path_factory.mktemp("backups") / "sample"
    with EmbeddedServer(find_places(folder, may_move=False)):
        assert manage(folder, "prepare").returncode == 0
        made = manage(folder, "backup", str(backup))
        assert made.returncode == 0, made.stderr
    yield backup
    shutil.rmtree(folder)


@pytest.fixture
def backup(sample: Path, tmp_path: Path) -> Path:
    """Return a copy of it that the test may spoil."""
    return Path(shutil.copytree(sample, tmp_path / "backup"))


def answers(port: int) -> dict[str, tuple[int, str]]:
    """Return what stands at each address that leads from one to the next."""
    found: dict[str, tuple[int, str]] = {}
    waiting = list(STARTS)
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)) as client:
        while waiting and len(found) < MOST_ADDRESSES:
            address = waiting.pop(0)
            if address in found or address.startswith("/static/"):
                continue
            client.request("GET", address)
            answer = client.getresponse()
            text = OF_A_VISIT.sub(r"\1", answer.read().decode(errors="replace"))
            found[address] = answer.status, text.replace(f":{port}", "")
            links = [link.replace("&amp;", "&") for link in LINK.findall(text)]
            # An export tells the site's own address and when it was made; it has tests of its own.
            waiting += [link for link in links if not link.startswith("/api/export")]
    return found


def test_a_restored_site_is_equal_page_by_page(
    data_dir: Path, second_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second site runs on the system's PostgreSQL, an older one, where there is one."""
    backup, port, second_port = tmp_path / "backup", free_port(), free_port()
    with ExitStack() as sites:
        site, _said = sites.enter_context(serving(data_dir, port))
        made = manage(data_dir, "backup", str(backup))
        assert made.returncode == 0, made.stderr
        assert made.stdout.splitlines()[-1] == f"To put them back: manage.py restore {backup}"
        before = answers(port)
        if SYSTEM_PROGRAMS:
            monkeypatch.setenv("PG_BIN_DIR", str(SYSTEM_PROGRAMS[-1]))
        restored = manage(second_dir, "restore", str(backup))
        assert restored.returncode == 0, restored.stderr
        assert "counts and checksums are right" in restored.stdout
        second, said = sites.enter_context(serving(second_dir, second_port))
        assert said == [f"Ready: http://127.0.0.1:{second_port}/"]  # no set-up, no sample
        after = answers(second_port)
        assert [address for address in before if after.get(address) != before[address]] == []
        assert after.keys() == before.keys()
        print(f"{len(before)} pages and answers are equal")
        assert len(before) > 100
        assert {status for status, _ in before.values()} <= {HTTPStatus.OK, HTTPStatus.FOUND}
        for running in (site, second):
            running.send_signal(signal.SIGTERM)
            assert running.wait(30) == 0


def test_a_backup_of_a_restored_site_is_the_same_files(
    backup: Path, data_dir: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again"
    with EmbeddedServer(find_places(data_dir, may_move=False)):
        assert manage(data_dir, "restore", str(backup)).returncode == 0
        assert manage(data_dir, "backup", str(again)).returncode == 0
    names = sorted(path.name for path in backup.iterdir())
    assert names == sorted(path.name for path in again.iterdir())
    for name in set(names) - {"manifest.json"}:
        assert (again / name).read_bytes() == (backup / name).read_bytes(), name
    assert {path.stat().st_mode & 0o777 for path in (again, again.parent / "again")} == {0o700}


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_backup_holds_one_moment(tmp_path: Path) -> None:
    """A file is uploaded once the first table is written: nothing of it is in the backup."""

    def upload() -> None:
        try:
            report = ingest_file(
                data=json.dumps(SEED).encode(), file_name="late.json", fields={}, actor=Actor()
            )
            assert report.accepted
        finally:
            connection.close()

    def upload_after_the_first(table: str, _size_bytes: int) -> None:
        if table == "auth_group":
            with ThreadPoolExecutor(1) as another_connection:
                another_connection.submit(upload).result()

    manifest = make_backup(tmp_path / "backup", upload_after_the_first)
    assert TestRun.objects.count() == 1
    assert manifest.tables["experiments_testrun"].count == 0
    assert manifest.tables["experiments_upload"].count == 0
    assert manifest.tables["benchmarks_benchmark"].count > 0


def test_restore_refuses_a_site_that_is_in_use_unless_told(backup: Path, data_dir: Path) -> None:
    server = EmbeddedServer(find_places(data_dir, may_move=False))
    with server:
        assert manage(data_dir, "prepare").returncode == 0
        assert manage(data_dir, "create_token", "mine", "--scope", "upload").returncode == 0
        refused = manage(data_dir, "restore", str(backup))
        assert refused.returncode == 1
        assert "There is a site in this database, with 1 account. --replace" in refused.stderr
        assert ask(server, "SELECT count(*) FROM experiments_apitoken") == 1
        assert manage(data_dir, "restore", str(backup), "--replace").returncode == 0
        assert ask(server, "SELECT count(*) FROM experiments_apitoken") == 0
        # Numbers go on after those of the backup.
        assert manage(data_dir, "create_token", "mine", "--scope", "upload").returncode == 0


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def lose_a_row(path: Path) -> None:
    with gzip.open(path) as file:
        lines = file.readlines()
    with gzip.open(path, "wb") as file:
        file.writelines(lines[1:])


def add_a_migration(path: Path) -> None:
    manifest = json.loads(path.read_text())
    manifest["migrations"].append(["experiments", "9999_of_the_future"])
    path.write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("name", "spoil", "sentence"),
    [
        ("experiments_testrun.copy.gz", damage, "experiments_testrun.copy.gz (is damaged|cannot)"),
        ("experiments_testrun.copy.gz", lose_a_row, r"is damaged \(60 rows instead of 61"),
        ("experiments_testrun.copy.gz", Path.unlink, "experiments_testrun.copy.gz cannot be read"),
        ("manifest.json", Path.unlink, r"manifest.json cannot be read \(No such file"),
        ("manifest.json", cut, "manifest.json is not the manifest of a backup"),
        ("manifest.json", add_a_migration, "newer site .*experiments.9999_of_the_future"),
    ],
)
def test_a_spoilt_backup_changes_nothing(
    backup: Path, data_dir: Path, name: str, spoil: Callable[[Path], None], sentence: str
) -> None:
    spoil(backup / name)
    server = EmbeddedServer(find_places(data_dir, may_move=False))
    with server:
        refused = manage(data_dir, "restore", str(backup), "--replace")
        assert refused.returncode == 1
        assert re.search(sentence, refused.stderr), refused.stderr
        assert "Traceback" not in refused.stderr
        assert ask(server, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0


def test_a_backup_of_an_older_site_is_brought_forward(
    data_dir: Path, second_dir: Path, tmp_path: Path
) -> None:
    backup = tmp_path / "backup"
    with EmbeddedServer(find_places(data_dir, may_move=False)):
        assert manage(data_dir, "migrate", "experiments", "0002").returncode == 0
        assert manage(data_dir, "migrate", "auth").returncode == 0
        assert manage(data_dir, "backup", str(backup)).returncode == 0
    server = EmbeddedServer(find_places(second_dir, may_move=False))
    with server:
        restored = manage(second_dir, "restore", str(backup))
        assert restored.returncode == 0, restored.stderr
        assert ask(server, "SELECT count(*) FROM experiments_runrevision") == 0
        assert manage(second_dir, "migrate", "--check").returncode == 0


def test_backup_never_writes_into_a_folder_that_holds_something(
    data_dir: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine").touch()
    with EmbeddedServer(find_places(data_dir, may_move=False)):
        nothing = manage(data_dir, "backup", str(tmp_path / "new"))
        assert "The database holds no site yet" in nothing.stderr
        assert manage(data_dir, "prepare").returncode == 0
        refused = manage(data_dir, "backup", str(tmp_path))
        assert "is there and not empty: choose a new folder" in refused.stderr
        broken = manage(data_dir, "backup", "/proc/new")
        assert "cannot be written" in broken.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]

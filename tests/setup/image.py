"""The image, as far as it goes without an engine: `pytest tests/setup/image.py` (needs root).

Its steps run into an empty folder; then compose's services start from them, with the password that
compose makes and a PostgreSQL of their own that asks for it.
"""

import json
import os
import select
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from benchsite.embedded.places import ServerUser, find_server_user
from benchsite.embedded.programs import copy_wheel, find_programs
from tests.setup.dockerfile import Image, the_one
from tests.setup.test_compose import compose
from tests.setup.test_embedded import as_root
from tests.setup.test_serve import free_port

READY_TIMEOUT_S = 120
SECRETS = "/run/benchsite"


@contextmanager
def open_folder() -> Iterator[Path]:
    """Make a folder that any user may enter, with a name as images have them: without spaces."""
    folder = Path(tempfile.mkdtemp(prefix="benchsite-image-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    """Build it once."""
    with open_folder() as root:
        built = Image(root)
        built.build()
        yield built


@contextmanager
def database(folder: Path, password_file: Path) -> Iterator[int]:
    """Run PostgreSQL as the compose file's image does: by TCP, asking for the password."""
    programs, user, port = find_programs(), find_server_user(), free_port()
    options: dict[str, Any] = {"cwd": "/", "check": True, "stdout": subprocess.DEVNULL}
    if user is not None:
        os.chown(folder, user.uid, user.gid)
        if not user.may_enter(programs.bin_dir):  # the checkout is below a private home
            programs = copy_wheel(programs, folder / "programs")
        options |= {"user": user.uid, "group": user.gid, "extra_groups": []}
    initdb = [f"{programs.bin_dir}/initdb", "-D", f"{folder}/data", "-U", "benchsite", "-E", "UTF8"]
    subprocess.run(
        [*initdb, "-A", "scram-sha-256", f"--pwfile={password_file}", "--locale=C.UTF-8"], **options
    )
    control = [f"{programs.bin_dir}/pg_ctl", "-D", f"{folder}/data", "-w"]
    settings = " ".join(compose()["services"]["database"]["command"][1:])
    listen = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 {settings}"
    subprocess.run([*control, "-l", f"{folder}/log", "-o", listen, "start"], **options)
    try:
        with psycopg.connect(
            host="127.0.0.1",
            port=port,
            user="benchsite",
            password=password_file.read_text(),
            dbname="postgres",
            autocommit=True,
        ) as connection:
            connection.execute("CREATE DATABASE benchsite")
        yield port
    finally:
        subprocess.run([*control, "-m", "fast", "stop"], **options)


def made_password(folder: Path) -> Path:
    """Run the service that makes the password, twice: the second time changes nothing."""
    service = compose()["services"]["password"]
    script = service["command"][0].replace(SECRETS, str(folder))
    passwords = []
    for _ in range(2):
        subprocess.run([*service["entrypoint"], script], check=True)
        passwords.append((folder / "db_password").read_text())
    assert passwords[0] == passwords[1]
    assert len(passwords[0]) == 64
    return folder / "db_password"


@contextmanager
def started(image: Image, command: list[str], variables: dict[str, str]) -> Iterator[Any]:
    """Start the image's command as its user, where that user can reach this machine's Python."""
    user = ServerUser(name="site", uid=10001, gid=10001)
    may_run = user.may_enter(Path(sys.base_prefix))
    who: dict[str, Any] = (
        {"user": user.uid, "group": user.gid, "extra_groups": []} if may_run else {}
    )
    with subprocess.Popen(
        command,
        cwd=image.folder,
        env=image.variables | variables,
        stdout=subprocess.PIPE,
        text=True,
        **who,
    ) as site:
        try:
            yield site
        finally:
            site.kill()


@as_root
def test_the_image_holds_the_site_and_no_more(image: Image) -> None:
    app = image.root / "app"
    assert (app / "staticfiles/staticfiles.json").is_file()
    assert list(app.glob("staticfiles/css/base.*.css.br"))
    for name in (".git", ".venv", ".env", ".data", "tests", "secret_key"):
        assert not (app / name).exists(), name
    kept = image.root / "var/lib/benchsite"
    assert list(kept.iterdir()) == []
    assert (kept.stat().st_uid, stat.S_IMODE(kept.stat().st_mode)) == (10001, 0o700)
    owned = [path for path in app.rglob("*") if path.lstat().st_uid == 10001]
    assert owned == []
    installed = subprocess.run(
        [image.root / "opt/venv/bin/pip", "list", "--format=json"], capture_output=True, check=True
    )
    names = {package["name"].lower() for package in json.loads(installed.stdout)}
    assert {"django", "gunicorn", "psycopg"} <= names
    assert not {"pytest", "mypy", "playwright", "check-jsonschema"} & names


@as_root
def test_the_services_of_compose_start_and_answer(image: Image) -> None:
    service = compose()["services"]["site"]
    with open_folder() as folder:
        secrets, data = folder / "secrets", folder / "database"
        secrets.mkdir()
        data.mkdir()
        with database(data, made_password(secrets)) as port:
            site_port = str(free_port())
            variables = {
                name: value.replace(SECRETS, str(secrets)).replace(
                    "@database/", f"@127.0.0.1:{port}/"
                )
                for name, value in service["environment"].items()
                if not value.startswith("${")
            }
            check = json.loads(the_one("HEALTHCHECK").partition(" CMD ")[2])
            check = [part.replace(":8000", f":{site_port}") for part in check]
            assert subprocess.call(check, env=image.variables, stderr=subprocess.DEVNULL) != 0
            command = json.loads(image.here(the_one("CMD")))
            with started(image, command, variables | {"PORT": site_port}) as site:
                said = lines_until_ready(site)
                assert said[-1] == f"Ready: http://0.0.0.0:{site_port}/"
                assert "Compressing static files …" not in said
                assert subprocess.call(check, env=image.variables) == 0
                site.send_signal(signal.SIGTERM)
                assert site.wait(30) == 0
            key = image.root / "var/lib/benchsite/secret_key"
            assert stat.S_IMODE(key.stat().st_mode) == 0o600
            (password,) = (path.read_text() for path in secrets.iterdir())
            assert password not in "\n".join(said)


def lines_until_ready(site: "subprocess.Popen[str]") -> list[str]:
    """Read what the site says until it is ready, or ends."""
    assert site.stdout is not None
    said = []
    while select.select([site.stdout], [], [], READY_TIMEOUT_S)[0]:
        line = site.stdout.readline()
        said.append(line.rstrip())
        if not line or line.startswith("Ready:"):
            break
    return said

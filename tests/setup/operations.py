"""Every `sh` block of docs/operations.md, run in order in a copy of the site.

Run it by `pytest tests/setup/operations.py`; it takes about a minute.
"""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from benchsite import env
from tests.setup.test_serve import free_port

BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
TEXT = (env.BASE_DIR / "docs" / "operations.md").read_text()
START = "make run"


@pytest.fixture
def copy() -> Iterator[Path]:
    """Return a clone of what is committed here, with the packages of this one."""
    folder = Path(tempfile.mkdtemp(prefix="benchsite-operations-"))
    folder.chmod(0o755)
    site = folder / "site"
    subprocess.run(["git", "clone", "--quiet", env.BASE_DIR, site], check=True)
    (site / ".venv").symlink_to((env.BASE_DIR / ".venv").resolve())
    for lock in site.glob("requirements*.txt"):
        os.utime(lock, (0, 0))  # `make install` finds the packages as they have to be
    yield site
    shutil.rmtree(folder)


def blocks(language: str) -> list[str]:
    """Return the blocks of a language."""
    return [found["text"] for found in BLOCK.finditer(TEXT) if found["language"] == language]


def test_every_block_does_what_it_says(copy: Path) -> None:
    ports = {"8000": free_port(), "8001": free_port()}
    variables = {"DATABASE_URL": "", "PORT": str(ports["8000"]), "BENCHSITE_LOG": "json"}
    variables = {**os.environ, **variables}
    variables.pop("BENCHSITE_DATA_DIR", None)
    with ExitStack() as sites, (copy / "site.log").open("w") as log:
        running = []
        for block in blocks("sh"):
            for number, port in ports.items():
                block = re.sub(rf"\b{number}\b", str(port), block)
            if START in block:
                site = subprocess.Popen(
                    ["bash", "-c", f"exec env {block}"],
                    cwd=copy,
                    env=variables,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                )
                running.append(sites.enter_context(site))
                sites.callback(site.terminate)
                await_line(site, "Ready:")
                continue
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", block],
                cwd=copy,
                env=variables,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
            if "-USR2" in block:
                await_line(running[0], "Restarted.")
            if "grep" in block:
                assert '"request_id": "ticket-4711"' in done.stdout
        assert running[0].wait(30) == 0
        workers = gunicorn_processes(running[1].pid)
        assert workers == 1 + 4  # the master and what GUNICORN_CMD_ARGS asks for
        os.kill(int((copy / ".try" / "serve.pid").read_text()), signal.SIGTERM)
        assert running[1].wait(30) == 0
    assert not (copy / ".data" / "serve.pid").exists()


def await_line(site: "subprocess.Popen[str]", beginning: str) -> None:
    """Read what the site says until a line begins so."""
    assert site.stdout is not None
    said = []
    for line in site.stdout:
        said.append(line)
        if line.startswith(beginning):
            return
    pytest.fail("".join(said))


def gunicorn_processes(pid: int) -> int:
    """Count the processes below this one that are gunicorn's."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    below = sum(gunicorn_processes(int(child)) for child in children)
    return below + (b"gunicorn" in Path(f"/proc/{pid}/cmdline").read_bytes())


def test_the_unit_is_one_that_systemd_takes(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd is not installed")
    (unit,) = blocks("ini")
    path = tmp_path / "benchsite.service"
    python = env.BASE_DIR / ".venv" / "bin" / "python"
    path.write_text(
        unit.replace("/srv/benchsite/.venv/bin/python", str(python))
        .replace("/srv/benchsite", str(env.BASE_DIR))
        .replace("User=benchsite", "User=root")
    )
    checked = subprocess.run([program, "verify", path], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")

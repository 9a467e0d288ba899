"""A site of the bench's own: its data folder, its load, its processes."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


class Site:
    """A data folder with a load in it, and the site on it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.environment = {
            **os.environ,
            "BENCHSITE_DATA_DIR": str(folder),
            "PORT": str(port),
            "DJANGO_SETTINGS_MODULE": "tests.bench.settings",
            "BENCHSITE_LOG": "text",
        }

    def command(self, *arguments: str) -> float:
        """Run a management command and return how many seconds it took."""
        started = time.monotonic()
        subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return time.monotonic() - started

    def inside(self, task: str, *arguments: Any) -> Any:
        """Do a task of tests.bench.inside and return its answer."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.inside", task, *map(json.dumps, arguments)],
            cwd=ROOT,
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
        )
        return json.loads(done.stdout.splitlines()[-1])

    def fill(self, *, runs: int, shape: str) -> None:
        """Make the load, unless an earlier bench left it there."""
        made = self.folder / "bench-load"
        self.command("prepare")
        if not made.exists():
            self.command("generate_load", f"--runs={runs}", "--seed=1", f"--shape={shape}")
            made.touch()

    @contextmanager
    def serving(self) -> Iterator[int]:
        """Serve the site as `make run` does and yield the process's id."""
        log = (self.folder / "bench.log").open("w")
        with (
            log,
            subprocess.Popen(
                [sys.executable, "manage.py", "serve"],
                cwd=ROOT,
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            ) as process,
        ):
            try:
                said = process.stdout or ()
                if not any(line.startswith("Ready:") for line in said):
                    raise RuntimeError(f"The site did not start; see {log.name}")
                yield process.pid
            finally:
                process.terminate()
                process.wait()


def workers_memory_mb(ancestor: int) -> list[float]:
    """Return the resident memory (MB) of each web worker below a process."""
    parents, memory, names = {}, {}, {}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text()
            names[int(status.parent.name)] = (status.parent / "cmdline").read_text()
        except OSError:
            continue  # it ended meanwhile
        pid = int(status.parent.name)
        parents[pid] = int(re.findall(r"^PPid:\s+(\d+)", text, re.M)[0])
        resident = re.findall(r"^VmRSS:\s+(\d+)", text, re.M)
        memory[pid] = int(resident[0]) / 1024 if resident else 0.0

    def is_below(pid: int) -> bool:
        while pid in parents:
            pid = parents[pid]
            if pid == ancestor:
                return True
        return False

    web = [pid for pid in parents if is_below(pid) and "gunicorn" in names.get(pid, "")]
    masters = {parents[pid] for pid in web} & set(web)
    return sorted(memory[pid] for pid in web if pid not in masters)

"""Which processes work on a cluster: a server that a pid file names, or what a killed one left."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

BACKEND_TITLE = b"postgres: "  # how each process below the server calls itself


def is_server(pid: str, cluster: Path) -> bool:
    """Whether the process of this number is the server of this cluster.

    Numbers are reused: the command line must name the folder, by whatever path leads to it.
    """
    if not pid_is_taken(pid):
        return False
    if sys.platform != "linux":
        ps = ["ps", "-ww", "-o", "command=", "-p", pid]
        command = subprocess.run(ps, capture_output=True, check=False).stdout  # noqa: S603
        return os.fsencode(cluster) in command
    with suppress(OSError):  # it ends meanwhile
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        for flag, folder in pairwise(arguments):
            if flag == b"-D" and Path(os.fsdecode(folder)).samefile(cluster):
                return True
    return False


def pid_is_taken(pid: str) -> bool:
    """Whether any process has this number."""
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True


def end_orphans(cluster: Path) -> None:
    """Stop, on Linux, sessions that still work on a cluster whose server was killed outright.

    Idle ones notice that by themselves, one in the middle of a query only at the query's end.
    What they had not committed is lost either way.
    """
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ends meanwhile, or is another user's
            title = (process / "cmdline").read_bytes()
            if title.startswith(BACKEND_TITLE) and (process / "cwd").samefile(cluster):
                os.kill(int(process.name), signal.SIGQUIT)

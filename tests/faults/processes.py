"""Which processes a site consists of."""

from pathlib import Path


def children(pid: int) -> list[int]:
    """Return the numbers of a process's children."""
    return [int(pid) for pid in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def descendants(pid: int) -> list[int]:
    """Return the numbers of all that a process started, directly or not."""
    found = children(pid)
    return found + [below for child in found for below in descendants(child)]


def is_running(pid: int, name: str) -> bool:
    """Whether the command line of a process holds the name."""
    return name.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()

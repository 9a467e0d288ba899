"""Which processes a site consists of."""

from pathlib import Path


def children(pid: int) -> list[int]:
    """Return the numbers of a process's children; none of one that ended meanwhile."""
    try:
        numbers = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except (FileNotFoundError, ProcessLookupError):  # a session of the database, for example
        return []
    return [int(number) for number in numbers.split()]


def descendants(pid: int) -> list[int]:
    """Return the numbers of all that a process started, directly or not."""
    found = children(pid)
    return found + [below for child in found for below in descendants(child)]


def is_running(pid: int, name: str) -> bool:
    """Whether the command line of a process holds the name."""
    try:
        return name.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False

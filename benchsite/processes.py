"""Child processes that end with this one, even when it is killed outright."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def start_child(
    arguments: list[str], *, death_signal: signal.Signals, **options: Any
) -> subprocess.Popen[bytes]:
    """Start a child that Linux sends `death_signal` when this process (its main thread) dies.

    Other systems have nothing of the kind: there the child is only stopped by its owner's own code.
    """
    return subprocess.Popen(  # noqa: S603 - each caller builds the whole argument list itself
        arguments, preexec_fn=_tie_to_parent(death_signal), **options
    )


def _tie_to_parent(death_signal: signal.Signals) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent_pid = os.getpid()

    def tie() -> None:
        """Run in the child, after it took its user: a later change of user would undo it."""
        prctl(PR_SET_PDEATHSIG, int(death_signal))
        if os.getppid() != parent_pid:  # the parent died before the call
            os._exit(1)

    return tie

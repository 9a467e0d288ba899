"""How gunicorn serves the site: the command line adds the socket that it listens on."""

import gc
import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import Any

from benchsite.env import load_dotenv

load_dotenv()
if not os.environ.get("BENCHSITE_STATEMENT_TIMEOUT_S"):
    os.environ["BENCHSITE_STATEMENT_TIMEOUT_S"] = "30"  # commands have none

workers = 2
worker_class = "benchsite.workers.PacedWorker"  # threads that do not wait for ever
threads = 4
preload_app = True  # one import for all workers
timeout = 60
graceful_timeout = 60  # a replaced worker finishes its uploads; who stops the site waits less
keepalive = 5
max_requests = 0
loglevel = "warning"
errorlog = "-"
control_socket_disable = True
GARBAGE_AFTER = 20_000  # new objects, a page's worth
if sys.platform == "linux":
    worker_tmp_dir = "/dev/shm"  # noqa: S108 - the heartbeat file; on a disk it can block a worker


def when_ready(_server: Any) -> None:
    """Load what every page needs once for all workers, and never look through it for garbage.

    A collection of all of it held up one request in twenty for 80 ms.
    """
    from django.conf import settings

    import_module(settings.ROOT_URLCONF)
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER)


def post_worker_init(_worker: Any) -> None:
    """Tell benchsite.webserver that a worker takes requests; one that nobody awaits tells none."""
    ready_fd = os.environ.get("BENCHSITE_READY_FD")
    if ready_fd is not None:
        with suppress(BrokenPipeError):
            os.write(int(ready_fd), b".")

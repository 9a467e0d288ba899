"""How gunicorn serves the site: the command line adds the socket that it listens on."""

import os
import sys
from contextlib import suppress
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
if sys.platform == "linux":
    worker_tmp_dir = "/dev/shm"  # noqa: S108 - the heartbeat file; on a disk it can block a worker


def post_worker_init(_worker: Any) -> None:
    """Tell benchsite.webserver that a worker takes requests; one that nobody awaits tells none."""
    ready_fd = os.environ.get("BENCHSITE_READY_FD")
    if ready_fd is not None:
        with suppress(BrokenPipeError):
            os.write(int(ready_fd), b".")

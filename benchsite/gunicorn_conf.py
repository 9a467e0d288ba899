"""How gunicorn serves the site: the command line adds the socket that it listens on."""

import sys

workers = 2
worker_class = "benchsite.workers.PacedWorker"  # threads that do not wait for ever
threads = 4
preload_app = True  # one import for all workers
timeout = 60
graceful_timeout = 10
keepalive = 5
max_requests = 0
loglevel = "warning"
errorlog = "-"
control_socket_disable = True
if sys.platform == "linux":
    worker_tmp_dir = "/dev/shm"  # noqa: S108 - the heartbeat file; on a disk it can block a worker

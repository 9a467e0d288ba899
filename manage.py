#!/usr/bin/env python
"""Entry point of every management command; each finds a running database."""

import os
import signal
import sys
from types import FrameType

from django.core.management import execute_from_command_line
from django.db import Error

from benchsite import env
from benchsite.common.maintenance import sentence_for_operators
from benchsite.database import running_server
from benchsite.embedded.errors import EmbeddedError


def _end(signal_number: int, _frame: FrameType | None) -> None:
    """Turn SIGTERM into an exception, so that what was started is stopped on the way out."""
    sys.exit(128 + signal_number)


def main() -> None:
    """Run the command of the command line, with the embedded server unless DATABASE_URL is set."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchsite.settings")
    signal.signal(signal.SIGTERM, _end)
    env.load_dotenv()
    with running_server(env.load()):
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    try:
        main()
    except (env.SettingError, EmbeddedError) as problem:
        sys.exit(str(problem))
    except (Error, OSError) as problem:
        sentence = sentence_for_operators(problem)
        if sentence is None:
            raise
        sys.exit(sentence)

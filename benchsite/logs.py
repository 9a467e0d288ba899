"""Log lines: JSON for collectors, text for people, each with its request's id and no content."""

import json
import logging
import re
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import psycopg

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request that this thread answers; empty outside of requests."""

LONGEST_MESSAGE = 500
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_STATES_ABOUT_VALUES = ("22", "23")  # data exceptions and violated constraints quote the values


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, request_id, then the line's fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as JSON; `extra={"fields": {…}}` adds members."""
        line: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": _short(record.getMessage()),
        }
        if current := request_id.get():
            line["request_id"] = current
        line.update(getattr(record, "fields", {}))
        if record.exc_info and record.exc_info[1]:
            line["exception"] = exception_text(record.exc_info[1])
        return json.dumps(line, default=str)


class TextFormatter(logging.Formatter):
    """The same for a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as a line, and the lines of its exception."""
        message = _short(record.getMessage()).encode("unicode_escape").decode()
        current = request_id.get()
        about = f" [{current}]" if current else ""
        text = f"{_time(record)} {record.levelname} {record.name}{about}: {message}"
        if record.exc_info and record.exc_info[1]:
            text += f"\n{exception_text(record.exc_info[1])}"
        return text


def configuration(*, as_json: bool) -> dict[str, Any]:
    """Return the dictConfig of the site; gunicorn's messages go the same way."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": JsonFormatter if as_json else TextFormatter}},
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "stream": sys.stderr, "formatter": "line"},
        },
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "django": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
            # What is refused has its line among the requests.
            "django.request": {"level": "ERROR"},
            "benchsite": {"level": "INFO"},
            "gunicorn.error": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
            # Django answers HEAD with a body and leaves it to the server to drop it: no news.
            "gunicorn.http.wsgi": {"level": "ERROR"},
        },
    }


def exception_text(error: BaseException) -> str:
    """Return where an exception came from, and what it says without the values that it quotes.

    Messages of exceptions hold what people uploaded: a row that breaks a constraint, a text that
    is no number. The places in the code say as much about a defect, and belong to nobody.
    """
    parts = [f"{type(error).__qualname__}: {_said(error)}"]
    parts += [line.rstrip() for line in traceback.format_tb(error.__traceback__)]
    text = "\n".join(parts)
    earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return text if earlier is None else f"{text}\nafter {exception_text(earlier)}"


def _said(error: BaseException) -> str:
    known = next((e for e in (error, error.__cause__) if isinstance(e, psycopg.Error)), None)
    if known is not None and (known.sqlstate or "").startswith(_STATES_ABOUT_VALUES):
        names = (known.diag.table_name, known.diag.column_name, known.diag.constraint_name)
        return " ".join(["SQLSTATE", known.sqlstate or "", *filter(None, names)])
    first_line = str(error).partition("\n")[0]
    return _short(_QUOTED.sub("'…'", first_line))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]}…"


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")

"""Answers of a site that cannot work just now: under maintenance, or without its database."""

import errno
import sys
from collections.abc import Callable
from http import HTTPStatus

import psycopg
from django.conf import settings
from django.db import Error, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

from benchsite.logs import request_id

API = "/api/"
PROBE = "/health"
FILE_NAME = "maintenance"
LONGEST_NOTICE = 500
RETRY_AFTER_S = 60
DATABASE_GONE = "The site cannot reach its database."
NO_ROOM = "The site has no room left to store anything."
READ_ONLY = "The site's database takes no changes just now."
TOO_SLOW = "This took longer than the site allows for one answer; narrower filters are quicker."
# The server goes down, comes up, or has no connection left; class 08 is a broken connection.
_STATES_OF_A_SERVER_AWAY = {"57P01", "57P02", "57P03", "53300"}
_NOTICES = {
    psycopg.errors.QueryCanceled: TOO_SLOW,
    psycopg.errors.IdleInTransactionSessionTimeout: TOO_SLOW,
    psycopg.errors.DiskFull: NO_ROOM,
    psycopg.errors.ReadOnlySqlTransaction: READ_ONLY,  # a standby, or one that operators set so
}


class MaintenanceMiddleware:
    """Answer 503 to everything but the probe while the data folder holds a file `maintenance`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on, or say that the site is being worked on."""
        notice = None if request.path == PROBE else maintenance_notice()
        return self.get_response(request) if notice is None else unavailable(request, notice)


def maintenance_notice() -> str | None:
    """Return what the operators wrote into the file `maintenance`, None without one to read.

    Looked for at each request: making and removing the file needs no restart.
    """
    try:
        text = (settings.SITE.data_dir / FILE_NAME).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return text.strip()[:LONGEST_NOTICE] or "The site is being worked on."


def unavailable(request: HttpRequest, notice: str) -> HttpResponse:
    """Return the 503 in the shape that the visitor reads: a page, or the API's error."""
    status = HTTPStatus.SERVICE_UNAVAILABLE
    headers = {"Retry-After": str(RETRY_AFTER_S), "Cache-Control": "no-store"}
    if request.path.startswith(API):
        body = {"error": f"{notice} Try again in a minute.", "code": "unavailable", "details": []}
        return JsonResponse(body, status=status, headers=headers)
    page = render_to_string("503.html", {"notice": notice})
    return HttpResponse(page, status=status, headers=headers)


def is_database_away(error: BaseException | None) -> bool:
    """Tell whether the error means that the database cannot be reached, not a fault of a query."""
    if isinstance(error, InterfaceError):
        return True
    cause = error.__cause__ if isinstance(error, OperationalError) else error
    if not isinstance(cause, psycopg.OperationalError):
        return False
    state = cause.sqlstate  # None: the connection was never made, or broke
    return state is None or state.startswith("08") or state in _STATES_OF_A_SERVER_AWAY


def outage(error: BaseException | None) -> str | None:
    """Return what visitors are told when the same request may work in a minute, None for defects.

    A query is cancelled by the statement timeout: it is too slow, or waits behind a long change.
    """
    if is_database_away(error):
        return DATABASE_GONE
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return NO_ROOM
    cause = error.__cause__ if isinstance(error, Error) else error
    return next((notice for kind, notice in _NOTICES.items() if isinstance(cause, kind)), None)


def sentence_for_operators(error: BaseException) -> str | None:
    """Return what is wrong with database or disk and what to do; None for a defect of the site."""
    said = " ".join(str(error).split())
    if is_database_away(error):
        return f"The database cannot be used: {said} (DATABASE_URL says which one it is)."
    first: BaseException = error
    while (earlier := first.__cause__ or first.__context__) is not None:
        first = earlier
    if isinstance(first, psycopg.errors.InsufficientPrivilege):
        refusal = first.diag.message_primary
        return f"The database refuses: {refusal}. The user of DATABASE_URL must own the database."
    notice = outage(error)
    return notice and f"{notice} {said}"


def failure_sentence() -> str:
    """Return the sentence of an answer 500, with the id by which the log tells its cause."""
    return f"The site failed; its log says why, under the request id {request_id.get()}."


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer an exception that nobody caught: 503 for an outage, else 500; never a trace."""
    if notice := outage(sys.exc_info()[1]):
        return unavailable(request, notice)
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    if request.path.startswith(API):
        body = {"error": failure_sentence(), "code": "internal_error", "details": []}
        return JsonResponse(body, status=status)
    page = render_to_string("500.html", {"request_id": request_id.get()})
    return HttpResponse(page, status=status)

"""An id for each request, which people can quote, and one line in the log about it."""

import logging
import re
import time
import uuid
from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from benchsite.logs import request_id

HEADER = "X-Request-ID"
_SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{7,63}")
_PROBE = "/health"
_STATIC = "/static/"

logger = logging.getLogger("benchsite.requests")


class RequestLogMiddleware:
    """Take the proxy's X-Request-ID where it is sane, else make one; answer with it and log it.

    The line names method, path, status and time, and never the query, headers or body: they hold
    what people upload. Static files and probes that are answered well have no line.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request under its id."""
        started = time.perf_counter()
        given = request.headers.get(HEADER, "")
        current = given if _SANE.fullmatch(given) else uuid.uuid4().hex
        request_id.set(current)
        response = self.get_response(request)
        response[HEADER] = current
        if response.status_code >= 400 or not request.path.startswith((_PROBE, _STATIC)):
            _log(request, response.status_code, time.perf_counter() - started)
        return response


def _log(request: HttpRequest, status: int, seconds: float) -> None:
    fields = {
        "method": request.method,
        "path": request.path,
        "status": status,
        "duration_ms": round(seconds * 1000, 1),
    }
    message = f"{request.method} {request.path} {status} {fields['duration_ms']} ms"
    logger.info("%s", message, extra={"fields": fields})

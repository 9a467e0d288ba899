"""The one shape of every error answer: {"error", "code", "details": [{path, message, value}]}."""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.log import log_response
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from benchsite.common.maintenance import failure_sentence, outage, unavailable
from experiments.formats.documents import Problem
from experiments.formats.problems import join_path

logger = logging.getLogger("django.request")

CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "timeout",
    410: "withdrawn",
    411: "length_required",
    413: "too_large",
    422: "invalid",
    429: "too_many_requests",
    500: "internal_error",
}
"""The code of each status, where an error does not have one of its own."""


class ApiError(Exception):
    """An answer other than success; `beside` are fields to stand next to the error."""

    def __init__(
        self,
        status: int,
        message: str,
        *details: Problem,
        code: str | None = None,
        beside: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.details = details
        self.code = code
        self.beside = beside or {}


def error_response(
    status: int,
    message: str,
    details: Sequence[Problem] = (),
    *,
    code: str | None = None,
    beside: Mapping[str, Any] | None = None,
) -> JsonResponse:
    """Return an error in the site's shape."""
    body = {
        **(beside or {}),
        "error": message,
        "code": code or CODES[status],
        "details": [problem.as_dict() for problem in details],
    }
    headers = {"WWW-Authenticate": 'Bearer realm="benchsite"'} if status == 401 else None
    return JsonResponse(body, status=status, headers=headers)


def form_error(form: Form) -> ApiError:
    """Return the 400 that names each wrong parameter of a query string."""
    problems = [
        Problem(name, str(message), form.data.get(name))
        for name, messages in form.errors.items()
        for message in messages
    ]
    return ApiError(400, f"{problems[0].path}: {problems[0].message}", *problems)


def too_large(size_bytes: int | None = None) -> ApiError:
    """Return the 413 that names the limit, and the size where it is known."""
    limit_bytes = settings.BENCHSITE_MAX_UPLOAD_BYTES
    message = f"The file is larger than {limit_bytes:,} bytes, the limit of this site."
    return ApiError(413, message, Problem("", message, size_bytes))


def add_exception_handlers(api: NinjaAPI) -> None:
    """Make every error of the API answer in the one shape."""
    handlers: dict[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
        ApiError: _on_api_error,
        Http404: lambda _request, _error: error_response(404, "There is nothing at this address."),
        HttpError: _on_http_error,
        ValidationError: _on_invalid_parameters,
        RequestDataTooBig: lambda request, _error: _on_api_error(request, too_large()),
        SuspiciousOperation: _on_unreadable,
        MultiPartParserError: _on_unreadable,
        UnreadablePostError: _on_unreadable,
        Exception: _on_defect,
    }
    for error_class, handler in handlers.items():
        api.add_exception_handler(error_class, partial(_call, handler))


def _call(
    handler: Callable[[HttpRequest, Any], HttpResponse], request: HttpRequest, error: Any
) -> HttpResponse:
    return handler(request, error)


def _on_api_error(_request: HttpRequest, error: ApiError) -> JsonResponse:
    return error_response(
        error.status, error.message, error.details, code=error.code, beside=error.beside
    )


def _on_http_error(_request: HttpRequest, error: HttpError) -> JsonResponse:
    """Answer ninja's own refusals: 401, 403, 429."""
    message = str(error)
    if error.status_code == 401:
        message = "A valid token is needed: send it as “Authorization: Bearer TOKEN”."
    return error_response(error.status_code, message)


def _on_invalid_parameters(_request: HttpRequest, error: ValidationError) -> JsonResponse:
    """A path that is no id leads nowhere (404), a wrong query is a 400, a wrong body a 422."""
    problems = [Problem(join_path("", *item["loc"][1:]), item["msg"]) for item in error.errors]
    sources = {item["loc"][0] for item in error.errors}
    if "path" in sources:
        return error_response(404, "There is nothing at this address.", problems)
    status = 400 if sources & {"query", "header", "cookie"} else 422
    return error_response(status, f"{problems[0].path}: {problems[0].message}", problems)


def _on_unreadable(_request: HttpRequest, error: Exception) -> JsonResponse:
    message = f"The request cannot be read: {error}"
    return error_response(400, message, [Problem("", message)], code="unreadable")


def _on_defect(request: HttpRequest, error: Exception) -> HttpResponse:
    """Report a defect of the site as Django does (log, signal), and answer in the one shape.

    An outage is a 503: the same request works again once it is over.
    """
    got_request_exception.send(sender=None, request=request)
    if notice := outage(error):
        response = unavailable(request, notice)
    else:
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        response = error_response(status, failure_sentence())
    log_response(
        "%s: %s",
        response.reason_phrase,
        request.path,
        response=response,
        request=request,
        exception=error,
    )
    return response

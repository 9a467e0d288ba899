"""Requests that no page can read: refused before anything tries to."""

from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    JsonResponse,
    UnreadablePostError,
)
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render

from benchsite.common.bodies import MULTIPART_OVERHEAD_BYTES, BodyFailure, RequestBody

API = "/api/"


class ReadableRequestMiddleware:
    """Answer with a sentence where path, query, cookies or body cannot be read.

    Bodies of forms are judged before the check against forged requests, which reads them: those
    too large are refused unread. The API judges its own, once it knows who sends.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on, or say in a sentence why it cannot be read."""
        if complaint := _complaint(request):
            if request.path.startswith(API):
                return _in_the_apis_shape(BodyFailure(400, "bad_request", complaint))
            return HttpResponseBadRequest(complaint, content_type="text/plain; charset=utf-8")
        response = self.get_response(request)
        body = request.META.get("wsgi.input")
        if isinstance(body, RequestBody) and body.failure:
            return _refused(request, body.failure)
        return response

    def process_view(
        self,
        request: HttpRequest,
        _view: Callable[..., HttpResponse],
        _arguments: tuple[Any, ...],
        _named_arguments: dict[str, Any],
    ) -> HttpResponse | None:
        """Refuse a form that cannot be read, with a page."""
        if request.path.startswith(API) or request.method != "POST":
            return None
        failure = _failure_by_headers(request) or _failure_by_reading(request)
        return _refused(request, failure) if failure else None


def too_large(limit_bytes: int) -> str:
    """Return the sentence about a request above the limit."""
    return f"This is larger than {limit_bytes:,} bytes, the limit of this site for one request."


def content_length(request: HttpRequest) -> int:
    """Return how long the body is said to be, 0 where that is not said."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def is_chunked(request: HttpRequest) -> bool:
    """Tell whether the body comes in chunks, without a length."""
    return "chunked" in request.headers.get("Transfer-Encoding", "").lower()


def _failure_by_headers(request: HttpRequest) -> BodyFailure | None:
    limit_bytes: int = settings.BENCHSITE_MAX_UPLOAD_BYTES
    if is_chunked(request):
        return BodyFailure(411, "length_required", "A form is sent with a Content-Length.")
    if content_length(request) > limit_bytes + MULTIPART_OVERHEAD_BYTES:
        message = f"{too_large(limit_bytes)} Send fewer files at once."
        return BodyFailure(413, "too_large", message)
    return None


def _failure_by_reading(request: HttpRequest) -> BodyFailure | None:
    """Read the form; pages find it read already."""
    try:
        _fields = request.POST
    except RequestDataTooBig:
        return BodyFailure(413, "too_large", too_large(settings.BENCHSITE_MAX_UPLOAD_BYTES))
    except TooManyFilesSent:
        most = settings.DATA_UPLOAD_MAX_NUMBER_FILES
        message = f"These are more than {most} files; send fewer at once."
    except TooManyFieldsSent:
        message = f"The form has more than {settings.DATA_UPLOAD_MAX_NUMBER_FIELDS:,} fields."
    except MultiPartParserError as error:
        message = f"The form cannot be read: {error}."
    except UnreadablePostError as error:
        message = str(error)  # where the body knows more, its own failure is the answer
    else:
        return None
    return BodyFailure(400, "unreadable", message)


def _refused(request: HttpRequest, failure: BodyFailure) -> HttpResponse:
    if request.path.startswith(API):
        return _in_the_apis_shape(failure)
    page = render(request, "refused.html", {"sentence": failure.message}, status=failure.status)
    if "HX-Request" in request.headers:  # the form stays as it is, and tells why in its status line
        page["HX-Retarget"], page["HX-Reselect"] = ".upload__status", "#refusal"
        page["HX-Reswap"], page["HX-Push-Url"] = "innerHTML", "false"
    return page


def _in_the_apis_shape(failure: BodyFailure) -> HttpResponse:
    body = {"error": failure.message, "code": failure.code, "details": []}
    return JsonResponse(body, status=failure.status)


def _complaint(request: HttpRequest) -> str:
    try:
        has_nul = any("\0" in text for text in _texts(request))
    except TooManyFieldsSent:
        return "The query has too many parameters."
    return "NUL characters have no place in an address or a cookie." if has_nul else ""


def _texts(request: HttpRequest) -> Iterator[str]:
    yield request.path
    yield from request.COOKIES.values()
    for name, values in request.GET.lists():
        yield from (name, *values)

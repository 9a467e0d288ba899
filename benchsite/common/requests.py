"""Requests that no page can read: refused before anything tries to."""

from collections.abc import Callable, Iterator

from django.core.exceptions import TooManyFieldsSent
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse


class ReadableRequestMiddleware:
    """Answer 400 to NUL characters in path, query or cookies: the database cannot take them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on, or say in a sentence why it cannot be read."""
        complaint = _complaint(request)
        if not complaint:
            return self.get_response(request)
        if request.path.startswith("/api/"):
            body = {"error": complaint, "code": "bad_request", "details": []}
            return JsonResponse(body, status=400)
        return HttpResponseBadRequest(complaint, content_type="text/plain; charset=utf-8")


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

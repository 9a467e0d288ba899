"""The API as it is mounted: what surrounds every operation."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver
from django.utils.cache import patch_vary_headers
from ninja import NinjaAPI, Router

from experiments.api.errors import error_response

fallback = Router()
View = Callable[..., HttpResponse]


class SiteApi(NinjaAPI):
    """django-ninja's API, answering HEAD and refusing in the site's shape where ninja does not."""

    @property
    def urls(self) -> tuple[list[URLResolver | URLPattern], str, str]:
        """The URLs, each with its view wrapped."""
        patterns, app_name, namespace = super().urls
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                pattern.callback = _in_the_sites_manner(pattern.callback)
        return patterns, app_name, namespace


def _in_the_sites_manner(view: View) -> View:
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "HEAD":
            request.method = "GET"  # the server drops the body
        try:
            response = view(request, *args, **kwargs)
        except Http404:
            response = error_response(404, "There is nothing at this address.")
        if isinstance(response, HttpResponseNotAllowed):
            allowed = response.headers["Allow"]
            response = error_response(405, f"This address takes {allowed} only.")
            response.headers["Allow"] = allowed
        patch_vary_headers(response, ["Authorization", "Cookie"])
        return response

    return answer


@fallback.get("/", include_in_schema=False)
def api_home(request: HttpRequest) -> HttpResponse:
    """Lead to the description of the API."""
    return redirect("api:openapi-view")


@fallback.api_operation(
    ["GET", "POST", "PUT", "PATCH", "DELETE"], "/{path:rest}", include_in_schema=False
)
def nothing_here(request: HttpRequest, rest: str) -> None:
    """Answer every other address in the shape of the API's errors."""
    raise Http404

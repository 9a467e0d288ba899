"""One URL, two answers: the whole page, or the fragment of it that htmx asks for."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django_htmx.middleware import HtmxDetails

VARY_HEADERS = ("HX-Request", "HX-Boosted", "HX-History-Restore-Request")


def is_fragment_request(request: HttpRequest) -> bool:
    """Tell whether htmx asks for a fragment; boosted links and history need the whole page."""
    htmx = HtmxDetails(request)
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def render_page_or_fragment(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any],
    *,
    fragment: str,
    status: int = 200,
) -> HttpResponse:
    """Render the template, or only its partial `fragment` where htmx asks for that.

    The answer varies on the headers that decide it, so that no cache mixes the two up.
    """
    name = f"{template}#{fragment}" if is_fragment_request(request) else template
    response = render(request, name, dict(context), status=status)
    patch_vary_headers(response, VARY_HEADERS)
    return response

"""Who may read a site that is not public."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponseBase

# Addresses that check their visitors themselves: the API by token, the probe by nothing.
_OWN_CHECKS = ("/api/", "/health")


class PrivateSiteMiddleware(LoginRequiredMiddleware):
    """Ask for a login on every page where BENCHSITE_PUBLIC is false."""

    def process_view(
        self,
        request: HttpRequest,
        view_func: Callable[..., HttpResponseBase],
        view_args: tuple[Any, ...],
        view_kwargs: dict[str, Any],
    ) -> HttpResponseBase | None:
        """Send visitors without a session to the login page."""
        if settings.BENCHSITE_PUBLIC or request.path.startswith(_OWN_CHECKS):
            return None
        return super().process_view(request, view_func, view_args, view_kwargs)

"""What pages of the site may ask browsers for: nothing."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

_UNUSED = (
    "accelerometer",
    "browsing-topics",
    "camera",
    "display-capture",
    "geolocation",
    "gyroscope",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "usb",
)
POLICY = ", ".join(f"{feature}=()" for feature in _UNUSED)


class PermissionsPolicyMiddleware:
    """Send the Permissions-Policy, which Django has no setting for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Add the header."""
        response = self.get_response(request)
        response["Permissions-Policy"] = POLICY
        return response

"""The WSGI application that gunicorn serves."""

import os
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.core.wsgi import get_wsgi_application

from benchsite.common.bodies import RequestBody

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchsite.settings")

_CHARSET = re.compile(r';\s*charset\*?\s*=\s*("[^"]*"|[^;]*)', re.IGNORECASE)
_django = get_wsgi_application()


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Answer a request; addresses and forms are UTF-8 whatever charset the body is said to have.

    Django decodes the query by that charset before any middleware runs, and fails outright where
    it is a codec of no text (hex, idna). A body of which a part is missing is never read as whole.
    """
    length = environ.get("CONTENT_LENGTH", "")
    if not length.isdecimal():
        environ["CONTENT_LENGTH"] = length = ""
    environ["wsgi.input"] = RequestBody(environ["wsgi.input"], int(length) if length else None)
    environ["CONTENT_TYPE"] = without_charset(environ.get("CONTENT_TYPE", ""))
    return _django(environ, start_response)


def without_charset(content_type: str) -> str:
    """Return the Content-Type without its charset."""
    return _CHARSET.sub("", content_type)

"""Answers that stay good for as long as the database says the same: ETag, 304, kept pages."""

import hashlib
import logging
from collections.abc import Callable, Iterable
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.cache import cache as cached
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_cache_control
from redis.exceptions import RedisError

from benchsite.common.htmx import VARY_HEADERS

LARGEST_KEPT_BYTES = 128 * 1024
KEPT_FOR_S = 3600
"""How long an answer stays in the cache at most; it is out of use at the next write already."""

# What answers depend on beside their address.
_HEADERS = ("Host", "X-Forwarded-Proto", "Accept", "Accept-Encoding", *VARY_HEADERS)
_CODE = ("benchsite", "benchmarks", "experiments", "hardware", "static", "templates")
_LEFT_ALONE = ("/admin/", "/static/", "/health", "/metrics/")
"""Addresses of somebody, and those that ask the database for nothing."""


# What a snapshot shows depends on which transactions are finished in it and on nothing else, so
# two equal snapshots of one running server show the same rows. A transaction that has written
# sees its own rows beside them: then nothing is said.
_VERSION = """
SELECT CASE WHEN pg_current_xact_id_if_assigned() IS NULL
    THEN pg_postmaster_start_time()::text || ' ' || pg_current_snapshot()::text END
"""

logger = logging.getLogger(__name__)


class FreshnessMiddleware:
    """Answer visitors without login or token from what was made of the same data before.

    The version of the data is read before the page reads anything, so that what is kept under it
    is never older than it: once a write has returned, the version is another one. Costs a query.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer 304, or with the kept answer, or with a new one that is kept."""
        version = data_version() if _is_for_everybody(request) else None
        if version is None:
            return self.get_response(request)
        key = _digest([version, code_version(), *_asked(request)])
        etag = f'W/"{key}"'
        answer: HttpResponseBase | None = get_conditional_response(request, etag=etag)
        if answer is None and (answer := _from_cache(key)) is None:
            answer = self.get_response(request)
            if not _may_be_kept(answer):
                return answer
            if request.method == "GET":
                _keep(key, answer)
        answer.headers["ETag"] = etag
        patch_cache_control(answer, no_cache=True)
        return answer


def of_this_data(key: str, make: Callable[[], Any]) -> Any:
    """Return what `make` gives, made once for the same data; where that has no name, made anew."""
    version = data_version()
    if version is None:
        return make()
    found = _from_cache(name := _digest([version, code_version(), key]))
    if found is None:
        _into_cache(name, found := make())
    return found


def data_version() -> str | None:
    """Return what changes with every committed write to the database, whoever makes it.

    None within a transaction that has written: what it sees has no name yet.
    """
    with connection.cursor() as cursor:
        cursor.execute(_VERSION)
        row = cursor.fetchone()
    return row[0] if row else None


@cache
def code_version() -> str:
    """Return a hash of all that makes pages of data: code, templates, packages, settings."""
    base: Path = settings.BASE_DIR
    files = [path for folder in _CODE for path in base.glob(f"{folder}/**/*") if path.is_file()]
    sources = sorted(path for path in files if path.suffix != ".pyc")
    contents = (path.read_bytes().hex() for path in [*sources, *base.glob("requirements.txt")])
    return _digest([repr(settings.SITE), *contents])


def _is_for_everybody(request: HttpRequest) -> bool:
    """Tell whether all visitors would get the same answer, and asking leaves nothing behind."""
    return bool(
        settings.BENCHSITE_PUBLIC
        and not settings.DEBUG  # templates change without a restart
        and request.method in ("GET", "HEAD")
        and not request.path.startswith(_LEFT_ALONE)
        and "Authorization" not in request.headers
        and not {settings.SESSION_COOKIE_NAME, "messages"} & request.COOKIES.keys()
    )


def _may_be_kept(answer: HttpResponseBase) -> bool:
    is_plain = answer.status_code == HTTPStatus.OK and not answer.cookies
    return is_plain and "no-store" not in answer.headers.get("Cache-Control", "")


def _asked(request: HttpRequest) -> Iterable[str]:
    yield request.get_full_path()
    yield from (request.headers.get(name, "") for name in _HEADERS)


def _digest(parts: Iterable[str]) -> str:
    joined = "\0".join(parts).encode("utf-8", errors="surrogateescape")
    return hashlib.sha256(joined).hexdigest()[:40]


def _keep(key: str, answer: HttpResponseBase) -> None:
    if isinstance(answer, HttpResponse) and len(answer.content) <= LARGEST_KEPT_BYTES:
        _into_cache(key, answer)


def _from_cache(key: str) -> Any:
    try:
        return cached.get(key)
    except RedisError as error:
        logger.warning("The cache that CACHE_URL names does not answer: %s", error)
        return None


def _into_cache(key: str, value: Any) -> None:
    try:
        cached.set(key, value, KEPT_FOR_S)
    except RedisError as error:
        logger.warning("The cache that CACHE_URL names takes nothing: %s", error)

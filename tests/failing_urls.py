"""The site's URLs, and two pages that fail: ROOT_URLCONF of tests that look at failures."""

from typing import NoReturn

import psycopg
from django.db import OperationalError
from django.http import HttpRequest
from django.urls import path

from benchsite import urls

FAULT = "the launch codes"


def fail(_request: HttpRequest) -> NoReturn:
    raise RuntimeError(FAULT)


def fail_without_database(_request: HttpRequest) -> NoReturn:
    raise OperationalError(FAULT) from psycopg.OperationalError(FAULT)


handler500 = urls.handler500
urlpatterns = [
    path("fail/", fail),
    path("fail/database/", fail_without_database),
    path("api/fail/", fail),
    *urls.urlpatterns,
]

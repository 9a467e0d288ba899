"""`/health`: does the site answer, and its database?"""

import psycopg
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

PATIENCE_S = 2  # for the connection, the least that libpq knows, and again for the query


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """Answer 200 when the database answers, else 503, within seconds.

    It takes a connection of its own: one that is kept could hang on a server that is gone, and
    would tell nothing about whether a new one can be had.
    """
    parameters = connection.get_connection_params() | {
        "connect_timeout": PATIENCE_S,
        "options": f"-c statement_timeout={PATIENCE_S}s",
    }
    try:
        with psycopg.connect(**parameters) as probe:
            probe.execute("SELECT 1")
    except psycopg.Error:
        return JsonResponse({"status": "unavailable", "database": "unreachable"}, status=503)
    return JsonResponse({"status": "ok", "database": "ok"})

"""The site's database: DATABASE_URL's, else the embedded server's."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import dj_database_url
import psycopg
from psycopg.conninfo import make_conninfo

from benchsite.env import SettingError, SiteEnvironment

if TYPE_CHECKING:
    from benchsite.embedded.server import EmbeddedServer

CONNECT_TIMEOUT_S = 5


@contextmanager
def running_server(site: SiteEnvironment) -> "Iterator[EmbeddedServer | None]":
    """Keep the embedded server running meanwhile; None where DATABASE_URL names another one."""
    if site.database_url is not None:
        yield None
        return
    from benchsite.embedded.server import EmbeddedServer

    with EmbeddedServer.of_site(site) as server:
        yield server


def connection_settings(site: SiteEnvironment) -> dict[str, Any]:
    """Return Django's settings for the connection; looks at paths, connects to nothing."""
    if site.database_url is not None:
        database: dict[str, Any] = _named_database(site.database_url, site.db_password)
    else:
        from benchsite.embedded import places

        database = {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": places.DATABASE,
            "USER": places.SUPERUSER,
            "HOST": str(places.places_of_site(site).socket_dir),
            "PORT": places.PORT,
        }
    stated = database.get("OPTIONS", {})
    database["OPTIONS"] = _defaults(site) | stated
    if "options" in stated:  # the server takes the later one of two
        database["OPTIONS"]["options"] = f"{_defaults(site)['options']} {stated['options']}"
    # A connection a thread, kept for a minute: as fast as a pool, and nothing to size.
    # The development server has a new thread for each request and would pile them up.
    database["CONN_MAX_AGE"] = 0 if site.debug else 60
    database["CONN_HEALTH_CHECKS"] = True
    if site.test_database_name is not None:
        database["TEST"] = {"NAME": site.test_database_name}
    return database


def _named_database(url: str, password: str | None) -> dict[str, Any]:
    """Return what the URL says; raises SettingError for an option that libpq does not have."""
    database: dict[str, Any] = dict(dj_database_url.parse(url))
    if password is not None:
        database["PASSWORD"] = password
    try:
        make_conninfo(**database.get("OPTIONS", {}))
    except psycopg.ProgrammingError as error:
        raise SettingError(
            f"DATABASE_URL has what PostgreSQL's clients do not know ({str(error).strip()}); "
            "TLS, for example, is ?sslmode=verify-full&sslrootcert=/path/to/ca.pem."
        ) from error
    return database


def _defaults(site: SiteEnvironment) -> dict[str, Any]:
    """Return the options of each connection, below what DATABASE_URL says."""
    # JIT compilation costs grouped page queries more time than they take. The best of each model
    # is found by sorting; the default of 4 MB would take that to the disk from 40,000 rows on.
    session = ["-c jit=off", "-c work_mem=16MB", "-c plan_cache_mode=force_generic_plan"]
    if site.statement_timeout_s:
        session.append(f"-c statement_timeout={site.statement_timeout_s}s")
        session.append(f"-c idle_in_transaction_session_timeout={2 * site.statement_timeout_s}s")
    return {
        "options": " ".join(session),
        "connect_timeout": CONNECT_TIMEOUT_S,
        # Over a network, a server that vanished is noticed in about half a minute.
        "keepalives_idle": 15,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 30_000,  # milliseconds
    }

"""The site's environment variables: read once, typed, with a sentence for each wrong value."""

import os
import secrets
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from environs import Env, FileAwareEnv

BASE_DIR = Path(__file__).resolve().parent.parent
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")
SECRET_KEY_MIN_CHARS = 50
POSTGRES_SCHEMES = ("postgres", "postgresql")
CACHE_SCHEMES = ("redis://", "rediss://", "unix://")
GIVEN = dict(os.environ)
"""The environment that the process was given, before `.env` adds to it."""


class SettingError(Exception):
    """A variable, or a file it names, that the site cannot work with; the text says what to do."""


@dataclass(frozen=True, kw_only=True)
class SiteEnvironment:
    """What the environment says; None means that the variable is not set."""

    secret_key: str | None = field(repr=False)
    allowed_hosts: tuple[str, ...]
    https: bool
    public: bool
    debug: bool
    database_url: str | None = field(repr=False)
    db_password: str | None = field(repr=False)
    cache_url: str | None = field(repr=False)
    data_dir: Path
    data_dir_chosen: bool
    max_upload_mb: int
    statement_timeout_s: int
    log_as_json: bool
    port: int
    admin_user: str
    admin_password: str | None = field(repr=False)
    test_database_name: str | None


def load() -> SiteEnvironment:
    """Read and check every variable; raises SettingError at the first wrong one."""
    env = FileAwareEnv(strip_whitespace=True)
    data_dir = _read("BENCHSITE_DATA_DIR", env.str, "a folder", None)
    return SiteEnvironment(
        secret_key=_secret_key(env),
        allowed_hosts=_allowed_hosts(env),
        https=_read("BENCHSITE_HTTPS", env.bool, "true or false", False),
        public=_read("BENCHSITE_PUBLIC", env.bool, "true or false", True),
        debug=_read("BENCHSITE_DEBUG", env.bool, "true or false", False),
        database_url=_database_url(env),
        db_password=_db_password(env),
        cache_url=_cache_url(env),
        data_dir=Path(data_dir).expanduser().absolute() if data_dir else BASE_DIR / ".data",
        data_dir_chosen=data_dir is not None,
        max_upload_mb=_whole_number(env, "BENCHSITE_MAX_UPLOAD_MB", 1, 4096, default=64),
        statement_timeout_s=_whole_number(env, "BENCHSITE_STATEMENT_TIMEOUT_S", 0, 3600, default=0),
        log_as_json=_log_as_json(env),
        port=_whole_number(env, "PORT", 1, 65535, default=8000),
        admin_user=_read("BENCHSITE_ADMIN_USER", env.str, "a user name", "admin"),
        admin_password=_read("BENCHSITE_ADMIN_PASSWORD", env.str, "a password", None),
        test_database_name=_read("BENCHSITE_TEST_DB_NAME", env.str, "a database name", None),
    )


def load_dotenv() -> None:
    """Take what the project's `.env` file says into the environment, below what is already set."""
    Env().read_env(BASE_DIR / ".env", recurse=False)


def kept_secret_key(data_dir: Path) -> str:
    """Return the secret key kept in the data folder, made at the first call."""
    path = data_dir / "secret_key"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "w") as new_file:
                new_file.write(secrets.token_urlsafe(SECRET_KEY_MIN_CHARS))
        key = path.read_text().strip()
    except OSError as error:
        raise SettingError(
            f"The secret key cannot be kept in {path} ({error.strerror}): give this user the "
            "folder, or set BENCHSITE_DATA_DIR to one of its own, or set BENCHSITE_SECRET_KEY."
        ) from error
    if len(key) < SECRET_KEY_MIN_CHARS:
        raise SettingError(f"{path} holds no whole secret key: delete the file.")
    return key


def _read(name: str, reader: Callable[[str], Any], expected: str, default: Any) -> Any:
    """Return the variable read by `reader`, or `default` where it is unset or empty.

    NAME_FILE names a file with the value instead: secrets need not stand in the environment.
    """
    raw = os.environ.get(name, "").strip()
    path = os.environ.get(f"{name}_FILE", "").strip()
    if raw and path:
        raise SettingError(f"{name} and {name}_FILE are both set: unset one of them.")
    if not raw and not path:
        return default
    complaint = f"{name} is {raw!r}; it must be {expected}."
    if path:
        complaint = f"{name}_FILE is {path!r}; it must name a readable file with {expected} in it."
    try:
        value = reader(name)
    except (ValueError, OSError) as error:  # environs raises ValueErrors
        raise SettingError(complaint) from error
    if value == "":
        raise SettingError(complaint)
    return value


def _whole_number(env: Env, name: str, lowest: int, highest: int, *, default: int) -> int:
    expected = f"a whole number from {lowest} to {highest}"
    number: int = _read(name, env.int, expected, default)
    if not lowest <= number <= highest:
        raise SettingError(f"{name} is '{number}'; it must be {expected}.")
    return number


def _log_as_json(env: Env) -> bool:
    kind: str = _read("BENCHSITE_LOG", env.str, "json or text", "")
    if kind not in ("", "json", "text"):
        raise SettingError(f"BENCHSITE_LOG is {kind!r}; it must be json or text.")
    return kind == "json" if kind else not sys.stderr.isatty()


def _secret_key(env: Env) -> str | None:
    key: str | None = _read("BENCHSITE_SECRET_KEY", env.str, "a random text", None)
    if key is not None and len(key) < SECRET_KEY_MIN_CHARS:
        raise SettingError(
            f"BENCHSITE_SECRET_KEY has {len(key)} characters; it must be a random text of at least "
            f"{SECRET_KEY_MIN_CHARS}, or be left unset to have one made and kept."
        )
    return key


def _allowed_hosts(env: Env) -> tuple[str, ...]:
    """Return the host names of the site; loopback always belongs to them, for health checks."""
    named: list[str] = _read("BENCHSITE_ALLOWED_HOSTS", env.list, "host names with commas", [])
    hosts = [host.strip() for host in named if host.strip()]
    for host in hosts:
        if "/" in host or (":" in host and not host.startswith("[")):
            raise SettingError(
                f"BENCHSITE_ALLOWED_HOSTS holds {host!r}; it must be host names with commas "
                "between them, without http:// and without a port."
            )
    return tuple(dict.fromkeys([*hosts, *LOOPBACK_HOSTS]))


def _database_url(env: Env) -> str | None:
    url: str | None = _read("DATABASE_URL", env.str, "a URL", None)
    example = "postgres://user:password@localhost:5432/benchsite"
    if url is not None:
        try:
            parts = urlsplit(url)
            whole = parts.scheme in POSTGRES_SCHEMES and len(parts.path) > 1
            whole = whole and (parts.port is None or parts.port > 0)
        except ValueError:
            whole = False
        if not whole:
            raise SettingError(
                f"DATABASE_URL must name a PostgreSQL database, for example {example}."
            )
    elif sys.platform == "win32":
        raise SettingError(
            "On Windows the site needs a PostgreSQL of your own: set DATABASE_URL, for example "
            f"{example}."
        )
    return url


def _cache_url(env: Env) -> str | None:
    url: str | None = _read("CACHE_URL", env.str, "a URL", None)
    if url is not None and not url.startswith(CACHE_SCHEMES):
        raise SettingError(
            "CACHE_URL must name a Redis, for example redis://localhost:6379/0, or be left unset."
        )
    return url


def _db_password(env: Env) -> str | None:
    password: str | None = _read("BENCHSITE_DB_PASSWORD", env.str, "a password", None)
    url: str = _read("DATABASE_URL", env.str, "a URL", "")
    if password is not None and not url:
        raise SettingError("BENCHSITE_DB_PASSWORD goes with DATABASE_URL, which is not set.")
    if password is not None and urlsplit(url).password:
        raise SettingError(
            "DATABASE_URL holds a password and BENCHSITE_DB_PASSWORD another: leave one out."
        )
    return password

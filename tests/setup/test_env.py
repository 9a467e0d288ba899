"""Every environment variable, right and wrong."""

import sys
from pathlib import Path

import pytest

from benchsite import env
from benchsite.database import connection_settings

VARIABLES = [
    "BENCHSITE_ADMIN_PASSWORD",
    "BENCHSITE_ADMIN_USER",
    "BENCHSITE_ALLOWED_HOSTS",
    "BENCHSITE_DATA_DIR",
    "BENCHSITE_DB_PASSWORD",
    "BENCHSITE_DEBUG",
    "BENCHSITE_HTTPS",
    "BENCHSITE_LOG",
    "BENCHSITE_MAX_UPLOAD_MB",
    "BENCHSITE_PUBLIC",
    "BENCHSITE_SECRET_KEY",
    "BENCHSITE_STATEMENT_TIMEOUT_S",
    "BENCHSITE_TEST_DB_NAME",
    "CACHE_URL",
    "DATABASE_URL",
    "PORT",
]

SESSION = "-c jit=off -c work_mem=16MB -c plan_cache_mode=force_generic_plan"


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_load_without_variables() -> None:
    site = env.load()
    assert site.secret_key is None
    assert site.allowed_hosts == ("localhost", "127.0.0.1", "[::1]")
    assert (site.https, site.public, site.debug) == (False, True, False)
    assert site.database_url is None
    assert (site.data_dir, site.data_dir_chosen) == (env.BASE_DIR / ".data", False)
    assert (site.max_upload_mb, site.port) == (64, 8000)
    assert (site.admin_user, site.admin_password) == ("admin", None)


def test_load_takes_empty_variables_for_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    unset = env.load()
    for name in VARIABLES:
        monkeypatch.setenv(name, "")
    assert env.load() == unset


def test_load_reads_each_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "BENCHSITE_SECRET_KEY": "k" * 50,
        "BENCHSITE_ALLOWED_HOSTS": "bench.example.org, other.example.org",
        "BENCHSITE_HTTPS": "1",
        "BENCHSITE_PUBLIC": "no",
        "DATABASE_URL": "postgres://me:pw@db:5433/results",
        "CACHE_URL": "rediss://:pw@cache:6379/1",
        "BENCHSITE_DATA_DIR": "/srv/benchsite data",
        "BENCHSITE_MAX_UPLOAD_MB": "8",
        "PORT": "9000",
    }.items():
        monkeypatch.setenv(name, value)
    site = env.load()
    assert site.secret_key == "k" * 50
    assert site.allowed_hosts[:2] == ("bench.example.org", "other.example.org")
    assert (site.https, site.public) == (True, False)
    assert (site.data_dir, site.data_dir_chosen) == (Path("/srv/benchsite data"), True)
    assert (site.max_upload_mb, site.port) == (8, 9000)
    assert site.cache_url == "rediss://:pw@cache:6379/1"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("BENCHSITE_HTTPS", "maybe", "BENCHSITE_HTTPS is 'maybe'; it must be true or false."),
        ("BENCHSITE_PUBLIC", "2", "BENCHSITE_PUBLIC is '2'; it must be true or false."),
        ("BENCHSITE_DEBUG", "x", "BENCHSITE_DEBUG is 'x'; it must be true or false."),
        ("PORT", "http", "PORT is 'http'; it must be a whole number from 1 to 65535."),
        ("PORT", "70000", "PORT is '70000'; it must be a whole number from 1 to 65535."),
        (
            "BENCHSITE_MAX_UPLOAD_MB",
            "0",
            "BENCHSITE_MAX_UPLOAD_MB is '0'; it must be a whole number from 1 to 4096.",
        ),
        (
            "BENCHSITE_STATEMENT_TIMEOUT_S",
            "-1",
            "BENCHSITE_STATEMENT_TIMEOUT_S is '-1'; it must be a whole number from 0 to 3600.",
        ),
        ("BENCHSITE_LOG", "xml", "BENCHSITE_LOG is 'xml'; it must be json or text."),
        (
            "BENCHSITE_SECRET_KEY",
            "short",
            "BENCHSITE_SECRET_KEY has 5 characters; it must be a random text of at least 50, or be "
            "left unset to have one made and kept.",
        ),
        (
            "BENCHSITE_ALLOWED_HOSTS",
            "https://bench.example.org",
            "BENCHSITE_ALLOWED_HOSTS holds 'https://bench.example.org'; it must be host names with "
            "commas between them, without http:// and without a port.",
        ),
        (
            "BENCHSITE_ALLOWED_HOSTS",
            "bench.example.org:8000",
            "BENCHSITE_ALLOWED_HOSTS holds 'bench.example.org:8000'; it must be host names with "
            "commas between them, without http:// and without a port.",
        ),
        (
            "CACHE_URL",
            "memcached://cache:11211",
            "CACHE_URL must name a Redis, for example redis://localhost:6379/0, or be left unset.",
        ),
        *(
            (
                "DATABASE_URL",
                url,
                "DATABASE_URL must name a PostgreSQL database, for example "
                "postgres://user:password@localhost:5432/benchsite.",
            )
            for url in ("sqlite:///db.sqlite3", "postgres://localhost", "postgres://h:port/name")
        ),
    ],
)
def test_load_refuses(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(env.SettingError) as refusal:
        env.load()
    assert str(refusal.value) == sentence


def test_load_on_windows_asks_for_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(env.SettingError, match=r"On Windows .* set DATABASE_URL, for example"):
        env.load()


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        (
            {"BENCHSITE_DB_PASSWORD": "a", "BENCHSITE_DB_PASSWORD_FILE": "/run/secrets/b"},
            "BENCHSITE_DB_PASSWORD and BENCHSITE_DB_PASSWORD_FILE are both set: unset one of them.",
        ),
        (
            {"BENCHSITE_SECRET_KEY_FILE": "/no/such"},
            "BENCHSITE_SECRET_KEY_FILE is '/no/such'; it must name a readable file with a random "
            "text in it.",
        ),
        (
            {"BENCHSITE_ADMIN_PASSWORD_FILE": "/dev/null"},
            "BENCHSITE_ADMIN_PASSWORD_FILE is '/dev/null'; it must name a readable file with a "
            "password in it.",
        ),
        (
            {"BENCHSITE_DB_PASSWORD": "a"},
            "BENCHSITE_DB_PASSWORD goes with DATABASE_URL, which is not set.",
        ),
        (
            {"BENCHSITE_DB_PASSWORD": "a", "DATABASE_URL": "postgres://me:b@db/results"},
            "DATABASE_URL holds a password and BENCHSITE_DB_PASSWORD another: leave one out.",
        ),
    ],
)
def test_load_refuses_values_in_two_places_or_none(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], sentence: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(env.SettingError) as refusal:
        env.load()
    assert str(refusal.value) == sentence


def test_connection_settings_refuse_an_option_that_clients_do_not_know(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://me:pw@db/results?sslmod=require")
    with pytest.raises(env.SettingError, match=r'invalid connection option "sslmod"\); TLS'):
        connection_settings(env.load())


def test_connection_settings_take_a_password_from_a_file_and_join_options(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("p@ss:w/rd\n")
    monkeypatch.setenv("BENCHSITE_DB_PASSWORD_FILE", str(tmp_path / "password"))
    monkeypatch.setenv("DATABASE_URL", "postgres://me@db/results?options=-c%20work_mem%3D64MB")
    database = connection_settings(env.load())
    assert database["PASSWORD"] == "p@ss:w/rd"
    assert database["OPTIONS"]["options"] == f"{SESSION} -c work_mem=64MB"


def test_load_hides_secrets_from_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCHSITE_ADMIN_PASSWORD", "hush hush")
    monkeypatch.setenv("DATABASE_URL", "postgres://me@db/results")
    monkeypatch.setenv("BENCHSITE_DB_PASSWORD", "hush")
    assert "hush" not in repr(env.load())


def test_kept_secret_key_is_made_once_and_private(tmp_path: Path) -> None:
    key = env.kept_secret_key(tmp_path / "data")
    assert len(key) >= env.SECRET_KEY_MIN_CHARS
    assert env.kept_secret_key(tmp_path / "data") == key
    assert (tmp_path / "data" / "secret_key").stat().st_mode & 0o777 == 0o600


def test_kept_secret_key_refuses_a_broken_file(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("half")
    with pytest.raises(env.SettingError, match="holds no whole secret key: delete the file"):
        env.kept_secret_key(tmp_path)


def test_kept_secret_key_names_the_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(env.SettingError, match=r"The secret key cannot be kept in .*file"):
        env.kept_secret_key(tmp_path / "file")


def test_connection_settings_of_a_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://me:pw@db:5433/results?sslmode=require")
    monkeypatch.setenv("BENCHSITE_TEST_DB_NAME", "test_mine")
    database = connection_settings(env.load())
    assert (database["HOST"], database["PORT"], database["NAME"]) == ("db", 5433, "results")
    # Commands may take their time.
    assert database["OPTIONS"]["options"] == SESSION
    assert (database["OPTIONS"]["sslmode"], database["OPTIONS"]["connect_timeout"]) == (
        "require",
        5,
    )
    assert database["TEST"] == {"NAME": "test_mine"}
    assert (database["CONN_MAX_AGE"], database["CONN_HEALTH_CHECKS"]) == (60, True)


def test_connection_settings_limit_statements_and_yield_to_the_url(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://me:pw@db/results?connect_timeout=9")
    monkeypatch.setenv("BENCHSITE_STATEMENT_TIMEOUT_S", "30")
    options = connection_settings(env.load())["OPTIONS"]
    assert "statement_timeout=30s" in options["options"]
    assert "idle_in_transaction_session_timeout=60s" in options["options"]
    assert options["connect_timeout"] == 9


def test_connection_settings_of_the_embedded_server(
    monkeypatch: pytest.MonkeyPatch, data_dir: Path
) -> None:
    monkeypatch.setenv("BENCHSITE_DATA_DIR", str(data_dir))
    database = connection_settings(env.load())
    assert (database["HOST"], database["NAME"]) == (str(data_dir / "postgres"), "benchsite")

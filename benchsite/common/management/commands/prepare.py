"""`manage.py prepare`: bring the database, static files and first account up to date."""

import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from benchsite.embedded.programs import OLDEST_MAJOR
from benchsite.env import SiteEnvironment
from benchsite.staticfiles import collect_static, static_fingerprint

ADVISORY_LOCK = 0x62656E6368  # any fixed number: two sites starting on one database take turns
SAMPLE_COMMAND = "load_sample"


class Command(BaseCommand):
    """Migrations, static files, the first admin account and sample data, each only where due."""

    help = "Make the site ready to serve; does nothing where nothing is due."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --static-only, for building an image."""
        parser.add_argument("--static-only", action="store_true", help="leave the database alone")

    def handle(self, *args: Any, static_only: bool, **options: Any) -> None:
        """Do each step under a lock that keeps a second process from doing it too."""
        if static_only:
            self._collect_static()
            return
        with connection.cursor() as cursor:
            _check_server()
            cursor.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_LOCK])
            try:
                self._migrate()
                self._collect_static()
                self._make_first_admin(settings.SITE)
                if SAMPLE_COMMAND in get_commands():
                    call_command(SAMPLE_COMMAND, if_empty=True)
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [ADVISORY_LOCK])

    def _migrate(self) -> None:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self.stdout.write("Setting up the database …")
            call_command("migrate", interactive=False, verbosity=0)

    def _collect_static(self) -> None:
        """Collect and compress, unless the output was made from these very files."""
        if settings.DEBUG:
            return
        stamp = settings.STATIC_ROOT / ".fingerprint"
        fingerprint = static_fingerprint()
        if stamp.is_file() and stamp.read_text() == fingerprint:
            return
        self.stdout.write("Compressing static files …")
        stamp.unlink(missing_ok=True)
        collect_static()
        stamp.write_text(fingerprint)

    def _make_first_admin(self, site: SiteEnvironment) -> None:
        users = get_user_model()._default_manager
        if users.filter(is_superuser=True).exists():
            return
        password = site.admin_password or secrets.token_urlsafe(12)
        users.create_superuser(username=site.admin_user, password=password)
        self.stdout.write(f"Admin account: {site.admin_user}")
        if site.admin_password is None:
            self.stdout.write(f"Its password, shown this once: {password}")


def _check_server() -> None:
    """Refuse a server that the site was not made for, before anything is written to it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version'), current_setting('server_version_num')::int,"
            " current_setting('server_encoding')"
        )
        version, number, encoding = cursor.fetchone()
    if number < OLDEST_MAJOR * 10_000:
        raise CommandError(
            f"The server is PostgreSQL {version}; version {OLDEST_MAJOR} or later is needed."
        )
    if encoding != "UTF8":
        raise CommandError(
            f"The database's encoding is {encoding}; it must be UTF8, for example: "
            "CREATE DATABASE benchsite ENCODING 'UTF8' TEMPLATE template0."
        )

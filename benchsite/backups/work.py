"""Making and restoring a backup, each in one transaction."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import Error, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from benchsite.backups import files, tables
from benchsite.backups.files import BackupError, Counted, Manifest

Report = Callable[[str, int], None]
"""Called with the name of each table that is done, and the size of its text in bytes."""

_Migration = tuple[str, str]


def make_backup(folder: Path, report: Report) -> Manifest:
    """Write the whole site as of one moment into a new folder, while the site goes on.

    Raises BackupError.
    """
    names = tables.table_names()
    if not names:
        raise BackupError("The database holds no site yet: there is nothing to back up.")
    with _errors_as_sentences(), files.new_folder(folder) as half_done, transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        # As pg_dump does: from here on no migration changes what the snapshot will show.
        tables.lock(names, "ACCESS SHARE")
        tables.fix_formats()
        written = {}
        for name in names:
            counted = Counted(tables.text_of(name))
            files.write_table(half_done, name, counted)
            written[name] = counted.rows
            report(name, counted.rows.size_bytes)
        manifest = Manifest(
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            server_version=tables.server_version(),
            migrations=tuple(sorted(MigrationRecorder(connection).applied_migrations())),
            tables=written,
            columns={name: tables.column_names(name) for name in names},
            sequences=tables.sequences(),
        )
        files.write_manifest(half_done, manifest)
    return manifest


def restore_backup(folder: Path, *, replace: bool, report: Report) -> Manifest:
    """Put a backup in the place of what the database holds: all of it, or nothing changes.

    The tables are made by the migrations that the backup's site had, filled, compared with the
    manifest, and then brought to those of this site. `report` is called for each table twice:
    when it is filled, and when it was read again. Raises BackupError where the backup is damaged
    or of a newer site, or where a site is there already and `replace` is not said.
    """
    manifest = files.read_manifest(folder)
    _check_is_not_newer(manifest)
    files.check_files(folder, manifest)
    if not replace:
        _check_is_unused()
    with _errors_as_sentences(), transaction.atomic():
        tables.fix_formats()
        _make_tables(manifest)
        for name, rows in manifest.tables.items():
            tables.load(name, manifest.columns[name], files.read_table(folder, name))
            report(name, rows.size_bytes)
        for name, last in manifest.sequences.items():
            tables.set_sequence(name, last)
        tables.check_references()
        for name, rows in manifest.tables.items():
            if tables.content_of(name) != rows:
                raise BackupError(f"The table {name} came out otherwise: nothing was changed.")
            report(name, rows.size_bytes)
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
    call_command("migrate", interactive=False, verbosity=0)  # permissions of newer models
    tables.analyze()
    return manifest


def _make_tables(manifest: Manifest) -> None:
    """Replace every table by an empty one as it was on the backup's site."""
    if names := tables.table_names():
        tables.lock(names, "ACCESS EXCLUSIVE")
        tables.drop(names)
    executor = MigrationExecutor(connection)
    executor.migrate(_last_of_each_app(executor, set(manifest.migrations)))
    tables.check_references()
    made = tables.table_names()
    if set(made) != set(manifest.tables):
        differing = ", ".join(sorted(set(made) ^ set(manifest.tables)))
        raise BackupError(f"Its migrations do not make the tables of the backup: {differing}.")
    tables.empty(made)


def _last_of_each_app(executor: MigrationExecutor, applied: set[_Migration]) -> list[_Migration]:
    nodes = executor.loader.graph.node_map
    return [
        migration
        for migration in sorted(applied & nodes.keys())
        if not any(
            child.key in applied and child.key[0] == migration[0]
            for child in nodes[migration].children
        )
    ]


def _check_is_not_newer(manifest: Manifest) -> None:
    known = MigrationExecutor(connection).loader.disk_migrations
    unknown = [".".join(migration) for migration in manifest.migrations if migration not in known]
    if unknown:
        raise BackupError(
            f"The backup is of a newer site (it has {', '.join(unknown)}): upgrade this one first."
        )


def _check_is_unused() -> None:
    """Refuse a database that has accounts: every site that was ever started has one."""
    users = get_user_model()
    if users._meta.db_table in tables.table_names() and (count := users._default_manager.count()):
        accounts = "1 account" if count == 1 else f"{count} accounts"
        raise BackupError(
            f"There is a site in this database, with {accounts}. --replace puts the backup in its "
            "place, and what is there now is gone: back it up first."
        )


@contextmanager
def _errors_as_sentences() -> Iterator[None]:
    """Tell what the database says against the work; the transaction is rolled back."""
    try:
        yield
    except Error as error:
        said = str(error).partition("\n")[0]
        raise BackupError(f"The database refused: {said}. Nothing was changed.") from error

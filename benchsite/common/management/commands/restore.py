"""`manage.py restore DIR`: a backup into the site's database."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from benchsite.backups.files import BackupError, read_manifest
from benchsite.backups.work import restore_backup


class Command(BaseCommand):
    """All of the backup, compared with its counts and checksums, or nothing."""

    help = (
        "Put a backup into the site's database: all of it, checked by counts and checksums, or "
        "nothing. A backup of an older site is brought to the present one."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the folder and --replace."""
        parser.add_argument("folder", metavar="DIR", type=Path, help="what `backup` made")
        parser.add_argument(
            "--replace", action="store_true", help="where a site is there already: drop it"
        )

    def handle(self, *args: Any, folder: Path, replace: bool, **options: Any) -> None:
        """Restore, and say where to look."""
        try:
            size_bytes = 2 * read_manifest(folder).size_bytes  # written, then read again
            with tqdm(total=size_bytes, unit="B", unit_scale=True, disable=None) as bar:

                def report(table: str, table_bytes: int) -> None:
                    bar.set_description(table, refresh=False)
                    bar.update(table_bytes)

                manifest = restore_backup(folder, replace=replace, report=report)
        except BackupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{len(manifest.tables)} tables with {manifest.row_count:,} rows are back as of "
            f"{manifest.made_at}; counts and checksums are right.\n"
            "Start the site (make run), or restart one that runs; the accounts are those of the "
            "backup."
        )

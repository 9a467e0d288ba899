"""`manage.py backup DIR`: the whole site into a folder, while it goes on."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from benchsite.backups.files import BackupError
from benchsite.backups.work import make_backup


class Command(BaseCommand):
    """Every table as of one moment, with counts and checksums."""

    help = (
        "Write a backup of the whole site into a new folder, as of one moment; the site may run. "
        "It holds everything, hashes of passwords and tokens included: keep it private."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the folder."""
        parser.add_argument("folder", metavar="DIR", type=Path, help="a folder to be made")

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        """Make the backup and say how to put it back."""
        with tqdm(unit="B", unit_scale=True, disable=None) as bar:

            def report(table: str, size_bytes: int) -> None:
                bar.set_description(table, refresh=False)
                bar.update(size_bytes)

            try:
                manifest = make_backup(folder, report)
            except BackupError as error:
                raise CommandError(str(error)) from error
        self.stdout.write(
            f"{len(manifest.tables)} tables with {manifest.row_count:,} rows are in {folder}.\n"
            f"To put them back: manage.py restore {folder}"
        )

"""Write the tables of formats in the documentation from the formats themselves."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from experiments.formats import FORMATS
from experiments.formats.tables import with_tables

DOCUMENTS = ("README.md", "docs/formats.md")


class Command(BaseCommand):
    """`manage.py write_docs`: the tables between their markers, nothing else of a file."""

    help = "Write the tables of formats in README.md and docs/formats.md."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Write each file that differs, and name it."""
        for name in DOCUMENTS:
            path = settings.BASE_DIR / name
            text = path.read_text(encoding="utf-8")
            made = with_tables(text, FORMATS)
            if made != text:
                path.write_text(made, encoding="utf-8")
                self.stdout.write(f"{name} was written.")

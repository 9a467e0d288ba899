"""Write runs and scores into a file, in any form of the export."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.http import QueryDict
from tqdm import tqdm

from experiments.exports.citation import Exporting
from experiments.exports.request import ExportError, selection_of
from experiments.exports.writers import WRITERS


class Command(BaseCommand):
    """`manage.py export_results`: the whole site, or what filters, ids or an upload select."""

    help = "Export what everybody may see: runs with all their figures, and scores."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the form, the file and the selection."""
        parser.add_argument("--format", choices=WRITERS, default=next(iter(WRITERS)))
        parser.add_argument("--out", type=Path, help="The file to write; without it, the output.")
        parser.add_argument("--site", help="The address of this site, for the citation.")
        parser.add_argument("--run", type=UUID, action="append", default=[], help="A run's id.")
        parser.add_argument("--upload", type=UUID, help="Only what this upload brought.")
        parser.add_argument(
            "--filter",
            default="",
            metavar="QUERY",
            help="Only what the grid shows under this query string, as q=llama&backend=vllm.",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Write the file whole or not at all, and say what it holds."""
        query = QueryDict(options["filter"], mutable=True)
        query.setlist("run", [str(pk) for pk in options["run"]])
        if options["upload"]:
            query["upload"] = str(options["upload"])
        try:
            selection = selection_of(query)
            exporting = Exporting(selection=selection, site=options["site"])
            blocks = WRITERS[options["format"]].blocks(exporting)
        except ExportError as error:
            raise CommandError(str(error)) from error
        out: Path | None = options["out"]
        if out is None:
            self._write(blocks, sys.stdout.buffer)
            return
        unfinished = out.with_name(f"{out.name}.unfinished")
        try:
            with unfinished.open("wb") as file:
                size = self._write(blocks, file)
            unfinished.replace(out)
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error.strerror}.") from error
        finally:
            unfinished.unlink(missing_ok=True)
        runs, scores = selection.runs.count(), selection.scores.count()
        self.stdout.write(f"{out}: {runs:,} runs and {scores:,} scores selected, {size:,} bytes.")

    def _write(self, blocks: Iterable[bytes], file: BinaryIO) -> int:
        size = 0
        with tqdm(unit="B", unit_scale=True, file=sys.stderr, disable=None) as bar:
            for block in blocks:
                size += file.write(block)
                bar.update(len(block))
        return size

"""Load the sample data, through the same pipeline as every upload."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from experiments.ingest.actor import Actor
from experiments.ingest.pipeline import ingest_file
from experiments.models import Upload

SAMPLE_DIR = Path(__file__).resolve().parents[2] / "sample"


class Command(BaseCommand):
    """`manage.py load_sample`: figures from published results, each with its source."""

    help = "Load the sample data (published figures with their sources). Safe to repeat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add `--if-empty`."""
        parser.add_argument(
            "--if-empty",
            action="store_true",
            help="Do nothing when anything was uploaded before.",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Send every sample file through the pipeline and print what it made."""
        if options["if_empty"] and Upload.objects.exists():
            return
        runs = scores = 0
        for path in sorted(SAMPLE_DIR.glob("*.json")):
            report = ingest_file(
                data=path.read_bytes(), file_name=path.name, fields={}, actor=Actor()
            )
            if not report.accepted:
                raise CommandError(f"{path.name}: {report.summary}")
            runs += len(report.runs)
            scores += len(report.scores)
            if options["verbosity"] > 1:
                self.stdout.write(f"{path.name}: {report.summary}")
        self.stdout.write(
            f"Sample data: {runs} runs and {scores} scores. Open the grid at / to see them."
        )

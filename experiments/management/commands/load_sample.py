"""Load the sample data, through the same pipeline as every upload."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from experiments.ingest.actor import Actor
from experiments.ingest.pipeline import Incoming, ingest_files
from experiments.ingest.store import Received
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
        """Send the sample files through the pipeline, all or none, and print what they made."""
        if options["if_empty"] and Upload.objects.exists():
            return
        paths = sorted(SAMPLE_DIR.glob("*.json"))
        files = [
            Received(data=path.read_bytes(), file_name=path.name, fields={}, actor=Actor())
            for path in paths
        ]
        with transaction.atomic():
            reports = ingest_files([Incoming(received=file) for file in files])
            for path, report in zip(paths, reports, strict=True):
                if not report.accepted:
                    raise CommandError(f"{path.name}: {report.summary}")
                if options["verbosity"] > 1:
                    self.stdout.write(f"{path.name}: {report.summary}")
        runs = sum(len(report.runs) for report in reports)
        scores = sum(len(report.scores) for report in reports)
        self.stdout.write(
            f"Sample data: {runs} runs and {scores} scores. Open the grid at / to see them."
        )

"""Fill a database of its own with made-up results, for benches."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from experiments.load import SHAPES, LoadError, plan_load, write_load
from experiments.management.commands.load_sample import SAMPLE_DIR
from experiments.models import Upload


class Command(BaseCommand):
    """`manage.py generate_load --runs N --seed S`: the same rows for the same seed."""

    help = (
        "Write made-up runs, measurements and scores into an empty database, by COPY. They are no "
        "uploads and cannot be told from results: never do it on a site that people use."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add how much, which, and of what shape."""
        parser.add_argument("--runs", type=int, required=True, metavar="N", help="How many runs.")
        parser.add_argument("--seed", type=int, required=True, metavar="S", help="Which ones.")
        parser.add_argument(
            "--shape",
            choices=SHAPES,
            default="repeats",
            help="repeats: a configuration for 50 runs; wide: one for 3 runs.",
        )
        parser.add_argument(
            "--among-real-uploads",
            action="store_true",
            help="Do it although somebody's uploads are here. Nothing takes it out again.",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Write it all and say how long it took and where to go next."""
        if options["runs"] < 1:
            raise CommandError("--runs must be 1 or more.")
        samples = [path.name for path in SAMPLE_DIR.glob("*.json")]
        uploads = Upload.objects.exclude(file_name__in=samples).count()
        if uploads and not options["among_real_uploads"]:
            raise CommandError(
                f"People uploaded {uploads} files into this database. Set BENCHSITE_DATA_DIR to a "
                "new folder for a database of its own, run “manage.py prepare” there and try again."
            )
        started = time.monotonic()
        plan = plan_load(runs=options["runs"], seed=options["seed"], shape=options["shape"])
        bars: dict[str, Any] = {}

        def show(what: str, done: int, total: int) -> None:
            bar = bars.setdefault(what, tqdm(desc=what, total=total, unit="", disable=None))
            bar.update(done - bar.n)

        try:
            loaded = write_load(plan, show)
        except LoadError as error:
            raise CommandError(str(error)) from error
        finally:
            for bar in bars.values():
                bar.close()
        self.stdout.write(
            f"{loaded.runs:,} runs of {loaded.configurations:,} configurations, "
            f"{loaded.measurements:,} measurements and {loaded.scores:,} scores in "
            f"{time.monotonic() - started:.0f} s. “manage.py serve” shows them in the grid at /."
        )

"""Make the summaries that the grid reads anew from the raw runs."""

from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from experiments.rebuilding import rebuild_summaries

MOST_LINES = 20


class Command(BaseCommand):
    """`manage.py rebuild_summary`: every write keeps them in step, so that nothing differs."""

    help = (
        "Rebuild what the grid reads from the raw runs, and say what differed: nothing, unless "
        "somebody wrote to the database by hand. Uploads wait meanwhile; pages do not."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Rebuild, and print the first differences and their number."""
        with tqdm(unit=" configurations", disable=None) as bar:

            def show(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            differences = rebuild_summaries(show)
        for line in differences[:MOST_LINES]:
            self.stdout.write(line)
        if len(differences) > MOST_LINES:
            self.stdout.write(f"… and {len(differences) - MOST_LINES} more")
        self.stdout.write(
            f"{len(differences)} rows differed and are right now."
            if differences
            else "The summaries were right: no row differed."
        )

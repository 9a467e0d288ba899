"""Read stored uploads again with the parsers of today: preview, apply, undo."""

import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse
from tqdm import tqdm

from benchsite.common.review import COMMAND, Who
from experiments.choices import ReparseEffect, ReparseState
from experiments.formats import FORMATS
from experiments.models import Reparse, Upload
from experiments.reparse.selection import Selection
from experiments.reparse.services import Progress, ReparseError, apply, preview, undo

MOST_PROBLEMS = 20
MOST_LISTED = 50
_WHO = Who("a command", COMMAND, is_curator=True)


class Command(BaseCommand):
    """`manage.py reparse`: a preview, unless told to apply, to undo, or to list."""

    help = (
        "Read stored uploads again with the parsers of today. Without --apply or --undo it only "
        "makes a preview, changes nothing, and says where to look."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add what to read, and what to do with a reparse that is there."""
        chosen = parser.add_argument_group("which uploads", "All together narrow them.")
        chosen.add_argument("--format", choices=[item.name for item in FORMATS], metavar="NAME")
        chosen.add_argument("--upload", nargs="+", type=_uuid, default=[], metavar="ID")
        chosen.add_argument("--since", type=_moment, metavar="DATE", help="2026-11-20, UTC")
        chosen.add_argument(
            "--outdated",
            action="store_true",
            help="Those that another version of their parser read than the one of today.",
        )
        chosen.add_argument("--all", action="store_true", help="All of them.")
        actions = parser.add_mutually_exclusive_group()
        actions.add_argument("--apply", type=_uuid, metavar="ID", help="Do what a preview says.")
        actions.add_argument("--undo", type=_uuid, metavar="ID", help="Put it back as it was.")
        actions.add_argument("--list", action="store_true", help="List all reparses.")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Do the one thing that was asked for."""
        try:
            if options["list"]:
                self._list()
            elif options["apply"]:
                self._apply(options["apply"])
            elif options["undo"]:
                self._undo(options["undo"])
            else:
                self._preview(options)
        except ReparseError as error:
            raise CommandError(str(error)) from error

    def _preview(self, options: dict[str, Any]) -> None:
        selection = Selection(
            format=options["format"],
            upload_ids=tuple(options["upload"]),
            since=options["since"],
            outdated=options["outdated"],
        )
        if selection == Selection() and not options["all"]:
            raise CommandError("Say which: --outdated, --format, --upload, --since, or --all.")
        if missing := _unknown(options["upload"]):
            raise CommandError(f"There is no upload {', '.join(map(str, missing))}.")
        total = selection.uploads().count()
        if not total:
            self.stdout.write(f"Nothing to read again: no upload fits ({selection}).")
            return
        with _progress(total, self.stdout.isatty()) as progress:
            reparse = preview(selection, who=_WHO, progress=progress)
        self._say_preview(reparse)

    def _say_preview(self, reparse: Reparse) -> None:
        for line in summary_lines(reparse):
            self.stdout.write(line)
        problems = reparse.items.filter(effect=ReparseEffect.PROBLEM)
        for item in problems[:MOST_PROBLEMS]:
            self.stdout.write(f"  {item.title} ({item.upload_id}): {item.reason}")
        address = reverse("admin:experiments_reparse_change", args=[reparse.pk])
        self.stdout.write(f"Nothing was changed yet. See each run at {address}")
        self.stdout.write(f"Apply it: manage.py reparse --apply {reparse.pk}")

    def _apply(self, reparse_id: UUID) -> None:
        found = Reparse.objects.filter(pk=reparse_id).first()
        with _progress(found.uploads if found else 0, self.stdout.isatty()) as progress:
            done = apply(reparse_id, who=_WHO, progress=progress)
        self.stdout.write(f"Applied: {done.applied} changes.")
        if done.left:
            self.stdout.write(f"Left as they are, because they changed meanwhile: {done.left}.")
        self.stdout.write(f"Undo it: manage.py reparse --undo {reparse_id}")

    def _undo(self, reparse_id: UUID) -> None:
        self.stdout.write(f"Undone: {undo(reparse_id, who=_WHO)} changes, all as before.")

    def _list(self) -> None:
        for reparse in Reparse.objects.all()[:MOST_LISTED]:
            at = reparse.undone_at or reparse.applied_at or reparse.previewed_at
            by = reparse.undone_by or reparse.applied_by or reparse.previewed_by
            self.stdout.write(
                f"{reparse.pk}  {reparse.get_state_display()}  {at:%Y-%m-%d %H:%M} by {by}: "
                f"{reparse.selection} ({reparse.uploads} uploads)"
            )


def summary_lines(reparse: Reparse) -> Iterator[str]:
    """Yield what a reparse would do, or did, in a line for each kind of thing."""
    state = ReparseState(reparse.state)
    yield f"Reparse {reparse.pk} ({state.label}): {reparse.uploads} uploads, {reparse.selection}."
    for subject, counts in sorted(reparse.counts.items()):
        parts = [
            f"{counts[effect.value]:,} {_PLURAL[effect]}"
            for effect in ReparseEffect
            if counts.get(effect.value)
        ]
        yield f"  {subject}s: {', '.join(parts)}"


_PLURAL = {
    ReparseEffect.CHANGED: "change",
    ReparseEffect.FOUND: "found",
    ReparseEffect.GONE: "no longer made",
    ReparseEffect.SAME: "stay as they are",
    ReparseEffect.PROBLEM: "cannot be read again",
}


@contextmanager
def _progress(total: int, on_terminal: bool) -> Iterator[Progress]:
    shown = on_terminal and sys.stderr.isatty()
    with tqdm(total=total, unit=" uploads", leave=False, disable=not shown) as bar:
        yield bar.update


def _unknown(upload_ids: list[UUID]) -> list[UUID]:
    found = set(Upload.objects.filter(pk__in=upload_ids).values_list("pk", flat=True))
    return [upload_id for upload_id in upload_ids if upload_id not in found]


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise ArgumentTypeError(f"“{text}” is no id.") from error


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"“{text}” is no date, such as 2026-11-20.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

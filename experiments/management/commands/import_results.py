"""Import many result files through the one pipeline."""

import json
import os
import signal
import sys
import threading
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import IO, Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import reset_queries
from django.urls import reverse
from tqdm import tqdm

from benchsite.env import LOOPBACK_HOSTS
from experiments.formats.documents import InvalidFileError, Problem
from experiments.ingest.actor import Actor
from experiments.ingest.context import CONTEXT_FIELDS, read_context
from experiments.ingest.files import (
    Found,
    FoundFile,
    TooLargeFileError,
    UnreadableFileError,
    find_files,
    read_file,
)
from experiments.ingest.long_lines import is_own_json_lines, parts_of
from experiments.ingest.many import Loaded, Wanted, take_in
from experiments.ingest.path_names import LONGEST_NAME, printable
from experiments.ingest.readers import Readers, ReadersLostError
from experiments.ingest.report import Refusal, Report
from experiments.ingest.sidecars import SidecarError, Sidecars, Stated
from experiments.ingest.tally import Tally, option_of, some_of
from experiments.upload_form import ContextForm

INTERRUPTED_STATUS = 130  # 128 + SIGINT
MOST_JOBS = 64
FEWEST_TO_SHARE = 50
"""Fewer files than these are read before another process has started."""


class Command(BaseCommand):
    """`manage.py import_results PATH…`: what the upload form does, for any number of files."""

    help = (
        "Import result files: files, folders with all that is below them, ZIP archives with all in "
        "them, quoted patterns such as 'results/**/*.json', or - for standard input. Each file is "
        "taken or refused alone. Exit status 1 when a file was rejected or could not be read, 0 "
        "otherwise."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the paths, the options, and an option for each context field."""
        parser.add_argument("paths", nargs="+", metavar="PATH", help="File, folder or pattern.")
        parser.add_argument(
            "--dry-run", action="store_true", help="Say what would happen; write nothing."
        )
        parser.add_argument(
            "--replace",
            action="store_true",
            help="Where a run is here with other content, or was withdrawn: take the new one.",
        )
        parser.add_argument(
            "--skip-unknown",
            action="store_true",
            help="Pass over files of folders and patterns that are no results in a known format, "
            "instead of counting them as rejected.",
        )
        parser.add_argument("--user", metavar="NAME", help="Whose uploads these are.")
        parser.add_argument(
            "--jobs",
            type=_jobs,
            default=os.cpu_count() or 1,
            metavar="N",
            help="How many processes: one writes, the others read ahead. The processor's cores "
            "unless told; with 1 all is done in one.",
        )
        parser.add_argument(
            "--report",
            metavar="FILE",
            help="Write what became of each file as JSON Lines: an object a file, and a summary.",
        )
        context = parser.add_argument_group(
            "what the files do not say", "They go for every file, and override names in it."
        )
        for name in CONTEXT_FIELDS:
            field = ContextForm.base_fields[name]
            text = f"{field.label}. {field.help_text}".strip().replace("%", "%%")
            context.add_argument(option_of(name), dest=name, help=text)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Import the files, print what became of them, and fail if any was not taken."""
        self.options = options
        self.fields = _context(options)
        # Who may run commands may do on the site whatever a curator may.
        self.wanted = Wanted(
            actor=Actor(user=_user(options["user"]), is_curator=True),
            replacing=options["replace"],
            dry_run=options["dry_run"],
            skip_unknown=options["skip_unknown"],
        )
        self.sidecars = Sidecars()
        with _stop_between_files() as stop:
            found = find_files(options["paths"], settings.BENCHSITE_MAX_UPLOAD_BYTES)
            self._say_what_is_left_out(found)
            total = len(found.files) + len(found.troubles)
            tally = Tally(total=total, dry_run=options["dry_run"])
            with _report_file(options["report"], found) as report_file:
                try:
                    self._import(found, tally, report_file, stop)
                except ReadersLostError as error:
                    self._say_summary(tally)
                    raise CommandError(str(error)) from error
                if report_file:
                    _write_line(report_file, {"summary": tally.as_dict()})
            self._say_summary(tally)
        if tally.interrupted:
            raise CommandError("Stopped.", returncode=INTERRUPTED_STATUS)
        if tally.failed:
            raise CommandError(f"{tally.failed} of {tally.total} files were not taken.")

    def _import(
        self, found: Found, tally: Tally, report_file: IO[str] | None, stop: threading.Event
    ) -> None:
        """Send batch after batch through the pipeline, until the end or Ctrl-C."""
        on_terminal = self.stdout.isatty() and sys.stderr.isatty()
        many = len(found.files) >= FEWEST_TO_SHARE
        limit_bytes = settings.BENCHSITE_MAX_UPLOAD_BYTES
        with (
            Readers(self.options["jobs"] - 1 if many else 0, limit_bytes=limit_bytes) as readers,
            suppress(KeyboardInterrupt),
            tqdm(total=tally.total, unit=" files", leave=False, disable=not on_terminal) as bar,
        ):
            loaded = self._loaded(found, tally)
            taken = take_in(loaded, self.wanted, readers, is_stopped=stop.is_set)
            for file, report in taken:
                tally.add(file.shown, report, file.sources)
                if report_file:
                    _write_line(report_file, _line(file, report))
                if not report.accepted or self.options["verbosity"] > 1:
                    bar.clear()
                    self._say_report(file.shown, report)
                bar.total = tally.total
                bar.update()
                reset_queries()  # in debug mode Django would keep every statement

    def _loaded(self, found: Found, tally: Tally) -> Iterator[Loaded]:
        """Yield each file with its bytes and context."""
        for place, why in found.troubles:
            yield Loaded(shown=place, refused=_refused("unread", UnreadableFileError(why)))
        for file in found.files:
            yield from self._parts(file, tally)

    def _parts(self, file: FoundFile, tally: Tally) -> Iterator[Loaded]:
        """Yield a file as it is, or in parts where it is too long and can be parted."""
        limit_bytes = settings.BENCHSITE_MAX_UPLOAD_BYTES
        loaded = Loaded(
            shown=file.shown, name=file.name, was_named=file.was_named, fields=self.fields
        )
        try:
            stated = self.sidecars.stated_for(file.path) if file.path else Stated()
            fields = {**stated.fields, **self.fields}
            loaded = replace(loaded, fields=fields, sources=stated.sources)
            yield replace(loaded, data=read_file(file, limit_bytes))
        except TooLargeFileError as error:
            yield from self._parts_of_long(file, loaded, error, tally)
        except (UnreadableFileError, SidecarError) as error:
            yield replace(loaded, refused=_refused("unread", error))

    def _parts_of_long(
        self, file: FoundFile, loaded: Loaded, error: TooLargeFileError, tally: Tally
    ) -> Iterator[Loaded]:
        """Yield the parts of a file that is too long, or that it is."""
        limit_bytes = settings.BENCHSITE_MAX_UPLOAD_BYTES
        try:
            if file.path is None or not is_own_json_lines(file.path, limit_bytes):
                yield replace(loaded, refused=_refused("rejected", error))
                return
            tally.total -= 1
            for lines, data in parts_of(file.path, limit_bytes):
                tally.total += 1
                yield replace(
                    loaded,
                    shown=f"{file.shown}#lines={lines}",
                    name=f"{file.name}#lines={lines}"[-LONGEST_NAME:],
                    data=data,
                )
        except OSError as broken:
            why = f"It could be read no further: {broken.strerror}."
            tally.total += 1
            yield replace(loaded, refused=_refused("unread", UnreadableFileError(why)))

    def _say(self, text: str) -> None:
        if self.options["verbosity"]:
            self.stdout.write(text)

    def _say_report(self, shown: str, report: Report) -> None:
        if report.outcome != "skipped" or self.options["verbosity"] > 1:
            self._say(printable(f"{shown}: {report.summary}"))

    def _say_what_is_left_out(self, found: Found) -> None:
        for names, what in (
            (found.hidden, "Hidden, left out"),
            (found.linked_folders, "Links to folders, not followed; give them as paths"),
            (found.odd_names, "Names that are not UTF-8 text, kept as shown"),
        ):
            if names:
                self._say(f"{what}: {some_of(names, len(names))}.")

    def _say_summary(self, tally: Tally) -> None:
        for line in tally.lines():
            self._say(line)
        for hint in tally.hints():
            self._say(f"- {hint}.")
        if tally.interrupted:
            self._say(
                f"Stopped after {tally.done} of {tally.total} files. The same command goes on: "
                "what is in answers “unchanged”."
            )
        if tally.dry_run:
            self._say("Nothing was written: this was a dry run.")
        elif tally.taken:
            self._say(f"See the grid at {_site_url()}{reverse('experiments:grid')}")


def _jobs(text: str) -> int:
    number = int(text)
    if not 1 <= number <= MOST_JOBS:
        raise ArgumentTypeError(f"{text} is not from 1 to {MOST_JOBS}.")
    return number


def _context(options: dict[str, Any]) -> dict[str, Any]:
    """Return the context fields that were given; CommandError naming each wrong option."""
    fields = {name: options[name] for name in CONTEXT_FIELDS if options[name] is not None}
    try:
        read_context(fields)
    except InvalidFileError as error:
        raise CommandError(
            " ".join(
                f"{option_of(problem.path.removeprefix('context.'))} “{problem.value}”: "
                f"{problem.message}"
                for problem in error.problems
            )
        ) from error
    return fields


def _user(name: str | None) -> Any:
    if name is None:
        return None
    user = get_user_model()._default_manager.filter(username=name).first()
    if user is None:
        raise CommandError(f"--user: there is no user {name}.")
    return user


def _refused(outcome: str, error: UnreadableFileError | SidecarError) -> Report:
    """Report a file that the pipeline never saw."""
    if isinstance(error, SidecarError):
        return Report(outcome="rejected", sha256="", refusal=Refusal.INVALID, errors=error.problems)
    refusal = Refusal.UNREADABLE
    if isinstance(error, TooLargeFileError):
        refusal = Refusal.TOO_LARGE
    return Report(outcome=outcome, sha256="", refusal=refusal, errors=(Problem("", str(error)),))


@contextmanager
def _stop_between_files() -> Iterator[threading.Event]:
    """Let the first Ctrl-C only be noted; the second interrupts, and the file is rolled back."""
    stop = threading.Event()

    def note(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = signal.signal(signal.SIGINT, note)
    try:
        yield stop
    except KeyboardInterrupt:
        raise CommandError("Stopped.", returncode=INTERRUPTED_STATUS) from None
    finally:
        signal.signal(signal.SIGINT, before)


def _report_file(name: str | None, found: Found) -> Any:
    """Open the file for the report, unless it is one of the files to import."""
    if name is None:
        return nullcontext()
    path = Path(name)
    if any(file.path is not None and _is_same(file.path, path) for file in found.files):
        raise CommandError(f"--report: {name} is one of the files to import; name another one.")
    try:
        return path.open("w", encoding="utf-8")
    except OSError as error:
        raise CommandError(f"--report: {name} cannot be written: {error.strerror}.") from error


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _line(file: Loaded, report: Report) -> dict[str, Any]:
    """Return a line of the report: the API's answer, with the path, why, and the errors."""
    return {
        "path": file.shown,
        "context_from": list(file.sources),
        **report.as_dict(),
        "sha256": report.sha256 or None,
        "code": report.refusal,
        "errors": [problem.as_dict() for problem in report.errors],
    }


def _write_line(report_file: IO[str], line: dict[str, Any]) -> None:
    report_file.write(json.dumps(line) + "\n")
    report_file.flush()


def _site_url() -> str:
    """Return the site's address as far as its settings tell it."""
    host = settings.SITE.allowed_hosts[0]
    if host in LOOPBACK_HOSTS or host.startswith((".", "*")):
        return f"http://127.0.0.1:{settings.SITE.port}"
    return f"{'https' if settings.SITE.https else 'http'}://{host}"

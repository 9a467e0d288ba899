"""The one pipeline for form, API and commands: from the bytes of a file to its report."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from django.conf import settings
from django.db import DataError, transaction

from benchsite.common.locks import take_write_lock
from experiments.choices import UploadOutcome
from experiments.formats.documents import FormatError, InvalidFileError, ParsedFile, Problem
from experiments.ingest.accepted import Asked, accepted_before, unchanged_reports
from experiments.ingest.actor import Actor
from experiments.ingest.conflicts import ConflictError
from experiments.ingest.context import UploadContext, fields_left_open, read_context
from experiments.ingest.origins import believed
from experiments.ingest.preview import known_names, outline, preview
from experiments.ingest.reading import Reading, read, refusal_of
from experiments.ingest.report import Refusal, Report
from experiments.ingest.resolve import LookedUp, ResolvedFile, resolve_file
from experiments.ingest.store import Kept, Received, keep, stated_fields
from experiments.ingest.suggestions import suggest_from_name
from experiments.ingest.write import FileToWrite, Written, fit_together, write_files

logger = logging.getLogger(__name__)
Accept = Literal["any", "runs", "scores"]
SITE_FORMAT = "experiment-json"


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """A file to take in; `reading` is what another process found in it, if one did."""

    received: Received
    accept: Accept = "any"
    reading: Reading | None = None


@dataclass(frozen=True, kw_only=True)
class _Read:
    """A file whose documents are known; `report` is what there is to say so far."""

    received: Received
    context: UploadContext
    parsed: ParsedFile
    report: Report


@dataclass(frozen=True, kw_only=True)
class _Ready:
    """A file that can be written; `report` is what there is to say before it is."""

    received: Received
    context: UploadContext
    resolved: ResolvedFile
    report: Report

    @property
    def to_write(self) -> FileToWrite:
        """What is written of it, and on whose word."""
        received = self.received
        return FileToWrite(
            resolved=self.resolved,
            sha256=received.sha256,
            actor=received.actor,
            replacing=received.replacing,
            corrects=received.corrects,
        )


def ingest_file(
    *,
    data: bytes,
    file_name: str,
    fields: Mapping[str, Any],
    actor: Actor,
    dry_run: bool = False,
    replace: bool = False,
    accept: Accept = "any",
) -> Report:
    """Take in one file with the context `fields` its uploader stated, and report.

    All or nothing: a file with any error writes no fact. Accepted and refused bytes are both kept
    with their report (but for a dry run, files too large, and bytes that were accepted before with
    the same or no context: that is "unchanged" and writes nothing). Bad input never raises;
    `Report.refusal` says why a file was not taken.
    """
    received = Received(
        data=data, file_name=file_name, fields=fields, actor=actor, replacing=replace
    )
    file = Incoming(received=received, accept=accept)
    if dry_run:
        return attempt(file, dry_run=True)
    (report,) = ingest_files([file])
    return report


def ingest_files(files: Sequence[Incoming]) -> list[Report]:
    """Take in files of one actor as `ingest_file` does one after the other, in few queries.

    All that is written for them is one transaction under the lock of writers: give it no more
    than others can wait for.
    """
    reports = _attempt_all(files)
    refused = {
        place: (file.received, report)
        for place, (file, report) in enumerate(zip(files, reports, strict=True))
        if report.refusal not in (None, Refusal.TOO_LARGE)
    }
    kept = _keep_refused(list(refused.values()), UploadOutcome.REJECTED)
    for place, report in zip(refused, kept, strict=True):
        reports[place] = report
    return reports


def attempt(file: Incoming, *, dry_run: bool) -> Report:
    """Parse and write the file; every kind of refusal ends here as a report, kept by nobody yet."""
    (report,) = _attempt_all([file], dry_run=dry_run)
    return report


def unchanged(files: Mapping[int, Received]) -> dict[int, Report]:
    """Return the reports of those files of one actor that are here already, without reading them.

    What is wrong with others is for `ingest_files` to tell.
    """
    begun = {place: (received, _begin(received)) for place, received in files.items()}
    return _unchanged(
        {
            place: (received, context)
            for place, (received, context) in begun.items()
            if isinstance(context, UploadContext)
        }
    )


def keep_refused(received: Received, report: Report, outcome: UploadOutcome) -> Report:
    """Keep the bytes and the report of a file that was not taken: nothing sent is lost."""
    (kept,) = _keep_refused([(received, report)], outcome)
    return kept


def _keep_refused(files: Sequence[tuple[Received, Report]], outcome: UploadOutcome) -> list[Report]:
    rows = [
        Kept(
            received=received,
            report=report,
            outcome=outcome,
            context=stated_fields(received.fields),
        )
        for received, report in files
    ]
    if not rows:
        return []
    with transaction.atomic():
        uploads = keep(rows)
    return [
        replace(row.report, upload_id=upload.pk) for row, upload in zip(rows, uploads, strict=True)
    ]


def _attempt_all(files: Sequence[Incoming], *, dry_run: bool = False) -> list[Report]:
    """Read, resolve and write files, as far as each goes; nothing is kept of what is refused."""
    done: dict[int, Report] = {}
    contexts: dict[int, UploadContext] = {}
    for place, file in enumerate(files):
        begun = _begin(file.received)
        if isinstance(begun, Report):
            done[place] = begun
        else:
            contexts[place] = begun
    may_be_known = {
        place: (files[place].received, context)
        for place, context in contexts.items()
        if files[place].accept == "any" and not files[place].received.replacing
    }
    done |= _unchanged(may_be_known)
    opened: dict[int, _Read] = {}
    for place, context in contexts.items():
        if place not in done:
            opened_file = _open(files[place], context)
            if isinstance(opened_file, Report):
                done[place] = opened_file
            else:
                opened[place] = opened_file
    looked_up = LookedUp()
    looked_up.read_models(
        {model.model_name or "" for file in opened.values() for model in file.parsed.models}
    )
    ready: dict[int, _Ready] = {}
    for place, opened_file in opened.items():
        resolved = _resolve(opened_file, looked_up, dry_run=dry_run)
        if isinstance(resolved, Report):
            done[place] = resolved
        else:
            ready[place] = resolved
    done |= _write(ready, dry_run=dry_run)
    return [done[place] for place in range(len(files))]


def _begin(received: Received) -> UploadContext | Report:
    """Judge what needs no reading: the size, and the context."""
    limit_bytes = settings.BENCHSITE_MAX_UPLOAD_BYTES
    if len(received.data) > limit_bytes:
        message = f"The file is larger than {limit_bytes:,} bytes, the limit of this site."
        problem = Problem("", message, len(received.data))
        return replace(_rejected(received), refusal=Refusal.TOO_LARGE, errors=(problem,))
    try:
        return read_context(dict(received.fields))
    except InvalidFileError as error:
        return _refused(_rejected(received), error)


def _rejected(received: Received) -> Report:
    """Return the report to begin with."""
    return Report(outcome="rejected", sha256=received.sha256, file_name=received.stored_name)


def _refused(report: Report, error: FormatError) -> Report:
    refusal = error.refusal if isinstance(error, ConflictError) else refusal_of(error)
    return replace(report, refusal=refusal, errors=error.problems)


def _unchanged(files: Mapping[int, tuple[Received, UploadContext]]) -> dict[int, Report]:
    """Return the reports of those files that were accepted before and changed nothing since."""
    if not files:
        return {}
    places = list(files)
    asked = [
        Asked(sha256=received.sha256, stated=context.stated())
        for received, context in files.values()
    ]
    actor = files[places[0]][0].actor
    known = {places[index]: upload for index, upload in accepted_before(asked, actor).items()}
    begun = [(_rejected(files[place][0]), upload) for place, upload in known.items()]
    return dict(zip(known, unchanged_reports(begun), strict=True))


def _open(file: Incoming, context: UploadContext) -> _Read | Report:
    """Decode, detect and parse a file, unless that was done."""
    received = file.received
    reading = file.reading or read(
        received.data, received.file_name, limit_bytes=settings.BENCHSITE_MAX_UPLOAD_BYTES
    )
    report = replace(
        _rejected(received), format=reading.format, parser_version=reading.parser_version
    )
    if reading.parsed is None:
        return replace(report, refusal=reading.refusal, errors=reading.errors)
    if problem := _not_wanted(reading.parsed, reading.format, file.accept):
        return replace(report, refusal=Refusal.INVALID, errors=(problem,))
    report = replace(report, preview=outline(reading.parsed))
    # With other fields than its own, a run is no longer what its export says of it.
    may_speak = received.actor.is_curator and not context.stated()
    parsed = believed(reading.parsed) if may_speak else reading.parsed
    return _Read(received=received, context=context, parsed=parsed, report=report)


def _not_wanted(parsed: ParsedFile, format_name: str | None, accept: Accept) -> Problem | None:
    """Return why a file is of another kind than the way in was made for, None if it is not."""
    if accept == "any":
        return None
    fits = (
        format_name == SITE_FORMAT
        and bool(parsed.runs) == (accept == "runs")
        and bool(parsed.score_sets) == (accept == "scores")
    )
    if fits:
        return None
    wanted = "experiment runs" if accept == "runs" else "benchmark scores alone"
    return Problem("", f"This address takes {wanted} in the site's JSON; see /api/uploads.")


def _resolve(file: _Read, looked_up: LookedUp, *, dry_run: bool) -> _Ready | Report:
    """Find the canonical names of all that a file says, and what it does not say."""
    try:
        resolved = resolve_file(file.parsed, file.context, looked_up)
    except FormatError as error:
        return _refused(file.report, error)
    except DataError as error:
        return _does_not_fit(file.report, error)
    warnings = (*file.parsed.warnings, *resolved.warnings)
    report = replace(file.report, warnings=warnings)
    if resolved.missing or dry_run:
        suggestions = _suggestions(file.parsed, file.context, file.received.file_name)
        report = replace(report, suggestions=suggestions)
    if resolved.missing:
        return _missing(report, resolved)
    looked_up.learn(resolved)
    return _Ready(received=file.received, context=file.context, resolved=resolved, report=report)


def _does_not_fit(report: Report, error: DataError) -> Report:
    logger.error("A file passed all checks and did not fit the database.", exc_info=error)
    message = f"A value does not fit the database: {error.args[0]}"
    return replace(report, refusal=Refusal.INVALID, errors=(Problem("", message),))


def _suggestions(parsed: ParsedFile, context: UploadContext, file_name: str) -> dict[str, str]:
    """Return what the names of file and folders suggest for fields that nobody stated."""
    open_fields = fields_left_open(parsed, context)
    found = suggest_from_name(file_name)
    return {name: value for name, value in found.items() if name in open_fields}


def _missing(report: Report, resolved: ResolvedFile) -> Report:
    """Refuse a file that lacks what the site needs, naming each field to send."""
    errors = tuple(
        Problem(name, f"The file does not say its {name}; send it beside the file.")
        for name in resolved.missing
    )
    return replace(report, refusal=Refusal.MISSING, errors=errors, missing=tuple(resolved.missing))


def _write(files: Mapping[int, _Ready], *, dry_run: bool) -> dict[int, Report]:
    """Write files in their order, in one transaction; those that fit together at once.

    A dry run does the same and rolls back: a preview says exactly what would happen.
    """
    done: dict[int, Report] = {}
    if not files:
        return done
    with transaction.atomic():
        take_write_lock()
        for together in fit_together({place: file.to_write for place, file in files.items()}):
            group = {place: files[place] for place in together}
            # Accepted meanwhile: by somebody else, or a file before it that is the same.
            group_done = _unchanged(
                {
                    place: (file.received, file.context)
                    for place, file in group.items()
                    if not file.received.replacing
                }
            )
            new = {place: file for place, file in group.items() if place not in group_done}
            done |= group_done | _write_together(new, dry_run=dry_run)
        if dry_run:
            transaction.set_rollback(True)
    return done


def _write_together(files: Mapping[int, _Ready], *, dry_run: bool) -> dict[int, Report]:
    """Write files with their uploads, and each alone where one of them cannot be written."""
    if not files:
        return {}
    group = list(files.values())
    known = known_names(group[0].resolved) if dry_run else None
    try:
        with transaction.atomic():
            written = write_files([file.to_write for file in group])
            kept = [_kept(file, made) for file, made in zip(group, written, strict=True)]
            if known is not None:
                said = group[0].report.preview | preview(group[0].resolved, written[0], known)
                return dict.fromkeys(
                    files, replace(kept[0].report, outcome="dry_run", preview=said)
                )
            uploads = keep(kept)
    except (FormatError, DataError) as error:
        if len(files) > 1:
            alone = [
                _write_together({place: file}, dry_run=dry_run) for place, file in files.items()
            ]
            return {place: report for reports in alone for place, report in reports.items()}
        ((place, file),) = files.items()
        if isinstance(error, FormatError):
            return {place: _refused(file.report, error)}
        return {place: _does_not_fit(file.report, error)}
    return {
        place: replace(item.report, upload_id=upload.pk)
        for place, item, upload in zip(files, kept, uploads, strict=True)
    }


def _kept(file: _Ready, written: Written) -> Kept:
    """Return what is kept of a file that was written."""
    outcome = UploadOutcome.CREATED if written.changed else UploadOutcome.UNCHANGED
    report = replace(
        file.report,
        outcome=outcome.value,
        runs=tuple(written.runs),
        scores=tuple(written.scores),
        warnings=(*file.report.warnings, *written.warnings),
    )
    return Kept(
        received=file.received,
        report=report,
        outcome=outcome,
        context=file.context.stated(),
        written=written,
    )

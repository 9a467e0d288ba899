"""The one pipeline for form, API and commands: from the bytes of a file to its report."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal
from uuid import UUID

from django.conf import settings
from django.db import DataError, transaction
from django.db.models import Exists, OuterRef, Q

from benchsite.common.locks import take_write_lock
from benchsite.common.review import TAKEN_OUT, ReviewState
from experiments.choices import ItemAction, UploadOutcome
from experiments.formats import detect_format
from experiments.formats.base import Format
from experiments.formats.content import decode
from experiments.formats.documents import (
    FormatError,
    InvalidFileError,
    ParsedFile,
    Problem,
    UnknownFormatError,
    UnreadableError,
)
from experiments.formats.packed import UnpackedTooLargeError
from experiments.ingest.actor import Actor
from experiments.ingest.conflicts import ConflictError
from experiments.ingest.context import UploadContext, fields_left_open, read_context
from experiments.ingest.preview import known_names, outline, preview
from experiments.ingest.report import Refusal, Report, RunResult, ScoreResult
from experiments.ingest.resolve import ResolvedFile, resolve_file
from experiments.ingest.store import Received, keep, stated_fields, write_items
from experiments.ingest.suggestions import suggest_from_name
from experiments.ingest.write import write_file
from experiments.models import Upload, UploadItem

logger = logging.getLogger(__name__)
Accept = Literal["any", "runs", "scores"]


def ingest_file(
    *,
    data: bytes,
    file_name: str,
    fields: Mapping[str, Any],
    actor: Actor,
    dry_run: bool = False,
    replace: bool = False,
    accept: Accept = "any",
    batch: UUID | None = None,
) -> Report:
    """Take in one file with the context `fields` its uploader stated, and report.

    All or nothing: a file with any error writes no fact. Accepted and refused bytes are both kept
    with their report (but for a dry run, files too large, and bytes that were accepted before with
    the same or no context: that is "unchanged" and writes nothing). Bad input never raises;
    `Report.refusal` says why a file was not taken. `batch` is that of files sent together.
    """
    received = Received(
        data=data,
        file_name=file_name,
        fields=fields,
        actor=actor,
        replacing=replace,
        batch=batch,
    )
    report = attempt(received, dry_run=dry_run, accept=accept)
    if report.accepted or dry_run or report.refusal is Refusal.TOO_LARGE:
        return report
    return keep_refused(received, report, UploadOutcome.REJECTED)


def keep_refused(received: Received, report: Report, outcome: UploadOutcome) -> Report:
    """Keep the bytes and the report of a file that was not taken: nothing sent is lost."""
    with transaction.atomic():
        upload = keep(received, report, outcome, stated_fields(received.fields))
    return replace(report, upload_id=upload.pk)


def attempt(received: Received, *, dry_run: bool, accept: Accept = "any") -> Report:
    """Parse and write the file; every kind of refusal ends here as a report, kept by nobody yet."""
    rejected = Report(outcome="rejected", sha256=received.sha256, file_name=received.stored_name)
    limit_bytes = settings.BENCHSITE_MAX_UPLOAD_BYTES
    if len(received.data) > limit_bytes:
        message = f"The file is larger than {limit_bytes:,} bytes, the limit of this site."
        problem = Problem("", message, len(received.data))
        return replace(rejected, refusal=Refusal.TOO_LARGE, errors=(problem,))
    try:
        context = read_context(dict(received.fields))
        may_be_known = accept == "any" and not received.replacing
        if may_be_known and (before := _accepted_before(received, context)):
            return _unchanged(before, rejected)
        content = decode(received.data, received.file_name, limit_bytes=limit_bytes)
        found = detect_format(content)
        rejected = replace(rejected, format=found.name, parser_version=found.version)
        parsed = found.parse(content)
        _check_accepted(parsed, accept, found)
        rejected = replace(rejected, preview=outline(parsed))
        resolved = resolve_file(parsed, context)
        rejected = replace(rejected, warnings=(*parsed.warnings, *resolved.warnings))
        if resolved.missing or dry_run:
            suggestions = _suggestions(parsed, context, received.file_name)
            rejected = replace(rejected, suggestions=suggestions)
        if resolved.missing:
            return _missing(rejected, resolved)
        return _write(received, context, resolved, rejected, dry_run=dry_run)
    except FormatError as error:
        return replace(rejected, refusal=_refusal(error), errors=error.problems)
    except DataError as error:
        logger.exception("A file passed all checks and did not fit the database.")
        message = f"A value does not fit the database: {error.args[0]}"
        return replace(rejected, refusal=Refusal.INVALID, errors=(Problem("", message),))


def _refusal(error: FormatError) -> Refusal:
    if isinstance(error, ConflictError):
        return error.refusal
    if isinstance(error, UnpackedTooLargeError):
        return Refusal.TOO_LARGE
    if isinstance(error, UnreadableError):
        return Refusal.UNREADABLE
    if isinstance(error, UnknownFormatError):
        return Refusal.UNKNOWN_FORMAT
    return Refusal.INVALID


def _check_accepted(parsed: ParsedFile, accept: Accept, found: Format) -> None:
    """Refuse a file of another kind than the way in was made for."""
    if accept == "any":
        return
    fits = (
        found.name == "experiment-json"
        and bool(parsed.runs) == (accept == "runs")
        and bool(parsed.score_sets) == (accept == "scores")
    )
    if not fits:
        wanted = "experiment runs" if accept == "runs" else "benchmark scores alone"
        raise InvalidFileError(
            Problem("", f"This address takes {wanted} in the site's JSON; see /api/uploads.")
        )


def _suggestions(parsed: ParsedFile, context: UploadContext, file_name: str) -> dict[str, str]:
    """Return what the names of file and folders suggest for fields that nobody stated."""
    open_fields = fields_left_open(parsed, context)
    found = suggest_from_name(file_name)
    return {name: value for name, value in found.items() if name in open_fields}


def _missing(rejected: Report, resolved: ResolvedFile) -> Report:
    """Refuse a file that lacks what the site needs, naming each field to send."""
    errors = tuple(
        Problem(name, f"The file does not say its {name}; send it beside the file.")
        for name in resolved.missing
    )
    return replace(
        rejected, refusal=Refusal.MISSING, errors=errors, missing=tuple(resolved.missing)
    )


def _write(
    received: Received,
    context: UploadContext,
    resolved: ResolvedFile,
    rejected: Report,
    *,
    dry_run: bool,
) -> Report:
    """Write the facts in one transaction, and the upload with its items beside them.

    A dry run does the same and rolls back: a preview says exactly what would happen.
    """
    with transaction.atomic():
        take_write_lock()
        if not received.replacing and (before := _accepted_before(received, context)):
            return _unchanged(before, rejected)
        known = known_names(resolved) if dry_run else None
        written = write_file(
            resolved,
            sha256=received.sha256,
            actor=received.actor,
            replacing=received.replacing,
            corrects=received.corrects,
        )
        outcome = UploadOutcome.CREATED if written.changed else UploadOutcome.UNCHANGED
        report = replace(
            rejected,
            outcome="dry_run" if dry_run else outcome.value,
            runs=tuple(written.runs),
            scores=tuple(written.scores),
            warnings=(*rejected.warnings, *written.warnings),
        )
        if known is not None:
            transaction.set_rollback(True)
            return replace(report, preview=report.preview | preview(resolved, written, known))
        upload = keep(received, report, outcome, context.stated())
        write_items(upload, written)
    return replace(report, upload_id=upload.pk)


def _accepted_before(received: Received, context: UploadContext) -> Upload | None:
    """Return the newest accepted upload of these bytes, if taking them again changes nothing.

    That is so with the same context, or with none, as long as all that it made is still as it
    was, was not taken out, and does not wait for a review that this actor need not wait for.
    """
    uploads = Upload.objects.accepted().filter(content_id=received.sha256)
    if stated := context.stated():
        uploads = uploads.filter(context=stated)
    upload = uploads.order_by("-created_at", "-id").first()
    if upload is None:
        return None
    stale = [*TAKEN_OUT]
    if received.actor.review_state == ReviewState.PUBLISHED:
        stale.append(ReviewState.PENDING)
    replaced_since = UploadItem.objects.filter(
        run=OuterRef("run"), action=ItemAction.REPLACED, pk__gt=OuterRef("pk")
    )
    changed = upload.items.filter(
        Q(run__review_state__in=stale) | Q(score__review_state__in=stale) | Exists(replaced_since)
    )
    return None if changed.exists() else upload


def _unchanged(before: Upload, report: Report) -> Report:
    """Report the runs and scores that the same file made before."""
    items = before.items.select_related(
        "run__variant", "run__hardware__platform", "score__variant", "score__benchmark"
    ).order_by("id")
    runs = []
    scores = []
    for item in items:
        if item.run:
            title = f"{item.run.variant} on {item.run.hardware.platform}"
            runs.append(RunResult(id=item.run.pk, title=title, action=ItemAction.UNCHANGED))
        if item.score:
            scores.append(
                ScoreResult(
                    id=item.score.pk,
                    variant_id=item.score.variant_id,
                    model_name=item.score.variant.model_name,
                    quantization=item.score.variant.quantization,
                    benchmark=item.score.benchmark.slug,
                    score=item.score.score,
                    action=ItemAction.UNCHANGED,
                )
            )
    return replace(
        report,
        outcome=UploadOutcome.UNCHANGED.value,
        upload_id=before.pk,
        format=before.format,
        parser_version=before.parser_version,
        runs=tuple(runs),
        scores=tuple(scores),
    )

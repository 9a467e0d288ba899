"""Keeping what was received: the bytes once per hash, the upload with its report, its items."""

import hashlib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from django.utils import timezone

from benchsite.common.copying import copy_rows
from experiments.choices import UploadOutcome
from experiments.ingest.actor import Actor
from experiments.ingest.history import write_history
from experiments.ingest.report import Report
from experiments.ingest.write import Written
from experiments.models import RunRevision, Upload, UploadContent, UploadItem


@dataclass(frozen=True, kw_only=True)
class Received:
    """A file as it came in; `draft` is the row that holds it already, `corrects` an earlier one."""

    data: bytes
    file_name: str
    fields: Mapping[str, Any]
    actor: Actor
    replacing: bool = False
    batch: UUID | None = None
    draft: Upload | None = None
    corrects: Upload | None = None

    @cached_property
    def sha256(self) -> str:
        """The hash of the bytes as received."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def stored_name(self) -> str:
        """The file's name as it fits the database: the end of one that is too long."""
        return self.file_name[-255:].replace("\x00", "")


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A file as it is to be kept: with its report, its context, and what it made if anything."""

    received: Received
    report: Report
    outcome: UploadOutcome
    context: Mapping[str, Any]
    written: Written | None = None


def keep(files: Sequence[Kept]) -> list[Upload]:
    """Store bytes, reports, and which place of a file made which run or score, in few queries.

    A draft's own row is taken where there is one. A draft that is confirmed counts as received
    now: uploads stand in the order of their effects.
    """
    new = [file.received for file in files if file.received.draft is None]
    contents = {received.sha256: received for received in new}
    UploadContent.objects.bulk_create(
        [
            UploadContent(
                sha256=sha256,
                size_bytes=len(received.data),
                deflated=zlib.compress(received.data),
            )
            for sha256, received in contents.items()
        ],
        ignore_conflicts=True,
    )
    uploads = [_upload(file) for file in files]
    for file, upload in zip(files, uploads, strict=True):
        if file.received.draft is not None:
            upload.save()
    drafts = {file.received.draft for file in files}
    Upload.objects.bulk_create([upload for upload in uploads if upload not in drafts])
    made = [(row, file.written) for row, file in zip(uploads, files, strict=True) if file.written]
    items = (item for upload, written in made for item in _items(upload, written))
    copy_rows(UploadItem, ("upload", "place", "run", "score", "action", "origin"), items)
    write_history(
        [_with_upload(row, upload) for upload, written in made for row in written.history]
    )
    return uploads


def _upload(file: Kept) -> Upload:
    upload = file.received.draft or _new_upload(file.received)
    upload.created_at = timezone.now()
    upload.context = dict(file.context)
    upload.replacing = file.received.replacing
    upload.outcome = file.outcome
    _set_report(upload, file.report)
    return upload


def _set_report(upload: Upload, report: Report) -> None:
    upload.format = report.format
    upload.parser_version = report.parser_version
    upload.report = report.as_stored()


def note_report(upload: Upload, report: Report) -> None:
    """Save the row with a report of it."""
    _set_report(upload, report)
    upload.save()


def stated_fields(fields: Mapping[str, Any]) -> dict[str, str]:
    """Return the context of a file that was not taken, as it was written."""
    return {name: str(value) for name, value in fields.items() if value}


def _with_upload(row: RunRevision, upload: Upload) -> RunRevision:
    row.upload = upload
    return row


def _new_upload(received: Received) -> Upload:
    user = received.actor.user
    return Upload(
        content_id=received.sha256,
        file_name=received.stored_name,
        uploaded_by_id=user.pk if user else None,
        token=received.actor.token,
        batch=received.batch,
        corrects=received.corrects,
    )


def _items(upload: Upload, written: Written) -> Iterator[tuple[Any, ...]]:
    """Yield the items of an upload: place, run, score, action, origin."""
    for place, run in zip(written.run_places, written.runs, strict=True):
        yield (upload.pk, place[:255], run.id, None, run.action, written.origins.get(place))
    for place, score in zip(written.score_places, written.scores, strict=True):
        origin = written.origins.get(place)
        yield (upload.pk, place[:255], None, score.id, score.action, origin)

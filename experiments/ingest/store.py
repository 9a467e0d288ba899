"""Keeping what was received: the bytes once per hash, the upload with its report, its items."""

import hashlib
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from django.utils import timezone

from experiments.choices import UploadOutcome
from experiments.ingest.actor import Actor
from experiments.ingest.history import write_history
from experiments.ingest.report import Report
from experiments.ingest.write import Written
from experiments.models import Upload, UploadContent, UploadItem


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


def keep(
    received: Received, report: Report, outcome: UploadOutcome, context: Mapping[str, Any]
) -> Upload:
    """Store the bytes and the report; a draft's own row is taken where there is one.

    A draft that is confirmed counts as received now: uploads stand in the order of their effects.
    """
    upload = received.draft or _new_upload(received)
    upload.created_at = timezone.now()
    upload.context = dict(context)
    upload.replacing = received.replacing
    upload.outcome = outcome
    note_report(upload, report)
    return upload


def note_report(upload: Upload, report: Report) -> None:
    """Save the row with a report of it."""
    upload.format = report.format
    upload.parser_version = report.parser_version
    upload.report = report.as_stored()
    upload.save()


def stated_fields(fields: Mapping[str, Any]) -> dict[str, str]:
    """Return the context of a file that was not taken, as it was written."""
    return {name: str(value) for name, value in fields.items() if value}


def write_items(upload: Upload, written: Written) -> None:
    """Keep which place of the file made which run or score, and what it did to earlier ones."""
    items = _items(upload, written)
    UploadItem.objects.bulk_create(items, batch_size=2000)
    write_history(written.history, upload=upload)


def _new_upload(received: Received) -> Upload:
    UploadContent.objects.bulk_create(
        [
            UploadContent(
                sha256=received.sha256,
                size_bytes=len(received.data),
                deflated=zlib.compress(received.data),
            )
        ],
        ignore_conflicts=True,
    )
    user = received.actor.user
    return Upload(
        content_id=received.sha256,
        file_name=received.stored_name,
        uploaded_by_id=user.pk if user else None,
        token=received.actor.token,
        batch=received.batch,
        corrects=received.corrects,
    )


def _items(upload: Upload, written: Written) -> Iterator[UploadItem]:
    for place, run in zip(written.run_places, written.runs, strict=True):
        yield UploadItem(upload=upload, place=place[:255], run_id=run.id, action=run.action)
    for place, score in zip(written.score_places, written.scores, strict=True):
        yield UploadItem(upload=upload, place=place[:255], score_id=score.id, action=score.action)

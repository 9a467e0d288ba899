"""What became of a run since it was received, as those may read it who look at it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from benchsite.common.review import COMMAND, ReviewState
from experiments.choices import ItemAction
from experiments.ingest.actor import Actor, keys_of_sender
from experiments.models import RunRevision, TestRun, Upload, UploadItem
from experiments.provenance import provenance_of
from experiments.redaction import redact_text

MAX_CHANGES = 100
CREATED = "created"


@dataclass(frozen=True, kw_only=True)
class HistoryLine:
    """One thing that was done to a run; `before` is the version that it replaced, if any.

    `is_own` tells whether the reader sent the upload that did it.
    """

    at: datetime
    action: str
    by: str
    reason: str = ""
    upload_id: UUID | None = None
    is_own: bool = False
    before: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class _Reader:
    """What the reader may know: curators and who sent the run read names, others roles."""

    keys: frozenset[str]
    is_curator: bool
    sender_keys: frozenset[str]

    @property
    def may_see_all(self) -> bool:
        return self.is_curator or not self.keys.isdisjoint(self.sender_keys)

    def name(self, label: str, key: str) -> str:
        if self.may_see_all:
            return label
        if key == COMMAND:
            return "the operator"
        return "its uploader" if key in self.sender_keys else "a curator"

    def sent(self, upload: Upload | None) -> bool:
        return upload is not None and not self.keys.isdisjoint(keys_of_sender(upload))


def upload_items(run: TestRun) -> list[UploadItem]:
    """Return the places of files that made a run or changed it, oldest first: one query."""
    items = run.upload_items.exclude(action=ItemAction.UNCHANGED).order_by("id")
    return list(
        items.select_related("upload__uploaded_by", "upload__token").defer(
            "upload__report", "upload__context"
        )
    )


def run_history(
    run: TestRun, items: Iterable[UploadItem], reader: Actor | None
) -> tuple[HistoryLine, ...]:
    """Return the newest MAX_CHANGES changes of a run, newest first, and at last its creation.

    `items` are its `upload_items`, `reader` is None for the public. An earlier version is shown to
    everybody if it was published, else to curators and who sent the run. One query.
    """
    uploads: dict[UUID, Upload] = {}
    sender_keys: set[str] = set()
    made_by = None
    for item in items:
        uploads[item.upload_id] = item.upload
        if item.action in (ItemAction.CREATED, ItemAction.REPLACED):
            sender_keys |= keys_of_sender(item.upload)
        if item.action == ItemAction.CREATED:
            made_by = item
    known = _Reader(
        keys=reader.keys if reader else frozenset(),
        is_curator=reader is not None and reader.is_curator,
        sender_keys=frozenset(sender_keys),
    )
    changes = RunRevision.objects.filter(run=run).newest_first()[:MAX_CHANGES]
    lines = [_change(row, uploads.get(row.upload_id), known) for row in changes]
    return (*lines, _creation(run, made_by, known))


def _change(row: RunRevision, upload: Upload | None, reader: _Reader) -> HistoryLine:
    was_public = row.state_before == ReviewState.PUBLISHED
    return HistoryLine(
        at=row.at,
        action=row.get_action_display(),
        by=reader.name(row.who_label, row.who_key),
        reason=row.reason if reader.may_see_all else redact_text(row.reason),
        upload_id=row.upload_id,
        is_own=reader.sent(upload),
        before=row.before if was_public or reader.may_see_all else None,
    )


def _creation(run: TestRun, item: UploadItem | None, reader: _Reader) -> HistoryLine:
    upload = item.upload if item else None
    origin = provenance_of(item)
    label = ""
    if upload is not None and reader.may_see_all:
        label = " with ".join(str(who) for who in (upload.uploaded_by, upload.token) if who)
    return HistoryLine(
        at=run.created_at,
        action=CREATED,
        by=label or "its uploader",
        upload_id=origin.upload_id if origin else None,
        is_own=reader.sent(upload) and origin is not None and not origin.is_stated,
    )

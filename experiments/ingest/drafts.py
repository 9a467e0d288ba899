"""Previews: files received and checked, of which nothing is in the database until confirmed."""

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from experiments.choices import UploadOutcome
from experiments.ingest.actor import Actor
from experiments.ingest.pipeline import Incoming, attempt, keep_refused
from experiments.ingest.reading import Reading
from experiments.ingest.report import Refusal, Report
from experiments.ingest.store import Received, note_report
from experiments.models import Upload, UploadContent, UploadQuerySet

KEPT_FOR = timedelta(days=1)
# What no field beside the file can mend: such a file is kept as rejected, not as a draft.
BEYOND_MENDING = (Refusal.UNREADABLE, Refusal.UNKNOWN_FORMAT, Refusal.INVALID)


def make_draft(received: Received, reading: Reading | None = None) -> Report:
    """Check a file and keep it as a draft, or as rejected where no field could mend it.

    A file above the size limit is not kept: its report has no upload. `reading` is what was found
    in the file, where it was read before.
    """
    report = attempt(Incoming(received=received, reading=reading), dry_run=True)
    if report.refusal is Refusal.TOO_LARGE:
        return report
    if report.refusal in BEYOND_MENDING and received.corrects is None:
        return keep_refused(received, report, UploadOutcome.REJECTED)
    return keep_refused(received, report, UploadOutcome.DRAFT)


def draft_again(upload: Upload, actor: Actor, batch: UUID) -> Report:
    """Make a draft of the bytes and context of an earlier upload.

    Of an accepted one the draft is a correction: it replaces what that one made.
    """
    accepted = upload.outcome in (UploadOutcome.CREATED, UploadOutcome.UNCHANGED)
    corrected = upload if accepted else None
    received = Received(
        data=upload.content.data,
        file_name=upload.file_name,
        fields=upload.context,
        actor=actor,
        batch=batch,
        corrects=corrected,
        replacing=accepted,
    )
    report = attempt(Incoming(received=received), dry_run=True)
    return keep_refused(received, report, UploadOutcome.DRAFT)


def check_draft(draft: Upload, actor: Actor) -> Report:
    """Check a draft with its context, and keep both with it."""
    report = attempt(Incoming(received=_received(draft, actor)), dry_run=True)
    note_report(draft, report)
    return report


def confirm_draft(draft: Upload, actor: Actor) -> Report:
    """Write what a draft says; where it is refused, it stays a draft with the report.

    What was accepted before needs no row of its own: such a draft goes, and the report names the
    earlier upload.
    """
    with transaction.atomic():
        waiting = Upload.objects.drafts().select_for_update(of=("self",)).filter(pk=draft.pk)
        locked = waiting.select_related("content", "corrects").first()
        if locked is None:  # confirmed or discarded in the meantime, by a second click
            return attempt(Incoming(received=_received(draft, actor)), dry_run=True)
        report = attempt(Incoming(received=_received(locked, actor)), dry_run=False)
        if report.refusal:
            note_report(locked, report)
        elif report.upload_id != locked.pk:
            locked.delete()
    return report


def discard_drafts(drafts: UploadQuerySet) -> int:
    """Delete drafts, and bytes that no other upload has; returns how many there were."""
    with transaction.atomic():
        chosen = list(drafts.filter(outcome=UploadOutcome.DRAFT).values_list("pk", "content_id"))
        Upload.objects.filter(pk__in=[pk for pk, _sha256 in chosen]).delete()
        unused = UploadContent.objects.filter(uploads=None)
        unused.filter(pk__in=[sha256 for _pk, sha256 in chosen]).delete()
    return len(chosen)


def purge_drafts() -> int:
    """Delete drafts that nobody confirmed within a day; returns how many there were."""
    oldest = timezone.now() - KEPT_FOR
    return discard_drafts(Upload.objects.filter(created_at__lt=oldest))


def _received(draft: Upload, actor: Actor) -> Received:
    return Received(
        data=draft.content.data,
        file_name=draft.file_name,
        fields=draft.context,
        actor=actor,
        replacing=draft.replacing,
        batch=draft.batch,
        draft=draft,
        corrects=draft.corrects,
    )

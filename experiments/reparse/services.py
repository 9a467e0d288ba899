"""Preview, apply and undo of reading stored uploads again.

A preview reads only. Applying reads the uploads once more and writes those items whose stored
side is as it was, and whose outcome is the one previewed; every other item is left, and says why.
Undoing puts back every row as it was, or nothing where any of them changed since.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import DataError, IntegrityError, transaction
from django.db.models import Count
from django.utils import timezone

from benchsite.common.locks import take_write_lock
from benchsite.common.review import Who
from experiments.choices import ReparseEffect, ReparseState, ReparseSubject
from experiments.models import Reparse, ReparseItem, Upload
from experiments.reparse.images import take_images
from experiments.reparse.items import Course, PlannedItem
from experiments.reparse.plan import plan_uploads
from experiments.reparse.selection import Selection
from experiments.reparse.shared import PROVENANCE, delete_unused, noting_made
from experiments.reparse.undoing import UndoError, check_as_applied, put_back
from experiments.reparse.writing import Writer

AT_ONCE = 50  # uploads read together: bounds memory, and makes queries few
EFFECTIVE = (ReparseEffect.CHANGED, ReparseEffect.FOUND, ReparseEffect.GONE)
CHANGED_SINCE = "It changed since the preview."
COMES_OUT_OTHERWISE = "It is read otherwise now than in the preview."
NOT_THERE = "It is not read, or not this upload's, any more."
Progress = Callable[[int], object]


class ReparseError(Exception):
    """A reparse cannot be applied or undone; its text says why. Nothing was changed."""


@dataclass(frozen=True, kw_only=True)
class Applied:
    """How many items were applied, and how many were left as they are."""

    applied: int
    left: int


def preview(
    selection: Selection, *, who: Who, progress: Progress = lambda _uploads: None
) -> Reparse:
    """Read the uploads again and store what would change; nothing else is written."""
    reparse = Reparse(selection=str(selection)[:300], previewed_by=who.label, user_id=who.user_id)
    upload_ids = list(selection.uploads().values_list("pk", flat=True))
    reparse.uploads = len(upload_ids)
    with transaction.atomic():
        reparse.save()
        course = Course()
        for chosen in _chunks(upload_ids):
            planned = plan_uploads(_uploads(chosen), course)
            ReparseItem.objects.bulk_create(
                [_stored(reparse, item) for item in planned], batch_size=1000
            )
            progress(len(chosen))
        _count(reparse)
    return reparse


def apply(reparse_id: UUID, *, who: Who, progress: Progress = lambda _uploads: None) -> Applied:
    """Write what the preview says, in one transaction under the lock of writers.

    ReparseError where it is no preview (any more), or a value does not fit the database.
    """
    try:
        with transaction.atomic():
            take_write_lock()
            reparse = _locked(reparse_id, ReparseState.PREVIEW)
            made = noting_made(lambda: _apply(reparse, who, progress))
            reparse.made = made
            reparse.state = ReparseState.APPLIED
            reparse.applied_at, reparse.applied_by = timezone.now(), who.label
            reparse.save()
    except (DataError, IntegrityError) as error:
        raise ReparseError(f"A value does not fit the database: {error.args[0]}") from error
    done = reparse.items.filter(effect__in=EFFECTIVE)
    return Applied(applied=done.filter(left=False).count(), left=done.filter(left=True).count())


def undo(reparse_id: UUID, *, who: Who) -> int:
    """Put back every row that the reparse changed, and return how many items that were.

    ReparseError where it is not applied, or where anything of it changed since: it names what.
    """
    with transaction.atomic():
        take_write_lock()
        reparse = _locked(reparse_id, ReparseState.APPLIED)
        items = list(reparse.items.filter(images__isnull=False).select_related("upload"))
        places = [int(pk) for pk in reparse.made[PROVENANCE]]
        try:
            check_as_applied(items, places)
        except UndoError as error:
            raise ReparseError(str(error)) from error
        put_back(items, places, who=who, name=str(reparse))
        delete_unused(reparse.made)
        reparse.items.update(images=None)
        reparse.state = ReparseState.UNDONE
        reparse.undone_at, reparse.undone_by = timezone.now(), who.label
        reparse.save()
    return len(items)


def _locked(reparse_id: UUID, state: ReparseState) -> Reparse:
    reparse = Reparse.objects.select_for_update().filter(pk=reparse_id).first()
    if reparse is None:
        raise ReparseError(f"There is no reparse {reparse_id}.")
    if reparse.state != state:
        wanted = "a preview" if state == ReparseState.PREVIEW else state.label
        raise ReparseError(f"It is {reparse.get_state_display()}, not {wanted}.")
    return reparse


def _apply(reparse: Reparse, who: Who, progress: Progress) -> None:
    writer, course = Writer(who=who, name=str(reparse)), Course()
    of_uploads = reparse.items.filter(subject=ReparseSubject.UPLOAD).order_by("id")
    upload_ids = list(of_uploads.values_list("upload_id", flat=True))
    for chosen in _chunks(upload_ids):
        stored = list(reparse.items.filter(upload__in=chosen, effect__in=EFFECTIVE))
        if stored:
            effective = {item.upload_id for item in stored}
            uploads = _uploads([pk for pk in chosen if pk in effective])
            _write(writer, stored, plan_uploads(uploads, course))
        progress(len(chosen))


def _write(writer: Writer, stored: Sequence[ReparseItem], planned: Iterable[PlannedItem]) -> None:
    """Write what came out as previewed, and keep each row of it before and after."""
    by_key = {(item.upload.pk, item.subject, item.key): item for item in planned}
    chosen: list[tuple[ReparseItem, PlannedItem]] = []
    for item in stored:
        found = by_key.get((item.upload_id, ReparseSubject(item.subject), item.key))
        item.reason = _why_left(item, found)
        item.left = bool(item.reason)
        if found is not None and not item.left:
            chosen.append((item, found))
    chosen = _without_uploads_of_left(stored, chosen)
    before = take_images({found.subject_id for _item, found in chosen if found.subject_id})
    writer.write([found for _item, found in chosen])
    after = take_images({found.subject_id for _item, found in chosen if found.subject_id})
    for item, found in chosen:
        item.subject_id = found.subject_id
        if found.subject_id:
            item.keep_images(
                {
                    "before": before.get(found.subject_id, {}),
                    "after": after.get(found.subject_id, {}),
                }
            )
    # As an upsert: the CASE of a bulk_update takes a quarter of the time of applying.
    ReparseItem.objects.bulk_create(
        stored,
        batch_size=500,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["left", "reason", "subject_id", "images"],
    )


def _without_uploads_of_left(
    stored: Sequence[ReparseItem], chosen: list[tuple[ReparseItem, PlannedItem]]
) -> list[tuple[ReparseItem, PlannedItem]]:
    """Leave an upload's own row where any of its items was left: it is not read again wholly."""
    partly = {item.upload_id for item in stored if item.left}
    kept = []
    for item, found in chosen:
        if item.subject == ReparseSubject.UPLOAD and item.upload_id in partly:
            item.left, item.reason = True, "Something of it was left."
        else:
            kept.append((item, found))
    return kept


def _why_left(item: ReparseItem, found: PlannedItem | None) -> str:
    """Return why an item is not applied, "" if it is."""
    if found is None:
        return NOT_THERE
    if found.before_hash != item.before_hash:
        return CHANGED_SINCE
    same = found.effect == item.effect and found.after_hash == item.after_hash
    return "" if same else COMES_OUT_OTHERWISE


def _stored(reparse: Reparse, item: PlannedItem) -> ReparseItem:
    return ReparseItem(
        reparse=reparse,
        upload=item.upload,
        subject=item.subject,
        subject_id=item.subject_id,
        key=item.key,
        title=item.title,
        effect=item.effect,
        changes=item.changes,
        reason=item.reason,
        before_hash=item.before_hash,
        after_hash=item.after_hash,
    )


def _count(reparse: Reparse) -> None:
    """Keep how many items there are of each subject and effect."""
    counts: dict[str, dict[str, int]] = {}
    rows = reparse.items.order_by().values_list("subject", "effect").annotate(Count("id"))
    for subject, effect, count in rows:
        counts.setdefault(subject, {})[effect] = count
    reparse.counts = counts
    reparse.save(update_fields=["counts"])


def _uploads(upload_ids: Sequence[UUID]) -> list[Upload]:
    """Load uploads with their bytes, in the order of the ids."""
    found = Upload.objects.select_related("content").in_bulk(upload_ids)
    return [found[upload_id] for upload_id in upload_ids if upload_id in found]


def _chunks(ids: Iterable[Any]) -> Iterator[list[Any]]:
    remaining = iter(ids)
    while chunk := list(islice(remaining, AT_ONCE)):
        yield chunk

"""Files that were accepted before: found by their hashes, and reported without writing."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from benchsite.common.review import TAKEN_OUT, ReviewState
from experiments.choices import ItemAction
from experiments.ingest.actor import Actor
from experiments.ingest.report import Report, RunResult, ScoreResult
from experiments.models import Upload, UploadItem


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The bytes and the context of a file, as far as they tell whether it is known."""

    sha256: str
    stated: dict[str, Any]


def accepted_before(files: Sequence[Asked], actor: Actor) -> dict[int, Upload]:
    """Return, by the place of a file, the newest accepted upload that makes it unchanged.

    That is so with the same context, or with none, as long as all that it made is still as it
    was, was not taken out, and does not wait for a review that this actor need not wait for.
    Two queries at most.
    """
    hashes = {file.sha256 for file in files}
    by_hash: dict[str, list[Upload]] = defaultdict(list)
    uploads = Upload.objects.accepted().filter(content_id__in=hashes).defer("report")
    for upload in uploads.order_by("-created_at", "-id") if hashes else ():
        by_hash[upload.content_id].append(upload)
    found: dict[int, Upload] = {}
    for place, file in enumerate(files):
        same = (item for item in by_hash[file.sha256] if file.stated in ({}, item.context))
        if upload_of_file := next(same, None):
            found[place] = upload_of_file
    changed = _changed_since(found.values(), actor) if found else set()
    return {place: upload for place, upload in found.items() if upload.pk not in changed}


def _changed_since(uploads: Collection[Upload], actor: Actor) -> set[UUID]:
    """Return the ids of uploads of which not everything is as they made it."""
    stale = [*TAKEN_OUT]
    if actor.review_state == ReviewState.PUBLISHED:
        stale.append(ReviewState.PENDING)
    replaced_since = UploadItem.objects.filter(
        run=OuterRef("run"), action=ItemAction.REPLACED, pk__gt=OuterRef("pk")
    )
    changed = UploadItem.objects.filter(upload__in=[upload.pk for upload in uploads]).filter(
        Q(run__review_state__in=stale) | Q(score__review_state__in=stale) | Exists(replaced_since)
    )
    return set(changed.values_list("upload_id", flat=True))


def unchanged_reports(reports: Sequence[tuple[Report, Upload]]) -> list[Report]:
    """Complete reports of files with the runs and scores that the same files made before."""
    items = (
        UploadItem.objects.filter(upload__in=[upload.pk for _report, upload in reports])
        .select_related(
            "run__variant", "run__hardware__platform", "score__variant", "score__benchmark"
        )
        .order_by("id")
    )
    runs: dict[UUID, list[RunResult]] = defaultdict(list)
    scores: dict[UUID, list[ScoreResult]] = defaultdict(list)
    for item in items if reports else ():
        if item.run:
            title = f"{item.run.variant} on {item.run.hardware.platform}"
            result = RunResult(id=item.run.pk, title=title, action=ItemAction.UNCHANGED)
            runs[item.upload_id].append(result)
        if item.score:
            scores[item.upload_id].append(
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
    return [
        replace(
            report,
            outcome=ItemAction.UNCHANGED.value,
            upload_id=upload.pk,
            format=upload.format,
            parser_version=upload.parser_version,
            runs=tuple(runs[upload.pk]),
            scores=tuple(scores[upload.pk]),
        )
        for report, upload in reports
    ]

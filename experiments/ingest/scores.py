"""Handing parsed scores to the benchmarks app, and what it found doubtful back to the uploader."""

from collections.abc import Collection, Sequence
from uuid import UUID

from benchmarks.catalogue import benchmark_slug
from benchmarks.errors import InvalidScoresError
from benchmarks.models import ModelVariant
from benchmarks.services import (
    RecordedScore,
    ScoreData,
    record_scores,
    set_review_state,
)
from benchmarks.totals import looks_like_fractions, percent
from benchsite.common.review import ReviewState
from experiments.choices import ItemAction
from experiments.formats.documents import InvalidFileError, Problem, ScoreDocument
from experiments.formats.problems import join_path
from experiments.ingest.conflicts import REVIEWED_OUT, ConflictError
from experiments.ingest.report import Refusal
from experiments.ingest.times import as_stored_time
from experiments.models import UploadItem

PERCENT_TOLERANCE = 0.5
SUPERSEDED = "superseded: its run was replaced"


def write_scores(
    variant: ModelVariant, documents: Sequence[ScoreDocument], review_state: ReviewState
) -> tuple[list[RecordedScore], list[Problem]]:
    """Store the scores of a variant; return them in order, with warnings.

    Raises InvalidFileError with a problem for each score that cannot be right.
    """
    data = [_score_data(document) for document in documents]
    try:
        recorded = record_scores(variant=variant, scores=data, review_state=review_state)
    except InvalidScoresError as error:
        raise InvalidFileError(
            *(
                Problem(
                    f"{documents[problem.index].path}.data",
                    f"{problem.field}: {problem.message}.",
                    problem.value,
                )
                for problem in error.problems
            )
        ) from error
    warnings = [
        Problem(document.path, f"{document.benchmark}: {message}.", score.score.score)
        for document, score in zip(documents, recorded, strict=True)
        for message in score.warnings
    ]
    return recorded, warnings


def settle_scores(
    documents: Sequence[ScoreDocument],
    recorded: Sequence[RecordedScore],
    review_state: ReviewState,
    *,
    may_restore: bool,
) -> list[ItemAction]:
    """Bring scores that were here before into the review state of this upload; return actions.

    A score that waited for review is published by an upload that may publish; one that was
    superseded comes back with its run. What a curator took out needs `may_restore`: without it
    ConflictError is raised.
    """
    publishes = review_state == ReviewState.PUBLISHED
    actions = []
    to_set = []
    problems = []
    for document, item in zip(documents, recorded, strict=True):
        state, superseded = item.score.review_state, item.score.review_reason == SUPERSEDED
        action = ItemAction.CREATED if item.created else ItemAction.UNCHANGED
        if state in REVIEWED_OUT and not superseded and not may_restore:
            message = f"This score was {state}; replace=true by a curator restores it."
            problems.append(Problem(document.path, message, str(item.score.pk)))
        elif state in REVIEWED_OUT or (publishes and state == ReviewState.PENDING):
            action = ItemAction.PUBLISHED
            to_set.append(item.score.pk)
        actions.append(action)
    if problems:
        raise ConflictError(Refusal.WITHDRAWN, *problems)
    if to_set:
        set_review_state(score_ids=to_set, state=review_state)
    return actions


def supersede_scores(run_ids: Collection[UUID], *, keep: Collection[UUID]) -> None:
    """Withdraw the scores that came with earlier versions of these runs and with nothing else."""
    run_items = UploadItem.objects.filter(run_id__in=run_ids).values_list("upload_id", "place")
    starts: dict[UUID, tuple[str, ...]] = {}
    for upload_id, place in run_items:
        start = join_path(place, "benchmark_scores")
        starts[upload_id] = (*starts.get(upload_id, ()), start)
    if not starts:
        return
    embedded = {
        item.pk: item.score_id
        for item in UploadItem.objects.filter(upload_id__in=starts, score__isnull=False)
        if item.place.startswith(starts[item.upload_id]) and item.score_id not in keep
    }
    elsewhere = set(
        UploadItem.objects.filter(score_id__in=embedded.values())
        .exclude(pk__in=embedded)
        .values_list("score_id", flat=True)
    )
    orphans = [pk for pk in set(embedded.values()) - elsewhere if pk is not None]
    if orphans:
        set_review_state(score_ids=orphans, state=ReviewState.WITHDRAWN, reason=SUPERSEDED)


def _score_data(document: ScoreDocument) -> ScoreData:
    return ScoreData(
        benchmark_slug=_slug(document),
        benchmark_name=document.benchmark,
        score=document.stated_score,
        stderr=document.stderr,
        correct=document.correct,
        total=document.total,
        protocol=document.protocol,
        complete=document.complete is not False,
        partial_reason="stated by the file" if document.complete is False else None,
        measured_at=as_stored_time(document.measured_at),
        zone_known=document.zone_known,
        source_url=document.source_url,
        notes=document.notes,
        context=document.context,
        needs_confirmation=_looks_like_fraction(document),
        categories=document.categories,
    )


def _slug(document: ScoreDocument) -> str:
    slug = benchmark_slug(document.benchmark)
    if not slug:
        message = "The benchmark's name holds no letter and no digit."
        raise InvalidFileError(Problem(document.path, message, document.benchmark))
    return slug


def _looks_like_fraction(document: ScoreDocument) -> bool:
    """Whether shares between 0 and 1 stand where 0–100 is meant, and no counts confirm them."""
    if document.stated_score is None:
        values = [item.score for item in document.categories if item.score is not None]
        counted = [percent(item.correct, item.total) for item in document.categories]
    else:
        values = [document.stated_score]
        counted = [percent(document.correct, document.total)]
    if not looks_like_fractions(values):
        return False
    return any(
        count is None or abs(count - value) > PERCENT_TOLERANCE
        for count, value in zip(counted, values, strict=False)
    )

"""Handing parsed scores to the benchmarks app, and what it found doubtful back to the uploader."""

from collections.abc import Sequence

from benchmarks.catalogue import benchmark_slug
from benchmarks.errors import InvalidScoresError
from benchmarks.models import ModelVariant
from benchmarks.services import (
    RecordedScore,
    ScoreData,
    record_scores,
)
from benchmarks.totals import looks_like_fractions, percent
from benchsite.common.review import ReviewState
from experiments.formats.documents import InvalidFileError, Problem, ScoreDocument
from experiments.ingest.times import as_stored_time

PERCENT_TOLERANCE = 0.5


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


def _score_data(document: ScoreDocument) -> ScoreData:
    return ScoreData(
        benchmark_slug=benchmark_slug(document.benchmark) or "unnamed",
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
        needs_confirmation=_looks_like_fraction(document),
        categories=document.categories,
    )


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

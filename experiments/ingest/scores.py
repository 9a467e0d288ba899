"""Handing parsed scores to the benchmarks app, and what it found doubtful back to the uploader."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from uuid import UUID

from benchmarks.catalogue import benchmark_slug
from benchmarks.errors import InvalidScoresError
from benchmarks.models import BenchmarkScore, ModelVariant, ScoreRevision
from benchmarks.services import (
    RecordedScore,
    ScoreData,
    record_scores,
    set_review_state,
)
from benchmarks.totals import looks_like_fractions, percent
from benchsite.common.review import SUPERSEDING, TAKEN_OUT, ReviewState, RevisionAction, Who
from benchsite.common.revisions import Revision
from experiments.choices import ItemAction
from experiments.formats.documents import InvalidFileError, Problem, ScoreDocument
from experiments.formats.problems import join_path
from experiments.formats.stored import StoredScore
from experiments.ingest.actor import Actor
from experiments.ingest.conflicts import ConflictError, why_score_is_out
from experiments.ingest.origins import known_content_keys
from experiments.ingest.report import Refusal
from experiments.ingest.times import as_stored_time
from experiments.models import Upload, UploadItem

PERCENT_TOLERANCE = 0.5
FRACTION = "looks like a fraction where 0–100 is meant"
SUPERSEDED = "superseded: its run was replaced"
CORRECTED = "superseded: its file was sent again with a correction"
_BELOW = "benchmark_scores"  # the part of a run's document that holds its scores


def write_scores(
    variant: ModelVariant, documents: Sequence[ScoreDocument], review_state: ReviewState
) -> tuple[list[RecordedScore], list[Problem]]:
    """Store the scores of a variant; return them in order, with warnings.

    Raises InvalidFileError with a problem for each score that cannot be right.
    """
    known = known_content_keys(variant, documents)
    data = [score_data(document, known) for document in documents]
    try:
        recorded = record_scores(variant=variant, scores=data, review_state=review_state)
    except InvalidScoresError as error:
        raise InvalidFileError(
            *(
                Problem(
                    join_path(documents[problem.index].path, _place(problem.field)),
                    f"{problem.message[:1].upper()}{problem.message[1:]}.",
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


def _place(field: str) -> str:
    """Return a field of a score as a path: "categories.1.score" is "categories[1].score"."""
    return re.sub(r"\.(\d+)(?=\.|$)", r"[\1]", field)


def settle_scores(
    documents: Sequence[ScoreDocument],
    recorded: Sequence[RecordedScore],
    actor: Actor,
    *,
    replacing: bool,
) -> list[ItemAction]:
    """Bring scores that were here before into the review state of this upload; return actions.

    A score that waited for review is published by an upload that may publish; one that was
    superseded comes back with its run. What somebody took out, or corrected, comes back when
    `replacing`, by a curator or by who did it; else ConflictError is raised.
    """
    publishes = actor.review_state == ReviewState.PUBLISHED
    out = [item.score.pk for item in recorded if item.score.review_state in TAKEN_OUT]
    taken_out = ScoreRevision.objects.last_taken_out(out)
    actions = []
    to_set = []
    problems = []
    for document, item in zip(documents, recorded, strict=True):
        pk, state = item.score.pk, item.score.review_state
        action = ItemAction.CREATED if item.created else ItemAction.UNCHANGED
        if state in TAKEN_OUT:
            last = taken_out.get(pk)
            action = ItemAction.RESTORED
            left_with_run = last is not None and last.action == RevisionAction.SUPERSEDED
            if not left_with_run and not (replacing and actor.may_restore(last)):
                message = why_score_is_out(state, last, actor)
                problems.append(Problem(document.path, message, str(pk)))
        elif publishes and state == ReviewState.PENDING:
            action = ItemAction.PUBLISHED
        if action in (ItemAction.RESTORED, ItemAction.PUBLISHED):
            to_set.append(pk)
        actions.append(action)
    if problems:
        raise ConflictError(Refusal.WITHDRAWN, *problems)
    if to_set:
        set_review_state(score_ids=to_set, state=actor.review_state, who=actor.who)
    return actions


def is_superseded(taken_out: Revision | None) -> bool:
    """Tell whether a score is out only because another version of its run or file came."""
    return taken_out is not None and taken_out.action in SUPERSEDING


@dataclass(frozen=True, kw_only=True)
class BroughtScore:
    """A place of an upload that brought a score; `is_newest` if no later one changed its run."""

    item_id: int
    score_id: UUID
    run_id: UUID | None = None
    is_newest: bool = False


def scores_brought_by_runs(run_ids: Collection[UUID]) -> list[BroughtScore]:
    """Return what came with all versions of these runs: it stands below them in their files.

    Two queries, none without runs.
    """
    if not run_ids:
        return []
    runs_by_start: dict[tuple[UUID, str], UUID] = {}
    newest: dict[UUID, UUID] = {}
    columns = ("run_id", "upload_id", "place", "action")
    run_items = UploadItem.objects.filter(run_id__in=run_ids).order_by("id")
    for run_id, upload_id, place, action in run_items.values_list(*columns):
        runs_by_start[upload_id, join_path(place, _BELOW)] = run_id
        if action != ItemAction.UNCHANGED:
            newest[run_id] = upload_id
    score_items = UploadItem.objects.filter(
        upload_id__in={upload_id for upload_id, _start in runs_by_start}, score__isnull=False
    )
    brought = []
    for item_id, score_id, upload_id, place in score_items.order_by("id").values_list(
        "id", "score_id", "upload_id", "place"
    ):
        start = "".join(place.rpartition(_BELOW)[:2])
        if run_id := runs_by_start.get((upload_id, start)):
            is_newest = newest.get(run_id) == upload_id
            brought.append(
                BroughtScore(item_id=item_id, score_id=score_id, run_id=run_id, is_newest=is_newest)
            )
    return brought


def scores_brought_by_file(corrected: Upload) -> list[BroughtScore]:
    """Return what an upload brought, and all that corrected it or that it corrects itself."""
    of_file = Upload.objects.accepted().filter(content_id=corrected.content_id)
    links = [pair for pair in of_file.values_list("id", "corrects_id") if pair[1]]
    family = {corrected.pk}
    for _link in links:  # each round finds at least one more, or nothing is left to find
        family |= {upload_id for pair in links if family.intersection(pair) for upload_id in pair}
    items = UploadItem.objects.filter(upload_id__in=family, score__isnull=False)
    return [
        BroughtScore(item_id=item_id, score_id=score_id)
        for item_id, score_id in items.values_list("id", "score_id")
        if score_id
    ]


def supersede_scores(brought: Iterable[BroughtScore], *, keep: Collection[UUID], who: Who) -> None:
    """Withdraw those of the scores that nothing else brought, and that are not out already."""
    brought = [item for item in brought if item.score_id not in keep]
    items = {item.item_id: item.score_id for item in brought}
    if not items:
        return
    elsewhere = UploadItem.objects.filter(score_id__in=items.values()).exclude(pk__in=items)
    orphans = set(items.values()) - set(elsewhere.values_list("score_id", flat=True))
    in_lists = BenchmarkScore.objects.filter(pk__in=orphans).exclude(review_state__in=TAKEN_OUT)
    wanted = set(in_lists.values_list("pk", flat=True))
    with_run = {item.score_id for item in brought if item.run_id}
    for score_ids, action, reason in (
        (wanted & with_run, RevisionAction.SUPERSEDED, SUPERSEDED),
        (wanted - with_run, RevisionAction.CORRECTED, CORRECTED),
    ):
        set_review_state(
            score_ids=score_ids,
            state=ReviewState.WITHDRAWN,
            who=who,
            reason=reason,
            action=action,
        )


def score_data(
    document: ScoreDocument, known: Mapping[UUID, str] = MappingProxyType({})
) -> ScoreData:
    """Return a score as the benchmarks app takes it; why it is doubted stays in its context.

    `known` are the content keys of scores that are here, by their ids. Raises InvalidFileError for
    a name without any letter.
    """
    stored = document if isinstance(document, StoredScore) else None
    believed = stored if stored and stored.is_trusted else None
    known_key = known.get(stored.id) if stored else None
    doubt = document.doubt
    if believed:
        doubt = (document.context.get("doubt") or FRACTION) if believed.needs_confirmation else None
    elif doubt is None and not document.scale_known and _looks_like_fraction(document):
        doubt = FRACTION
    return ScoreData(
        id=believed.id if believed else None,
        stored_key=believed.origin.content_key if believed else known_key,
        received_at=believed.origin.received_at if believed else None,
        benchmark_slug=_slug(document),
        benchmark_name=document.benchmark,
        score=document.stated_score,
        total_method=stored.total_method if stored else None,
        stderr=document.stderr,
        correct=document.correct,
        total=document.total,
        protocol=document.protocol,
        complete=document.complete is not False,
        partial_reason=document.partial_reason
        or ("stated by the file" if document.complete is False else None),
        measured_at=as_stored_time(document.measured_at),
        zone_known=document.zone_known,
        source_url=document.source_url,
        notes=document.notes,
        context={**document.context, "doubt": doubt} if doubt else document.context,
        needs_confirmation=doubt is not None,
        doubt=doubt or "",
        higher_is_better=document.higher_is_better,
        categories=document.categories,
    )


def _slug(document: ScoreDocument) -> str:
    named = document.slug if isinstance(document, StoredScore) else document.benchmark
    slug = benchmark_slug(named)
    if not slug or (isinstance(document, StoredScore) and slug != named):
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

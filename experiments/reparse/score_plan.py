"""What reading an upload again means for its scores."""

from collections.abc import Sequence
from uuid import UUID

from benchmarks.errors import InvalidScoresError
from benchmarks.models import Benchmark, BenchmarkScore
from benchmarks.scoring import PreparedScore, prepare_scores
from benchsite.common.review import TAKEN_OUT
from experiments.choices import ReparseEffect, ReparseSubject
from experiments.formats.documents import InvalidFileError, Problem, ScoreDocument
from experiments.ingest.keys import digest
from experiments.ingest.origins import stored_origin
from experiments.ingest.resolve import ResolvedModel
from experiments.ingest.scores import is_superseded, score_data
from experiments.models import Upload
from experiments.reparse.items import (
    Course,
    PlannedItem,
    row_hash,
    score_key,
    stored_score_key,
    with_states,
)
from experiments.reparse.known import Known
from experiments.reparse.owned import Owned
from experiments.reparse.reading import Reading, read_again, trusted
from experiments.reparse.states import read_score_state, stored_score_state

FILES_AT_ONCE = 50


def plan_scores(
    reading: Reading, owned: Owned, known: Known
) -> tuple[list[PlannedItem], dict[str, str]]:
    """Return what becomes of each score of the file, and of those that it does not bring any more.

    Beside it stand the keys, with their places, of scores that are another upload's and that this
    one was not known to bring, too.
    """
    upload = reading.upload
    stored = owned.scores[upload.pk]
    by_key = {stored_score_key(score): score for score in stored.values()}
    state = owned.state_for_new(upload.pk)
    items: dict[str, PlannedItem] = {}
    also: dict[str, str] = {}
    prepared = _prepared(reading, known)
    known.course.scores[upload.pk] = _keys_of_file(reading)
    for model, document, score in prepared:
        key = score_key(model.key, score.data)
        before = by_key.get(key)
        if key in items or (before is None and state is None):
            continue  # twice in the file, or all of it is out
        if before is None and (key in known.scores or key in known.course.found):
            if known.scores.get(key) not in owned.linked[upload.pk]:
                also[key] = document.path
            continue  # the score of another upload
        known.course.found.add(key)
        items[key] = _score(reading, model, score, before, owned)
        items[key].key, items[key].state, items[key].place = key, state, document.path
        items[key].origin = stored_origin(document)
    gone = [(key, score) for key, score in by_key.items() if key not in items]
    return [*items.values(), *(_gone_score(reading, key, score) for key, score in gone)], also


def let_stay(items: Sequence[PlannedItem], owned: Owned, course: Course) -> None:
    """Let scores stay that the file of another upload brings still, by today's parser."""
    gone = [
        (item, item.stored_score)
        for item in items
        if item.effect == ReparseEffect.GONE and item.stored_score
    ]
    wanted = {upload_id for _item, score in gone for upload_id in owned.brought[score.pk]}
    _read_scores(sorted(wanted - course.scores.keys()), course)
    for item, score in gone:
        files = [course.scores.get(upload_id) for upload_id in owned.brought[score.pk]]
        if any(keys is None or item.key in keys for keys in files):
            item.effect, item.changes = ReparseEffect.SAME, []


def _read_scores(upload_ids: Sequence[UUID], course: Course) -> None:
    """Read which scores are in the files of uploads, a few files at a time."""
    for start in range(0, len(upload_ids), FILES_AT_ONCE):
        chosen = upload_ids[start : start + FILES_AT_ONCE]
        believed = trusted(chosen)
        for upload in Upload.objects.select_related("content").filter(pk__in=chosen):
            reading = read_again(upload, is_trusted=upload.pk in believed)
            course.scores[upload.pk] = _keys_of_file(reading)


def _keys_of_file(reading: Reading) -> set[str] | None:
    """Return the keys of all scores of a file, None where it cannot be read."""
    if reading.problem:
        return None
    scores = ((model, score_data(document)) for model, document in reading.scores)
    return {score_key(model.key, data) for model, data in scores}


def _prepared(
    reading: Reading, known: Known
) -> list[tuple[ResolvedModel, ScoreDocument, PreparedScore]]:
    """Return the scores of a file, checked; InvalidFileError where one cannot be right."""
    data = [score_data(document, known.content_keys) for _model, document in reading.scores]
    for score in data:
        if score.benchmark_slug not in known.benchmarks and score.has_valid_slug:
            known.benchmarks[score.benchmark_slug] = Benchmark(
                slug=score.benchmark_slug,
                name=score.benchmark_name or score.benchmark_slug,
                higher_is_better=score.higher_is_better is not False,
                is_generic=True,
            )
    try:
        scores = prepare_scores(data, known.benchmarks)
    except InvalidScoresError as error:
        raise InvalidFileError(
            *(
                Problem(reading.scores[problem.index][1].path, problem.message, problem.value)
                for problem in error.problems
            )
        ) from error
    return [(*read, score) for read, score in zip(reading.scores, scores, strict=True)]


def _score(
    reading: Reading,
    model: ResolvedModel,
    score: PreparedScore,
    before: BenchmarkScore | None,
    owned: Owned,
) -> PlannedItem:
    kept = ("score", "needs_confirmation") if before and before.pk in owned.confirmed else ()
    new = read_score_state(score, kept=kept)
    item = PlannedItem(
        upload=reading.upload,
        reading=reading,
        subject=ReparseSubject.SCORE,
        key="",
        title=_score_title(model.key, score.benchmark.slug),
        effect=ReparseEffect.FOUND,
        model=model,
        score=score.data,
        stored_score=before,
        score_state=new,
        after_hash=digest(new),
        changes=[["score", None, score.total.score]],
    )
    if before is None:
        return item
    item.subject_id = before.pk
    item.before_hash = row_hash(before)
    if is_superseded(owned.taken_out.get(before.pk)):
        item.changes = [["review state", before.review_state, "as before"]]
        return item
    return with_states(item, stored_score_state(before, kept=kept), new)


def _gone_score(reading: Reading, key: str, score: BenchmarkScore) -> PlannedItem:
    """Plan a score that the file does not bring any more; what is out of the lists stays so."""
    stays = score.review_state in TAKEN_OUT
    variant = score.variant
    names = (variant.model_name, variant.quantization, variant.lora_adapter)
    return PlannedItem(
        upload=reading.upload,
        reading=reading,
        subject=ReparseSubject.SCORE,
        subject_id=score.pk,
        key=key,
        title=_score_title(names, score.benchmark.slug),
        effect=ReparseEffect.SAME if stays else ReparseEffect.GONE,
        stored_score=score,
        before_hash=row_hash(score),
        changes=[] if stays else [["score", score.score, None]],
    )


def _score_title(names: tuple[str, str, str], slug: str) -> str:
    return f"{' · '.join(filter(None, names))}: {slug}"[:600]

"""What reading uploads again would change: computed from what is stored, nothing is written."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from benchmarks.catalogue import benchmark_slug
from benchmarks.errors import InvalidScoresError
from benchmarks.models import Benchmark, BenchmarkScore, ModelVariant
from benchmarks.scoring import PreparedScore, ScoreData, prepare_scores
from benchsite.common.review import TAKEN_OUT, ReviewState
from experiments.choices import ReparseEffect, ReparseSubject
from experiments.formats.documents import InvalidFileError, Problem
from experiments.ingest.keys import digest
from experiments.ingest.resolve import ResolvedModel, ResolvedRun
from experiments.ingest.rows import sweep_key
from experiments.ingest.scores import is_superseded, score_data
from experiments.models import Measurement, TestRun, Upload
from experiments.reparse.owned import Owned, load_owned
from experiments.reparse.reading import Reading, problem_of, read_again
from experiments.reparse.states import (
    State,
    changes_between,
    figures_of,
    read_run_state,
    read_score_state,
    stored_run_state,
    stored_score_state,
)
from hardware.models import HardwareProfile
from hardware.services import ResolvedHardware

NAMES = ("model_name", "quantization", "lora_adapter")


@dataclass(kw_only=True)
class PlannedItem:
    """One run, one score or the upload itself: how it is, how it would be, and what with."""

    upload: Upload
    subject: ReparseSubject
    key: str
    title: str
    effect: ReparseEffect
    subject_id: UUID | None = None
    changes: list[list[Any]] = field(default_factory=list)
    reason: str = ""
    before_hash: str = ""
    after_hash: str = ""
    reading: Reading | None = None
    state: ReviewState | None = None
    run: ResolvedRun | None = None
    stored_run: TestRun | None = None
    edited: Collection[str] = ()
    other_figures: bool = False
    model: ResolvedModel | None = None
    place: str = ""
    score: ScoreData | None = None
    stored_score: BenchmarkScore | None = None
    score_state: State = field(default_factory=dict)


def plan_uploads(uploads: Sequence[Upload]) -> list[PlannedItem]:
    """Read uploads (loaded with their content) again and return what it means for each fact.

    About 15 queries for any number of uploads, and one for each distinct machine in a file.
    """
    owned = load_owned({upload.pk for upload in uploads})
    readings = [read_again(upload) for upload in uploads]
    known = _Known(readings)
    items: list[PlannedItem] = []
    for reading in readings:
        try:
            planned = [*_runs(reading, owned, known), *_scores(reading, owned, known)]
        except InvalidFileError as error:
            reading, planned = problem_of(error, reading), []
        items += [_upload(reading), *(planned if not reading.problem else ())]
    return items


class _Known:
    """What is in the database of all that the readings name, read once for all of them."""

    def __init__(self, readings: Sequence[Reading]) -> None:
        runs = [run for reading in readings for run in reading.resolved.runs]
        models = [run.model for run in runs]
        scores = [pair for reading in readings for pair in reading.scores]
        models += [model for model, _score in scores]
        names = {model.model_name for model in models}
        self.variants = {
            tuple(getattr(row, name) for name in NAMES): row
            for row in ModelVariant.objects.filter(model_name__in=names)
        }
        self.runs = set(
            TestRun.objects.filter(pk__in=[run.id for run in runs]).values_list("pk", flat=True)
        )
        slugs = {benchmark_slug(score.benchmark) for _model, score in scores}
        self.benchmarks = Benchmark.objects.in_bulk(slugs, field_name="slug") if slugs else {}
        self.scores = self._keys_of_scores(model for model, _score in scores)
        self._profiles: dict[ResolvedHardware, HardwareProfile | None] = {}

    def _keys_of_scores(self, models: Iterable[ResolvedModel]) -> set[str]:
        """Return the keys of all scores that these models have."""
        variants = {found for model in models if (found := self.variant(model))}
        if not variants:
            return set()
        columns = [f"variant__{name}" for name in NAMES]
        rows = BenchmarkScore.objects.filter(variant__in=variants).values_list(
            *columns, "benchmark__slug", "content_key"
        )
        return {digest([row[:3], *row[3:]]) for row in rows}

    def variant(self, model: ResolvedModel) -> ModelVariant | None:
        return self.variants.get(names_of(model))

    def profile(self, hardware: ResolvedHardware) -> HardwareProfile | None:
        if hardware not in self._profiles:
            found = HardwareProfile.objects.with_identity(hardware.identity)
            self._profiles[hardware] = found.first()
        return self._profiles[hardware]

    def sweep_key(self, run: ResolvedRun, upload: Upload) -> str:
        """Return the key of a run's sweep, "new" where its variant or machine is not here yet."""
        if not (run.document.sweep or run.document.sweep_group):
            return ""
        variant, profile = self.variant(run.model), self.profile(run.hardware)
        if variant is None or profile is None:
            return "new"
        return sweep_key(run, upload.content_id, variant, profile)


def names_of(model: ResolvedModel) -> tuple[str, str, str]:
    """Return the names that a variant is known by."""
    return (model.model_name, model.quantization.name, model.lora_adapter)


def _upload(reading: Reading) -> PlannedItem:
    """Plan the upload itself: which parser read it, and its warnings."""
    upload = reading.upload
    item = PlannedItem(
        upload=upload,
        subject=ReparseSubject.UPLOAD,
        subject_id=upload.pk,
        key=upload.pk.hex,
        title=upload.file_name or "Pasted text",
        effect=ReparseEffect.PROBLEM,
        reason=reading.problem,
        reading=reading,
    )
    if reading.problem:
        return item
    before = {
        "parser_version": upload.parser_version,
        "warnings": upload.report.get("warnings", []),
    }
    # Warnings of writing (a run that stands twice, a doubtful score) are not made anew.
    after = {"parser_version": reading.version, "warnings": before["warnings"]}
    if upload.parser_version != reading.version:
        after["warnings"] = [warning.as_dict() for warning in reading.warnings]
    return _with_states(item, before, after)


def _runs(reading: Reading, owned: Owned, known: _Known) -> list[PlannedItem]:
    upload = reading.upload
    stored = owned.runs[upload.pk]
    items: dict[UUID, PlannedItem] = {}
    for run in reading.resolved.runs:
        if run.id in items or (run.id not in stored and run.id in known.runs):
            continue  # twice in the file, or the run of another upload
        before = stored.get(run.id)
        state = owned.state_for_new(upload.pk)
        if before is None and state is None:
            continue  # all that the upload made is out of the lists
        items[run.id] = _run(reading, run, before, owned, known)
        items[run.id].state = ReviewState(before.review_state) if before else state
    gone = [run for run_id, run in stored.items() if run_id not in items]
    return [*items.values(), *(_gone_run(reading, run, owned) for run in gone)]


def _run(
    reading: Reading, run: ResolvedRun, before: TestRun | None, owned: Owned, known: _Known
) -> PlannedItem:
    edited = owned.edited.get(run.id, set())
    kept = {name: getattr(before, name) for name in edited} if before else {}
    key = known.sweep_key(run, reading.upload)
    old = stored_run_state(before, owned.measured[run.id]) if before else {}
    new = read_run_state(run, sweep_key=key, kept=kept)
    item = PlannedItem(
        upload=reading.upload,
        reading=reading,
        subject=ReparseSubject.RUN,
        subject_id=run.id,
        key=run.id.hex,
        title=_title(names_of(run.model), run.hardware.platform_name, run.document.path),
        effect=ReparseEffect.FOUND,
        run=run,
        stored_run=before,
        edited=edited,
        place=run.document.path,
        other_figures=figures_of(old) != figures_of(new),
    )
    if before is not None:
        item.before_hash = _run_hash(before, owned.measured[run.id])
        return _with_states(item, old, new)
    item.after_hash = digest(new)
    item.changes = changes_between({}, figures_of(new))
    return item


def _gone_run(reading: Reading, run: TestRun, owned: Owned) -> PlannedItem:
    """Plan a run that is not in the file any more; what is out of the lists stays so."""
    out = run.review_state in TAKEN_OUT
    variant = run.variant
    names = (variant.model_name, variant.quantization, variant.lora_adapter)
    return PlannedItem(
        upload=reading.upload,
        reading=reading,
        subject=ReparseSubject.RUN,
        subject_id=run.pk,
        key=run.pk.hex,
        title=_title(names, run.hardware.platform.name, ""),
        effect=ReparseEffect.SAME if out else ReparseEffect.GONE,
        stored_run=run,
        before_hash=_run_hash(run, owned.measured[run.pk]),
        changes=[] if out else [["review state", run.review_state, "withdrawn"]],
    )


def _scores(reading: Reading, owned: Owned, known: _Known) -> list[PlannedItem]:
    upload = reading.upload
    stored = owned.scores[upload.pk]
    by_key = {_stored_score_key(score): score for score in stored.values()}
    state = owned.state_for_new(upload.pk)
    items: dict[str, PlannedItem] = {}
    for model, place, score in _prepared(reading, known):
        key = digest([names_of(model), score.benchmark.slug, score.data.content_key])
        before = by_key.get(key)
        if key in items or (before is None and (state is None or key in known.scores)):
            continue  # twice in the file, the score of another upload, or all of it is out
        items[key] = _score(reading, model, score, before, owned)
        items[key].key, items[key].state, items[key].place = key, state, place
    gone = [(key, score) for key, score in by_key.items() if key not in items]
    return [*items.values(), *(_gone_score(reading, key, score, owned) for key, score in gone)]


def _prepared(reading: Reading, known: _Known) -> list[tuple[ResolvedModel, str, PreparedScore]]:
    """Return the scores of a file, checked; InvalidFileError where one cannot be right."""
    data = [(model, document.path, score_data(document)) for model, document in reading.scores]
    for _model, _path, score in data:
        if score.benchmark_slug not in known.benchmarks and score.has_valid_slug:
            known.benchmarks[score.benchmark_slug] = Benchmark(
                slug=score.benchmark_slug,
                name=score.benchmark_name or score.benchmark_slug,
                higher_is_better=score.higher_is_better is not False,
                is_generic=True,
            )
    try:
        scores = prepare_scores([score for *_names, score in data], known.benchmarks)
    except InvalidScoresError as error:
        raise InvalidFileError(
            *(
                Problem(data[problem.index][1], problem.message, problem.value)
                for problem in error.problems
            )
        ) from error
    return [(model, path, score) for (model, path, _), score in zip(data, scores, strict=True)]


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
        title=_score_title(names_of(model), score.benchmark.slug),
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
    item.before_hash = _row_hash(before)
    if is_superseded(owned.taken_out.get(before.pk)):
        item.changes = [["review state", before.review_state, "as before"]]
        return item
    return _with_states(item, stored_score_state(before, kept=kept), new)


def _gone_score(reading: Reading, key: str, score: BenchmarkScore, owned: Owned) -> PlannedItem:
    """Plan a score that the file does not bring any more; what another upload brought stays."""
    stays = score.review_state in TAKEN_OUT or score.pk in owned.shared
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
        before_hash=_row_hash(score),
        changes=[] if stays else [["score", score.score, None]],
    )


def _with_states(item: PlannedItem, before: State, after: State) -> PlannedItem:
    """Fill in what differs, and whether anything does."""
    item.changes = changes_between(before, after)
    item.effect = ReparseEffect.CHANGED if item.changes else ReparseEffect.SAME
    item.before_hash = item.before_hash or digest(before)
    item.after_hash = digest(after)
    return item


def _stored_score_key(score: BenchmarkScore) -> str:
    variant = score.variant
    names = (variant.model_name, variant.quantization, variant.lora_adapter)
    return digest([names, score.benchmark.slug, score.content_key])


def _row_hash(row: TestRun | BenchmarkScore | Measurement) -> str:
    columns = [column.attname for column in row._meta.concrete_fields]
    return digest([getattr(row, name) for name in columns if name != "is_current"])


def _run_hash(run: TestRun, measured: Sequence[Measurement]) -> str:
    return digest([_row_hash(run), *map(_row_hash, measured)])


def _title(names: tuple[str, str, str], platform: str, place: str) -> str:
    model = " · ".join(filter(None, names))
    return f"{model} on {platform}{f' ({place})' if place else ''}"[:600]


def _score_title(names: tuple[str, str, str], slug: str) -> str:
    return f"{' · '.join(filter(None, names))}: {slug}"[:600]

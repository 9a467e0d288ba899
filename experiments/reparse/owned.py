"""What stored uploads made and still stand for, loaded for many of them at once."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from uuid import UUID

from benchmarks.models import BenchmarkScore, ScoreRevision
from benchsite.common.review import TAKEN_OUT, ReviewState, RevisionAction
from benchsite.common.revisions import Revision
from experiments.choices import ItemAction
from experiments.models import Measurement, RunRevision, TestRun, UploadItem

EDITABLE = ("notes", "source_url")


@dataclass(kw_only=True)
class Owned:
    """The runs and scores that uploads made last, by upload, with all that is stored of them.

    A run or score belongs to the upload of its newest item that did anything: a later replacing,
    correcting or restoring upload owns it then. `edited` are columns that a curator mended,
    `confirmed` the scores that one settled. `brought` are the scores that other uploads brought,
    too, with these; `linked` all that an upload brought, its own or not.
    """

    runs: dict[UUID, dict[UUID, TestRun]] = field(default_factory=lambda: defaultdict(dict))
    scores: dict[UUID, dict[UUID, BenchmarkScore]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    measured: dict[UUID, list[Measurement]] = field(default_factory=lambda: defaultdict(list))
    edited: dict[UUID, set[str]] = field(default_factory=lambda: defaultdict(set))
    confirmed: set[UUID] = field(default_factory=set)
    brought: dict[UUID, set[UUID]] = field(default_factory=lambda: defaultdict(set))
    linked: dict[UUID, set[UUID]] = field(default_factory=lambda: defaultdict(set))
    taken_out: dict[UUID, Revision] = field(default_factory=dict)

    def state_for_new(self, upload_id: UUID) -> ReviewState | None:
        """Return the review state for what is found: that of the upload's other facts.

        Where these differ, the more careful one of those in lists; None where all are out.
        """
        facts: list[TestRun | BenchmarkScore] = [
            *self.runs[upload_id].values(),
            *self.scores[upload_id].values(),
        ]
        states = {fact.review_state for fact in facts}
        for state in (ReviewState.PENDING, ReviewState.PUBLISHED):
            if state in states:
                return state
        return None


def load_owned(upload_ids: Collection[UUID]) -> Owned:
    """Load what uploads own: ten queries at most, for any number of them."""
    owned = Owned()
    items = UploadItem.objects.filter(upload__in=upload_ids).exclude(action=ItemAction.UNCHANGED)
    run_ids = {run_id for run_id in items.values_list("run_id", flat=True) if run_id}
    score_ids = {score_id for score_id in items.values_list("score_id", flat=True) if score_id}
    _load_runs(owned, _owners("run_id", run_ids, upload_ids))
    _load_scores(owned, _owners("score_id", score_ids, upload_ids))
    places = UploadItem.objects.filter(upload__in=upload_ids, score__isnull=False)
    for upload_id, score_id in places.values_list("upload_id", "score_id"):
        owned.linked[upload_id] |= {score_id} if score_id else set()
    return owned


def _owners(column: str, ids: Collection[UUID], upload_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Return which of these uploads each run or score belongs to, leaving out those of others."""
    if not ids:
        return {}
    newest = (
        UploadItem.objects.filter(**{f"{column}__in": ids})
        .exclude(action=ItemAction.UNCHANGED)
        .order_by(column, "-id")
        .distinct(column)
        .values_list(column, "upload_id")
    )
    return {fact_id: upload_id for fact_id, upload_id in newest if upload_id in upload_ids}


def _load_runs(owned: Owned, owners: dict[UUID, UUID]) -> None:
    if not owners:
        return
    runs = TestRun.objects.with_names().select_related("sweep").filter(pk__in=owners)
    for run in runs:
        owned.runs[owners[run.pk]][run.pk] = run
    for item in Measurement.objects.filter(run__in=owners).order_by("id"):
        owned.measured[item.run_id].append(item)
    for run_id, edited in _edited(owners):
        owned.edited[run_id] |= edited


def _edited(run_ids: Iterable[UUID]) -> Iterable[tuple[UUID, set[str]]]:
    """Yield the columns that curators mended since the run was last replaced."""
    revisions = RunRevision.objects.filter(
        run__in=list(run_ids), action__in=[RevisionAction.EDITED, RevisionAction.REPLACED]
    )
    edited: dict[UUID, set[str]] = {}
    for run_id, action, before in revisions.order_by("id").values_list("run", "action", "before"):
        facts = before["facts"] if action == RevisionAction.EDITED else ()
        since = edited.get(run_id, set()) if action == RevisionAction.EDITED else set()
        edited[run_id] = since | {name for name in EDITABLE if name in facts}
    return edited.items()


def _load_scores(owned: Owned, owners: dict[UUID, UUID]) -> None:
    if not owners:
        return
    for score in BenchmarkScore.objects.select_related("benchmark", "variant").filter(
        pk__in=owners
    ):
        owned.scores[owners[score.pk]][score.pk] = score
    settled = ScoreRevision.objects.filter(score__in=owners, action=RevisionAction.CONFIRMED)
    owned.confirmed = set(settled.values_list("score_id", flat=True))
    brought = UploadItem.objects.filter(score__in=owners).values_list("score_id", "upload_id")
    for score_id, upload_id in brought:
        if score_id is not None and upload_id != owners[score_id]:
            owned.brought[score_id].add(upload_id)
    out = [
        score.pk
        for scores in owned.scores.values()
        for score in scores.values()
        if score.review_state in TAKEN_OUT
    ]
    owned.taken_out = ScoreRevision.objects.last_taken_out(out)

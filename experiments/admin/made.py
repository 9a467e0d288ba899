"""What an upload made, and in which state it is now."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from benchsite.common.review import ReviewState
from experiments.choices import ItemAction
from experiments.ingest.preview import MAIN_FIGURES, load_in_words, main_figure
from experiments.ingest.review import can_restore
from experiments.models import Measurement, Upload, UploadItem

_STATES = tuple(ReviewState.values)
_OUT = (ReviewState.WITHDRAWN, ReviewState.REJECTED)


@dataclass(frozen=True, kw_only=True)
class MadeItem:
    """An item of an upload; `load` and `figure` tell a run from others of the file."""

    item: UploadItem
    load: str = ""
    figure: str = ""


@dataclass(frozen=True, kw_only=True)
class Made:
    """The first items of an upload with their links, and how many there are in which state."""

    items: Sequence[MadeItem]
    total: int
    by_state: dict[str, int]
    can_restore: bool

    @property
    def can_withdraw(self) -> bool:
        """Whether anything is left to withdraw."""
        return bool(
            self.by_state.get(ReviewState.PUBLISHED) or self.by_state.get(ReviewState.PENDING)
        )


def made_by(upload: Upload, *, limit: int) -> Made:
    """Return what an upload made or found: four queries, whatever its size."""
    items = upload.items.select_related(
        "run__variant", "run__hardware__platform", "score__variant", "score__benchmark"
    ).order_by("id")
    counts = _of_its_own(upload.items.all()).aggregate(
        **{state: Count("id", filter=_in_state(state)) for state in _STATES}, total=Count("id")
    )
    return Made(
        items=_described(items[:limit]),
        total=upload.items.count(),
        by_state={state: counts[state] for state in _STATES if counts[state]},
        can_restore=bool(counts[ReviewState.WITHDRAWN]) and can_restore(upload),
    )


def _described(items: Iterable[UploadItem]) -> list[MadeItem]:
    """Return items with what tells their runs apart: one query."""
    items = list(items)
    found: dict[UUID | None, list[Measurement]] = defaultdict(list)
    means = Measurement.objects.filter(statistic="mean", metric__in=MAIN_FIGURES)
    for measured in means.filter(run__in=[item.run_id for item in items if item.run_id]):
        found[measured.run_id].append(measured)
    return [
        MadeItem(item=item, load=load_in_words(item.run), figure=main_figure(found[item.run_id]))
        if item.run
        else MadeItem(item=item)
        for item in items
    ]


def with_states(uploads: QuerySet[Upload]) -> QuerySet[Upload]:
    """Annotate how many runs and scores each upload made, and how many are out of the lists."""
    own = ~Q(items__action=ItemAction.UNCHANGED)
    out = Q(items__run__review_state__in=_OUT) | Q(items__score__review_state__in=_OUT)
    waiting = Q(items__run__review_state=ReviewState.PENDING)
    waiting |= Q(items__score__review_state=ReviewState.PENDING)
    return uploads.annotate(
        run_count=Count("items__run", filter=own),
        score_count=Count("items__score", filter=own),
        out_count=Count("items", filter=own & out),
        waiting_count=Count("items", filter=own & waiting),
    )


def _in_state(state: str) -> Q:
    return Q(run__review_state=state) | Q(score__review_state=state)


def _of_its_own(items: QuerySet[UploadItem]) -> QuerySet[UploadItem]:
    """Leave out what was there before: another upload made it."""
    return items.exclude(action=ItemAction.UNCHANGED)

"""Writing model variants and scores, and all other writing services of this app by name."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from benchmarks.current import (
    choose_current,
    lock_variants,
    refresh_current_scores,
    set_preferred_protocol,
)
from benchmarks.errors import InvalidScoresError, InvalidVariantError, ScoreProblem
from benchmarks.models import Benchmark, BenchmarkScore, ModelVariant, ScoreCategory
from benchmarks.models.conditions import LONGEST_NAME, LONGEST_QUANTIZATION
from benchmarks.protocol import Protocol
from benchmarks.quantization import resolve_quantization, tidy_name
from benchmarks.review import (
    confirm_scores,
    restore_scores,
    set_review_state,
    withdraw_score,
)
from benchmarks.scoring import PreparedScore, ScoreData, prepare_scores
from benchmarks.totals import CategoryData
from benchsite.common.ids import new_id
from benchsite.common.locks import take_write_lock
from benchsite.common.review import ReviewState

__all__ = [
    "CategoryData",
    "Protocol",
    "RecordedScore",
    "ScoreData",
    "VariantFacts",
    "confirm_scores",
    "create_variants",
    "find_variants",
    "get_or_create_variant",
    "record_scores",
    "refresh_current_scores",
    "restore_scores",
    "set_preferred_protocol",
    "set_review_state",
    "withdraw_score",
]


@dataclass(frozen=True, kw_only=True)
class VariantFacts:
    """What a file tells about a model variant; None (or 0, as tools write it) = not known."""

    parameters: int | None = None
    active_parameters: int | None = None
    weights_gb: float | None = None
    bits_per_weight: float | None = None
    family: str | None = None
    model_revision: str | None = None
    quantizer: str | None = None

    def adds_to(self, variant: ModelVariant) -> bool:
        """Tell whether anything is told here that is not known of a variant yet."""
        told = vars(self).items()
        return any(value and getattr(variant, name) is None for name, value in told)


@dataclass(frozen=True)
class RecordedScore:
    """A stored score, whether this call made it, and what is doubtful about it."""

    score: BenchmarkScore
    created: bool
    warnings: tuple[str, ...] = ()


def get_or_create_variant(
    *, model_name: str, quantization: str, lora_adapter: str = "", facts: VariantFacts | None = None
) -> ModelVariant:
    """Return the variant of these names, made if need be; `facts` fill what is not known yet.

    Names are tidied and the quantization made canonical. Known facts are never overwritten. Safe
    when several sessions make the same variant. Raises InvalidVariantError for a blank or overlong
    name.
    """
    names = {
        "model_name": tidy_name(model_name),
        "quantization": resolve_quantization(quantization).name,
        "lora_adapter": tidy_name(lora_adapter),
    }
    _check_names(names)
    with transaction.atomic():
        take_write_lock()
        variant = ModelVariant.objects.filter(**names).first()
        if variant is None:
            # ON CONFLICT DO NOTHING waits for a session that is inserting the same names.
            ModelVariant.objects.bulk_create([ModelVariant(**names)], ignore_conflicts=True)
            variant = ModelVariant.objects.get(**names)
        if facts is not None:
            _fill_unknown_facts(variant, facts)
    return variant


def find_variants(model_names: Collection[str]) -> dict[tuple[str, str, str], ModelVariant]:
    """Return all variants of some models by their names (model, quantization, LoRA): one query."""
    return {row.key: row for row in ModelVariant.objects.filter(model_name__in=model_names)}


def create_variants(
    variants: Mapping[tuple[str, str, str], VariantFacts],
) -> dict[tuple[str, str, str], ModelVariant]:
    """Make the variants of these canonical names (model, quantization, LoRA), with their facts.

    What is here already is returned as it is. Two queries. Raises InvalidVariantError for a blank
    or overlong name.
    """
    rows = []
    for (model_name, quantization, lora_adapter), facts in variants.items():
        names = {
            "model_name": model_name,
            "quantization": quantization,
            "lora_adapter": lora_adapter,
        }
        _check_names(names)
        known = {name: value for name, value in asdict(facts).items() if value}
        rows.append(ModelVariant(**names, **known))
    with transaction.atomic():
        take_write_lock()
        ModelVariant.objects.bulk_create(rows, ignore_conflicts=True)
        found = find_variants({row.model_name for row in rows})
    return {key: found[key] for key in variants}


def _check_names(names: dict[str, str]) -> None:
    for name, value in names.items():
        longest = LONGEST_QUANTIZATION if name == "quantization" else LONGEST_NAME
        if not value and name != "lora_adapter":
            raise InvalidVariantError(f"{name} is empty")
        if len(value) > longest:
            raise InvalidVariantError(f"{name} is longer than {longest} characters")


def _fill_unknown_facts(variant: ModelVariant, facts: VariantFacts) -> None:
    news = {
        name: value
        for name, value in asdict(facts).items()
        if value and getattr(variant, name) is None
    }
    if not news:
        return
    ModelVariant.objects.filter(pk=variant.pk).update(
        **{name: Coalesce(F(name), Value(value)) for name, value in news.items()}
    )
    variant.refresh_from_db(fields=list(news))


def record_scores(
    *, variant: ModelVariant, scores: Sequence[ScoreData], review_state: ReviewState
) -> list[RecordedScore]:
    """Store scores that are not stored yet and return all of them, in the order given.

    A score is known by variant, benchmark, protocol, time and values; one that is stored already
    comes back as it is, whatever its review state, with `created` False. Benchmarks not in the
    catalogue are made as generic. Takes at most 10 queries for any number of scores, and locks the
    variant, so that two sessions never record the same score twice. Raises InvalidScoresError
    with every problem found; then nothing is written.
    """
    if not scores:
        return []
    with transaction.atomic():
        take_write_lock()
        lock_variants([variant.pk])
        prepared = prepare_scores(scores, _get_or_create_benchmarks(scores))
        new_keys = _insert_new(variant, prepared, review_state)
        if new_keys:
            choose_current([variant.pk])
        stored = _stored_by_key(variant, prepared)
    recorded = []
    for item in prepared:
        created = item.identity in new_keys
        new_keys.discard(item.identity)  # the same score twice in one call: made once
        recorded.append(RecordedScore(stored[item.identity], created, item.warnings))
    return recorded


def _get_or_create_benchmarks(scores: Sequence[ScoreData]) -> dict[str, Benchmark]:
    generic = {
        score.benchmark_slug: Benchmark(
            slug=score.benchmark_slug,
            name=(score.benchmark_name or score.benchmark_slug)[:LONGEST_NAME],
            higher_is_better=score.higher_is_better is not False,
            is_generic=True,
        )
        for score in scores
        if score.has_valid_slug
    }
    found = Benchmark.objects.in_bulk(generic, field_name="slug")
    missing = [generic[slug] for slug in sorted(generic.keys() - found.keys())]
    if missing:  # in one order for all sessions, so that none waits for another in a circle
        Benchmark.objects.bulk_create(missing, ignore_conflicts=True)
        found = Benchmark.objects.in_bulk(generic, field_name="slug")
    return found


ScoreIdentity = tuple[int, str]  # benchmark and content key, within one variant


def _insert_new(
    variant: ModelVariant, prepared: Sequence[PreparedScore], review_state: ReviewState
) -> set[ScoreIdentity]:
    """Insert the scores that the variant does not have yet and return what identifies them."""
    known = set(
        BenchmarkScore.objects.filter(
            variant=variant, content_key__in=[item.data.content_key for item in prepared]
        ).values_list("benchmark_id", "content_key")
    )
    new = {item.identity: item for item in prepared if item.identity not in known}
    _refuse_taken_ids(prepared, new)
    rows = {identity: _score_row(variant, item, review_state) for identity, item in new.items()}
    BenchmarkScore.objects.bulk_create(rows.values())
    ScoreCategory.objects.bulk_create(
        ScoreCategory(
            benchmark_score=rows[identity],
            category=category.category,
            score=value,
            correct=category.correct,
            total=category.total,
        )
        for identity, item in new.items()
        for category in item.data.categories
        if (value := category.value) is not None
    )
    return set(new)


def _refuse_taken_ids(
    prepared: Sequence[PreparedScore], new: Mapping[ScoreIdentity, PreparedScore]
) -> None:
    """Raise InvalidScoresError for new scores with ids that others have: a query if any has one."""
    counted = Counter(item.data.id for item in new.values() if item.data.id)
    taken = {pk for pk, count in counted.items() if count > 1}
    if counted:
        taken |= set(BenchmarkScore.objects.filter(pk__in=counted).values_list("pk", flat=True))
    message = "another score has this id; leave it out to have one made"
    problems = [
        ScoreProblem(index=index, field="id", message=message, value=str(item.data.id))
        for index, item in enumerate(prepared)
        if item.data.id in taken and item.identity in new
    ]
    if problems:
        raise InvalidScoresError(problems)


def _score_row(
    variant: ModelVariant, item: PreparedScore, review_state: ReviewState
) -> BenchmarkScore:
    data = item.data
    return BenchmarkScore(
        id=data.id or new_id(),
        created_at=data.received_at or timezone.now(),
        variant=variant,
        benchmark=item.benchmark,
        score=item.total.score,
        total_method=item.total.method,
        stderr=data.stderr,
        correct=data.correct,
        total=data.total,
        **asdict(data.protocol),
        protocol_key=data.protocol.key,
        complete=item.complete,
        partial_reason=item.partial_reason,
        source_url=item.data.source_url,
        context=dict(item.data.context),
        notes=item.data.notes,
        measured_at=data.measured_at,
        zone_known=data.zone_known,
        needs_confirmation=data.needs_confirmation,
        review_state=review_state,
        content_key=data.content_key,
    )


def _stored_by_key(
    variant: ModelVariant, prepared: Sequence[PreparedScore]
) -> dict[ScoreIdentity, BenchmarkScore]:
    stored = BenchmarkScore.objects.filter(
        variant=variant, content_key__in=[item.data.content_key for item in prepared]
    ).select_related("benchmark", "variant")
    return {(score.benchmark_id, score.content_key): score for score in stored}

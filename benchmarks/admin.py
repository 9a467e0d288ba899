"""Curation of model variants, benchmarks and scores; measured values are read-only."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from benchmarks import services
from benchmarks.models import (
    Benchmark,
    BenchmarkScore,
    BenchmarkScoreQuerySet,
    ModelVariant,
    ModelVariantQuerySet,
    ScoreCategory,
    ScoreRevision,
)
from benchsite.common.admin import ReasonForm, RevisionInline
from benchsite.common.review import ReviewState, Who

UNKNOWN = "–"

# Django's admin classes take no type arguments at run time, hence type-arg is ignored below.


@admin.register(ModelVariant)
class ModelVariantAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Facts of a variant; its names are its identity and stay as they are."""

    list_display = (
        "model_name",
        "quantization",
        "lora_adapter",
        "parameters",
        "weights_gb",
        "family",
        "published_scores",
    )
    list_filter = ("quantization", "family")
    list_select_related = ("reference_variant",)
    search_fields = ("model_name", "quantization", "lora_adapter", "family")
    autocomplete_fields = ("reference_variant",)
    readonly_fields = ("id", "nominal_bits_per_weight", "created_at")
    empty_value_display = UNKNOWN

    def get_queryset(self, request: HttpRequest) -> ModelVariantQuerySet:
        """Count published scores along."""
        return ModelVariant.objects.with_score_counts()

    def get_readonly_fields(
        self, request: HttpRequest, obj: ModelVariant | None = None
    ) -> tuple[str, ...]:
        """Allow names only where a variant is made."""
        names = ("model_name", "quantization", "lora_adapter") if obj else ()
        return (*self.readonly_fields, *names)

    @admin.display(description="published scores", ordering="published_scores")
    def published_scores(self, obj: ModelVariant) -> int:
        """Return how many scores the public sees."""
        return obj.published_scores


@admin.register(Benchmark)
class BenchmarkAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Benchmarks, their scale and which protocol they are ranked by."""

    list_display = (
        "name",
        "slug",
        "measures",
        "scale_min",
        "scale_max",
        "higher_is_better",
        "is_generic",
    )
    list_filter = ("is_generic", "higher_is_better")
    search_fields = ("name", "slug", "measures")
    readonly_fields = ("protocols_in_use",)
    empty_value_display = UNKNOWN

    def save_model(
        self, request: HttpRequest, obj: Benchmark, form: "ModelForm[Benchmark]", change: bool
    ) -> None:
        """Choose the current scores anew when another protocol is preferred."""
        super().save_model(request, obj, form, change)
        if change and "preferred_protocol_key" in form.changed_data:
            services.set_preferred_protocol(benchmark=obj, protocol_key=obj.preferred_protocol_key)

    @admin.display(description="protocols in use")
    def protocols_in_use(self, obj: Benchmark) -> str:
        """Return the keys to choose the preferred protocol from."""
        keys = obj.scores.order_by("protocol_key").values_list("protocol_key", flat=True)
        return "\n".join(keys.distinct()) or UNKNOWN


class ScoreCategoryInline(admin.TabularInline):  # type: ignore[type-arg]
    """The category results of a score, to be read."""

    model = ScoreCategory
    extra = 0
    fields = ("category", "score", "correct", "total")
    readonly_fields = fields
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: BenchmarkScore | None = None) -> bool:
        """Refuse: results come from uploads."""
        return False


class ScoreRevisionInline(RevisionInline):
    """The history of a score."""

    model = ScoreRevision


def who_asks(request: HttpRequest) -> Who:
    """Return who does what an action of the admin does: it is for curators."""
    if not isinstance(request.user, AbstractBaseUser):
        raise PermissionDenied
    return Who.of_user(request.user, is_curator=True)


def review_action(
    name: str, description: str, state: ReviewState, verb: str
) -> Callable[["BenchmarkScoreAdmin", HttpRequest, QuerySet[BenchmarkScore]], None]:
    """Return an admin action that sets the review state of the chosen scores."""

    @admin.action(description=description, permissions=["change"])
    def action(
        modeladmin: "BenchmarkScoreAdmin",
        request: HttpRequest,
        queryset: QuerySet[BenchmarkScore],
    ) -> None:
        count = services.set_review_state(
            score_ids=list(queryset.values_list("pk", flat=True)),
            state=state,
            who=who_asks(request),
            reason=request.POST.get("reason", "").strip(),
        )
        modeladmin.message_user(request, f"{count} scores {verb}.", messages.SUCCESS)

    action.__name__ = name
    return action


@admin.register(BenchmarkScore)
class BenchmarkScoreAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Review of scores: all values are read-only, actions keep the current score right."""

    list_display = (
        "variant",
        "benchmark",
        "score",
        "protocol_key",
        "measured_at",
        "complete",
        "is_current",
        "needs_confirmation",
        "review_state",
    )
    list_filter = (
        "review_state",
        "needs_confirmation",
        "is_current",
        "complete",
        "benchmark",
    )
    list_select_related = ("variant", "benchmark")
    search_fields = ("variant__model_name", "variant__quantization", "benchmark__name")
    date_hierarchy = "measured_at"
    inlines = (ScoreCategoryInline, ScoreRevisionInline)
    empty_value_display = UNKNOWN
    action_form = ReasonForm
    actions = (
        review_action("publish", "Publish", ReviewState.PUBLISHED, "published"),
        review_action("reject", "Reject", ReviewState.REJECTED, "rejected"),
        review_action("withdraw", "Withdraw", ReviewState.WITHDRAWN, "withdrawn"),
        "confirm_as_fractions",
        "confirm_as_stated",
    )

    def get_queryset(self, request: HttpRequest) -> BenchmarkScoreQuerySet:
        """Return all scores, whatever their state."""
        return BenchmarkScore.objects.order_by("-created_at", "-id")

    def get_readonly_fields(
        self, request: HttpRequest, obj: BenchmarkScore | None = None
    ) -> tuple[str, ...]:
        """Refuse every edit: a measured value is withdrawn, never changed."""
        return tuple(field.name for field in BenchmarkScore._meta.fields)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: scores come from uploads."""
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: BenchmarkScore | None = None
    ) -> bool:
        """Refuse: deleting is withdrawing."""
        return False

    @admin.action(
        description="Confirm: values are fractions, multiply by 100", permissions=["change"]
    )
    def confirm_as_fractions(
        self, request: HttpRequest, queryset: QuerySet[BenchmarkScore]
    ) -> None:
        """Turn the chosen doubtful scores into percentages and let them rank."""
        self._confirm(request, queryset, as_fractions=True)

    @admin.action(description="Confirm: values are right as they are", permissions=["change"])
    def confirm_as_stated(self, request: HttpRequest, queryset: QuerySet[BenchmarkScore]) -> None:
        """Let the chosen doubtful scores rank with the values they have."""
        self._confirm(request, queryset, as_fractions=False)

    def _confirm(
        self, request: HttpRequest, queryset: QuerySet[Any], *, as_fractions: bool
    ) -> None:
        ids = list(queryset.values_list("pk", flat=True))
        count = services.confirm_scores(
            score_ids=ids, as_fractions=as_fractions, who=who_asks(request)
        )
        self.message_user(request, f"{count} scores confirmed.", messages.SUCCESS)

"""Test runs with their figures, configurations and sweeps."""

import json
from typing import Any, ClassVar

from django.contrib import admin
from django.db import models
from django.db.models import F, Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from benchmarks.models import ModelVariant
from benchsite.common.admin import ReasonForm, RevisionInline
from benchsite.common.lists import all_words, ids_beginning_with
from benchsite.common.review import ReviewState, Who
from experiments.admin.base import UNKNOWN, KeptAdmin, ReadOnlyAdmin, actor_of, link_to_admin
from experiments.admin.review import review_actions
from experiments.ingest.review import edit_run, set_review_state
from experiments.metrics import METRICS
from experiments.models import Configuration, Measurement, RunRevision, Sweep, TestRun
from hardware.models import HardwareProfile


class BackendFilter(admin.SimpleListFilter):
    """Runs of one backend; the names come from the configurations, which are far fewer."""

    title = "backend"
    parameter_name = "backend"

    def lookups(
        self, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]"
    ) -> list[tuple[str, str]]:
        """Return the backends there are."""
        backends = Configuration.objects.order_by("backend").values_list("backend", flat=True)
        return [(name, name) for name in backends.distinct()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the runs of the chosen backend."""
        return queryset.filter(backend=self.value()) if self.value() else queryset


class MetricFilter(admin.SimpleListFilter):
    """Figures of one metric of the registry."""

    title = "metric"
    parameter_name = "metric"

    def lookups(
        self, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]"
    ) -> list[tuple[str, str]]:
        """Return the metrics that the site knows."""
        return [(key, metric.label) for key, metric in METRICS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the figures of the chosen metric."""
        return queryset.filter(metric=self.value()) if self.value() else queryset


class MeasurementInline(admin.TabularInline):  # type: ignore[type-arg]
    """The figures of a run, to be read."""

    model = Measurement
    fields = ("metric", "statistic", "definition", "value", "unit", "sample_count", "derived_from")
    readonly_fields = fields
    ordering = ("metric", "statistic", "definition")
    extra = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Measurement]:
        """Leave single samples out: they can be many."""
        return super().get_queryset(request).defer("samples")

    def has_add_permission(self, request: HttpRequest, obj: TestRun | None = None) -> bool:
        """Refuse: figures come from uploads."""
        return False


class RunRevisionInline(RevisionInline):
    """The history of a run; the earlier version of a replaced one has a page of its own."""

    model = RunRevision
    fields = (*RevisionInline.fields, "upload")
    readonly_fields = fields
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[RunRevision]:
        """Leave earlier versions out: they can be long."""
        revisions: QuerySet[RunRevision] = super().get_queryset(request)
        return revisions.defer("before").select_related("upload__content")


def _of_variants(word: str) -> Q:
    names = Q(model_name__icontains=word) | Q(quantization__icontains=word)
    return Q(variant__in=list(ModelVariant.objects.filter(names).values_list("pk", flat=True)))


def _of_hardware(word: str) -> Q:
    names = Q(gpu_model__icontains=word) | Q(cpu_model__icontains=word)
    names |= Q(platform__name__icontains=word)
    return Q(hardware__in=list(HardwareProfile.objects.filter(names).values_list("pk", flat=True)))


def set_state_of_runs(
    queryset: QuerySet[TestRun], state: ReviewState, who: Who, reason: str
) -> str:
    """Give runs a review state; the grid follows at once."""
    ids = list(queryset.values_list("pk", flat=True))
    return f"{set_review_state(run_ids=ids, state=state, who=who, reason=reason)} runs"


@admin.register(TestRun)
class TestRunAdmin(KeptAdmin):
    """Review of runs; only notes and source can be mended."""

    editable = ("notes", "source_url")
    list_display = (
        "variant",
        "platform",
        "backend",
        "status",
        "load_kind",
        "started_at",
        "review_state",
        "id",
    )
    list_display_links = ("variant", "id")
    list_filter = ("review_state", "status", "load_kind", BackendFilter)
    list_select_related = ("variant", "hardware__platform")
    list_per_page = 50
    search_fields = ("id",)  # get_search_results looks at more
    search_help_text = "The beginning of an id, a model or hardware."
    ordering = (F("started_at").desc(nulls_last=True), "id")
    inlines = (MeasurementInline, RunRevisionInline)
    action_form = ReasonForm
    actions = review_actions(set_state_of_runs)
    formfield_overrides: ClassVar = {models.URLField: {"assume_scheme": "https"}}

    def get_readonly_fields(
        self, request: HttpRequest, obj: TestRun | None = None
    ) -> tuple[str, ...]:
        """Refuse to edit what was measured; the review state is set by actions."""
        names = (field.name for field in TestRun._meta.fields)
        return ("made_by", *(name for name in names if name not in self.editable))

    def get_queryset(self, request: HttpRequest) -> QuerySet[TestRun]:
        """Join what a run's page names."""
        return TestRun.objects.with_names().select_related("sweep")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[TestRun], search_term: str
    ) -> tuple[QuerySet[TestRun], bool]:
        """Find the few models and machines first, then their runs by index."""
        conditions = (ids_beginning_with, _of_variants, _of_hardware)
        return queryset.filter(all_words(search_term, conditions)), False

    def save_model(
        self, request: HttpRequest, obj: TestRun, form: "ModelForm[TestRun]", change: bool
    ) -> None:
        """Save what was edited and nothing else: a review may have happened meanwhile."""
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        edit_run(run_id=obj.pk, changes=changes, who=actor_of(request).who)

    def view_on_site(self, obj: TestRun) -> str:
        """Return the address of the public page."""
        return reverse("experiments:run-detail", args=[obj.pk])

    @admin.display(description="platform", ordering="hardware__platform__name")
    def platform(self, obj: TestRun) -> str:
        """Return what the run ran on."""
        return obj.hardware.platform.name

    @admin.display(description="upload")
    def made_by(self, obj: TestRun) -> str:
        """Return a link to the newest upload that made or changed the run."""
        item = obj.upload_items.select_related("upload").order_by("-id").first()
        return link_to_admin(item.upload) if item else UNKNOWN


@admin.register(RunRevision)
class RunRevisionAdmin(ReadOnlyAdmin):
    """What was done to runs, with the versions that were there before."""

    list_display = ("at", "action", "run", "state_before", "state", "who_label", "reason")
    list_filter = ("action",)
    list_select_related = ("run",)
    list_per_page = 50
    search_fields = ("run__id__exact", "=who_label")
    search_help_text = "The whole id of a run, or who did it."
    ordering = ("-id",)
    fields = (*list_display, "user", "upload", "earlier_version")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[RunRevision]:
        """Leave earlier versions out of the list."""
        return super().get_queryset(request).defer("before")

    @admin.display(description="earlier version")
    def earlier_version(self, obj: RunRevision) -> str:
        """Return what was there before, as JSON."""
        if obj.before is None:
            return UNKNOWN
        return format_html("<pre>{}</pre>", json.dumps(obj.before, indent=2, ensure_ascii=False))


@admin.register(Measurement)
class MeasurementAdmin(ReadOnlyAdmin):
    """Every single figure."""

    list_display = ("metric", "statistic", "definition", "value", "unit", "sample_count", "run")
    list_filter = (MetricFilter,)
    list_select_related = ("run",)
    list_per_page = 50
    search_fields = ("=metric", "run__id__exact")
    search_help_text = "A metric, or the whole id of a run."
    ordering = ("-id",)


@admin.register(Configuration)
class ConfigurationAdmin(ReadOnlyAdmin):
    """What the grid reads: settings under which runs repeat each other, with their medians."""

    list_display = (
        "variant",
        "platform",
        "backend",
        "backend_version",
        "load_class",
        "load_kind",
        "tokens_per_second",
        "runs",
        "newest_at",
    )
    list_filter = ("load_class", "load_kind", "platform__category")
    list_select_related = ("variant", "platform")
    list_per_page = 50
    search_fields = ("variant__model_name", "variant__quantization", "platform__name", "backend")
    ordering = ("-id",)


@admin.register(Sweep)
class SweepAdmin(KeptAdmin):
    """Series of runs; the label may be mended."""

    list_display = ("__str__", "label", "key")
    search_fields = ("label", "^key")
    fields = ("label", "key")
    readonly_fields = ("key",)
    ordering = ("-id",)

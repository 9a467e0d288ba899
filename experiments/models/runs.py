"""Test runs, their measurements, and the configurations they are repeats of."""

from collections.abc import Collection
from typing import ClassVar
from uuid import UUID

from django.db import models
from django.utils import timezone

from benchsite.common.ids import new_id
from benchsite.common.review import ReviewState
from experiments.choices import LoadClass, LoadKind, MeasuredAs, RunStatus

INFINITY = float("inf")


class Sweep(models.Model):
    """Runs of one invocation of a tool, or of files sent with the same sweep label."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    key = models.CharField(max_length=64, unique=True, help_text="SHA-256 of what makes it one.")
    label = models.CharField(max_length=200, null=True, blank=True)

    def __str__(self) -> str:
        return self.label or f"sweep {self.key[:8]}"


_RANKED = [
    *("id", "variant", "platform", "backend", "tops", "runs", "newest_at", "tokens_per_second"),
    *("prompt_processing_speed", "ttft_ms", "memory_gb", "gpu_power_watts", "tokens_per_kwh"),
]


class Configuration(models.Model):
    """All that was set for a run; runs of one configuration are repeats of each other.

    The identity is (variant, platform, backend and version, workload, settings). The other
    columns summarise its completed, published runs; `refresh_configurations` keeps them in step
    within the transaction of every write, so the grid never reads raw rows.
    """

    id = models.BigAutoField(primary_key=True)
    variant = models.ForeignKey(
        "benchmarks.ModelVariant", on_delete=models.PROTECT, related_name="configurations"
    )
    platform = models.ForeignKey(
        "hardware.Platform", on_delete=models.PROTECT, related_name="configurations"
    )
    backend = models.CharField(max_length=100)
    backend_version = models.CharField(max_length=200, null=True, blank=True)
    workload_key = models.CharField(max_length=400)
    settings_key = models.CharField(max_length=64, help_text="SHA-256 of the speed settings.")
    load_class = models.CharField(max_length=10, choices=LoadClass)
    load_kind = models.CharField(
        max_length=10, choices=MeasuredAs, default=MeasuredAs.UNKNOWN, help_text="How measured."
    )

    runs = models.PositiveIntegerField(default=0)
    newest_at = models.DateTimeField(null=True)
    representative = models.ForeignKey(
        "experiments.TestRun", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    tokens_per_second = models.FloatField(null=True)
    tokens_per_second_min = models.FloatField(null=True)
    tokens_per_second_max = models.FloatField(null=True)
    tokens_per_second_definition = models.CharField(max_length=40, null=True)
    prompt_processing_speed = models.FloatField(null=True)
    prompt_processing_speed_definition = models.CharField(max_length=40, null=True)
    ttft_ms = models.FloatField(null=True)
    ttft_ms_definition = models.CharField(max_length=40, null=True)
    memory_gb = models.FloatField(null=True)
    gpu_power_watts = models.FloatField(null=True)
    tokens_per_kwh = models.FloatField(null=True)
    tops = models.SmallIntegerField(
        default=0,
        help_text="By which sort keys it comes first of its variant, class and kind: a bit each.",
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=[
                    "variant",
                    "platform",
                    "backend",
                    "backend_version",
                    "workload_key",
                    "settings_key",
                ],
                name="configuration_identity",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=models.Q(load_class__in=LoadClass.values),
                name="configuration_load_class_known",
            ),
            models.CheckConstraint(
                condition=models.Q(load_kind__in=MeasuredAs.values),
                name="configuration_load_kind_known",
            ),
        ]
        indexes: ClassVar = [
            # All that ranking needs is in these two: the table itself is not read for it.
            models.Index(
                fields=["load_class", "load_kind"],
                include=_RANKED,
                condition=~models.Q(tops=0),
                name="configuration_firsts",
            ),
            models.Index(
                fields=["variant", "load_class", "load_kind"],
                include=[name for name in _RANKED if name != "variant"],
                condition=models.Q(runs__gt=0),
                name="configuration_ranked",
            ),
            models.Index(
                models.F("newest_at").desc(nulls_last=True),
                models.F("id").desc(),
                condition=models.Q(representative__isnull=False),
                name="configuration_newest_first",
            ),
        ]

    def __str__(self) -> str:
        return f"configuration {self.pk}"


class TestRunQuerySet(models.QuerySet["TestRun"]):
    """Look-ups of runs."""

    def published(self) -> "TestRunQuerySet":
        """Return runs that everybody may see."""
        return self.filter(review_state=ReviewState.PUBLISHED)

    def ranked(self) -> "TestRunQuerySet":
        """Return runs that count in the grid: published, completed and whole."""
        return self.published().filter(status=RunStatus.COMPLETED, complete=True)

    def with_names(self) -> "TestRunQuerySet":
        """Join what a list of runs names: variant, hardware, platform and configuration."""
        return self.select_related("variant", "hardware__platform", "configuration")

    def with_repeats(self) -> "TestRunQuerySet":
        """Join the same, and how the repeats of the configuration spread."""
        return self.with_names().select_related("configuration__repeat_figures")

    def in_order(self, ids: Collection[UUID]) -> list["TestRun"]:
        """Return the runs with these ids in the order of `ids`, leaving out unknown ones."""
        found = {run.id: run for run in self.filter(id__in=ids)}
        return [found[run_id] for run_id in ids if run_id in found]


class TestRun(models.Model):
    """One variant measured on one hardware profile with one backend under one workload."""

    __test__ = False  # not a pytest class

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    variant = models.ForeignKey(
        "benchmarks.ModelVariant", on_delete=models.PROTECT, related_name="runs"
    )
    hardware = models.ForeignKey(
        "hardware.HardwareProfile", on_delete=models.PROTECT, related_name="runs"
    )
    configuration = models.ForeignKey(
        Configuration,
        on_delete=models.PROTECT,
        related_name="test_runs",
        db_index=False,  # testrun_repeats begins with it
    )
    sweep = models.ForeignKey(
        Sweep, on_delete=models.SET_NULL, null=True, blank=True, related_name="runs"
    )
    backend = models.CharField(max_length=100)
    backend_version = models.CharField(max_length=200, null=True, blank=True)
    tool = models.CharField(max_length=100, null=True, blank=True)
    tool_version = models.CharField(max_length=200, null=True, blank=True)
    reported_names = models.JSONField(
        default=dict, blank=True, help_text="Names as uploaded, where the canonical form differs."
    )
    content_hash = models.CharField(
        max_length=64, editable=False, help_text="SHA-256 of its source records and context."
    )

    status = models.CharField(max_length=10, choices=RunStatus)
    complete = models.BooleanField(default=True)
    started_at = models.DateTimeField(null=True, blank=True)
    zone_known = models.BooleanField(
        default=True, help_text="False where the tool gave a local time without its zone."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    notes = models.TextField(null=True, blank=True)
    source_url = models.URLField(max_length=1000, null=True, blank=True)
    review_state = models.CharField(
        max_length=10, choices=ReviewState, default=ReviewState.PUBLISHED
    )
    review_reason = models.TextField(blank=True)
    warnings = models.JSONField(default=list, blank=True)

    load_kind = models.CharField(max_length=10, choices=LoadKind, null=True, blank=True)
    concurrent_requests = models.PositiveIntegerField(null=True, blank=True)
    request_rate = models.FloatField(null=True, blank=True, help_text="Requests per second.")
    input_tokens = models.FloatField(null=True, blank=True, help_text="Real mean per request.")
    output_tokens = models.FloatField(null=True, blank=True, help_text="Real mean per request.")
    configured_input_tokens = models.PositiveIntegerField(null=True, blank=True)
    configured_output_tokens = models.PositiveIntegerField(null=True, blank=True)
    context_depth = models.PositiveIntegerField(
        null=True, blank=True, help_text="Tokens already in the KV cache."
    )
    max_context_length = models.PositiveIntegerField(null=True, blank=True)
    batch_size = models.PositiveIntegerField(null=True, blank=True)
    load_pattern = models.CharField(max_length=100, null=True, blank=True)
    dataset_name = models.CharField(max_length=200, null=True, blank=True)

    tensor_parallel = models.PositiveIntegerField(null=True, blank=True)
    pipeline_parallel = models.PositiveIntegerField(null=True, blank=True)
    expert_parallel = models.PositiveIntegerField(null=True, blank=True)
    nodes = models.PositiveIntegerField(null=True, blank=True)
    speculation = models.CharField(max_length=200, null=True, blank=True)
    kv_cache_type = models.CharField(max_length=40, null=True, blank=True)
    gpu_power_limit_watts = models.FloatField(null=True, blank=True)
    optimizations = models.JSONField(default=list, blank=True)
    settings = models.JSONField(default=dict, blank=True)

    objects = TestRunQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(
                models.F("started_at").desc(nulls_last=True), "id", name="testrun_newest_first"
            ),
            models.Index(
                "configuration",
                models.F("started_at").desc(nulls_last=True),
                "id",
                name="testrun_repeats",
            ),
            # Few runs are in these, and people look for them.
            models.Index(
                fields=["review_state"],
                condition=~models.Q(review_state="published"),
                name="testrun_not_published",
            ),
            models.Index(
                fields=["status"],
                condition=~models.Q(status="completed"),
                name="testrun_not_completed",
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(status__in=RunStatus.values), name="testrun_status_known"
            ),
            models.CheckConstraint(
                condition=models.Q(review_state__in=ReviewState.values),
                name="testrun_review_state_known",
            ),
            models.CheckConstraint(
                condition=models.Q(load_kind__isnull=True)
                | models.Q(load_kind__in=LoadKind.values),
                name="testrun_load_kind_known",
            ),
            models.CheckConstraint(
                condition=models.Q(concurrent_requests__isnull=True)
                | models.Q(concurrent_requests__gte=1),
                name="testrun_concurrency_positive",
            ),
            models.CheckConstraint(
                condition=models.Q(request_rate__isnull=True)
                | models.Q(request_rate__gt=0, request_rate__lt=INFINITY),
                name="testrun_request_rate_positive",
            ),
            models.CheckConstraint(
                condition=(
                    models.Q(input_tokens__isnull=True)
                    | models.Q(input_tokens__gte=0, input_tokens__lt=INFINITY)
                )
                & (
                    models.Q(output_tokens__isnull=True)
                    | models.Q(output_tokens__gte=0, output_tokens__lt=INFINITY)
                ),
                name="testrun_token_lengths_not_negative",
            ),
            models.CheckConstraint(
                condition=models.Q(gpu_power_limit_watts__isnull=True)
                | models.Q(gpu_power_limit_watts__gt=0, gpu_power_limit_watts__lt=INFINITY),
                name="testrun_power_limit_positive",
            ),
        ]

    def __str__(self) -> str:
        return f"run {self.id}"


class Measurement(models.Model):
    """One figure of a run: a statistic of a metric under one definition of that metric."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(
        TestRun,
        on_delete=models.CASCADE,
        related_name="measurements",
        db_index=False,  # measurement_once_per_run begins with it
    )
    metric = models.CharField(max_length=100)
    statistic = models.CharField(max_length=10)
    definition = models.CharField(
        max_length=40, null=True, blank=True, help_text="Empty: the source does not say."
    )
    value = models.FloatField()
    unit = models.CharField(max_length=40)
    sample_count = models.PositiveIntegerField(null=True, blank=True)
    samples = models.JSONField(null=True, blank=True)
    derived_from = models.JSONField(null=True, blank=True, help_text="Inputs of a derived value.")
    context = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["run", "metric", "statistic", "definition"],
                name="measurement_once_per_run",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=models.Q(value__gt=-INFINITY, value__lt=INFINITY),
                name="measurement_value_finite",
            ),
            models.CheckConstraint(
                condition=models.Q(statistic__regex=r"^(mean|min|max|std|p\d{1,2}(\.\d{1,3})?)$"),
                name="measurement_statistic_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.metric} {self.statistic} = {self.value} {self.unit}"

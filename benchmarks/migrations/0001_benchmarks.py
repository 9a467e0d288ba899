import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import benchmarks.models.scores
import benchsite.common.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Benchmark",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("slug", models.CharField(max_length=100)),
                ("name", models.CharField(max_length=200)),
                ("measures", models.TextField(blank=True, default="")),
                (
                    "scale_min",
                    models.FloatField(blank=True, help_text="Empty: open or not known.", null=True),
                ),
                (
                    "scale_max",
                    models.FloatField(blank=True, help_text="Empty: open or not known.", null=True),
                ),
                ("higher_is_better", models.BooleanField(default=True)),
                (
                    "expected_categories",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100),
                        blank=True,
                        default=list,
                        help_text="Categories that a complete result covers.",
                        size=None,
                    ),
                ),
                (
                    "category_groups",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text='Groups of expected categories: {"stem": ["astronomy", …]}.',
                    ),
                ),
                (
                    "preferred_protocol_key",
                    models.CharField(
                        blank=True,
                        help_text="Scores in this protocol are preferred and ranked; empty: the most common one.",
                        max_length=500,
                        null=True,
                    ),
                ),
                ("is_generic", models.BooleanField(default=False)),
            ],
            options={
                "ordering": ["slug"],
                "constraints": [
                    models.UniqueConstraint(fields=("slug",), name="benchmark_slug_unique"),
                    models.CheckConstraint(
                        condition=models.Q(("slug__regex", "\\S"), ("name__regex", "\\S")),
                        name="benchmark_names_not_blank",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("scale_min__lt", models.F("scale_max"))),
                        name="benchmark_scale_ordered",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ModelVariant",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=benchsite.common.ids.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("model_name", models.CharField(max_length=200)),
                (
                    "quantization",
                    models.CharField(help_text="Canonical name, e.g. Q4_K_M.", max_length=100),
                ),
                (
                    "lora_adapter",
                    models.CharField(
                        blank=True, default="", help_text="Empty: the base model.", max_length=200
                    ),
                ),
                ("parameters", models.BigIntegerField(blank=True, null=True)),
                (
                    "active_parameters",
                    models.BigIntegerField(
                        blank=True, help_text="Used for each token (mixture of experts).", null=True
                    ),
                ),
                (
                    "weights_gb",
                    models.FloatField(
                        blank=True, help_text="Size of the weights, 10⁹ B.", null=True
                    ),
                ),
                (
                    "bits_per_weight",
                    models.FloatField(
                        blank=True,
                        help_text="As measured on the file, not the format's average.",
                        null=True,
                    ),
                ),
                ("family", models.CharField(blank=True, null=True)),
                ("model_revision", models.CharField(blank=True, null=True)),
                (
                    "quantizer",
                    models.CharField(
                        blank=True, help_text="Who quantized it, or the repository.", null=True
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "reference_variant",
                    models.ForeignKey(
                        blank=True,
                        help_text="The same model without quantization.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="derived_variants",
                        to="benchmarks.modelvariant",
                    ),
                ),
            ],
            options={
                "ordering": ["model_name", "quantization", "lora_adapter"],
            },
        ),
        migrations.CreateModel(
            name="BenchmarkScore",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=benchsite.common.ids.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("score", models.FloatField(help_text="On the benchmark's scale, mostly 0–100.")),
                (
                    "total_method",
                    models.CharField(
                        choices=benchmarks.models.scores.total_method_choices, max_length=10
                    ),
                ),
                ("stderr", models.FloatField(blank=True, null=True)),
                ("correct", models.IntegerField(blank=True, null=True)),
                ("total", models.IntegerField(blank=True, null=True)),
                ("harness", models.CharField(blank=True, null=True)),
                ("harness_version", models.CharField(blank=True, null=True)),
                ("task_version", models.CharField(blank=True, null=True)),
                ("metric_filter", models.CharField(blank=True, null=True)),
                ("shots", models.IntegerField(blank=True, null=True)),
                ("chat_template", models.CharField(blank=True, null=True)),
                ("thinking_mode", models.CharField(blank=True, null=True)),
                ("kv_cache_type", models.CharField(blank=True, null=True)),
                ("protocol_key", models.CharField(max_length=500)),
                ("complete", models.BooleanField(default=True)),
                ("partial_reason", models.CharField(blank=True, null=True)),
                ("source_url", models.URLField(blank=True, max_length=1000, null=True)),
                ("notes", models.TextField(blank=True, null=True)),
                ("context", models.JSONField(blank=True, default=dict)),
                ("measured_at", models.DateTimeField(blank=True, null=True)),
                ("zone_known", models.BooleanField(default=True)),
                (
                    "needs_confirmation",
                    models.BooleanField(
                        default=False,
                        help_text="Looks like a fraction where 0–100 is meant; not ranked.",
                    ),
                ),
                (
                    "review_state",
                    models.CharField(
                        choices=benchmarks.models.scores.review_state_choices,
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("review_reason", models.TextField(blank=True, default="")),
                ("is_current", models.BooleanField(default=False)),
                ("content_key", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "benchmark",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="scores",
                        to="benchmarks.benchmark",
                    ),
                ),
                (
                    "variant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="scores",
                        to="benchmarks.modelvariant",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="ScoreCategory",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("category", models.CharField(max_length=200)),
                ("score", models.FloatField()),
                ("correct", models.IntegerField(blank=True, null=True)),
                ("total", models.IntegerField(blank=True, null=True)),
                (
                    "benchmark_score",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="categories",
                        to="benchmarks.benchmarkscore",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "score categories",
                "ordering": ["category"],
            },
        ),
        migrations.AddConstraint(
            model_name="modelvariant",
            constraint=models.UniqueConstraint(
                fields=("model_name", "quantization", "lora_adapter"), name="model_variant_identity"
            ),
        ),
        migrations.AddConstraint(
            model_name="modelvariant",
            constraint=models.CheckConstraint(
                condition=models.Q(("model_name__regex", "\\S")),
                name="model_variant_name_not_blank",
            ),
        ),
        migrations.AddConstraint(
            model_name="modelvariant",
            constraint=models.CheckConstraint(
                condition=models.Q(("quantization__regex", "\\S")),
                name="model_variant_quantization_not_blank",
            ),
        ),
        migrations.AddConstraint(
            model_name="modelvariant",
            constraint=models.CheckConstraint(
                condition=models.Q(("parameters__gt", 0)), name="model_variant_parameters_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="modelvariant",
            constraint=models.CheckConstraint(
                condition=models.Q(("active_parameters__gt", 0)),
                name="model_variant_active_parameters_positive",
            ),
        ),
        migrations.AddConstraint(
            model_name="modelvariant",
            constraint=models.CheckConstraint(
                condition=models.Q(("weights_gb__gt", 0), ("weights_gb__lt", float("inf"))),
                name="model_variant_weights_gb_positive",
            ),
        ),
        migrations.AddConstraint(
            model_name="modelvariant",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("bits_per_weight__gt", 0), ("bits_per_weight__lt", float("inf"))
                ),
                name="model_variant_bits_per_weight_positive",
            ),
        ),
        migrations.AddConstraint(
            model_name="modelvariant",
            constraint=models.CheckConstraint(
                condition=models.Q(("reference_variant", models.F("id")), _negated=True),
                name="model_variant_not_own_reference",
            ),
        ),
        migrations.AddConstraint(
            model_name="benchmarkscore",
            constraint=models.UniqueConstraint(
                fields=("variant", "benchmark", "content_key"), name="benchmark_score_content"
            ),
        ),
        migrations.AddConstraint(
            model_name="benchmarkscore",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_current", True)),
                fields=("benchmark", "variant"),
                include=("score", "protocol_key"),
                name="benchmark_score_one_current",
            ),
        ),
        migrations.AddConstraint(
            model_name="benchmarkscore",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("is_current", False),
                    models.Q(
                        ("complete", True),
                        ("needs_confirmation", False),
                        ("review_state", "published"),
                    ),
                    _connector="OR",
                ),
                name="benchmark_score_current_is_rankable",
            ),
        ),
        migrations.AddConstraint(
            model_name="benchmarkscore",
            constraint=models.CheckConstraint(
                condition=models.Q(("score__gt", float("-inf")), ("score__lt", float("inf"))),
                name="benchmark_score_finite",
            ),
        ),
        migrations.AddConstraint(
            model_name="benchmarkscore",
            constraint=models.CheckConstraint(
                condition=models.Q(("stderr__gte", 0), ("stderr__lt", float("inf"))),
                name="benchmark_score_stderr_valid",
            ),
        ),
        migrations.AddConstraint(
            model_name="benchmarkscore",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("total__gt", 0), ("correct__gte", 0), ("correct__lte", models.F("total"))
                ),
                name="benchmark_score_counts_agree",
            ),
        ),
        migrations.AddConstraint(
            model_name="benchmarkscore",
            constraint=models.CheckConstraint(
                condition=models.Q(("shots__gte", 0)), name="benchmark_score_shots_valid"
            ),
        ),
        migrations.AddConstraint(
            model_name="benchmarkscore",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("complete", False), ("partial_reason__isnull", True), _connector="OR"
                ),
                name="benchmark_score_complete_without_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="benchmarkscore",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("review_state__in", ["pending", "published", "rejected", "withdrawn"])
                ),
                name="benchmark_score_review_state_valid",
            ),
        ),
        migrations.AddConstraint(
            model_name="benchmarkscore",
            constraint=models.CheckConstraint(
                condition=models.Q(("total_method__in", ["stated", "micro", "macro"])),
                name="benchmark_score_total_method_valid",
            ),
        ),
        migrations.AddConstraint(
            model_name="scorecategory",
            constraint=models.UniqueConstraint(
                fields=("benchmark_score", "category"), name="score_category_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="scorecategory",
            constraint=models.CheckConstraint(
                condition=models.Q(("category__regex", "\\S")), name="score_category_not_blank"
            ),
        ),
        migrations.AddConstraint(
            model_name="scorecategory",
            constraint=models.CheckConstraint(
                condition=models.Q(("score__gt", float("-inf")), ("score__lt", float("inf"))),
                name="score_category_finite",
            ),
        ),
        migrations.AddConstraint(
            model_name="scorecategory",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("total__gt", 0), ("correct__gte", 0), ("correct__lte", models.F("total"))
                ),
                name="score_category_counts_agree",
            ),
        ),
    ]

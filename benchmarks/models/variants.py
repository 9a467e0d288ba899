"""Model variants: what quality scores belong to."""

from typing import Self

from django.db import models
from django.db.models import Case, Count, F, FilteredRelation, Q, Value, When
from django.db.models.functions import Concat, Lower

from benchmarks.models.benchmarks import Benchmark
from benchmarks.models.conditions import INFINITY, LONGEST_NAME, LONGEST_QUANTIZATION, NOT_BLANK
from benchmarks.quantization import resolve_quantization
from benchsite.common.ids import new_id
from benchsite.common.review import ReviewState

NO_PROTOCOL = ""  # equals no protocol key: those are never empty
_LINE_BREAK = Value("\n")


class ModelVariantQuerySet(models.QuerySet["ModelVariant"]):
    """Model variants, with what pages show beside them."""

    def with_quality(self, benchmark: Benchmark, *, ranked_protocol: str | None) -> Self:
        """Annotate the current score: `quality_score`, `quality_protocol_key`, `quality_is_ranked`.

        All are NULL or False without a current score. Only a score in `ranked_protocol` (see
        `BenchmarkScoreQuerySet.ranking_protocol`) is ranked. One row a variant: a variant has at
        most one current score on a benchmark.
        """
        return self.annotate(
            current_score=FilteredRelation(
                "scores",
                condition=Q(scores__benchmark=benchmark, scores__is_current=True),
            ),
            quality_score=F("current_score__score"),
            quality_protocol_key=F("current_score__protocol_key"),
            quality_is_ranked=Case(
                When(current_score__protocol_key=ranked_protocol or NO_PROTOCOL, then=True),
                default=False,
            ),
        )

    def search(self, words: str) -> Self:
        """Keep variants that hold every word in a name of theirs; none for no word."""
        found = self if words.split() else self.none()
        for word in words.split():
            found = found.filter(search_text__contains=Lower(Value(word)))
        return found.order_by("model_name", "quantization", "lora_adapter")

    def with_score_counts(self) -> Self:
        """Annotate `published_scores`, the number of published scores."""
        return self.annotate(
            published_scores=Count(
                "scores", filter=Q(scores__review_state=ReviewState.PUBLISHED), distinct=True
            )
        )


class ModelVariant(models.Model):
    """A model in one quantization with one LoRA adapter: what quality scores belong to."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    model_name = models.CharField(max_length=LONGEST_NAME)
    quantization = models.CharField(
        max_length=LONGEST_QUANTIZATION, help_text="Canonical name, e.g. Q4_K_M."
    )
    lora_adapter = models.CharField(
        max_length=LONGEST_NAME, blank=True, default="", help_text="Empty: the base model."
    )
    parameters = models.BigIntegerField(null=True, blank=True)
    active_parameters = models.BigIntegerField(
        null=True, blank=True, help_text="Used for each token (mixture of experts)."
    )
    weights_gb = models.FloatField(null=True, blank=True, help_text="Size of the weights, 10⁹ B.")
    bits_per_weight = models.FloatField(
        null=True, blank=True, help_text="As measured on the file, not the format's average."
    )
    family = models.CharField(null=True, blank=True)
    model_revision = models.CharField(null=True, blank=True)
    quantizer = models.CharField(
        null=True, blank=True, help_text="Who quantized it, or the repository."
    )
    reference_variant = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="derived_variants",
        help_text="The same model without quantization.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    search_text = models.GeneratedField(
        expression=Lower(
            Concat("model_name", _LINE_BREAK, "lora_adapter", _LINE_BREAK, "quantization")
        ),
        output_field=models.TextField(),
        db_persist=True,
        help_text="Its names in small letters, a line each: words of a search have no line breaks.",
    )

    # Set by the queryset's with_quality() and with_score_counts(), and by nothing else.
    quality_score: float | None
    quality_protocol_key: str | None
    quality_is_ranked: bool
    published_scores: int

    objects = ModelVariantQuerySet.as_manager()

    class Meta:
        ordering = ["model_name", "quantization", "lora_adapter"]
        constraints = [
            models.UniqueConstraint(
                fields=["model_name", "quantization", "lora_adapter"],
                name="model_variant_identity",
            ),
            models.CheckConstraint(
                condition=Q(model_name__regex=NOT_BLANK), name="model_variant_name_not_blank"
            ),
            models.CheckConstraint(
                condition=Q(quantization__regex=NOT_BLANK),
                name="model_variant_quantization_not_blank",
            ),
            models.CheckConstraint(
                condition=Q(parameters__gt=0), name="model_variant_parameters_positive"
            ),
            models.CheckConstraint(
                condition=Q(active_parameters__gt=0),
                name="model_variant_active_parameters_positive",
            ),
            models.CheckConstraint(
                condition=Q(weights_gb__gt=0, weights_gb__lt=INFINITY),
                name="model_variant_weights_gb_positive",
            ),
            models.CheckConstraint(
                condition=Q(bits_per_weight__gt=0, bits_per_weight__lt=INFINITY),
                name="model_variant_bits_per_weight_positive",
            ),
            models.CheckConstraint(
                condition=~Q(reference_variant=F("id")), name="model_variant_not_own_reference"
            ),
        ]

    def __str__(self) -> str:
        adapter = f" + {self.lora_adapter}" if self.lora_adapter else ""
        return f"{self.model_name}{adapter} · {self.quantization}"

    @property
    def key(self) -> tuple[str, str, str]:
        """The names that make the variant: model, quantization, LoRA adapter."""
        return (self.model_name, self.quantization, self.lora_adapter)

    @property
    def nominal_bits_per_weight(self) -> float | None:
        """Return the format's average bits per weight, None when its name does not tell."""
        return resolve_quantization(self.quantization).bits_per_weight

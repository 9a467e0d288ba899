"""What the grid reads above the configurations; kept by `experiments.summaries`, never by hand."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from experiments.choices import LoadClass, MeasuredAs
from experiments.models.runs import Configuration


class GridModel(models.Model):
    """A model with its LoRA adapter, whatever the quantization: what a row of the grid is."""

    id = models.PositiveIntegerField(primary_key=True, help_text="Counted from 1, without gaps.")
    model_name = models.CharField(max_length=200)
    lora_adapter = models.CharField(max_length=200, blank=True, default="")
    platforms = models.PositiveIntegerField(
        default=0, help_text="On how many it has a ranked run; 0: it has none."
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["model_name", "lora_adapter"], name="gridmodel_identity"
            ),
        ]

    def __str__(self) -> str:
        return self.model_name


class ModelSetField(models.Field):  # type: ignore[type-arg]
    """A set of models as PostgreSQL's bits: the first one stands for the GridModel with id 1."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        """Return the type of the column."""
        return "bit varying"


class GridCell(models.Model):
    """All places of one choice of each filter: which models they are of, and between which ends.

    `model_set` may be shorter than there are models now: those beyond it are not in it.
    """

    id = models.BigAutoField(primary_key=True)
    platform = models.ForeignKey(
        "hardware.Platform", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    backend = models.CharField(max_length=100)
    load_class = models.CharField(max_length=10, choices=LoadClass)
    load_kind = models.CharField(max_length=10, choices=MeasuredAs)
    quantization = models.CharField(max_length=100)
    model_set = ModelSetField()
    tokens_per_second_min = models.FloatField(null=True)
    tokens_per_second_max = models.FloatField(null=True)
    memory_gb_min = models.FloatField(null=True)
    memory_gb_max = models.FloatField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["platform", "backend", "load_class", "load_kind", "quantization"],
                name="gridcell_identity",
            ),
        ]

    def __str__(self) -> str:
        return f"cell {self.pk}"


class GridPlace(models.Model):
    """A variant in a cell: what filters ask for.

    It stands for its configurations with ranked runs, and there is none without. `best` is the
    fastest of them by generation; the other columns are theirs, or the least and greatest of all.
    `trades` are speed (tok/s) and memory (GB) of those with a speed that no other is both as fast
    and as lean as, and of the fastest whose memory is not known. NULL where that is a single one
    with the speed and memory that stand here, and where none has a speed.
    """

    id = models.BigAutoField(primary_key=True)
    variant = models.ForeignKey(
        "benchmarks.ModelVariant", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    cell = models.ForeignKey(GridCell, on_delete=models.PROTECT, related_name="places")
    model = models.ForeignKey(GridModel, on_delete=models.PROTECT, related_name="places")
    best = models.OneToOneField(Configuration, on_delete=models.PROTECT, related_name="+")
    tokens_per_second = models.FloatField(null=True)
    tokens_per_kwh = models.FloatField(null=True)
    tokens_per_second_min = models.FloatField(null=True)
    memory_gb_min = models.FloatField(null=True)
    memory_gb_max = models.FloatField(null=True)
    memory_unknown = models.BooleanField(help_text="Whether one of them has no figure for it.")
    trades = ArrayField(ArrayField(models.FloatField(null=True), size=2), null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["variant", "cell"], name="gridplace_identity"),
        ]

    def __str__(self) -> str:
        return f"place {self.pk}"


class RepeatFigures(models.Model):
    """How the repeats of a configuration spread: what its runs' pages show, apart from the rest.

    `figures` has for each headline metric, definition and unit over how many runs, the median, the
    lowest and the highest mean. There is none for a configuration without such figures.
    """

    configuration = models.OneToOneField(
        Configuration, on_delete=models.CASCADE, primary_key=True, related_name="repeat_figures"
    )
    figures = models.JSONField()

    def __str__(self) -> str:
        return f"repeats of {self.configuration_id}"

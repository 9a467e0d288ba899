"""The query strings of the grid, of its API and of comparisons, validated."""

from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Q, QuerySet

from benchmarks.models import Benchmark, BenchmarkScore
from benchmarks.quantization import resolve_quantization
from experiments.backends import resolve_backend
from experiments.choices import LoadClass, MeasuredAs
from experiments.grid import (
    ANY_KIND,
    DEFAULT_PAGE_SIZE,
    DEFAULT_SORT,
    MAX_PAGE_SIZE,
    SORT_KEYS,
    GridCriteria,
)
from hardware.models import Category

MAX_SELECTED = 8


def public_benchmarks() -> QuerySet[Benchmark]:
    """Return the curated benchmarks, and those of uploads that have a published score."""
    published = BenchmarkScore.objects.published().filter(benchmark=OuterRef("pk"))
    return Benchmark.objects.filter(Q(is_generic=False) | Exists(published))


def _sort_choices() -> list[tuple[str, str]]:
    return [(name, name.replace("_", " ")) for name in SORT_KEYS]


class CommaSeparatedField(forms.MultipleChoiceField):
    """A multiple choice that takes `a,b` as well as a repeated parameter."""

    def to_python(self, value: Any) -> list[str]:
        """Return the chosen values."""
        values = super().to_python(value)
        return [part.strip() for item in values for part in item.split(",") if part.strip()]


class GridForm(forms.Form):
    """What can be asked of the grid; unknown parameters are ignored, wrong values are errors."""

    q = forms.CharField(required=False, max_length=200, label="Search")
    benchmark = forms.ModelChoiceField(
        public_benchmarks(),
        to_field_name="slug",
        required=False,
        empty_label="automatic",
        label="Quality by",
    )
    min_quality = forms.FloatField(required=False, label="Quality no worse than")
    min_speed = forms.FloatField(required=False, min_value=0, label="Speed at least (tok/s)")
    max_memory_gb = forms.FloatField(required=False, min_value=0, label="Memory at most (GB)")
    include_unknown = forms.BooleanField(required=False, label="or not known")
    hardware_categories = CommaSeparatedField(
        choices=lambda: Category.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Hardware",
    )
    backend = forms.CharField(required=False, max_length=100)
    quantization = forms.CharField(required=False, max_length=100)
    platform = forms.CharField(required=False, max_length=400)
    load_class = forms.ChoiceField(
        choices=[("", "automatic"), *LoadClass.choices], required=False, label="Load"
    )
    load_kind = forms.ChoiceField(
        choices=[("", "automatic"), *MeasuredAs.choices, (ANY_KIND, "any")],
        required=False,
        label="How measured",
    )
    sort_by = forms.ChoiceField(choices=_sort_choices, required=False, label="Sort by")
    sort_direction = forms.ChoiceField(
        choices=[("", "better first"), ("asc", "ascending"), ("desc", "descending")],
        required=False,
        label="Direction",
    )
    page = forms.IntegerField(required=False, min_value=1, max_value=1_000_000)
    page_size = forms.IntegerField(required=False, min_value=1, max_value=MAX_PAGE_SIZE)

    def criteria(self) -> GridCriteria:
        """Return what was asked, names in canonical form; call it on a valid form only."""
        data = self.cleaned_data
        backend, quantization = data["backend"], data["quantization"]
        return GridCriteria(
            benchmark=data["benchmark"],
            min_quality=data["min_quality"],
            min_speed=data["min_speed"],
            max_memory_gb=data["max_memory_gb"],
            include_unknown=data["include_unknown"],
            hardware_categories=tuple(data["hardware_categories"]),
            backend=resolve_backend(backend) if backend else "",
            quantization=resolve_quantization(quantization).name if quantization else "",
            platform=data["platform"],
            load_class=LoadClass(data["load_class"]) if data["load_class"] else None,
            load_kind=data["load_kind"],
            q=data["q"],
            sort_by=data["sort_by"] or DEFAULT_SORT,
            sort_direction=data["sort_direction"],
            page=data["page"] or 1,
            page_size=data["page_size"] or DEFAULT_PAGE_SIZE,
        )


class RunIdsField(forms.Field):
    """Ids of runs from a repeated parameter: each a UUID, none twice."""

    widget = forms.MultipleHiddenInput
    default_error_messages: ClassVar = {
        "uuid": "“%(value)s” is not the id of a run.",
        "twice": "The same run is chosen twice; choose different runs.",
    }

    def to_python(self, value: Any) -> list[UUID]:
        """Return the ids in the order given."""
        ids = []
        for text in value or []:
            try:
                ids.append(UUID(text))
            except ValueError as error:
                raise ValidationError(
                    self.error_messages["uuid"], code="uuid", params={"value": str(text)[:80]}
                ) from error
        if len(set(ids)) != len(ids):
            raise ValidationError(self.error_messages["twice"], code="twice")
        return ids


class ComparisonForm(forms.Form):
    """Two to eight runs to compare, and the benchmark whose score stands for quality."""

    run = RunIdsField(required=False)
    benchmark = forms.ModelChoiceField(
        public_benchmarks(), to_field_name="slug", required=False, empty_label="automatic"
    )

    def clean_run(self) -> list[UUID]:
        """Check how many runs there are."""
        ids: list[UUID] = self.cleaned_data["run"]
        if not 2 <= len(ids) <= MAX_SELECTED:
            raise ValidationError(
                f"Choose 2 to {MAX_SELECTED} runs to compare; {len(ids)} chosen.", code="count"
            )
        return ids

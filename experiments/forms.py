"""The query strings of the grid, of its API and of comparisons, validated."""

from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Q
from django.utils.functional import cached_property

from benchmarks.models import Benchmark, BenchmarkQuerySet, BenchmarkScore
from benchmarks.quantization import resolve_quantization
from experiments.backends import resolve_backend
from experiments.choices import LoadClass
from experiments.grid import (
    FILTERS,
    MAX_PAGE_SIZE,
    SORT_KEYS,
    FilterKind,
    GridCriteria,
    default_among,
    filters_of,
)
from hardware.models import Category

MAX_SELECTED = 8


def public_benchmarks() -> BenchmarkQuerySet:
    """Return the curated benchmarks, and those of uploads that have a published score."""
    published = BenchmarkScore.objects.published().filter(benchmark=OuterRef("pk"))
    return Benchmark.objects.filter(Q(is_generic=False) | Exists(published))


_LONG = ("measures", "expected_categories", "category_groups")


class BenchmarkField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A public benchmark by its slug; all of them are read once for each form, with their use."""

    default_error_messages: ClassVar = {
        "invalid_choice": "There is no benchmark “%(value)s” here; choose one of the list."
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(Benchmark.objects.none(), to_field_name="slug", required=False, **options)

    def __deepcopy__(self, memo: dict[int, Any]) -> "BenchmarkField":
        copied: BenchmarkField = super().__deepcopy__(memo)
        copied.__dict__.pop("known", None)
        return copied

    @cached_property
    def known(self) -> list[Benchmark]:
        """The benchmarks to choose from, without the longer half of what is known of them."""
        return list(public_benchmarks().with_use().defer(*_LONG))

    def to_python(self, value: Any) -> Benchmark | None:
        """Return the benchmark of a slug; ValidationError where there is none."""
        if value in self.empty_values:
            return None
        for benchmark in self.known:
            if benchmark.slug == value:
                return benchmark
        message, params = self.error_messages["invalid_choice"], {"value": value}
        raise ValidationError(message, code="invalid_choice", params=params)

    def validate(self, value: Benchmark | None) -> None:
        """Accept what `to_python` found."""


def _sort_choices() -> list[tuple[str, str]]:
    return [(name, name.replace("_", " ")) for name in SORT_KEYS]


class CommaSeparatedField(forms.MultipleChoiceField):
    """A multiple choice that takes `a,b` as well as a repeated parameter."""

    def to_python(self, value: Any) -> list[str]:
        """Return the chosen values."""
        values = super().to_python(value)
        return [part.strip() for item in values for part in item.split(",") if part.strip()]


class NumberField(forms.FloatField):
    """A number; of what is none, the message says what it was."""

    def clean(self, value: Any) -> Any:
        """Return the number."""
        try:
            return super().clean(value)
        except ValidationError as error:
            if getattr(error, "code", "") != "invalid":
                raise
            message = "“%(value)s” is no number; write 24 or 24.5."
            raise ValidationError(message, code="invalid", params={"value": value}) from error


def _filter_field(name: str) -> forms.Field:
    """Return the field of a filter of the grid."""
    item = FILTERS[name]
    if item.kind == FilterKind.LIMIT:
        return NumberField(
            required=False,
            min_value=item.least,
            label=item.label,
            error_messages={"min_value": "This must be %(limit_value)g or more."},
        )
    if item.kind == FilterKind.CHOICES:
        return CommaSeparatedField(
            choices=lambda: Category.choices,
            required=False,
            widget=forms.CheckboxSelectMultiple,
            label=item.label,
        )
    if item.kind == FilterKind.LOAD:
        choices = [("", "automatic"), *item.choices]
        return forms.ChoiceField(choices=choices, required=False, label=item.label)
    return forms.CharField(required=False, max_length=400, label=item.label)


def _beside_field(name: str) -> forms.Field:
    """Return the box that stands beside a limit and lets rows without a value in."""
    return forms.BooleanField(required=False, label=FILTERS[name].beside_label)


class GridForm(forms.Form):
    """What can be asked of the grid; unknown parameters are ignored, wrong values are errors."""

    q = _filter_field("q")
    benchmark = BenchmarkField(empty_label="automatic", label="Quality by")
    min_quality = _filter_field("min_quality")
    min_speed = _filter_field("min_speed")
    max_memory_gb = _filter_field("max_memory_gb")
    include_unknown = _beside_field("max_memory_gb")
    hardware_categories = _filter_field("hardware_categories")
    backend = _filter_field("backend")
    quantization = _filter_field("quantization")
    platform = _filter_field("platform")
    load_class = _filter_field("load_class")
    load_kind = _filter_field("load_kind")
    sort_by = forms.ChoiceField(choices=_sort_choices, required=False, label="Sort by")
    sort_direction = forms.ChoiceField(
        choices=[("", "better first"), ("asc", "ascending"), ("desc", "descending")],
        required=False,
        label="Direction",
    )
    page = forms.IntegerField(required=False, min_value=1, max_value=1_000_000)
    page_size = forms.IntegerField(required=False, min_value=1, max_value=MAX_PAGE_SIZE)

    def clean_backend(self) -> str:
        """Return its canonical name."""
        name: str = self.cleaned_data["backend"]
        return resolve_backend(name) if name else ""

    def clean_quantization(self) -> str:
        """Return its canonical name."""
        name: str = self.cleaned_data["quantization"]
        return resolve_quantization(name).name if name else ""

    def clean_hardware_categories(self) -> tuple[str, ...]:
        """Return them as criteria hold them."""
        return tuple(self.cleaned_data["hardware_categories"])

    def clean_load_class(self) -> LoadClass | None:
        """Return it as criteria hold it."""
        value: str = self.cleaned_data["load_class"]
        return LoadClass(value) if value else None

    def criteria(self) -> GridCriteria:
        """Return what was asked, names in canonical form; call it on a valid form only.

        Where no benchmark was, the default one stands in for it.
        """
        asked = {
            name: value for name, value in self.cleaned_data.items() if value not in (None, "")
        }
        asked.setdefault("benchmark", default_among(self.benchmarks.known))
        return GridCriteria(**asked)

    @property
    def benchmarks(self) -> BenchmarkField:
        """The field of the benchmark, which knows all of them."""
        field: BenchmarkField = self.fields["benchmark"]  # type: ignore[assignment]
        return field

    @property
    def limits(self) -> list[tuple[forms.BoundField, forms.BoundField | None]]:
        """The limits, each with the box beside it if it has one."""
        return [
            (self[item.name], self[item.beside] if item.beside else None)
            for item in filters_of(FilterKind.LIMIT)
        ]


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

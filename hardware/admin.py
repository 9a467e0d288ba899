"""Curation of the catalogue, platforms and profiles."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest

from hardware.models import (
    Accelerator,
    AcceleratorAlias,
    AcceleratorPrice,
    HardwareProfile,
    Platform,
)
from hardware.names import spelling_key
from hardware.resolution import IDENTITY_FIELDS

HTTPS_LINKS: "Mapping[type[models.Field[Any, Any]], dict[str, str]]" = {
    models.URLField: {"assume_scheme": "https"}
}


class AcceleratorForm(forms.ModelForm):  # type: ignore[type-arg]
    """An accelerator, whose own name must not be a spelling of another one."""

    def clean_name(self) -> str:
        """Refuse a name that is looked up as another accelerator."""
        name: str = self.cleaned_data["name"]
        taken = AcceleratorAlias.objects.filter(spelling_key=spelling_key(name))
        if other := taken.exclude(accelerator=self.instance.pk).first():
            raise ValidationError(f"This name is a spelling of {other.accelerator}.")
        return name


class AcceleratorAliasForm(forms.ModelForm):  # type: ignore[type-arg]
    """A spelling, which may be typed as a tool writes it."""

    def clean_spelling_key(self) -> str:
        """Turn any spelling into the form in which spellings are compared."""
        key = spelling_key(self.cleaned_data["spelling_key"])
        if not key:
            raise ValidationError("This spelling has no letters or digits.")
        return key


class LabelledInline(admin.TabularInline):  # type: ignore[type-arg]
    """Rows whose fields name themselves to screen readers, which do not hear the column's head."""

    def formfield_for_dbfield(
        self, db_field: "models.Field[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> forms.Field | None:
        """Return the field, labelled."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            field.widget.attrs["aria-label"] = field.label
        return field


class AcceleratorAliasInline(LabelledInline):
    """The spellings of an accelerator."""

    model = AcceleratorAlias
    form = AcceleratorAliasForm
    extra = 1


class AcceleratorPriceInline(LabelledInline):
    """The dated prices of an accelerator."""

    model = AcceleratorPrice
    extra = 0
    formfield_overrides = HTTPS_LINKS


@admin.register(Accelerator)
class AcceleratorAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The catalogue of accelerators."""

    form = AcceleratorForm
    formfield_overrides = HTTPS_LINKS
    list_display = (
        "name",
        "vendor",
        "category",
        "memory_sizes_gb",
        "memory_bandwidth_gb_per_s",
        "tdp_watts",
    )
    list_filter = ("category", "vendor", "is_generic")
    search_fields = ("name", "vendor", "aliases__spelling_key")
    inlines = (AcceleratorAliasInline, AcceleratorPriceInline)

    def save_related(
        self,
        request: HttpRequest,
        form: Any,
        formsets: Any,
        change: bool,
    ) -> None:
        """Save the spellings, and see that the name itself is one of them."""
        super().save_related(request, form, formsets, change)
        key = spelling_key(form.instance.name)
        form.instance.aliases.get_or_create(spelling_key=key)


@admin.register(AcceleratorAlias)
class AcceleratorAliasAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Every spelling, to find what a reported name is taken for."""

    form = AcceleratorAliasForm
    list_display = ("spelling_key", "accelerator", "memory_gb", "form")
    list_select_related = ("accelerator",)
    list_filter = ("accelerator__vendor", "accelerator__category")
    search_fields = ("spelling_key", "accelerator__name")
    autocomplete_fields = ("accelerator",)


@admin.register(AcceleratorPrice)
class AcceleratorPriceAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Every dated price."""

    formfield_overrides = HTTPS_LINKS
    list_display = ("accelerator", "kind", "amount", "currency", "dated")
    list_select_related = ("accelerator",)
    list_filter = ("kind", "currency")
    date_hierarchy = "dated"
    search_fields = ("accelerator__name",)
    autocomplete_fields = ("accelerator",)


@admin.register(Platform)
class PlatformAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What machines are grouped by; the key stays, the name and category may be mended."""

    list_display = ("name", "category", "key")
    list_filter = ("category",)
    search_fields = ("name", "key")

    def get_readonly_fields(
        self, request: HttpRequest, obj: Platform | None = None
    ) -> tuple[str, ...]:
        """Fix the key once made: uploads find the platform by it."""
        return ("key",) if obj else ()


@admin.register(HardwareProfile)
class HardwareProfileAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Machines; what identifies one is set by uploads and stays."""

    list_display = ("__str__", "platform", "ram_gb", "ram_type", "virtualization_type", "label")
    list_select_related = ("platform",)
    list_filter = ("platform__category", "virtualization_type")
    search_fields = ("gpu_model", "cpu_model", "label", "platform__name")
    autocomplete_fields = ("platform", "accelerator")
    ordering = ("gpu_model", "cpu_model")

    def get_readonly_fields(
        self, request: HttpRequest, obj: HardwareProfile | None = None
    ) -> tuple[str, ...]:
        """Fix the identity once made: uploads find the profile by it."""
        return IDENTITY_FIELDS if obj else ()

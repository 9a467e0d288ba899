"""Template filters that write formats and context fields as people call them."""

from collections.abc import Iterable

from django import template

from experiments.formats import format_title
from experiments.upload_form import ContextForm

register = template.Library()


@register.filter
def as_format(name: str | None) -> str:
    """Write a format by its title, "–" where none was recognised."""
    return format_title(name) if name else "–"


@register.filter
def as_labels(names: Iterable[str]) -> str:
    """Write context fields by the labels that the form gives them: "GPU, Quantization"."""
    fields = ContextForm.base_fields
    return ", ".join(str(fields[name].label) if name in fields else name for name in names)

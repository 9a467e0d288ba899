"""Rows that several runs or scores refer to: which ones a reparse made, and leaving none behind."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db.models import Exists, Model, OuterRef

from benchmarks.models import Benchmark, ModelVariant
from experiments.models import Configuration, Sweep, UploadItem
from hardware.models import HardwareProfile, Platform

_SHARED: tuple[type[Model], ...] = (
    Configuration,
    Sweep,
    HardwareProfile,
    Platform,
    ModelVariant,
    Benchmark,
)
"""In an order in which they can be deleted."""
PROVENANCE = UploadItem._meta.db_table


def noting_made(write: Callable[[], None]) -> dict[str, list[str]]:
    """Do `write` and return the ids of the shared rows that it made, by table.

    One who holds the lock of writers makes them all, so what is new after it was made by it.
    """
    before = {model: set(_ids(model)) for model in _SHARED}
    last_item = UploadItem.objects.order_by("-id").values_list("id", flat=True).first() or 0
    write()
    made = {
        model._meta.db_table: [str(pk) for pk in _ids(model) if pk not in before[model]]
        for model in _SHARED
    }
    items = UploadItem.objects.filter(pk__gt=last_item).order_by("id")
    return made | {PROVENANCE: [str(pk) for pk in items.values_list("id", flat=True)]}


def delete_unused(made: Mapping[str, Sequence[str]]) -> None:
    """Delete those of the rows that nothing refers to; what others use by now stays."""
    for model in _SHARED:
        rows = model._default_manager.filter(pk__in=made.get(model._meta.db_table, ()))
        for relation in model._meta.related_objects:
            users: Any = relation.related_model
            name = relation.field.name
            rows = rows.exclude(Exists(users._default_manager.filter(**{name: OuterRef("pk")})))
        rows.delete()


def _ids(model: type[Model]) -> Any:
    return model._default_manager.order_by("pk").values_list("pk", flat=True)

"""Rows that several runs or scores refer to: which ones a reparse made, and leaving none behind."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db.models import AutoField, Exists, Model, OuterRef

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
    models: tuple[type[Model], ...] = (*_SHARED, UploadItem)
    before = {model: _mark(model) for model in models}
    write()
    return {
        model._meta.db_table: [str(pk) for pk in _ids_since(model, mark)]
        for model, mark in before.items()
    }


def _mark(model: type[Model]) -> int | set[Any]:
    """Return what tells rows of later: the greatest id where ids are counted, else all ids."""
    ids = model._default_manager.order_by("-pk").values_list("pk", flat=True)
    if isinstance(model._meta.pk, AutoField):
        return ids.first() or 0
    return set(ids)


def _ids_since(model: type[Model], mark: int | set[Any]) -> list[Any]:
    ids = model._default_manager.order_by("pk").values_list("pk", flat=True)
    if isinstance(mark, int):
        return list(ids.filter(pk__gt=mark))
    return [pk for pk in ids if pk not in mark]


def delete_unused(made: Mapping[str, Sequence[str]]) -> None:
    """Delete those of the rows that nothing refers to; what others use by now stays."""
    for model in _SHARED:
        rows = model._default_manager.filter(pk__in=made.get(model._meta.db_table, ()))
        for relation in model._meta.related_objects:
            users: Any = relation.related_model
            name = relation.field.name
            rows = rows.exclude(Exists(users._default_manager.filter(**{name: OuterRef("pk")})))
        rows.delete()

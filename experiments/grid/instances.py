"""Rows of the grid's own SQL as model instances, with those they refer to: one query for all."""

from collections.abc import Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, models

from benchmarks.models import ModelVariant
from experiments.models import Configuration, TestRun
from hardware.models import Platform


class _Part:
    """The columns of one model in a longer row."""

    def __init__(self, model: type[models.Model], table: str, *, without: str = "") -> None:
        self.model = model
        fields = [field for field in model._meta.concrete_fields if field.name != without]
        self.names = [field.attname for field in fields]
        self._texts_of_json = [
            (place, field)
            for place, field in enumerate(fields)
            if isinstance(field, models.JSONField)
        ]
        self.sql = ", ".join(f'{table}."{field.column}"' for field in fields)

    def made_of(self, values: Sequence[Any]) -> Any:
        """Return the instance of these values; None where an outer join found no row."""
        if values[0] is None:
            return None
        values = list(values)
        for place, field in self._texts_of_json:
            values[place] = field.from_db_value(values[place], None, connection)  # type: ignore[arg-type]
        return self.model.from_db(DEFAULT_DB_ALIAS, self.names, values)


_PARTS = {
    "variant": _Part(ModelVariant, "variant"),
    "configuration": _Part(Configuration, "configuration", without="repeat_figures"),
    "platform": _Part(Platform, "platform"),
    "representative": _Part(TestRun, "representative"),
}
COLUMNS = ", ".join(part.sql for part in _PARTS.values())
WIDTH = sum(len(part.names) for part in _PARTS.values())
TABLES = """
JOIN benchmarks_modelvariant variant ON variant.id = found.variant_id
LEFT JOIN experiments_configuration configuration ON configuration.id = found.cfg_pk
LEFT JOIN hardware_platform platform ON platform.id = configuration.platform_id
LEFT JOIN experiments_testrun representative ON representative.id = configuration.representative_id
"""
"""What COLUMNS are read from, joined to rows `found` with `variant_id` and `cfg_pk`."""


def instances(values: Sequence[Any]) -> tuple[ModelVariant, Configuration | None]:
    """Return a variant and its configuration, if there is one, from the values of COLUMNS."""
    made, start = {}, 0
    for name, part in _PARTS.items():
        end = start + len(part.names)
        made[name] = part.made_of(values[start:end])
        start = end
    variant, configuration = made["variant"], made["configuration"]
    if configuration is not None:
        for name in ("variant", "platform", "representative"):
            setattr(configuration, name, made[name])
    return variant, configuration

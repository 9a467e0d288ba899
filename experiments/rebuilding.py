"""Making all summaries anew from the raw runs, and telling what differed: nothing should."""

from collections.abc import Iterator
from typing import Any

from django.db import connection, transaction

from benchsite.common.locks import take_write_lock
from experiments.summaries import Progress, refresh_everything

_STRAY = """
DELETE FROM experiments_gridplace place WHERE NOT EXISTS (
    SELECT FROM experiments_configuration c
    JOIN experiments_gridcell cell USING (platform_id, backend, load_class, load_kind)
    WHERE c.runs > 0 AND c.variant_id = place.variant_id AND cell.id = place.cell_id
);
DELETE FROM experiments_gridcell cell WHERE NOT EXISTS (
    SELECT FROM experiments_gridplace place WHERE place.cell_id = cell.id
)
"""
_KEPT = {
    "experiments_configuration": "runs, newest_at, representative_id, tokens_per_second, "
    "tokens_per_second_min, tokens_per_second_max, tokens_per_second_definition, "
    "prompt_processing_speed, prompt_processing_speed_definition, ttft_ms, ttft_ms_definition, "
    "memory_gb, gpu_power_watts, tokens_per_kwh, tops",
    "experiments_repeatfigures": "figures",
    "experiments_gridmodel": "model_name, lora_adapter, platforms",
    "experiments_gridplace": "variant_id, cell_id, model_id, best_id, tokens_per_second, "
    "tokens_per_kwh, tokens_per_second_min, memory_gb_min, memory_gb_max, memory_unknown, trades",
    "experiments_gridcell": "platform_id, backend, load_class, load_kind, quantization, "
    "rtrim(model_set::text, '0'), tokens_per_second_min, tokens_per_second_max, memory_gb_min, "
    "memory_gb_max",
}
_KEYS = {"experiments_repeatfigures": "configuration_id"}


def rebuild_summaries(progress: Progress) -> list[str]:
    """Rebuild everything in one transaction and return a line for each row that differed.

    Writers wait meanwhile, readers do not. `progress` hears how many configurations are done, and
    how many there are.
    """
    with transaction.atomic():
        take_write_lock()
        before = _fingerprints()
        with connection.cursor() as cursor:
            cursor.execute(_STRAY)
        refresh_everything(progress)
        after = _fingerprints()
    return list(_differences(before, after))


Fingerprints = dict[tuple[str, int], Any]


def _fingerprints() -> Fingerprints:
    """Return a hash of what each row of the summaries says."""
    found: Fingerprints = {}
    with connection.cursor() as cursor:
        for table, columns in _KEPT.items():
            key = _KEYS.get(table, "id")
            cursor.execute(f"SELECT {key}, hash_record_extended(ROW({columns}), 0) FROM {table}")  # noqa: S608
            found |= {(table, pk): value for pk, value in cursor.fetchall()}
    return found


def _differences(before: Fingerprints, after: Fingerprints) -> Iterator[str]:
    for table, pk in sorted(before.keys() | after.keys()):
        key = (table, pk)
        if before.get(key) != after.get(key):
            was = "was wrong" if key in before and key in after else "was missing"
            yield f"{table} {pk} {was if key in after else 'stood for nothing'}"

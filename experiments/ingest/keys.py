"""Identities: which run a record is, and which runs are repeats of each other."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

from experiments.choices import LoadClass
from experiments.formats.documents import RunDocument, SetupDocument, WorkloadDocument

# Names the space of run ids made from source records; it must never change.
RUN_NAMESPACE = UUID("3f0c0d0e-6a55-5d0b-9a7c-6f3c1a6b7d21")
SIGNIFICANT_DIGITS = 2
MAX_WORKLOAD_KEY = 400
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=str)


def canonical_json(value: Any) -> str:
    """Return JSON with sorted keys and no white space: equal values give equal text."""
    return _ENCODER.encode(value)


def digest(value: Any) -> str:
    """Return the SHA-256 of a value's canonical JSON, as 64 hex digits."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def run_ids(runs: Sequence[RunDocument]) -> list[UUID]:
    """Return the id of each run of a file.

    The id that the file gives, else UUIDv5 of the source record (before any name is resolved,
    without context) and its ordinal among equal records of the file.
    """
    seen: dict[str, int] = {}
    ids = []
    for run in runs:
        if run.given_id:
            ids.append(UUID(run.given_id))
            continue
        record = canonical_json(run.identity_record)
        ordinal = seen.get(record, 0)
        seen[record] = ordinal + 1
        ids.append(uuid5(RUN_NAMESPACE, f"{record}#{ordinal}"))
    return ids


def content_hash(run: RunDocument, context: Mapping[str, Any]) -> str:
    """Return the hash of all that a run was made from; it does not depend on parsers."""
    return digest([run.source_records, context])


def workload_key(workload: WorkloadDocument, gpu_power_limit_watts: float | None) -> str:
    """Return the key of a load, as JSON; token lengths count to two significant digits.

    Where the real mean of a length is not known, the configured one stands for it.
    A key too long for its column is replaced by its hash.
    """
    parts = {
        "kind": workload.load_kind,
        "concurrency": workload.concurrent_requests,
        "rate": workload.request_rate,
        "batch": workload.batch_size,
        "in": significant(workload.input_tokens or workload.configured_input_tokens),
        "out": significant(workload.output_tokens or workload.configured_output_tokens),
        "depth": workload.context_depth,
        "pattern": workload.load_pattern,
        "power_limit": gpu_power_limit_watts,
        "dataset": workload.dataset_name,
    }
    key = canonical_json({name: value for name, value in parts.items() if value is not None})
    return key if len(key) <= MAX_WORKLOAD_KEY else digest(key)


def settings_key(setup: SetupDocument) -> str:
    """Return the hash of all settings that change speed."""
    return digest(
        {
            "parallel": [
                setup.tensor_parallel,
                setup.pipeline_parallel,
                setup.expert_parallel,
                setup.nodes,
            ],
            "speculation": setup.speculation,
            "kv_cache_type": setup.kv_cache_type,
            "optimizations": sorted(setup.optimizations),
            "settings": setup.speed_settings,
        }
    )


def load_class(workload: WorkloadDocument) -> LoadClass:
    """Return single for concurrency 1, concurrent for more or for a rate, else unknown."""
    if workload.concurrent_requests == 1:
        return LoadClass.SINGLE
    if workload.concurrent_requests or workload.request_rate:
        return LoadClass.CONCURRENT
    return LoadClass.UNKNOWN


def significant(value: float | None, digits: int = SIGNIFICANT_DIGITS) -> float | None:
    """Return the value rounded to some significant digits: 512 and 510 are both 510."""
    if not value:
        return value
    places = digits - 1 - math.floor(math.log10(abs(value)))
    rounded = round(value, places)
    return int(rounded) if rounded == int(rounded) else rounded

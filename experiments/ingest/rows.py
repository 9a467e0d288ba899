"""From a resolved run to its rows: the run itself, its figures, its sweep, its configuration."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from typing import Any

from django.utils import timezone

from benchmarks.models import ModelVariant
from benchmarks.services import VariantFacts, create_variants, find_variants
from benchsite.common.copying import copy_rows
from experiments.choices import MeasuredAs
from experiments.formats.documents import InvalidFileError, Problem
from experiments.formats.problems import join_path, short_value
from experiments.formats.stored import StoredRun
from experiments.ingest.keys import digest
from experiments.ingest.resolve import ResolvedModel, ResolvedRun
from experiments.ingest.run_fields import RUN_FIELDS, SETUP_FIELDS, WORKLOAD_FIELDS
from experiments.ingest.times import as_stored_time
from experiments.models import Configuration, Measurement, Sweep, TestRun
from hardware.models import HardwareProfile

CONFIGURATION_FIELDS = (
    "variant_id",
    "platform_id",
    "backend",
    "backend_version",
    "workload_key",
    "settings_key",
)
_of_run, _of_workload, _of_setup = (
    attrgetter(*names) for names in (RUN_FIELDS, WORKLOAD_FIELDS, SETUP_FIELDS)
)
_COLUMNS = {column.attname: column for column in TestRun._meta.concrete_fields}
_LONGEST = {name: column.max_length for name, column in _COLUMNS.items() if column.max_length}


@dataclass(frozen=True)
class Placed:
    """A run with the rows it belongs to; `sweep_key` is "" where it is of no sweep."""

    run: ResolvedRun
    variant: ModelVariant
    profile: HardwareProfile
    sweep_key: str

    @property
    def configuration_identity(self) -> tuple[Any, ...]:
        """What makes a configuration, in the order of CONFIGURATION_FIELDS."""
        return (
            self.variant.pk,
            self.profile.platform_id,
            self.run.backend,
            self.run.document.backend_version,
            self.run.workload_key,
            self.run.settings_key,
        )


def get_or_create_variants(
    wanted: Iterable[tuple[ResolvedModel, bool]],
) -> dict[tuple[str, str, str], ModelVariant]:
    """Return the variant of each model, made if need be: three queries.

    A new one has the facts of the first that is wanted, if that is public, as the second of each
    pair tells: what waits for review says nothing about a variant that everybody sees.
    """
    wanted = list(wanted)
    found = find_variants({model.model_name for model, _is_public in wanted})
    new: dict[tuple[str, str, str], VariantFacts] = {}
    for model, is_public in wanted:
        if model.key not in found:
            new.setdefault(model.key, model.facts if is_public else VariantFacts())
    return found | create_variants(new) if new else found


def sweep_key(
    run: ResolvedRun, sha256: str, variant: ModelVariant, profile: HardwareProfile
) -> str:
    """Return the key of a run's sweep: by the label given, else by its group in this file."""
    document = run.document
    if document.sweep:
        return digest(["label", document.sweep, variant.pk, profile.pk, run.backend])
    if isinstance(document, StoredRun) and (stated := document.origin.sweep_key):
        if document.is_trusted:
            return stated
        return digest(["claimed", sha256, stated, variant.pk, profile.pk])
    if document.sweep_group:
        return digest(["file", sha256, document.sweep_group, variant.pk, profile.pk])
    return ""


def get_or_create_sweeps(placed: Iterable[Placed]) -> dict[str, Sweep]:
    """Return the sweep of each key, made if need be: two queries."""
    labels = {item.sweep_key: item.run.document.sweep for item in placed if item.sweep_key}
    if not labels:
        return {}
    Sweep.objects.bulk_create(
        [Sweep(key=key, label=label) for key, label in labels.items()], ignore_conflicts=True
    )
    return Sweep.objects.in_bulk(labels, field_name="key")


def get_or_create_configurations(placed: Collection[Placed]) -> dict[tuple[Any, ...], int]:
    """Return the id of the configuration of each identity, made if need be: two queries."""
    wanted = {item.configuration_identity: item for item in placed}
    if not wanted:
        return {}
    candidates = Configuration.objects.filter(
        variant__in={item.variant for item in placed},
        workload_key__in={item.run.workload_key for item in placed},
    )
    found = {row[1:]: row[0] for row in candidates.values_list("id", *CONFIGURATION_FIELDS)}
    missing = {
        identity: Configuration(
            **dict(zip(CONFIGURATION_FIELDS, identity, strict=True)),
            load_class=item.run.load_class,
            load_kind=item.run.document.workload.load_kind or MeasuredAs.UNKNOWN,
        )
        for identity, item in wanted.items()
        if identity not in found
    }
    Configuration.objects.bulk_create(missing.values(), batch_size=1000)
    return found | {identity: row.pk for identity, row in missing.items()}


def run_values(
    placed: Placed, configuration_id: int, sweep: Sweep | None, review_state: str
) -> dict[str, Any]:
    """Return all columns of a run by name; InvalidFileError where a text is too long."""
    document = placed.run.document
    received_at = timezone.now()
    if isinstance(document, StoredRun) and document.is_trusted:
        received_at = document.origin.received_at
    return {
        "variant_id": placed.variant.pk,
        "hardware_id": placed.profile.pk,
        "configuration_id": configuration_id,
        "sweep_id": sweep.pk if sweep else None,
        "review_state": review_state,
        "review_reason": "",
        "created_at": received_at,
        **run_columns(placed.run),
    }


def run_columns(run: ResolvedRun) -> dict[str, Any]:
    """Return what a run says for its own columns; InvalidFileError where a text is too long."""
    document = run.document
    columns = {
        "id": run.id,
        "backend": run.backend,
        "reported_names": run.reported_names,
        "content_hash": run.content_hash,
        "warnings": [warning.as_dict() for warning in run.warnings],
        "started_at": as_stored_time(document.started_at),
        "optimizations": list(document.setup.optimizations),
        "settings": dict(document.setup.settings),
        **dict(zip(RUN_FIELDS, _of_run(document), strict=True)),
        **dict(zip(WORKLOAD_FIELDS, _of_workload(document.workload), strict=True)),
        **dict(zip(SETUP_FIELDS, _of_setup(document.setup), strict=True)),
    }
    _check_lengths(columns, document.path)
    return columns


def write_runs(rows: Collection[Mapping[str, Any]]) -> None:
    """Insert runs by all their columns."""
    names = [column.name for column in _COLUMNS.values()]
    copy_rows(TestRun, names, map(itemgetter(*_COLUMNS), rows))


def write_figures(runs: Iterable[ResolvedRun]) -> None:
    """Insert the figures of runs that have none."""
    copy_rows(
        Measurement,
        (
            *("run", "metric", "statistic", "definition", "value", "unit"),
            *("sample_count", "samples", "derived_from", "context"),
        ),
        (
            (
                *(run_id, item.metric, item.statistic, item.definition, item.value, item.unit),
                *(item.sample_count, item.samples, item.derived_from, dict(item.context)),
            )
            for run in runs
            for run_id in (str(run.id),)
            for item in run.document.measurements
        ),
    )


def replace_rows(rows: Collection[TestRun]) -> None:
    """Write rows over those of the same ids; these keep the time at which they were made."""
    TestRun.objects.bulk_create(
        rows,
        batch_size=500,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=[
            column.name
            for column in TestRun._meta.concrete_fields
            if column.name not in ("id", "created_at")
        ],
    )


def _check_lengths(columns: dict[str, Any], path: str) -> None:
    """Refuse text longer than its column."""
    for name, longest in _LONGEST.items():
        value = columns.get(name)
        if isinstance(value, str) and len(value) > longest:
            message = f"This is longer than {longest} characters."
            raise InvalidFileError(Problem(join_path(path, name), message, short_value(value)))

"""A run as one version of it: facts by canonical names and figures, stored or about to be."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from experiments.formats.documents import MeasurementDocument
from experiments.formats.problems import short_value
from experiments.ingest.resolve import ResolvedRun
from experiments.ingest.run_fields import (
    RUN_FIELDS,
    SETUP_FIELDS,
    VARIANT_FIELDS,
    WORKLOAD_FIELDS,
)
from experiments.ingest.times import as_stored_time
from experiments.models import Measurement, TestRun
from experiments.redaction import redact
from hardware.resolution import IDENTITY_FIELDS

MOST_DIFFERENCES = 20
_FIGURE_FIELDS = ("metric", "statistic", "definition", "value", "unit", "sample_count")


def stored_facts(run: TestRun) -> dict[str, Any]:
    """Return the facts of a row loaded `with_names` and with its sweep; None = not known."""
    return {
        **_attributes(run.variant, VARIANT_FIELDS),
        "platform": run.hardware.platform.name,
        **_attributes(run.hardware, IDENTITY_FIELDS),
        "backend": run.backend,
        **_attributes(run, (*RUN_FIELDS, *WORKLOAD_FIELDS, *SETUP_FIELDS)),
        "started_at": _moment(run.started_at),
        "sweep": run.sweep.label if run.sweep else None,
        "optimizations": run.optimizations,
        "settings": run.settings,
        "reported_names": run.reported_names,
    }


def sent_facts(run: ResolvedRun) -> dict[str, Any]:
    """Return the facts of a run that is not written yet, under the names of `stored_facts`."""
    document = run.document
    return {
        "model_name": run.model.model_name,
        "quantization": run.model.quantization.name,
        "lora_adapter": run.model.lora_adapter,
        "platform": run.hardware.platform_name,
        **_attributes(run.hardware, IDENTITY_FIELDS),
        "backend": run.backend,
        **_attributes(document, RUN_FIELDS),
        **_attributes(document.workload, WORKLOAD_FIELDS),
        **_attributes(document.setup, SETUP_FIELDS),
        "started_at": _moment(as_stored_time(document.started_at)),
        "sweep": document.sweep,
        "optimizations": list(document.setup.optimizations),
        "settings": dict(document.setup.settings),
        "reported_names": dict(run.reported_names),
    }


def figures(items: Iterable[Measurement | MeasurementDocument]) -> list[dict[str, Any]]:
    """Return measurements with statistic, definition, unit and sample count, without samples."""
    return [_attributes(item, _FIGURE_FIELDS) for item in items]


def differences(
    stored: TestRun, stored_figures: Iterable[Measurement], sent: ResolvedRun
) -> dict[str, dict[str, Any]]:
    """Return what differs between the stored and the sent version: {"stored": …, "sent": …}.

    Facts and then figures by name, the first MOST_DIFFERENCES of them; None = not there. Secrets
    are hidden and long texts cut.
    """
    old = _flat(stored_facts(stored), figures(stored_figures))
    new = _flat(sent_facts(sent), figures(sent.document.measurements))
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    chosen = names[:MOST_DIFFERENCES]
    return {
        "stored": {name: _shown(name, old.get(name)) for name in chosen},
        "sent": {name: _shown(name, new.get(name)) for name in chosen},
    }


def _flat(facts: Mapping[str, Any], measured: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return facts and figures one level deep: "settings.n_batch", "ttft_ms p95"."""
    flat: dict[str, Any] = {}
    for name, value in facts.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}.{key}": item for key, item in value.items()}
        else:
            flat[name] = value
    for item in measured:
        words = (item["metric"], item["statistic"], item["definition"])
        count = f" of {item['sample_count']} samples" if item["sample_count"] else ""
        name = " ".join(word for word in words if word)
        flat[name] = f"{float(item['value'])!r} {item['unit']}{count}"
    return flat


def _shown(name: str, value: Any) -> Any:
    return short_value(redact(value, name=name.removeprefix("settings.")))


def _moment(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat() if moment else None


def _attributes(source: object, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(source, name) for name in names}

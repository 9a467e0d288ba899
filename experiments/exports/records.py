"""Stored runs and scores as objects of the site's own experiment JSON, so that nothing is lost.

What everybody may read of them, as on pages: no secrets, no home folders.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from benchmarks.models import BenchmarkScore, ModelVariant
from benchmarks.services import VariantFacts
from experiments.exports.reading import figures_of, made_by
from experiments.formats.origin import CHECKSUM, checksum
from experiments.ingest.run_fields import WORKLOAD_FIELDS
from experiments.models import Measurement, TestRun, UploadItem
from experiments.provenance import provenance_of
from experiments.redaction import redact, redact_text
from hardware.models import HardwareProfile
from hardware.resolution import IDENTITY_FIELDS

Record = dict[str, Any]
_FACTS = tuple(VariantFacts.__dataclass_fields__)
_TEXTS = ("backend_version", "tool", "tool_version", "notes", "source_url")
_SETUP = ("speculation", "kv_cache_type", "gpu_power_limit_watts")
_PARALLEL = {
    "tensor": "tensor_parallel",
    "pipeline": "pipeline_parallel",
    "expert": "expert_parallel",
    "nodes": "nodes",
}


def run_record(run: TestRun, site: str | None) -> Record:
    """Return a run as `experiment_run` holds it; `site` is the address of this site."""
    record = {
        "id": str(run.pk),
        **_model(run.variant),
        "backend": run.backend,
        **_known({name: _public(getattr(run, name)) for name in _TEXTS}),
        **_known({"sweep": _public(run.sweep.label) if run.sweep else None}),
        "hardware_config": _hardware(run),
        "status": run.status,
        "complete": run.complete,
        "timestamp": _moment(run.started_at, zone_known=run.zone_known),
        **_known({name: _public(getattr(run, name)) for name in WORKLOAD_FIELDS}),
        **_known({"parallelism": _parallelism(run)}),
        **_known({name: _public(getattr(run, name)) for name in _SETUP}),
        **_known({"settings": redact(run.settings)}),
        "performance_metrics": [_metric(item) for item in figures_of(run)],
        "origin": _origin(run, site),
    }
    return {**record, CHECKSUM: checksum(record)}


def score_set_record(scores: Sequence[BenchmarkScore], site: str | None) -> Record:
    """Return scores of one variant as a set of them."""
    record = {
        **_model(scores[0].variant),
        "benchmark_scores": [_score(score, site) for score in scores],
    }
    return {**record, CHECKSUM: checksum(record)}


def _model(variant: ModelVariant) -> Record:
    facts = _known({name: getattr(variant, name) for name in _FACTS})
    return {
        "model_name": variant.model_name,
        "quantization": variant.quantization,
        **_known({"lora_adapter": variant.lora_adapter or None, "model_facts": facts}),
    }


def _hardware(run: TestRun) -> Record:
    machine: HardwareProfile = run.hardware
    return {
        **_known({name: getattr(machine, name) for name in IDENTITY_FIELDS}),
        **_known({"optimizations": redact(run.optimizations)}),
    }


def _parallelism(run: TestRun) -> Record:
    return _known({name: getattr(run, column) for name, column in _PARALLEL.items()})


def _metric(item: Measurement) -> Record:
    return {
        "metric_name": item.metric,
        "statistic": item.statistic,
        "value": item.value,
        "unit": item.unit,
        **_known(
            {
                "definition": item.definition,
                "sample_count": item.sample_count,
                "samples": [float(value) for value in item.samples or ()],
                "derived_from": item.derived_from,
                "context": redact(item.context),
            }
        ),
    }


def _origin(run: TestRun, site: str | None) -> Record:
    sweep = run.sweep
    return {
        "content_hash": run.content_hash,
        "workload_key": run.configuration.workload_key,
        "settings_key": run.configuration.settings_key,
        **_known({"sweep_key": sweep.key if sweep and not sweep.label else None}),
        "received_at": _moment(run.created_at),
        **_known(
            {
                "reported_names": {key: _public(name) for key, name in run.reported_names.items()},
                "warnings": redact(run.warnings),
                "upload": _upload(made_by(run), site),
            }
        ),
    }


def _score(score: BenchmarkScore, site: str | None) -> Record:
    data = {
        "benchmark": score.benchmark.slug,
        "benchmark_name": score.benchmark.name,
        "higher_is_better": score.benchmark.higher_is_better,
        "score": score.score,
        "total_method": score.total_method,
        **_known(
            {
                "total_questions": score.total,
                "correct_answers": score.correct,
                "categories": _categories(score),
                "timestamp": _moment(score.measured_at, zone_known=score.zone_known),
                "context": redact(score.context),
            }
        ),
    }
    return {
        "type": "Exported",
        "id": str(score.pk),
        "data": data,
        **_known(
            {
                "protocol": _known(asdict(score.protocol)),
                "stderr": score.stderr,
                "partial_reason": score.partial_reason,
                "source_url": _public(score.source_url),
                "notes": _public(score.notes),
            }
        ),
        "complete": score.complete,
        "needs_confirmation": score.needs_confirmation,
        "origin": {
            "content_key": score.content_key,
            "received_at": _moment(score.created_at),
            **_known({"upload": _upload(made_by(score), site)}),
        },
    }


def _categories(score: BenchmarkScore) -> list[Record]:
    return [
        {
            "category": item.category,
            "score": item.score,
            **_known({"total_questions": item.total, "correct_answers": item.correct}),
        }
        for item in score.categories.all()
    ]


def _upload(item: UploadItem | None, site: str | None) -> Record | None:
    found = provenance_of(item)
    if found is None:
        return None
    return {
        "id": str(found.upload_id),
        "sha256": found.sha256,
        "received_at": _moment(found.received_at),
        **_known(
            {
                "file_name": found.file_name,
                "place": found.place,
                "format": found.format,
                "parser_version": found.parser_version,
                "received_from": found.received_from,
                "site": found.site if found.is_stated else site,
            }
        ),
    }


def _known(fields: Mapping[str, Any]) -> Record:
    """Return the fields that say something."""
    return {name: value for name, value in fields.items() if value not in (None, "", [], {})}


def _public(value: Any) -> Any:
    return redact_text(value) if isinstance(value, str) else value


def _moment(moment: datetime | None, *, zone_known: bool = True) -> str | None:
    """Return a time in UTC, or as its source wrote it where that names no zone."""
    if moment is None:
        return None
    text = moment.astimezone(UTC).replace(tzinfo=None).isoformat()
    return f"{text}Z" if zone_known else text

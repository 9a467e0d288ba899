"""What a file would make, before anything is written: known or new variants and machines."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.totals import percent
from benchsite.common.templatetags.figures import figure
from experiments.formats.documents import (
    MeasurementDocument,
    ModelDocument,
    ParsedFile,
    RunDocument,
    ScoreDocument,
    WorkloadDocument,
)
from experiments.ingest.report import ScoreResult
from experiments.ingest.resolve import ResolvedFile, ResolvedRun
from experiments.ingest.write import Written
from experiments.known import known_machines, known_variants
from experiments.metrics import METRICS
from experiments.models import Measurement, TestRun
from hardware.services import ResolvedHardware

SHOWN_ROWS = 20
_PARTIAL = "partial: kept, never ranked"
MAIN_FIGURES = (
    "tokens_per_second",
    "prompt_processing_speed",
    "total_tokens_per_second",
    "ttft_ms",
)


@dataclass(frozen=True, kw_only=True)
class KnownNames:
    """Which of a file's variants and machines are in the database."""

    variants: frozenset[tuple[str, str, str]]
    platforms: frozenset[str]
    machines: frozenset[ResolvedHardware]


def known_names(resolved: ResolvedFile) -> KnownNames:
    """Look the names of a file up: two queries, and one for each distinct machine."""
    models = {model.key: model for model in resolved.models}
    names = {model.model_name for model in models.values()}
    variants = (
        known_variants()
        .filter(model_name__in=names)
        .values_list("model_name", "quantization", "lora_adapter")
    )
    machines = {run.hardware for run in resolved.runs}
    keys = {machine.platform_key for machine in machines}
    platforms = known_machines().filter(platform__key__in=keys).values_list("platform__key")
    return KnownNames(
        variants=frozenset(variants),
        platforms=frozenset(key for (key,) in platforms.distinct()),
        machines=frozenset(machine for machine in machines if _is_known(machine)),
    )


def outline(parsed: ParsedFile) -> dict[str, Any]:
    """Return what a file holds as far as it was read: counts and the first rows, as JSON.

    It is what a preview shows of a file that waits for fields, or cannot be taken.
    """
    scores = [(run.model, score) for run in parsed.runs for score in run.scores]
    scores += [(item.model, score) for item in parsed.score_sets for score in item.scores]
    return {
        "runs": len(parsed.runs),
        "scores": len(scores),
        "rows": [_row(run) | {"title": _reported(run)} for run in parsed.runs[:SHOWN_ROWS]],
        "score_rows": [
            {"title": _named(model), "benchmark": score.benchmark, "score": _total(score)}
            | {"protocol": score.protocol.key, "doubt": _PARTIAL if score.partial_reason else ""}
            for model, score in scores[:SHOWN_ROWS]
        ],
    }


def preview(resolved: ResolvedFile, written: Written, known: KnownNames) -> dict[str, Any]:
    """Return what would be made, as JSON: variants, machines, the first rows, and actions."""
    actions = Counter([str(run.action) for run in written.runs])
    actions.update(str(score.action) for score in written.scores)
    rows = [
        _row(run.document) | {"title": result.title, "action": str(result.action)}
        for run, result in zip(resolved.runs[:SHOWN_ROWS], written.runs, strict=False)
    ]
    return {
        "variants": _variants(resolved, known.variants)[:SHOWN_ROWS],
        "machines": _machines(resolved.runs, known)[:SHOWN_ROWS],
        "rows": rows,
        "score_rows": [
            {"title": f"{item.model_name} · {item.quantization}", "benchmark": item.benchmark}
            | {"score": item.score, "protocol": document.protocol.key, "action": str(item.action)}
            | {"doubt": _doubt(document, item)}
            for document, item in zip(_scores(resolved), written.scores[:SHOWN_ROWS], strict=False)
        ],
        "actions": dict(actions),
    }


def _row(run: RunDocument) -> dict[str, Any]:
    """Return what a preview shows of a run, whatever its names turn out to be."""
    figure_in_words = main_figure(run.measurements)
    return {"place": run.path, "load": load_in_words(run.workload), "figure": figure_in_words}


def _reported(run: RunDocument) -> str:
    """Return model and machine under the names that the file gives, as far as it does."""
    machine = ", ".join(run.hardware.gpu_models) or run.hardware.cpu_model
    return f"{_named(run.model)} on {machine}" if machine else _named(run.model)


def _named(model: ModelDocument) -> str:
    return " · ".join(filter(None, (model.model_name, model.quantization))) or "unnamed model"


def _total(score: ScoreDocument) -> float | None:
    """Return the total of a score: the stated one, else that of its counts."""
    stated = score.stated_score
    return percent(score.correct, score.total) if stated is None else stated


def _doubt(document: ScoreDocument, score: ScoreResult) -> str:
    """Say why a score will not be ranked; "" if it will."""
    if not score.complete:
        return _PARTIAL
    why = document.doubt or "looks like a fraction"
    return f"{why}: not ranked until confirmed" if score.needs_confirmation else ""


def _scores(resolved: ResolvedFile) -> Iterator[ScoreDocument]:
    """Yield the scores in the order in which they are written."""
    for run in resolved.runs:
        yield from run.document.scores
    for score_set in resolved.score_sets:
        yield from score_set.scores


def _is_known(machine: ResolvedHardware) -> bool:
    return known_machines().with_identity(machine.identity).exists()


def _variants(
    resolved: ResolvedFile, known: Collection[tuple[str, str, str]]
) -> list[dict[str, Any]]:
    """Return each variant with its counts of runs and scores."""
    runs: Counter[tuple[str, str, str]] = Counter(run.model.key for run in resolved.runs)
    scores: Counter[tuple[str, str, str]] = Counter()
    for run in resolved.runs:
        scores[run.model.key] += len(run.document.scores)
    for item in resolved.score_sets:
        scores[item.model.key] += len(item.scores)
    return [
        {"model_name": key[0], "quantization": key[1], "lora_adapter": key[2]}
        | {"known": key in known, "runs": runs[key], "scores": scores[key]}
        for key in sorted(runs.keys() | scores.keys())
    ]


def _machines(runs: Iterable[ResolvedRun], known: KnownNames) -> list[dict[str, Any]]:
    """Return each machine with its count of runs, and what else than its GPU is known of it."""
    counts = Counter(run.hardware for run in runs)
    return [
        {
            "platform": machine.platform_name,
            "details": _details(machine),
            "platform_known": machine.platform_key in known.platforms,
            "known": machine in known.machines,
            "runs": count,
        }
        for machine, count in counts.most_common()
    ]


def _details(machine: ResolvedHardware) -> str:
    gpu_memory = f"{machine.gpu_memory_gb:g} GB a GPU" if machine.gpu_memory_gb else None
    ram = f"{machine.ram_gb:g} GB RAM" if machine.ram_gb else None
    parts = (gpu_memory, machine.cpu_model, ram, machine.label)
    return ", ".join(part for part in parts if part)


def load_in_words(load: WorkloadDocument | TestRun) -> str:
    """Return the load in a few words."""
    parts = [
        f"{load.input_tokens:g} in" if load.input_tokens else None,
        f"{load.output_tokens:g} out" if load.output_tokens else None,
        f"depth {load.context_depth:,}" if load.context_depth else None,
        f"{load.concurrent_requests} at once" if load.concurrent_requests else None,
        f"{load.request_rate:g} requests/s" if load.request_rate else None,
    ]
    return ", ".join(part for part in parts if part) or "load not known"


def main_figure(measured: Iterable[MeasurementDocument | Measurement]) -> str:
    """Return the main figure of a run with its name and unit, "" where it has none of them."""
    means = {item.metric: item for item in measured if item.statistic == "mean"}
    chosen = next((means[name] for name in MAIN_FIGURES if name in means), None)
    if chosen is None:
        return ""
    return f"{METRICS[chosen.metric].label} {figure(chosen.value)} {chosen.unit}"

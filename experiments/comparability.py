"""What may be compared: the rules by which figures of different runs stand side by side (pure).

Variant, hardware, backend, version, settings and set-up are what people compare: they are the
subjects, never differences. A load that differs makes a comparison conditional, another kind of
load or another definition makes a metric incomparable, and so does another protocol a score.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from experiments.metrics import METRICS, MetricGroup, metric_label


class Verdict(StrEnum):
    """May it be compared: as it stands, with what differs in mind, or not at all."""

    STRICT = "strict"
    CONDITIONAL = "conditional"
    NOT_COMPARABLE = "not_comparable"


_SEVERITY = {Verdict.STRICT: 0, Verdict.CONDITIONAL: 1, Verdict.NOT_COMPARABLE: 2}
# What a load cannot change.
_INDEPENDENT_OF_LOAD = {"model_size_gb", "model_loading_time"}
_SPEED_GROUPS = {
    MetricGroup.THROUGHPUT,
    MetricGroup.LATENCY,
    MetricGroup.ENERGY,
    MetricGroup.RELIABILITY,
}


@dataclass(frozen=True)
class LoadField:
    """A field of the load, and what a difference in it does."""

    name: str
    label: str
    effect: str
    unaffected: frozenset[str] = frozenset()

    def affects(self, metric: str) -> bool:
        """Whether figures of the metric change with this field."""
        return metric not in _INDEPENDENT_OF_LOAD and metric not in self.unaffected


LOAD_FIELDS = (
    LoadField(
        "concurrent_requests",
        "Concurrent requests",
        "More requests at once raise the total speed and lengthen every latency.",
    ),
    LoadField(
        "request_rate",
        "Request rate",
        "A higher rate raises the total speed until queues form, then TTFT grows.",
    ),
    LoadField(
        "input_tokens",
        "Input tokens",
        "Longer prompts lengthen TTFT, take memory and slow generation down.",
    ),
    LoadField(
        "output_tokens",
        "Output tokens",
        "Longer answers spread TTFT over more tokens and let the context grow.",
        frozenset({"prompt_processing_speed", "ttft_ms"}),
    ),
    LoadField(
        "context_depth",
        "Context depth",
        "A fuller KV cache slows both prompt processing and generation down.",
    ),
    LoadField(
        "dataset_name",
        "Dataset",
        "Other prompts have other lengths, and caches and speculation hit them differently.",
    ),
    LoadField(
        "load_pattern",
        "Load pattern",
        "Bursts form queues that a steady load does not: latencies differ most.",
    ),
    LoadField(
        "batch_size",
        "Batch size",
        "Larger batches raise the total speed and lengthen every latency.",
    ),
    LoadField(
        "gpu_power_limit_watts",
        "GPU power limit",
        "A lower limit slows prompt processing most, and saves energy per token.",
        frozenset({"memory_usage_gb", "peak_memory_gb"}),
    ),
)
LOAD_KIND_EFFECT = (
    "Isolated tests, served requests and offline batches measure different things: "
    "speeds, latencies and energy cannot be compared."
)
PROTOCOL_EFFECT = "Scores taken by other protocols, or whole ones and parts, do not compare."
PARTIAL_SCORES_EFFECT = "All are partial: they may cover different parts of the benchmark."
PARTIAL_EFFECT = "A part of the run is missing: its figures may not stand for the whole."


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """What decides whether a run can be compared.

    `load` holds a value for each of LOAD_FIELDS (token lengths to two significant digits);
    `definitions` the definitions under which each metric was measured, None where not stated;
    `scores` the (protocol, complete) of each benchmark its variant has a score on.
    """

    load_kind: str | None
    complete: bool
    load: Mapping[str, Hashable]
    definitions: Mapping[str, frozenset[str | None]]
    scores: Mapping[str, tuple[str, bool]]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A field that differs: its value in each run (None = not known) and what that does."""

    field: str
    label: str
    values: tuple[Hashable, ...]
    effect: str
    verdict: Verdict


@dataclass(frozen=True, kw_only=True)
class Comparability:
    """The verdict of the whole, what differs, and the verdict of each metric and score.

    Only metrics and benchmarks that at least two runs have are judged.
    """

    verdict: Verdict
    differences: tuple[Difference, ...]
    metrics: Mapping[str, Verdict]
    scores: Mapping[str, Verdict]


def judge(runs: Sequence[RunFacts]) -> Comparability:
    """Return what may be compared among two or more runs; their order does not matter."""
    load_differences = _load_differences(runs)
    definition_differences = []
    metrics: dict[str, Verdict] = {}
    for metric in _in_common(run.definitions for run in runs):
        sets = [run.definitions.get(metric) for run in runs]
        difference = _definition_difference(metric, sets)
        if difference:
            definition_differences.append(difference)
        metrics[metric] = _worst(
            [difference.verdict if difference else Verdict.STRICT]
            + [item.verdict for item in load_differences if _touches(item, metric)]
        )
    scores = {
        slug: _score_verdict([run.scores[slug] for run in runs if slug in run.scores])
        for slug in _in_common(run.scores for run in runs)
    }
    score_differences = [
        _score_difference(slug, runs, verdict)
        for slug, verdict in scores.items()
        if verdict != Verdict.STRICT
    ]
    differences = (*load_differences, *definition_differences, *score_differences)
    return Comparability(
        verdict=_overall(metrics, differences),
        differences=differences,
        metrics=metrics,
        scores=scores,
    )


def _overall(metrics: Mapping[str, Verdict], differences: Sequence[Difference]) -> Verdict:
    if all(verdict == Verdict.NOT_COMPARABLE for verdict in metrics.values()):
        return Verdict.NOT_COMPARABLE
    return Verdict.CONDITIONAL if differences else Verdict.STRICT


def _worst(verdicts: Iterable[Verdict]) -> Verdict:
    return max(verdicts, key=_SEVERITY.__getitem__)


def _in_common(mappings: Iterable[Mapping[str, object]]) -> list[str]:
    """Return the keys that at least two of the mappings have, sorted."""
    counts: dict[str, int] = {}
    for mapping in mappings:
        for key in mapping:
            counts[key] = counts.get(key, 0) + 1
    return sorted(key for key, count in counts.items() if count > 1)


def _load_differences(runs: Sequence[RunFacts]) -> list[Difference]:
    differences = []
    kinds = tuple(run.load_kind for run in runs)
    if len(set(kinds)) > 1:
        known = {kind for kind in kinds if kind is not None}
        verdict = Verdict.NOT_COMPARABLE if len(known) > 1 else Verdict.CONDITIONAL
        effect = LOAD_KIND_EFFECT if len(known) > 1 else _unknown(LOAD_KIND_EFFECT)
        differences.append(
            Difference(
                field="load_kind",
                label="Kind of load",
                values=kinds,
                effect=effect,
                verdict=verdict,
            )
        )
    for item in LOAD_FIELDS:
        values = tuple(run.load.get(item.name) for run in runs)
        if len(set(values)) > 1:
            known_values = {value for value in values if value is not None}
            effect = item.effect if len(known_values) > 1 else _unknown(item.effect)
            differences.append(
                Difference(
                    field=item.name,
                    label=item.label,
                    values=values,
                    effect=effect,
                    verdict=Verdict.CONDITIONAL,
                )
            )
    if len({run.complete for run in runs}) > 1:
        differences.append(
            Difference(
                field="complete",
                label="Completeness",
                values=tuple("complete" if run.complete else "partial" for run in runs),
                effect=PARTIAL_EFFECT,
                verdict=Verdict.CONDITIONAL,
            )
        )
    return differences


def _unknown(effect: str) -> str:
    return f"Unknown on one side. If it differs: {effect[0].lower()}{effect[1:]}"


_FIELDS_BY_NAME = {item.name: item for item in LOAD_FIELDS}


def _touches(difference: Difference, metric: str) -> bool:
    """Whether a difference of the load bears on the metric."""
    known = METRICS.get(metric)
    if difference.field == "load_kind":
        return known is None or (
            known.group in _SPEED_GROUPS and metric not in _INDEPENDENT_OF_LOAD
        )
    if difference.field == "complete":
        return metric not in _INDEPENDENT_OF_LOAD
    return _FIELDS_BY_NAME[difference.field].affects(metric)


def common_definitions(
    sets: Sequence[frozenset[str | None] | None],
) -> frozenset[str | None]:
    """Return the definitions that all runs which have the metric share."""
    present = [item for item in sets if item]
    return frozenset.intersection(*present) if present else frozenset()


def _definition_difference(
    metric: str, sets: Sequence[frozenset[str | None] | None]
) -> Difference | None:
    """Return how the definitions of a metric differ, None where the runs share one."""
    if common_definitions(sets):
        return None
    known = METRICS.get(metric)
    present = [item for item in sets if item]
    one_unknown = any(item == {None} for item in present)
    stated = [item - {None} for item in present if item != {None}]
    shared = bool(stated) and bool(frozenset.intersection(*stated))
    verdict = Verdict.CONDITIONAL if one_unknown and shared else Verdict.NOT_COMPARABLE
    effect = f"{metric_label(metric)} was computed in different ways: it cannot be compared."
    if verdict == Verdict.CONDITIONAL:
        effect = f"How {metric_label(metric).lower()} was computed is not stated on one side."

    def named(item: frozenset[str | None] | None) -> str | None:
        if not item:
            return None
        labels = []
        for definition_id in sorted(item, key=str):
            definition = known.definition(definition_id) if known else None
            labels.append(definition.label if definition else definition_id or "not stated")
        return ", ".join(labels)

    return Difference(
        field=f"definition:{metric}",
        label=f"Definition of {metric_label(metric).lower()}",
        values=tuple(named(item) for item in sets),
        effect=effect,
        verdict=verdict,
    )


def _score_verdict(scores: Sequence[tuple[str, bool]]) -> Verdict:
    protocols = {protocol for protocol, _complete in scores}
    completeness = {complete for _protocol, complete in scores}
    if len(protocols) > 1 or len(completeness) > 1:
        return Verdict.NOT_COMPARABLE
    return Verdict.STRICT if completeness == {True} else Verdict.CONDITIONAL


def _score_difference(slug: str, runs: Sequence[RunFacts], verdict: Verdict) -> Difference:
    values = []
    for run in runs:
        protocol, complete = run.scores.get(slug, (None, True))
        values.append(protocol if complete or protocol is None else f"{protocol} (partial)")
    return Difference(
        field=f"protocol:{slug}",
        label=f"Protocol of {slug}",
        values=tuple(values),
        effect=PARTIAL_SCORES_EFFECT if verdict == Verdict.CONDITIONAL else PROTOCOL_EFFECT,
        verdict=verdict,
    )

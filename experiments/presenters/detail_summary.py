"""A run in five seconds: on what, under which load, how fast, how good, how sure."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.models import BenchmarkScore
from benchsite.common.templatetags.figures import count, figure, known, plus_minus
from experiments.comparison import spreads_of_means
from experiments.detail import RepeatSummary, RunDetail
from experiments.grid.query import DEFAULT_BENCHMARK
from experiments.metrics import definition_rank
from experiments.models import Measurement, TestRun
from experiments.presenters.labels import Quantity, backend_label, load_label, quantity
from experiments.redaction import redact

_HEADLINE = ("tokens_per_second", "prompt_processing_speed", "ttft_ms", "tokens_per_kwh")
_SPEEDS = ("tokens_per_second", "prompt_processing_speed")


@dataclass(frozen=True, kw_only=True)
class ScoreSummary:
    """The score that stands for the quality of the variant, and on how many others it has one."""

    score: BenchmarkScore
    text: str
    others: int


@dataclass(frozen=True, kw_only=True)
class Sureness:
    """How far the speed can be trusted: repeats of the configuration, samples in this run."""

    runs: int
    spread_of_runs: str
    samples: str


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What the head of the page tells; `not_known` names what could stand there and does not."""

    where: str
    load: str
    load_details: str
    quantities: tuple[Quantity, ...]
    quality: ScoreSummary | None
    sureness: Sureness
    not_known: tuple[str, ...]


def summary_of(detail: RunDetail) -> Summary:
    """Sum a run up."""
    run = detail.run
    quantities = _quantities(detail.measurements)
    quality = _quality(detail)
    missing = [item.label for item in quantities if item.value is None]
    return Summary(
        where=f"on {run.hardware.platform} with {backend_label(run.backend, run.backend_version)}",
        load=load_label(run, run.configuration.load_class),
        load_details=_load_details(run),
        quantities=tuple(item for item in quantities if item.value is not None),
        quality=quality,
        sureness=_sureness(detail),
        not_known=tuple(missing if quality else [*missing, "Quality"]),
    )


def _load_details(run: TestRun) -> str:
    parts = [
        run.get_load_kind_display() if run.load_kind else "",
        "" if run.input_tokens is None else f"{count(run.input_tokens)} tokens in",
        "" if run.output_tokens is None else f"{count(run.output_tokens)} tokens out",
        f"depth {count(run.context_depth)}" if run.context_depth else "",
        f"batch {count(run.batch_size)}" if run.batch_size else "",
        known(redact(run.dataset_name)) if run.dataset_name else "",
    ]
    return " · ".join(part for part in parts if part)


def _quantities(measurements: Sequence[Measurement]) -> tuple[Quantity, ...]:
    """Return the headline figures, the speed first; memory is the mean one, else the peak."""
    means = _leading_means(measurements)
    spreads = spreads_of_means(measurements)
    is_peak_alone = "peak_memory_gb" in means and "memory_usage_gb" not in means
    memory = "peak_memory_gb" if is_peak_alone else "memory_usage_gb"
    return tuple(
        quantity(
            metric,
            means.get(metric),
            spread=spreads.get((metric, means[metric].definition)) if metric in means else None,
        )
        for metric in (*_HEADLINE[:3], memory, *_HEADLINE[3:])
    )


def _leading_means(measurements: Sequence[Measurement]) -> dict[str, Measurement]:
    """Return the mean of each metric, under the definition that stands for it."""
    means: dict[str, Measurement] = {}
    for item in sorted(
        measurements, key=lambda item: definition_rank(item.metric, item.definition)
    ):
        if item.statistic == "mean":
            means.setdefault(item.metric, item)
    return means


def _quality(detail: RunDetail) -> ScoreSummary | None:
    """Return the score on the grid's default benchmark, else the first whole and current one."""
    scores = [entry.score for entry in detail.scores]
    if not scores:
        return None
    chosen = min(
        scores,
        key=lambda score: (
            score.benchmark.slug != DEFAULT_BENCHMARK or not score.is_current,
            not score.is_current,
            score.benchmark.name,
        ),
    )
    return ScoreSummary(
        score=chosen, text=plus_minus(chosen.score, chosen.stderr), others=len(scores) - 1
    )


def _sureness(detail: RunDetail) -> Sureness:
    """Return how sure the generation speed is, or where there is none the prompt speed."""
    means = _leading_means(detail.measurements)
    speed = next((means[metric] for metric in _SPEEDS if metric in means), None)
    repeats = next((item for item in detail.repeat_summaries if _is_of(item, speed)), None)
    samples = speed.sample_count if speed else None
    return Sureness(
        runs=repeats.runs if repeats else 1,
        spread_of_runs=_spread_of_runs(repeats),
        samples=f"{count(samples)} sample{'s' if samples > 1 else ''} in this run"
        if samples
        else "number of samples not stated",
    )


def _is_of(item: RepeatSummary, speed: Measurement | None) -> bool:
    return speed is not None and (item.metric, item.definition) == (speed.metric, speed.definition)


def _spread_of_runs(item: RepeatSummary | None) -> str:
    if item is None or item.runs < 2:
        return "measured once: the spread between runs is not known"
    lowest, highest = figure(item.lowest), figure(item.highest)
    return f"{lowest} to {highest} {item.unit}, median {figure(item.median)}"

"""Whether the figures of a run can be true together: arithmetic alone (no Django).

What does not fit is a warning that stays with the run; no run is refused for being fast.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from experiments.formats.documents import MeasurementDocument, Problem, RunDocument
from experiments.formats.loads import ALL_AT_ONCE

MEMORY_TOLERANCE = 1.2
"""How far a dense model may seem to outrun memory: embeddings (up to 8 % of the weights) are not
read, overclocked memory gives 10 % more, and nobody reaches 100 %."""

SMALLEST_WEIGHTS_GB = 1.0
"""Below this, caches (96 MB on an RX 7900 XTX) hold a share of the weights that counts."""

FLIGHT_TOLERANCE = 1.15
"""A client never has more in flight than its limit; the rest is rounding, and clients that count
a request's wait for a free connection into its latency."""

LATENCY_TOLERANCE = 2.0
"""Means over requests of unlike lengths do not multiply: where short answers weigh in TPOT, honest
files are off by up to 1.7 (SGLang's random lengths). Wrong units are off by 1,000."""

RATE_TOLERANCE = 1.2
"""A rate over time may leave quiet seconds out, and the last requests may be cut off: honest files
stay within some percent. GuideLLM's rate while tokens hide in reasoning is off by 5."""

_EXPERTS = re.compile(
    r"""moe | mixtral | \d+b?x\d | (?<![a-z0-9])[ae]\d+(\.\d+)?b(?![a-z0-9])
    | gpt-?oss | deepseek | kimi | minimax | glm | grok | dbrx | arctic | jamba | llama-?4
    | granite-?4 | qwen3-?next | coder-next""",
    re.VERBOSE | re.IGNORECASE,
)
_SPECULATES = re.compile(r"specul|draft|mtp|eagle|medusa|accept_len|acc_len", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class KnownFacts:
    """What the site knows of a run's model and machine beside its document; None = not known.

    `bandwidth_gb_per_s` is that of all GPUs used together.
    """

    weights_gb: float | None = None
    parameters: int | None = None
    active_parameters: int | None = None
    bits_per_weight: float | None = None
    bandwidth_gb_per_s: float | None = None


def doubts(run: RunDocument, known: KnownFacts) -> list[Problem]:
    """Return a warning, at the place of the run, for each pair of figures that cannot both be."""
    if run.status != "completed":
        return []
    figures = _Figures(run)
    found = (
        _outruns_memory(run, figures, known),
        _breaks_littles_law(run, figures),
        *_latencies_apart(run, figures),
        _rate_apart(run, figures),
    )
    return [Problem(run.path, *doubt) for doubt in found if doubt]


Doubt = tuple[str, str]
"""A message, and the figures that it is about."""


class _Figures:
    """The means of a run by metric and definition."""

    def __init__(self, run: RunDocument) -> None:
        self._means: dict[str, dict[str | None, float]] = {}
        for item in run.measurements:
            if item.statistic == "mean" and not _is_derived(item):
                self._means.setdefault(item.metric, {})[item.definition] = item.value

    def of(self, metric: str, *, without: tuple[str, ...] = ()) -> dict[str | None, float]:
        """Return the means of a metric by definition, but for those of some definitions."""
        means = self._means.get(metric, {})
        return {name: value for name, value in means.items() if name not in without}

    def one(self, metric: str, *definitions: str | None) -> float | None:
        """Return the mean of a metric under the first of these definitions that it has."""
        means = self._means.get(metric, {})
        return next((means[name] for name in definitions if name in means), None)


def _is_derived(item: MeasurementDocument) -> bool:
    """Tell figures that were computed from others: they fit those by themselves."""
    return bool(item.derived_from)


def _outruns_memory(run: RunDocument, figures: _Figures, known: KnownFacts) -> Doubt | None:
    """Every token of one stream reads all weights of a dense model once.

    So tok/s × GB of weights ≤ GB/s of memory (the roofline of decoding, arXiv 2402.16363).
    """
    speeds = figures.of("tokens_per_second", without=("busiest_second",))
    weights_gb = _weights_gb(run, figures, known)
    bandwidth = known.bandwidth_gb_per_s
    if not (speeds and weights_gb and bandwidth) or weights_gb < SMALLEST_WEIGHTS_GB:
        return None
    if not _is_single_stream(run) or _speculates(run) or _has_experts(run, known):
        return None
    speed = max(speeds.values())
    if speed * weights_gb <= MEMORY_TOLERANCE * bandwidth:
        return None
    return (
        "Faster than memory allows: one stream of a dense model reads all its weights for each "
        "token. Are speed, quantization and GPUs right, or did the server speculate?",
        f"{speed:,.4g} tok/s × {weights_gb:,.3g} GB = {speed * weights_gb:,.4g} GB/s; "
        f"memory gives {bandwidth:,.4g} GB/s",
    )


def _weights_gb(run: RunDocument, figures: _Figures, known: KnownFacts) -> float | None:
    stated = figures.one("model_size_gb", None) or run.model.weights_gb or known.weights_gb
    parameters = run.model.parameters or known.parameters
    if stated or not (parameters and known.bits_per_weight):
        return stated
    return parameters * known.bits_per_weight / 8 / 1e9


def _is_single_stream(run: RunDocument) -> bool:
    return run.workload.concurrent_requests == 1 and run.workload.batch_size in (None, 1)


def _speculates(run: RunDocument) -> bool:
    settings = {**run.setup.settings, **run.setup.speed_settings}
    return bool(run.setup.speculation) or any(
        value and _SPECULATES.search(name) for name, value in settings.items()
    )


def _has_experts(run: RunDocument, known: KnownFacts) -> bool:
    """Tell a mixture of experts, which reads a part of its weights only, by facts or by names."""
    names = (run.model.model_name or "", *map(str, run.extra_names.values()))
    active, parameters = known.active_parameters, run.model.parameters or known.parameters
    is_part = active is not None and (parameters is None or active < parameters)
    return is_part or any(map(_EXPERTS.search, names))


def _breaks_littles_law(run: RunDocument, figures: _Figures) -> Doubt | None:
    """Requests in flight = requests/s × mean latency (Little 1961), and a client limits them."""
    limit = run.workload.concurrent_requests
    rate = figures.one("requests_per_second", "wall_clock", "rate_over_time", None)
    e2e_ms = figures.one("e2e_latency_ms", "client", None)
    if not (limit and rate and e2e_ms) or run.workload.load_pattern == ALL_AT_ONCE:
        return None
    in_flight = rate * e2e_ms / 1000
    if in_flight <= FLIGHT_TOLERANCE * limit:
        return None
    return (
        "More requests in flight than the stated concurrency allows (requests/s × mean E2E).",
        f"{rate:,.4g} req/s × {e2e_ms / 1000:,.4g} s = {in_flight:,.4g}; at most {limit:,}",
    )


def _latencies_apart(run: RunDocument, figures: _Figures) -> Iterator[Doubt]:
    """E2E = TTFT + TPOT × (n − 1), or TPOT × n where TPOT counts the first token in."""
    e2e_ms = figures.one("e2e_latency_ms", "client", None)
    ttft_ms = figures.one("ttft_ms", "client", None)
    tokens = run.workload.output_tokens
    if not (e2e_ms and tokens):
        return
    without_first = figures.one("tpot_ms", "excl_first")
    with_first = figures.one("tpot_ms", "incl_first")
    if ttft_ms and without_first and tokens > 1:
        sum_ms = ttft_ms + without_first * (tokens - 1)
        terms = f"{ttft_ms:,.4g} ms + {without_first:,.4g} ms × {tokens - 1:,.4g}"
        if _is_apart(sum_ms, e2e_ms, LATENCY_TOLERANCE):
            yield (
                "TTFT + TPOT × (tokens − 1) is far from the end-to-end latency.",
                f"{terms} = {sum_ms:,.4g} ms; E2E {e2e_ms:,.4g} ms",
            )
    if with_first and _is_apart(with_first * tokens, e2e_ms, LATENCY_TOLERANCE):
        yield (
            "TPOT (first token included) × tokens is far from the end-to-end latency.",
            f"{with_first:,.4g} ms × {tokens:,.4g} = {with_first * tokens:,.4g} ms; "
            f"E2E {e2e_ms:,.4g} ms",
        )


def _rate_apart(run: RunDocument, figures: _Figures) -> Doubt | None:
    """Generated tokens ÷ duration = requests/s × mean tokens of an answer."""
    tokens = run.workload.output_tokens
    speed = figures.one("tokens_per_second", "wall_clock", "rate_over_time")
    rate = figures.one("requests_per_second", "wall_clock", "rate_over_time")
    if not (tokens and speed and rate) or not _is_apart(rate * tokens, speed, RATE_TOLERANCE):
        return None
    return (
        "The stated generation speed is not that of its tokens over the whole duration.",
        f"{rate:,.4g} req/s × {tokens:,.4g} tokens = {rate * tokens:,.4g} tok/s; "
        f"stated {speed:,.4g} tok/s",
    )


def _is_apart(one: float, other: float, tolerance: float) -> bool:
    """Tell whether one of two figures is more than `tolerance` times the other."""
    return max(one, other) > tolerance * min(one, other)

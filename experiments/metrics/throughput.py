"""How much is done in a second: tokens and requests, in all, for each user, on each GPU."""

from experiments.metrics.model import Definition, Metric, MetricGroup
from experiments.metrics.sources import (
    AIPERF,
    GUIDELLM,
    INFERENCEX,
    LLAMA_BENCH,
    LLMPERF,
    LOADGEN,
    VLLM_BENCH,
)

_DECODE = Definition(
    id="decode",
    label="decode only",
    formula="generated tokens ÷ time spent generating them; prefill is left out",
    source=LLAMA_BENCH,
)
_PREFILL = Definition(
    id="prefill",
    label="prefill only",
    formula="prompt tokens ÷ time spent on the prompt alone",
    source=LLAMA_BENCH,
)


def _wall_clock(counted: str, source: str = VLLM_BENCH, *, per_gpu: bool = False) -> Definition:
    """Return the definition of a rate over the duration of a whole benchmark."""
    share = " ÷ GPUs used" if per_gpu else ""
    return Definition(
        id="wall_clock",
        label="wall clock",
        formula=f"{counted} ÷ duration of the whole benchmark{share}",
        source=source,
    )


def _of_some_gpus(phase: str, counted: str) -> Definition:
    """Return the definition of a rate that a disaggregated server reaches per GPU of one phase."""
    return Definition(
        id=f"wall_clock_{phase}_gpus",
        label=f"wall clock, {phase} GPUs",
        formula=f"{counted} ÷ duration of the whole benchmark ÷ GPUs that {phase} (disaggregated)",
        source=INFERENCEX,
    )


def _over_time(counted: str) -> Definition:
    """Return the definition of a mean of GuideLLM's rates, which may leave quiet time out."""
    return Definition(
        id="rate_over_time",
        label="rate over time",
        formula=f"mean over time of the rate at which {counted}, as GuideLLM counts it",
        source=GUIDELLM,
    )


THROUGHPUT_METRICS = (
    Metric(
        key="tokens_per_second",
        label="Generation speed",
        short_label="tok/s",
        unit="tok/s",
        higher_is_better=True,
        group=MetricGroup.THROUGHPUT,
        measures="Generated tokens per second, summed over all requests in flight.",
        plausible=(0.01, 1_000_000),
        definitions=(
            _DECODE,
            _wall_clock("generated tokens of all requests"),
            _over_time("tokens arrive"),
            Definition(
                id="busiest_second",
                label="busiest second",
                formula="most tokens that arrived within one second of the benchmark",
                source=VLLM_BENCH,
            ),
            Definition(
                id="latency_bound",
                label="MLPerf, within latency limits",
                formula="generated tokens ÷ duration at the highest rate of arrivals at which the "
                "99th percentiles of TTFT and TPOT stay within the benchmark's limits",
                source=LOADGEN,
            ),
        ),
    ),
    Metric(
        key="tokens_per_second_per_user",
        label="Generation speed per user",
        short_label="tok/s/user",
        unit="tok/s/user",
        higher_is_better=True,
        group=MetricGroup.THROUGHPUT,
        measures="Generated tokens per second that one user sees while the load is on.",
        plausible=(0.01, 10_000),
        definitions=(
            Definition(
                id="per_request",
                label="per request",
                formula="mean over requests of (generated tokens − 1) ÷ (E2E latency − TTFT)",
                source=AIPERF,
            ),
            Definition(
                id="per_request_e2e",
                label="per request, TTFT included",
                formula="mean over requests of generated tokens ÷ E2E latency",
                source=LLMPERF,
            ),
            Definition(
                id="inverse_tpot",
                label="1000 ÷ TPOT",
                formula="1000 ÷ mean TPOT in ms; percentiles likewise, p1 from the p99 of TPOT",
                source=INFERENCEX,
            ),
        ),
    ),
    Metric(
        key="tokens_per_second_per_gpu",
        label="Generation speed per GPU",
        short_label="tok/s/GPU",
        unit="tok/s/GPU",
        higher_is_better=True,
        group=MetricGroup.THROUGHPUT,
        measures="Generated tokens per second divided by the GPUs used.",
        plausible=(0.01, 100_000),
        definitions=(
            _wall_clock("generated tokens of all requests", INFERENCEX, per_gpu=True),
            _of_some_gpus("decode", "generated tokens of all requests"),
        ),
    ),
    Metric(
        key="prompt_processing_speed",
        label="Prompt speed",
        short_label="prompt tok/s",
        unit="tok/s",
        higher_is_better=True,
        group=MetricGroup.THROUGHPUT,
        measures="Prompt tokens processed per second (prefill).",
        plausible=(0.1, 10_000_000),
        definitions=(
            _PREFILL,
            _wall_clock("prompt tokens of all requests"),
            _over_time("prompt tokens are taken in"),
            Definition(
                id="per_request",
                label="per request",
                formula="mean over requests of prompt tokens ÷ TTFT",
                source=AIPERF,
            ),
        ),
    ),
    Metric(
        key="prompt_processing_speed_per_gpu",
        label="Prompt speed per GPU",
        short_label="prompt tok/s/GPU",
        unit="tok/s/GPU",
        higher_is_better=True,
        group=MetricGroup.THROUGHPUT,
        measures="Prompt tokens processed per second divided by the GPUs used.",
        plausible=(0.01, 1_000_000),
        definitions=(
            _wall_clock("prompt tokens of all requests", INFERENCEX, per_gpu=True),
            _of_some_gpus("prefill", "prompt tokens of all requests"),
        ),
    ),
    Metric(
        key="total_tokens_per_second",
        label="Total token throughput",
        short_label="in + out tok/s",
        unit="tok/s",
        higher_is_better=True,
        group=MetricGroup.THROUGHPUT,
        measures="Prompt and generated tokens per second together; never a generation speed.",
        plausible=(0.01, 10_000_000),
        definitions=(
            _wall_clock("(prompt + generated tokens) of all requests"),
            _over_time("prompt and generated tokens are handled"),
            Definition(
                id="isolated_mixed",
                label="one prompt and its answer",
                formula="(n_prompt + n_gen) ÷ time of both, one after the other",
                source=LLAMA_BENCH,
            ),
        ),
    ),
    Metric(
        key="total_tokens_per_second_per_gpu",
        label="Total token throughput per GPU",
        short_label="in + out tok/s/GPU",
        unit="tok/s/GPU",
        higher_is_better=True,
        group=MetricGroup.THROUGHPUT,
        measures="Prompt and generated tokens per second together, divided by the GPUs used.",
        plausible=(0.01, 1_000_000),
        definitions=(
            _wall_clock("(prompt + generated tokens) of all requests", INFERENCEX, per_gpu=True),
        ),
    ),
    Metric(
        key="requests_per_second",
        label="Request throughput",
        short_label="req/s",
        unit="req/s",
        higher_is_better=True,
        group=MetricGroup.THROUGHPUT,
        measures="Requests completed per second.",
        plausible=(0.00001, 100_000),
        definitions=(_wall_clock("completed requests"), _over_time("requests are completed")),
    ),
    Metric(
        key="goodput_requests_per_second",
        label="Goodput",
        short_label="good req/s",
        unit="req/s",
        higher_is_better=True,
        group=MetricGroup.THROUGHPUT,
        measures="Requests per second that met the stated latency targets.",
        plausible=(0, 100_000),
        definitions=(
            _wall_clock("completed requests that met every target"),
            _over_time("requests that met every target are completed"),
        ),
    ),
)

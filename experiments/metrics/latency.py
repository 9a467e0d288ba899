"""How long people wait: for the first token, for each further one, for the whole answer."""

from experiments.metrics.model import Definition, Metric, MetricGroup
from experiments.metrics.sources import (
    GUIDELLM,
    GUIDELLM_FIRST,
    LOADGEN,
    OLLAMA,
    SGLANG_ONE_BATCH,
    SGLANG_SERVING,
    VLLM_BENCH,
    VLLM_LATENCY,
)

LATENCY_METRICS = (
    Metric(
        key="ttft_ms",
        label="Time to first token",
        short_label="TTFT",
        unit="ms",
        higher_is_better=False,
        group=MetricGroup.LATENCY,
        measures="From sending a request until its first token arrives at the client.",
        plausible=(0.1, 3_600_000),
        definitions=(
            Definition(
                id="client",
                label="at the client",
                formula="arrival of the first token − sending of the request",
                source=VLLM_BENCH,
            ),
            Definition(
                id="first_output_token",
                label="first token of the answer",
                formula="arrival of the first token after the reasoning − sending of the request",
                source=GUIDELLM,
            ),
            Definition(
                id="whole_batch",
                label="prefill of a whole batch",
                formula="time until every request of a batch sent at once has its first token",
                source=SGLANG_ONE_BATCH,
            ),
        ),
    ),
    Metric(
        key="tpot_ms",
        label="Time per output token",
        short_label="TPOT",
        unit="ms",
        higher_is_better=False,
        group=MetricGroup.LATENCY,
        measures="Time that one generated token takes, a mean for each request.",
        plausible=(0.01, 600_000),
        definitions=(
            Definition(
                id="excl_first",
                label="without the first token",
                formula="(E2E latency − TTFT) ÷ (generated tokens − 1)",
                source=VLLM_BENCH,
            ),
            Definition(
                id="incl_first",
                label="with the first token",
                formula="E2E latency ÷ generated tokens",
                source=GUIDELLM,
            ),
            Definition(
                id="decode_over_all",
                label="decode time over all tokens",
                formula="(E2E latency − TTFT) ÷ generated tokens, the first counted",
                source=GUIDELLM_FIRST,
            ),
        ),
    ),
    Metric(
        key="itl_ms",
        label="Inter-token latency",
        short_label="ITL",
        unit="ms",
        higher_is_better=False,
        group=MetricGroup.LATENCY,
        measures="The gap between one token and the next as the client sees it.",
        plausible=(0.01, 600_000),
        definitions=(
            Definition(
                id="all_gaps",
                label="over all gaps",
                formula="mean over every gap of every request",
                source=VLLM_BENCH,
            ),
            Definition(
                id="gaps_by_token",
                label="gaps divided by their tokens",
                formula="gap before a piece of the answer ÷ its tokens, once for each of them",
                source=SGLANG_SERVING,
            ),
            Definition(
                id="decode_steps",
                label="steps of a batch",
                formula="time of one decode step, which gives each request of a batch a token",
                source=SGLANG_ONE_BATCH,
            ),
        ),
    ),
    Metric(
        key="e2e_latency_ms",
        label="End-to-end latency",
        short_label="E2E",
        unit="ms",
        higher_is_better=False,
        group=MetricGroup.LATENCY,
        measures="From sending a request until its last token arrives.",
        plausible=(0.1, 86_400_000),
        definitions=(
            Definition(
                id="client",
                label="at the client",
                formula="arrival of the last token − sending of the request",
                source=VLLM_BENCH,
            ),
            Definition(
                id="whole_batch",
                label="a whole batch",
                formula="time from handing over a batch until its last request is done",
                source=VLLM_LATENCY,
            ),
            Definition(
                id="server",
                label="at the server",
                formula="total_duration: arrival of the request until the answer is done, loading "
                "the model included",
                source=OLLAMA,
            ),
            Definition(
                id="single_stream",
                label="MLPerf SingleStream",
                formula="90th percentile of the latency of queries sent one after another",
                source=LOADGEN,
            ),
        ),
    ),
    Metric(
        key="model_loading_time",
        label="Model loading time",
        short_label="load",
        unit="s",
        higher_is_better=False,
        group=MetricGroup.LATENCY,
        measures="Time until the model can answer its first request.",
        plausible=(0.001, 86_400),
    ),
)

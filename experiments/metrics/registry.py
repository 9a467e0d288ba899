"""The metric registry: the one place that says what each metric means."""

from experiments.metrics.model import Definition, Metric, MetricGroup

LLAMA_BENCH = "https://github.com/ggml-org/llama.cpp/tree/master/tools/llama-bench"
VLLM_BENCH = "https://github.com/vllm-project/vllm/blob/main/vllm/benchmarks/serve.py"
GUIDELLM = "https://github.com/vllm-project/guidellm/blob/main/docs/guides/metrics.md"
GENAI_PERF = "https://docs.nvidia.com/nim/benchmarking/llm/latest/metrics.html"
LLM_BENCH = "https://github.com/lhl/strix-halo-testing/tree/main/llm-bench"
MLPERF = "https://github.com/mlcommons/inference_policies/blob/master/power_measurement.adoc"

DECODE = Definition(
    id="decode",
    label="decode only",
    formula="generated tokens ÷ time spent generating them; prefill is left out",
    source=LLAMA_BENCH,
)
WALL_CLOCK = Definition(
    id="wall_clock",
    label="wall clock",
    formula="generated tokens of all requests ÷ duration of the whole benchmark",
    source=VLLM_BENCH,
)
PREFILL = Definition(
    id="prefill",
    label="prefill only",
    formula="prompt tokens ÷ time spent on the prompt alone",
    source=LLAMA_BENCH,
)
PROMPT_WALL_CLOCK = Definition(
    id="wall_clock",
    label="wall clock",
    formula="prompt tokens of all requests ÷ duration of the whole benchmark",
    source=VLLM_BENCH,
)

_METRICS = (
    Metric(
        key="tokens_per_second",
        label="Generation speed",
        short_label="tok/s",
        unit="tok/s",
        higher_is_better=True,
        group=MetricGroup.THROUGHPUT,
        measures="Generated tokens per second, summed over all requests in flight.",
        plausible=(0.01, 1_000_000),
        definitions=(DECODE, WALL_CLOCK),
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
                formula="mean over requests of generated tokens ÷ (E2E latency − TTFT)",
                source=GENAI_PERF,
            ),
            Definition(
                id="inverse_tpot",
                label="1000 ÷ TPOT",
                formula="1000 ÷ mean TPOT in ms",
                source=VLLM_BENCH,
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
        definitions=(WALL_CLOCK,),
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
        definitions=(PREFILL, PROMPT_WALL_CLOCK),
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
            Definition(
                id="wall_clock",
                label="wall clock",
                formula="(prompt + generated tokens) of all requests ÷ benchmark duration",
                source=VLLM_BENCH,
            ),
            Definition(
                id="isolated_mixed",
                label="one prompt and its answer",
                formula="(n_prompt + n_gen) ÷ time of both, one after the other",
                source=LLAMA_BENCH,
            ),
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
    ),
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
                id="per_request_mean",
                label="mean of request means",
                formula="mean over requests of the mean gap of each",
                source=GENAI_PERF,
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
    Metric(
        key="memory_usage_gb",
        label="Memory used",
        short_label="memory",
        unit="GB",
        higher_is_better=False,
        group=MetricGroup.MEMORY,
        measures="Memory in use while the model answers (GB = 10⁹ bytes), over all devices.",
        plausible=(0.01, 100_000),
    ),
    Metric(
        key="peak_memory_gb",
        label="Peak memory",
        short_label="peak memory",
        unit="GB",
        higher_is_better=False,
        group=MetricGroup.MEMORY,
        measures="Highest memory in use during the run (GB = 10⁹ bytes), over all devices.",
        plausible=(0.01, 100_000),
        definitions=(
            Definition(
                id="gpu_driver",
                label="GPU memory by its driver",
                formula="highest VRAM + highest GTT in use, by any program, as the driver says",
                source=LLM_BENCH,
            ),
        ),
    ),
    Metric(
        key="model_size_gb",
        label="Model size",
        short_label="size",
        unit="GB",
        higher_is_better=False,
        group=MetricGroup.MEMORY,
        measures="Size of the weights (GB = 10⁹ bytes); what runs needs more than this.",
        plausible=(0.001, 100_000),
    ),
    Metric(
        key="gpu_power_watts",
        label="GPU power",
        short_label="power",
        unit="W",
        higher_is_better=False,
        group=MetricGroup.ENERGY,
        measures="Mean electrical power while the load is on, over all GPUs used.",
        plausible=(0.1, 1_000_000),
        definitions=(
            Definition(
                id="gpu",
                label="GPU boards",
                formula="sum over the GPUs used of the board power they report",
                source=GENAI_PERF,
            ),
            Definition(
                id="gpu_whole_process",
                label="GPU boards, loading included",
                formula="board power over the whole life of the tool, from loading the model on",
                source=LLM_BENCH,
            ),
            Definition(
                id="wall",
                label="at the wall",
                formula="power of the whole machine at its plug",
                source=MLPERF,
            ),
        ),
    ),
    Metric(
        key="joules_per_token",
        label="Energy per token",
        short_label="J/token",
        unit="J/token",
        higher_is_better=False,
        group=MetricGroup.ENERGY,
        measures="Energy that one generated token takes.",
        plausible=(0.000001, 1_000_000),
    ),
    Metric(
        key="tokens_per_kwh",
        label="Tokens per kWh",
        short_label="tok/kWh",
        unit="tok/kWh",
        higher_is_better=True,
        group=MetricGroup.ENERGY,
        measures="Generated tokens for one kilowatt hour: tok/s × 3.6e6 ÷ mean W of the same run.",
        plausible=(1, 1e12),
        definitions=(
            Definition(
                id="gpu",
                label="GPU boards",
                formula="tokens_per_second × 3 600 000 ÷ gpu_power_watts (GPU boards)",
                source=GENAI_PERF,
            ),
            Definition(
                id="gpu_whole_process",
                label="GPU boards, loading included",
                formula="tokens_per_second × 3 600 000 ÷ mean board power, loading included",
                source=LLM_BENCH,
            ),
            Definition(
                id="wall",
                label="at the wall",
                formula="tokens_per_second × 3 600 000 ÷ power at the plug",
                source=MLPERF,
            ),
        ),
        derived=True,
    ),
    Metric(
        key="error_rate",
        label="Failed requests",
        short_label="errors",
        unit="%",
        higher_is_better=False,
        group=MetricGroup.RELIABILITY,
        measures="Share of the requests that failed.",
        plausible=(0, 100),
    ),
)

METRICS: dict[str, Metric] = {metric.key: metric for metric in _METRICS}


def get_metric(key: str) -> Metric | None:
    """Return the metric with this key, or None for one that the registry does not know."""
    return METRICS.get(key)


def metric_label(key: str) -> str:
    """Return the label of a metric; an unknown one is shown by the name it came with."""
    metric = METRICS.get(key)
    return metric.label if metric else key

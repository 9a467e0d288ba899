"""What a run takes: memory, energy, and requests that failed."""

from experiments.metrics.model import Definition, Metric, MetricGroup
from experiments.metrics.sources import GENAI_PERF, LLM_BENCH, MLPERF, SGLANG_MEMORY, VLLM_BENCH

RESOURCE_METRICS = (
    Metric(
        key="memory_usage_gb",
        label="Memory used",
        short_label="memory",
        unit="GB",
        higher_is_better=False,
        group=MetricGroup.MEMORY,
        measures="Memory in use while the model answers (GB = 10⁹ bytes), over all devices.",
        plausible=(0.01, 100_000),
        definitions=(
            Definition(
                id="engine_pools",
                label="what the engine holds",
                formula="(weights + KV cache + graphs of the engine on one GPU) × GPUs used",
                source=SGLANG_MEMORY,
            ),
        ),
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
        definitions=(
            Definition(
                id="of_sent",
                label="of the requests sent",
                formula="100 × failed requests ÷ (completed + failed requests)",
                source=VLLM_BENCH,
            ),
        ),
    ),
)

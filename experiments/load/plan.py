"""What is made up: the same for the same seed, plausible, and some of it far more popular."""

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MODELS, QUANTIZATIONS_EACH, PLATFORMS = 500, 4, 50
SHAPES = {"repeats": 0.02, "wide": 0.34}
"""Configurations for each run: `repeats` measures few again and again, `wide` measures many."""

_FAMILIES = (
    *("Aurora", "Birch", "Cedar", "Delta", "Ember", "Fjord", "Gale", "Harbor", "Iris", "Juniper"),
    *("Kestrel", "Lumen", "Maple", "Nimbus", "Onyx", "Prairie", "Quartz", "Ridge", "Sierra"),
    "Tundra",
)
_SIZES_B = (3, 8, 14, 32, 70)
_QUANTIZATIONS = {"Q4_K_M": 4.8, "Q8_0": 8.5, "FP8": 8.0, "BF16": 16.0}
_DEVICES = {  # memory of one (GB), its bandwidth (GB/s), its power (W)
    "NVIDIA GeForce RTX 3090": (24, 936, 350),
    "NVIDIA GeForce RTX 4090": (24, 1008, 450),
    "NVIDIA GeForce RTX 5090": (32, 1792, 575),
    "NVIDIA L4": (24, 300, 72),
    "NVIDIA L40S": (48, 864, 350),
    "NVIDIA A10": (24, 600, 150),
    "NVIDIA A100-SXM4-80GB": (80, 2039, 400),
    "NVIDIA H100 80GB HBM3": (80, 3350, 700),
    "NVIDIA H200": (141, 4800, 700),
    "NVIDIA B200": (180, 8000, 1000),
    "AMD Instinct MI300X": (192, 5300, 750),
    "NVIDIA RTX A6000": (48, 768, 300),
    "NVIDIA RTX 6000 Ada Generation": (48, 960, 300),
}
_GPU_COUNTS = (1, 2, 4, 8)
_BACKENDS = {  # versions, and how it is measured at one user and at several
    "llama.cpp": (("b6500", "b6900", "b7100"), "isolated", "serving"),
    "vllm": (("0.9.2", "0.10.1", "0.11.0"), "serving", "serving"),
    "sglang": (("0.4.9", "0.5.1", "0.5.4"), "serving", "serving"),
    "tensorrt-llm": (("1.0.0", "1.1.0"), "batch", "batch"),
}
_LOADS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_LENGTHS = ((128, 128), (512, 128), (1024, 1024), (2048, 256), (8192, 1024), (32768, 512))
_POPULARITY = 0.8  # exponent of Zipf's law


@dataclass(frozen=True)
class PlannedVariant:
    """A model in one quantization; `size_b` are its parameters in thousand millions."""

    model_name: str
    quantization: str
    lora_adapter: str
    size_b: int
    weights_gb: float
    score: float | None


@dataclass(frozen=True)
class PlannedMachine:
    """GPUs of one kind; memory in GB and bandwidth in GB/s of all together, power in W."""

    gpu_model: str
    gpu_count: int
    gpu_memory_gb: float
    bandwidth: float
    watts: float


@dataclass(frozen=True)
class PlannedConfiguration:
    """What runs are repeats of; variant and machine by their places in the plan."""

    variant: int
    machine: int
    backend: str
    backend_version: str
    load_kind: str
    concurrency: int
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True)
class Plan:
    """Everything to be written; `configuration_of_run` are places in `configurations`."""

    seed: int
    variants: Sequence[PlannedVariant]
    machines: Sequence[PlannedMachine]
    configurations: Sequence[PlannedConfiguration]
    configuration_of_run: Sequence[int]


def plan_load(*, runs: int, seed: int, shape: str) -> Plan:
    """Plan a load of so many runs; each configuration has at least one."""
    rng = random.Random(f"{seed} {shape} {runs}")  # noqa: S311 - no secret
    variants, machines = list(_variants(rng)), list(_machines())
    wanted = max(1, round(runs * SHAPES[shape]))
    configurations = _configurations(rng, len(variants), len(machines), wanted)
    repeats = rng.choices(range(wanted), cum_weights=_zipf(wanted), k=runs - wanted)
    of_run = [*range(wanted), *repeats]
    rng.shuffle(of_run)
    return Plan(seed, variants, machines, configurations, of_run)


def figures(
    rng: random.Random, plan: Plan, planned: PlannedConfiguration
) -> tuple[float, float, float, float, float, float, float, float]:
    """Return generation and prompt speed, TTFT, TPOT, E2E latency, memory, power, tokens a kWh.

    Memory bandwidth bounds what one user gets; more users share the weights that are read.
    """
    variant, machine = plan.variants[planned.variant], plan.machines[planned.machine]
    users = planned.concurrency
    one_user = 0.6 * machine.bandwidth / variant.weights_gb * rng.uniform(0.94, 1.06)
    speed = one_user * users / (1 + users / 40)
    prompt = 9 * one_user * (1 + users / (1 + users / 12)) * rng.uniform(0.97, 1.03)
    ttft_ms = 1000 * planned.input_tokens * users / prompt
    tpot_ms = 1000 * users / speed
    e2e_ms = ttft_ms + tpot_ms * planned.output_tokens
    kv_cache_gb = users * (planned.input_tokens + planned.output_tokens) * variant.size_b / 4e5
    memory = min(variant.weights_gb + kv_cache_gb, machine.gpu_memory_gb * machine.gpu_count)
    watts = machine.watts * rng.uniform(0.6, 0.9)
    return (speed, prompt, ttft_ms, tpot_ms, e2e_ms, memory, watts, speed * 3.6e6 / watts)


def _variants(rng: random.Random) -> Iterator[PlannedVariant]:
    names = itertools.product(range(1, 6), _SIZES_B, _FAMILIES)
    for number, (version, size_b, family) in enumerate(itertools.islice(names, MODELS)):
        for quantization, bits in _QUANTIZATIONS.items():
            is_scored = rng.random() < 0.5
            yield PlannedVariant(
                model_name=f"example/{family}-{version}-{size_b}B",
                quantization=quantization,
                lora_adapter="support-tickets" if number % 20 == 19 else "",
                size_b=size_b,
                weights_gb=size_b * bits / 8,
                score=40 + 8 * version + size_b / 7 + rng.gauss(0, 3) if is_scored else None,
            )


def _machines() -> Iterator[PlannedMachine]:
    every = itertools.product(_GPU_COUNTS, _DEVICES.items())
    for count, (name, (memory_gb, bandwidth, watts)) in itertools.islice(every, PLATFORMS):
        yield PlannedMachine(name, count, memory_gb, bandwidth * count, watts * count)


def _configurations(
    rng: random.Random, variants: int, machines: int, wanted: int
) -> list[PlannedConfiguration]:
    found: dict[PlannedConfiguration, None] = {}
    backends, popular_backends = list(_BACKENDS), _zipf(len(_BACKENDS))
    every_variant = rng.sample(range(variants), variants)
    every_machine = rng.sample(range(machines), machines)
    popular_variants, popular_machines = _zipf(variants), _zipf(machines)
    while len(found) < wanted:
        (variant,) = rng.choices(every_variant, cum_weights=popular_variants)
        (machine,) = rng.choices(every_machine, cum_weights=popular_machines)
        (backend,) = rng.choices(backends, cum_weights=popular_backends)
        versions, kind_of_one, kind_of_several = _BACKENDS[backend]
        users = rng.choice(_LOADS)
        kind = kind_of_one if users == 1 else kind_of_several
        lengths = rng.choice(_LENGTHS)
        planned = PlannedConfiguration(
            variant, machine, backend, rng.choice(versions), kind, users, *lengths
        )
        found[planned] = None
    return list(found)


def _zipf(count: int) -> list[float]:
    """Return cumulative weights: the n-th of `count` things is chosen in proportion to 1 ÷ n^s."""
    return list(itertools.accumulate(1 / (place + 1) ** _POPULARITY for place in range(count)))

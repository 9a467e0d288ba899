"""A run's facts under their labels: what ran, on what, how."""

from collections.abc import Iterable
from dataclasses import dataclass

from experiments.models import TestRun
from experiments.redaction import redact, redact_text

_REPORTED_LABELS = {
    "model_name": "Model",
    "quantization": "Quantization",
    "backend": "Backend",
    "gpu_model": "GPU",
    "cpu_model": "CPU",
}


@dataclass(frozen=True)
class Fact:
    """A label with a value; None = not known. `reported` is the name as uploaded, if another."""

    label: str
    value: object
    unit: str = ""
    reported: str = ""


@dataclass(frozen=True, kw_only=True)
class FactGroup:
    """Facts under a heading: those that are known, and the labels of those that are not."""

    id: str
    title: str
    known: tuple[Fact, ...]
    unknown: tuple[str, ...]


def fact_group(group_id: str, title: str, facts: Iterable[Fact]) -> FactGroup:
    """Part what is known from what is not, which takes a line instead of many."""
    every = tuple(facts)
    return FactGroup(
        id=group_id,
        title=title,
        known=tuple(fact for fact in every if fact.value not in (None, "")),
        unknown=tuple(fact.label for fact in every if fact.value in (None, "")),
    )


def what_facts(run: TestRun) -> tuple[Fact, ...]:
    """Return what ran."""
    variant = run.variant
    return (
        _named(run, "model_name", variant.model_name),
        _named(run, "quantization", variant.quantization),
        Fact("LoRA adapter", variant.lora_adapter or "none (base model)"),
        Fact("Parameters", variant.parameters),
        Fact("Active parameters", variant.active_parameters),
        Fact("Weights", variant.weights_gb, "GB"),
        _named(run, "backend", run.backend),
        Fact("Backend version", run.backend_version),
        Fact("Status", run.get_status_display() + ("" if run.complete else ", partial")),
    )


def machine_facts(run: TestRun) -> tuple[Fact, ...]:
    """Return what it ran on."""
    hardware = run.hardware
    gpu = _named(run, "gpu_model", hardware.gpu_model or "none (CPU only)")
    on_gpu = (
        Fact("GPUs used", hardware.gpu_count),
        Fact("Memory of each GPU", hardware.gpu_memory_gb, "GB"),
        Fact("GPU form", hardware.gpu_form),
    )
    return (
        Fact("Platform", str(hardware.platform)),
        Fact("Category", hardware.platform.get_category_display()),
        gpu,
        *(on_gpu if hardware.gpu_model else ()),
        _named(run, "cpu_model", hardware.cpu_model),
        Fact("CPU sockets", hardware.cpu_sockets),
        Fact("CPU architecture", hardware.cpu_arch),
        Fact("RAM", hardware.ram_gb, "GB"),
        Fact("RAM type", hardware.ram_type),
        Fact("Virtualization", hardware.virtualization_type),
        *((Fact("Label", hardware.label),) if hardware.label else ()),
    )


def _named(run: TestRun, key: str, value: object) -> Fact:
    reported = redact_text(str(run.reported_names.get(key, "")))
    return Fact(_REPORTED_LABELS[key], value, reported=reported)


def workload_facts(run: TestRun) -> tuple[Fact, ...]:
    """Return under which load it ran."""
    kind = run.get_load_kind_display() if run.load_kind else None
    return (
        Fact("Kind of load", kind),
        Fact("Concurrent requests", run.concurrent_requests),
        Fact("Request rate", run.request_rate, "req/s"),
        Fact("Input tokens", run.input_tokens, _asked(run.configured_input_tokens)),
        Fact("Output tokens", run.output_tokens, _asked(run.configured_output_tokens)),
        Fact("Context depth", run.context_depth, "tokens"),
        Fact("Maximum context", run.max_context_length, "tokens"),
        Fact("Batch size", run.batch_size),
        Fact("Load pattern", run.load_pattern),
        Fact("Dataset", redact(run.dataset_name)),
        Fact("GPU power limit", run.gpu_power_limit_watts, "W"),
    )


def _asked(tokens: int | None) -> str:
    return "a request" if tokens is None else f"a request (configured: {tokens:,})"


def setup_facts(run: TestRun) -> tuple[Fact, ...]:
    """Return the set-up as far as it is known: most tools state little of it."""
    facts = [
        Fact("Tensor parallel", run.tensor_parallel),
        Fact("Pipeline parallel", run.pipeline_parallel),
        Fact("Expert parallel", run.expert_parallel),
        Fact("Nodes", run.nodes),
        Fact("Speculation", run.speculation),
        Fact("KV cache", run.kv_cache_type),
        Fact("Optimizations", ", ".join(map(str, redact(run.optimizations))) or None),
        *(Fact(name, value) for name, value in sorted(redact(run.settings).items())),
    ]
    return tuple(fact for fact in facts if fact.value is not None)

"""What the configuration of GenAI-Perf or AIPerf says of model, load and lengths.

GenAI-Perf wrote its flat arguments in 2024 and sections in 2025; AIPerf writes other sections, and
phases, models and datasets since its schema 1. Sources:
https://github.com/triton-inference-server/perf_analyzer/tree/main/genai-perf and
https://github.com/ai-dynamo/aiperf/tree/main/src/aiperf/config
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from experiments.formats.loads import ClientLoad
from experiments.formats.numbers import positive

_MODELS = ("model", "model_names", "endpoint.model_names", "models.items", "models")
_CONCURRENCY = ("concurrency", "perf_analyzer.stimulus.concurrency", "loadgen.concurrency")
_RATE = ("request_rate", "perf_analyzer.stimulus.request_rate", "loadgen.request_rate")
_REQUESTS = ("request_count", "loadgen.request_count")
_ARRIVALS = ("loadgen.arrival_pattern", "loadgen.request_rate_mode")
_BURSTINESS = ("loadgen.arrival_smoothness",)
_STREAMING = ("streaming", "endpoint.streaming")
_INPUT_TOKENS = (
    "synthetic_input_tokens_mean", "input.synthetic_tokens.mean", "input.prompt.input_tokens.mean",
)  # fmt: skip
_OUTPUT_TOKENS = (
    "output_tokens_mean", "input.output_tokens.mean", "input.prompt.output_tokens.mean",
)  # fmt: skip
_PROMPT_SOURCE = ("prompt_source", "input.prompt_source")
_DATASET = ("input_dataset", "input.public_dataset", "input.custom_dataset_type")
_SERVICE = ("service_kind", "endpoint.service_kind")
_BACKEND = ("backend", "endpoint.backend")
# What perf_analyzer does unless another distribution is asked for.
_CONSTANT = frozenset({"constant"})
_UNKNOWN_LOAD = ClientLoad(rate=None, limit=None, requests=None)


@dataclass(frozen=True, kw_only=True)
class Configured:
    """The facts of a configuration; None is what it does not say.

    `several_loads` tells that phases of different load stand in one result.
    """

    model_names: tuple[str, ...]
    load: ClientLoad
    input_tokens: int | None
    output_tokens: int | None
    dataset_name: str | None
    backend: str | None
    streamed: bool | None
    several_loads: bool


def read_config(config: Mapping[str, Any]) -> Configured:
    """Return what a configuration says; what has another type than it should says nothing."""
    loads = {_phase_load(phase) for phase in _measured_phases(config)} or {_load(config)}
    several_loads = len(loads) > 1
    dataset = next(_items(config.get("datasets") or config.get("dataset")), {})
    synthetic = _text(_first(config, _PROMPT_SOURCE)) in (None, "synthetic")
    prompts = dataset.get("prompts")
    lengths = prompts if isinstance(prompts, dict) else {}
    input_tokens = _count(_first(config, _INPUT_TOKENS)) or _mean_length(lengths.get("isl"))
    streamed = _first(config, _STREAMING)
    return Configured(
        model_names=tuple(_model_names(config)),
        load=_UNKNOWN_LOAD if several_loads else loads.pop(),
        input_tokens=input_tokens if synthetic else None,
        output_tokens=_count(_first(config, _OUTPUT_TOKENS)) or _mean_length(lengths.get("osl")),
        dataset_name=_dataset_name(config, dataset, synthetic=synthetic and bool(input_tokens)),
        # With other services it is the default of an option that was not used.
        backend=_text(_first(config, _BACKEND)) if _first(config, _SERVICE) == "triton" else None,
        streamed=streamed if isinstance(streamed, bool) else None,
        several_loads=several_loads,
    )


def _load(config: Mapping[str, Any]) -> ClientLoad:
    """Return the load of a configuration without phases."""
    rate = _usable(_first(config, _RATE))
    arrivals = _text(_first(config, _ARRIVALS))
    return ClientLoad(
        rate=rate,
        limit=_count(_first(config, _CONCURRENCY)),
        requests=_count(_first(config, _REQUESTS)),
        burstiness=_usable(_first(config, _BURSTINESS)),
        constant=arrivals in _CONSTANT or (arrivals is None and rate is not None),
    )


def _phase_load(phase: Mapping[str, Any]) -> ClientLoad:
    return ClientLoad(
        rate=_usable(phase.get("rate")),
        limit=_count(phase.get("concurrency")),
        requests=_count(phase.get("requests")),
        burstiness=_usable(phase.get("smoothness")),
        constant=phase.get("type") == "constant",
    )


def _measured_phases(config: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the phases that results are made of: no warm-up is one."""
    for phase in _items(config.get("phases")):
        warm_up = "warmup" in (phase.get("kind"), phase.get("name"))
        if not warm_up and not phase.get("exclude_from_results"):
            yield phase


def _model_names(config: Mapping[str, Any]) -> Iterator[str]:
    found = _first(config, _MODELS)
    for item in found if isinstance(found, list) else [found]:
        name = item.get("name") if isinstance(item, dict) else item
        if isinstance(name, str) and name.strip():
            yield name


def _dataset_name(
    config: Mapping[str, Any], dataset: Mapping[str, Any], *, synthetic: bool
) -> str | None:
    named = _text(_first(config, _DATASET))
    if named is None and dataset.get("type") == "public":
        named = _text(dataset.get("dataset")) or _text(dataset.get("name"))
    return named or ("synthetic" if synthetic else None)


def _items(value: Any) -> Iterator[dict[str, Any]]:
    """Yield the objects of a list, or of an object that holds them by name."""
    if isinstance(value, dict):
        named = [{"name": name, **item} for name, item in value.items() if isinstance(item, dict)]
        yield from named or [value]
    elif isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def _first(config: Mapping[str, Any], paths: tuple[str, ...]) -> Any:
    """Return the first value that is there at one of these paths."""
    for path in paths:
        value: Any = config
        for key in path.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            return value
    return None


def _text(value: Any) -> str | None:
    return value.lower() if isinstance(value, str) and 0 < len(value) <= 100 else None


def _usable(value: Any) -> float | None:
    return positive(value, below=1e9)


def _count(value: Any) -> int | None:
    """Return a whole number above 0: −1 stands for what was not set."""
    number = _usable(value)
    return round(number) or None if number is not None else None


def _mean_length(value: Any) -> int | None:
    return _count(value.get("mean") if isinstance(value, dict) else value)

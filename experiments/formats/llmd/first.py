"""llm-d benchmark report 0.1: lists of hosts and engines that correspond, metrics at the top."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from experiments.formats.documents import ModelDocument
from experiments.formats.fields import Count, EpochTime, GpuMemory, OptionalName, PositiveCount
from experiments.formats.llmd.figures import FLAT_RATES, Latency, Measured, Requests, Statistics
from experiments.formats.llmd.load import native_load
from experiments.formats.llmd.reading import Reading
from experiments.formats.llmd.stack import Server, split_image
from experiments.formats.model_names import served_model
from experiments.formats.problems import join_path

_UNKNOWN = "unknown"  # what the converter writes where it does not know the model


class _Tolerant(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)


class _Accelerator(_Tolerant):
    model: str | None = None
    memory: GpuMemory | None = None
    count: Count = 0
    parallelism: dict[str, PositiveCount] = Field(default_factory=dict)


class _Host(_Tolerant):
    type: list[str] = Field(default_factory=list)
    accelerator: list[_Accelerator] = Field(default_factory=list)


class _Engine(_Tolerant):
    name: str | None = None
    version: OptionalName | None = None
    args: dict[str, Any] | None = None


class _Platform(_Tolerant):
    engine: list[_Engine] = Field(default_factory=list)


def _joined_names(value: Any) -> Any:
    """Return the names of all adapters as one; what is no list of them as it is."""
    if not isinstance(value, list):
        return "" if value is None else value
    names = [item.get("lora") for item in value if isinstance(item, dict)]
    return " + ".join(str(name) for name in names if name)


class _Model(_Tolerant):
    name: str | None = None
    quantization: str | None = None
    adapters: Annotated[OptionalName, BeforeValidator(_joined_names)] = ""


class _LoadSection(_Tolerant):
    name: str
    type: str | None = None
    args: dict[str, Any] | None = None


class _Scenario(_Tolerant):
    description: str | None = None
    host: _Host | None = None
    platform: _Platform | None = None
    model: _Model
    load: _LoadSection


class _Time(_Tolerant):
    duration: float | None = None
    start: EpochTime | None = None


class _Metrics(_Tolerant):
    time: _Time = Field(default_factory=_Time)
    requests: Requests
    latency: Latency
    throughput: dict[str, Any] = Field(default_factory=dict)


class _Report(_Tolerant):
    scenario: _Scenario
    metrics: _Metrics
    metadata: Any = None


def read_first(report: Mapping[str, Any], place: str) -> Reading:
    """Read a report of version 0.1; raises pydantic's ValidationError."""
    read = _Report.model_validate(report)
    scenario, metrics = read.scenario, read.metrics
    args = scenario.load.args or {}
    metadata = read.metadata if isinstance(read.metadata, dict) else {}
    return Reading(
        place=place,
        record=dict(report),
        given_id=None,
        models=(scenario.model.name,),
        variant=_variant(scenario.model),
        measured=Measured(
            place=join_path(place, "metrics"),
            tool=scenario.load.name,
            tool_version=None,
            requests=metrics.requests,
            latency=metrics.latency,
            throughput={
                name: Statistics(units=unit, mean=metrics.throughput.get(key))
                for key, (name, unit) in FLAT_RATES.items()
            },
            seconds=metrics.time.duration,
        ),
        servers=_servers(scenario),
        load=native_load(scenario.load.name, args),
        load_settings={"type": scenario.load.type, "args": args},
        started_at=metrics.time.start,
        notes=scenario.description,
        experiment=str(metadata["eid"]) if metadata.get("eid") else None,
    )


def _variant(model: _Model) -> ModelDocument:
    """Return the model; all adapters that were loaded together make the variant."""
    named = served_model(None if model.name == _UNKNOWN else model.name)
    return ModelDocument(
        model_name=named.model_name,
        quantization=model.quantization or named.quantization,
        lora_adapter=model.adapters,
    )


def _servers(scenario: _Scenario) -> list[Server]:
    """Return the servers: the n-th engine ran on the n-th accelerators in the n-th role."""
    host = scenario.host or _Host()
    engines = scenario.platform.engine if scenario.platform else []
    servers = []
    for index in range(max(len(host.accelerator), len(engines))):
        accelerator = _nth(host.accelerator, index) or _Accelerator()
        engine = _nth(engines, index) or _Engine()
        name, tag = split_image(engine.name)
        servers.append(
            Server(
                role=_nth(host.type, index) or "server",
                engine=name,
                engine_version=engine.version or tag,
                gpu_model=accelerator.model or None,
                gpus=accelerator.count,
                gpu_memory_gb=accelerator.memory,
                parallelism=accelerator.parallelism,
                args=engine.args or {},
            )
        )
    return servers


def _nth(items: list[Any], index: int) -> Any:
    return items[index] if index < len(items) else None

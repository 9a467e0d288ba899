"""The parts of a config of optimum-benchmark, checked; tables hold lists as Python prints them."""

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from experiments.formats.numbers import first_whole

_MOST_LENGTH = 2**31 - 1
_QUOTED = re.compile(r"""['"]([^'"]+)['"]""")


def or_empty(value: Any) -> Any:
    """Return an empty object for null, which tools write where nothing was set."""
    return {} if value is None else value


def _whole(value: Any) -> int | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return first_whole({"": value}, "", most=_MOST_LENGTH)


def _names(value: Any) -> Any:
    """Return a list of names; a table holds it as Python prints it."""
    if isinstance(value, str):
        return _QUOTED.findall(value) if value.startswith("[") else [value]
    return [] if value is None else value


def _device_ids(value: Any) -> Any:
    """Return the ids of the devices used as a list: tools write "0,1", [0, 1] or 0."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return [str(int(value))]
    if isinstance(value, str):
        return re.findall(r"\d+", value.removesuffix(".0"))
    return [str(item) for item in value] if isinstance(value, list) else []


Whole = Annotated[int | None, BeforeValidator(_whole)]
Name = Annotated[str, Field(max_length=500)]
Version = Annotated[
    str | None, BeforeValidator(lambda v: str(v) if isinstance(v, int | float) else v)
]


class Backend(BaseModel):
    """What ran the model: `version` is PyTorch's where the engine is Transformers."""

    model_config = ConfigDict(extra="allow", protected_namespaces=())

    name: Name
    version: Version = None
    model: Name | None = None
    processor: str | None = None
    device: str | None = None
    device_ids: Annotated[list[str], BeforeValidator(_device_ids)] = Field(default_factory=list)
    torch_dtype: str | None = None
    quantization_scheme: str | None = None
    quantization_config: Annotated[dict[str, Any], BeforeValidator(or_empty)] = Field(
        default_factory=dict
    )


class Shapes(BaseModel):
    """The size of what was sent in."""

    batch_size: Whole = None
    sequence_length: Whole = None


class Generation(BaseModel):
    """How much was asked for."""

    max_new_tokens: Whole = None
    min_new_tokens: Whole = None
    num_beams: Whole = None


class Scenario(BaseModel):
    """What was done with the model."""

    input_shapes: Annotated[Shapes, BeforeValidator(or_empty)] = Field(default_factory=Shapes)
    generate_kwargs: Annotated[Generation, BeforeValidator(or_empty)] = Field(
        default_factory=Generation
    )


class Environment(BaseModel):
    """The machine; GPUs are all that it has, `gpu_vram_mb` is bytes over all of them."""

    cpu: str | None = None
    cpu_ram_mb: float | None = None
    machine: str | None = None
    gpu: Annotated[list[str], BeforeValidator(_names)] = Field(default_factory=list)
    gpu_vram_mb: float | None = None
    optimum_benchmark_version: Version = None
    transformers_version: Version = None

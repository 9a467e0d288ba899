"""The machine in the site's own experiment JSON."""

from functools import lru_cache
from typing import Annotated, Self

from pydantic import Field, StringConstraints, ValidationInfo, field_validator, model_validator

from experiments.formats.fields import MOST_GPUS, Amount, Name, OptionalName, ShortName
from experiments.formats.site.strict import StrictModel
from hardware.names import means_no_gpu

MOST_SOCKETS = 32_767


@lru_cache(maxsize=256)  # the runs of a file share their machines
def names_gpu(gpu_model: str | None) -> bool:
    """Tell whether a gpu_model names one: "CPU Only" and "N/A" do not."""
    return not means_no_gpu(gpu_model or "")


class HardwareConfig(StrictModel):
    """The machine. "CPU Only" or "N/A" as gpu_model mean that no GPU was used."""

    gpu_model: OptionalName | None = None
    gpu_count: Annotated[int, Field(ge=0, le=MOST_GPUS)] | None = None
    gpu_form: Annotated[str, StringConstraints(min_length=1, max_length=10)] | None = None
    gpu_memory_gb: Annotated[float, Field(ge=0, lt=1e6)] | None = None
    cpu_model: Name | None = None
    cpu_sockets: Annotated[int, Field(ge=1, le=MOST_SOCKETS)] | None = None
    cpu_arch: ShortName | None = None
    ram_gb: Amount | None = None
    ram_type: ShortName | None = None
    virtualization_type: ShortName | None = None
    label: ShortName | None = None
    optimizations: list[ShortName] = Field(default_factory=list, max_length=100)

    @property
    def has_gpu(self) -> bool:
        """Whether a GPU is named."""
        return names_gpu(self.gpu_model)

    @field_validator("gpu_count", "gpu_memory_gb")
    @classmethod
    def _fits_the_gpu(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value and "gpu_model" in info.data and not names_gpu(info.data["gpu_model"]):
            raise ValueError("This is 0 or absent where no GPU is named; name it as gpu_model.")
        return value

    @field_validator("gpu_count")
    @classmethod
    def _counts_the_gpu(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value == 0 and names_gpu(info.data.get("gpu_model")):
            raise ValueError("This is at least 1 where a GPU is named.")
        return value

    @model_validator(mode="after")
    def _names_a_processor(self) -> Self:
        if not self.has_gpu and not self.cpu_model:
            raise ValueError("hardware_config needs gpu_model or cpu_model.")
        return self

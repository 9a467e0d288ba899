"""What the config of an optimum-benchmark result says: model, engine, machine, load.

Source: https://github.com/huggingface/optimum-benchmark (benchmark/config.py, system_utils.py)
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field

from experiments.formats.documents import ModelDocument, WorkloadDocument
from experiments.formats.fields import MOST_GPUS
from experiments.formats.model_names import served_model
from experiments.formats.numbers import first_whole, positive
from experiments.formats.optimum.shapes import (
    Backend,
    Environment,
    Generation,
    Scenario,
    Shapes,
    or_empty,
)
from hardware.resolution import HardwareFacts

_NO_COMPUTE = "DGX Display"
# A name with one of these is that of a quantized copy, whatever type its tensors are computed in.
_HINTS = re.compile(
    r"aqlm|gptq|awq|bnb|hqq|quip|quanto|eetq|exl2|gguf|marlin|sparse|quant|fp[48]|int[48]|\d-?bit",
    re.IGNORECASE,
)
_DTYPES = ("float32", "float16", "bfloat16")
_BYTES_FROM = 1e8  # no machine has as many megabytes of GPU memory
_BYTES_PER_GIB = 2**30
_BYTES_PER_MB = 1e6
_MB_PER_GB = 1000
_GIB_SOLD = 1000


class Config(BaseModel):
    """The half of a result that says what was measured; until 2024 `scenario` was `benchmark`."""

    backend: Backend
    scenario: Annotated[Scenario, BeforeValidator(or_empty)] = Field(default_factory=Scenario)
    benchmark: Annotated[Scenario, BeforeValidator(or_empty)] = Field(default_factory=Scenario)
    environment: Annotated[Environment, BeforeValidator(or_empty)] = Field(
        default_factory=Environment
    )

    @property
    def shapes(self) -> Shapes:
        """Batch size and length of the prompts."""
        new, old = self.scenario.input_shapes, self.benchmark.input_shapes
        return new if new.batch_size else old

    @property
    def generation(self) -> Generation:
        """How many tokens were asked for, in how many beams."""
        new, old = self.scenario.generate_kwargs, self.benchmark.generate_kwargs
        return new if new.max_new_tokens else old

    @property
    def engine_version(self) -> str | None:
        """The engine's version: of PyTorch's backend, Transformers'."""
        if self.backend.name == "pytorch":
            return self.environment.transformers_version
        return self.backend.version

    @property
    def model(self) -> ModelDocument:
        """The model, quantized as the scheme, its name or the type of its tensors says."""
        found = served_model(self.backend.model)
        return ModelDocument(
            model_name=found.model_name,
            quantization=self._scheme or found.quantization or self._dtype,
        )

    @property
    def _scheme(self) -> str | None:
        scheme, details = self.backend.quantization_scheme, self.backend.quantization_config
        if not scheme:
            return None
        bits = next((n for n in (4, 8) if details.get(f"load_in_{n}bit") is True), None)
        bits = bits or first_whole(details, "bits", "w_bit", most=64)
        return f"{scheme}-{bits}bit" if bits else scheme

    @property
    def _dtype(self) -> str | None:
        """The type of the tensors; None where a name hints at another way of storing them."""
        dtype, name = self.backend.torch_dtype, self.backend.model or ""
        return dtype if dtype in _DTYPES and not _HINTS.search(name) else None

    @property
    def hardware(self) -> HardwareFacts:
        """The GPUs that the device ids name, where the machine's are all alike; its CPU."""
        machine, used = self.environment, self.backend
        gpus = [name for name in machine.gpu if _NO_COMPUTE not in name]
        on_gpu = used.device not in (None, "cpu")
        count = len(set(used.device_ids)) or (1 if len(gpus) == 1 else None)
        named = on_gpu and len(set(gpus)) == 1
        ram = positive(machine.cpu_ram_mb, below=1e9)
        return HardwareFacts(
            gpu_models=(gpus[0],) if named else (),
            gpu_count=count if on_gpu and (count or 0) <= MOST_GPUS else None,
            gpu_memory_gb=self._memory_each(len(machine.gpu)) if named else None,
            cpu_model=machine.cpu.strip() or None
            if machine.cpu and (named or not on_gpu)
            else None,
            cpu_arch=machine.machine,
            ram_gb=ram / _MB_PER_GB if ram else None,
        )

    def _memory_each(self, gpus: int) -> float | None:
        """Return GiB of each GPU, None where a display adapter shares the sum or it is none."""
        total = positive(self.environment.gpu_vram_mb)
        if total is None or any(_NO_COMPUTE in name for name in self.environment.gpu):
            return None
        each = (total if total >= _BYTES_FROM else total * _BYTES_PER_MB) / _BYTES_PER_GIB / gpus
        return each if 1 <= each <= _GIB_SOLD else None

    @property
    def workload(self) -> WorkloadDocument:
        """One request alone, or a batch of them handed over at once."""
        batch, wanted = self.shapes.batch_size, self.generation
        fixed = wanted.max_new_tokens if wanted.min_new_tokens == wanted.max_new_tokens else None
        return WorkloadDocument(
            load_kind=None if batch is None else "isolated" if batch == 1 else "batch",
            concurrent_requests=batch,
            batch_size=batch if batch and batch > 1 else None,
            input_tokens=self.shapes.sequence_length,
            output_tokens=fixed,
            configured_output_tokens=wanted.max_new_tokens,
        )


def speed_settings(backend: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a backend that change speed, as far as they are set."""
    names = (
        *("torch_dtype", "attn_implementation", "torch_compile", "cache_implementation"),
        *("device_map", "deepspeed_inference", "autocast_enabled", "quantization_scheme"),
        *("use_bettertransformer", "use_io_binding"),
    )
    plain = (str, int, float)
    return {
        name: backend[name]
        for name in names
        if isinstance(backend.get(name), plain) and backend[name]
    }

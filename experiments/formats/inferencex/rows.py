"""One row of InferenceX (InferenceMAX until 2025): its keys, checked, and the GPUs it used.

v1 (2025-10) has `tp` for all GPUs, later rows their parallelism in full, and disaggregated ones
how many GPUs prefill and decode. Source: utils/process_result.py of
https://github.com/SemiAnalysisAI/InferenceX
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from experiments.formats.fields import MOST_GPUS, Count, NotBoolean
from hardware.catalogue import load_devices
from hardware.names import spelling_key

_WHOLE_WITHIN = 1e-3
_CLUSTER = re.compile(r"^cluster:", re.IGNORECASE)
_VERSION = re.compile(r":v?(\d+\.\d+(?:\.\d+)?(?:(?:a|b|rc)\d+)?(?:\.post\d+)?)(?![.\d])[^/:]*$")


def _switch(value: Any) -> Any:
    """Read what shells write for booleans: "false" is no true."""
    if isinstance(value, str):
        return {"true": True, "false": False, "": None}.get(value.strip().lower(), value)
    return value


Switch = Annotated[bool | None, BeforeValidator(_switch)]
Size = Annotated[Count | None, NotBoolean]
Degree = Annotated[Annotated[int, Field(ge=0, le=MOST_GPUS)] | None, NotBoolean]


class Outcome(BaseModel):
    """How many requests went well, in rows of 2026."""

    model_config = ConfigDict(extra="allow")

    status: str | None = Field(default=None, max_length=100)
    completed: Size = None
    failed: Size = None


class Row(BaseModel):
    """The keys of a row that say what ran; every other is a figure or a setting."""

    model_config = ConfigDict(extra="allow", protected_namespaces=())

    hw: str = Field(min_length=1, max_length=200)
    model: str = Field(min_length=1, max_length=500)
    framework: str = Field(min_length=1, max_length=100)
    precision: str = Field(min_length=1, max_length=100)
    conc: Annotated[int, NotBoolean] = Field(ge=1, lt=2**31)
    image: str | None = Field(default=None, max_length=500)
    isl: Size = None
    osl: Size = None
    tp: Degree = None
    pp: Degree = None
    pcp_size: Degree = None
    ep: Degree = None
    dp_attention: Switch = None
    is_multinode: Switch = None
    disagg: Switch = None
    num_gpus: Degree = None
    num_prefill_gpu: Degree = None
    num_decode_gpu: Degree = None
    mtp: str | None = Field(default=None, max_length=100)
    spec_decoding: str | None = Field(default=None, max_length=100)
    speculation_length: Size = None
    power_valid: Annotated[bool | None, BeforeValidator(_switch)] = None
    num_requests_total: Size = None
    num_requests_successful: Size = None
    benchmark_outcome: Outcome | None = None

    @property
    def completed(self) -> int | None:
        """How many requests were completed, None where the row does not say."""
        outcome = self.benchmark_outcome
        return outcome.completed if outcome else self.num_requests_successful

    @property
    def failed(self) -> int | None:
        """How many requests failed, None where the row does not say."""
        return self.benchmark_outcome.failed if self.benchmark_outcome else None

    @property
    def speculation(self) -> str | None:
        """How tokens are guessed ahead, "none" where the row says that they are not."""
        if self.spec_decoding:
            return self.spec_decoding
        if self.mtp:
            return {"on": "mtp", "off": "none"}.get(self.mtp.lower(), self.mtp)
        if self.speculation_length is None:
            return None
        return f"{self.speculation_length} tokens" if self.speculation_length else "none"

    @property
    def version(self) -> str | None:
        """The version at the start of the image's tag, None where the tag starts otherwise."""
        found = _VERSION.search(self.image.replace("#", "/")) if self.image else None
        return found[1] if found else None


@dataclass(frozen=True, kw_only=True)
class Gpus:
    """How many GPUs a row used; those that prefill and decode apart where it is disaggregated."""

    total: int | None
    prefill: int | None = None
    decode: int | None = None
    disaggregated: bool = False
    counted_from_rates: bool = False


def gpus_of(row: Row, record: Mapping[str, Any]) -> Gpus:
    """Return the GPUs of a row.

    In disaggregated rows of v1 `tp` is all GPUs, and input and output rates are divided by those
    that prefill or decode: the total is their weighted mean, which tells how many are which.
    """
    if row.disagg or row.num_prefill_gpu or row.num_decode_gpu:
        prefill, decode = row.num_prefill_gpu or None, row.num_decode_gpu or None
        total = prefill + decode if prefill and decode else row.num_gpus or None
        return Gpus(total=total, prefill=prefill, decode=decode, disaggregated=True)
    total = row.num_gpus or (row.tp or 0) * (row.pp or 1) * (row.pcp_size or 1) or None
    rates = [record.get(f"{name}tput_per_gpu") for name in ("", "input_", "output_")]
    numbers = [
        float(rate) if isinstance(rate, int | float) and 0 < rate < 1e9 else None for rate in rates
    ]
    both, given, made = numbers
    if total is None or both is None or given is None or made is None:
        return Gpus(total=total)
    if abs(both - given - made) <= _WHOLE_WITHIN * both:
        return Gpus(total=total)
    share = total * (both - made) / (given - made) if given != made else 0.0
    prefill = round(share) if abs(share - round(share)) < _WHOLE_WITHIN * total else 0
    if 0 < prefill < total:
        return Gpus(
            total=total,
            prefill=prefill,
            decode=total - prefill,
            disaggregated=True,
            counted_from_rates=True,
        )
    return Gpus(total=total, disaggregated=True)


def gpu_model(hardware: str) -> str:
    """Return the GPU's name within a name of InferenceX: of "b200-trt" it is "b200".

    What stands behind it (engine, cloud) is left out only as far as the catalogue knows the rest.
    """
    name = _CLUSTER.sub("", hardware.strip())
    parts = re.split(r"([-_])", name)
    for end in range(len(parts), 0, -2):
        candidate = "".join(parts[:end])
        if spelling_key(candidate) in _known_keys():
            return candidate
    return name


@cache
def _known_keys() -> frozenset[str]:
    return frozenset(item.key for device in load_devices() for item in device.spellings)

"""The flags of a llama-bench row: all of them, those that change speed, and the GPUs they use."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from experiments.formats.documents import SetupDocument
from experiments.formats.llama_bench.rows import PlacedRow, Row
from experiments.formats.numbers import without_nonfinite
from hardware.resolution import HardwareFacts

# Backends that compute on the CPU: a GPU that is listed beside them was not used.
CPU_BACKENDS = {"CPU", "BLAS", "ZenDNN"}
# No device of its own, only the way to those of other machines.
_REMOTE_BACKENDS = {"RPC"}

_NOT_SETTINGS = {"avg_ns", "stddev_ns", "samples_ns", "test"}
# Flags that change speed, with the value that means "as if not given".
SPEED_DEFAULTS: dict[str, Any] = {
    "n_batch": 2048,
    "n_ubatch": 512,
    "n_threads": None,
    "type_k": "f16",
    "type_v": "f16",
    "n_gpu_layers": None,
    "n_cpu_moe": 0,
    "split_mode": "layer",
    "main_gpu": 0,
    "no_kv_offload": 0,
    "flash_attn": 0,
    "tensor_split": "0.00",
    "tensor_buft_overrides": "none",
    "devices": "auto",
    "no_op_offload": 0,
    "mul_mat_q": 1,
    "cpu_mask": "0x0",
    "cpu_strict": 0,
    # Flags of ik_llama.cpp alone; those whose default changed between its builds have none here.
    "mla_attn": None,
    "fused_moe": None,
    "attn_max_batch": 0,
    "ser": "-1,0",
    "reuse": None,
    "repack": 0,
    "mqkv": 0,
    "muge": 0,
    "defer_experts": 0,
    "grouped_er": 0,
    "no_fused_up_gate": 0,
    "no_ooae": 0,
    "rcache": 0,
    "sas": 0,
    "max_gpu": 0,
    "cuda_params": "",
    "override_tensor": "",
}
_ALL_LAYERS = 99
_OLD_BACKEND_FLAGS = {
    "cuda": "CUDA",
    "opencl": "OpenCL",
    "vulkan": "Vulkan",
    "kompute": "Kompute",
    "metal": "Metal",
    "sycl": "SYCL",
}
_DEVICE = re.compile(r"([A-Za-z]+)(\d{1,3})")


def setup_of(placed: PlacedRow) -> SetupDocument:
    """Return the set-up of a row, with what its file says around it."""
    row, source = placed.row, placed.source
    settings = {
        key: without_nonfinite(value)
        for key, value in (row.model_extra or {}).items()
        if key not in _NOT_SETTINGS and value is not None
    }
    types = {key: kind for key, kind in (("type_k", row.type_k), ("type_v", row.type_v)) if kind}
    settings |= types
    backends = row.backends or _old_backends(settings)
    if backends:
        settings["backends"] = backends
    return SetupDocument(
        kv_cache_type="/".join(dict.fromkeys(types.values())) or None,
        optimizations=tuple(_parts(backends)),
        settings={**settings, **source.settings},
        speed_settings={**_speed_settings(settings), **source.speed_settings},
    )


def hardware_of(placed: PlacedRow) -> HardwareFacts:
    """Return the machine of a row: the GPUs that its flags use, and the CPU."""
    row = placed.row
    listed = placed.source.gpu_models
    if listed is None:
        listed = tuple(name.strip() for name in (row.gpu_info or "").split(",") if name.strip())
        if len(gpu_backends(row.backends)) <= 1:
            listed = pick_devices(listed, _flag(row, "devices"))
    gpus = _split_over(listed, row)
    return HardwareFacts(gpu_models=gpus, gpu_count=len(gpus) or None, cpu_model=row.cpu_info)


def gpu_backends(backends: str | None) -> list[str]:
    """Return the backends of a list such as "MTL,BLAS" that compute on GPUs of this machine."""
    return [name for name in _parts(backends) if name not in CPU_BACKENDS | _REMOTE_BACKENDS]


def pick_devices(listed: Sequence[str], flag: str) -> tuple[str, ...]:
    """Return the listed GPUs that a `devices` flag such as "CUDA0/CUDA2" picks.

    All of them where the flag is "auto" or names none of the list; () for "none".
    """
    if flag.lower() == "none":
        return ()
    picked = [_DEVICE.fullmatch(part.strip()) for part in re.split("[/,]", flag)]
    numbers = [int(found[2]) for found in picked if found]
    if len(numbers) < len(picked) or any(number >= len(listed) for number in numbers):
        return tuple(listed)
    return tuple(listed[number] for number in numbers)


def picked_backend(flag: str) -> str | None:
    """Return the backend that the devices of a flag belong to, None where it names not one."""
    names = {found[1] for found in map(_DEVICE.fullmatch, re.split("[/,]", flag)) if found}
    return names.pop() if len(names) == 1 else None


def plain(value: Any) -> Any:
    """Return booleans and numbers written as text as integers; other values as they are."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        lowered = value.strip().lower()
        if lowered in ("true", "false"):
            return int(lowered == "true")
        return int(lowered) if re.fullmatch(r"-?[0-9]{1,9}", lowered) else value
    return value


def _split_over(listed: tuple[str, ...], row: Row) -> tuple[str, ...]:
    """Return the GPUs over which the model is split: `none` uses one, a share of 0 none."""
    if len(listed) < 2:
        return listed
    if _flag(row, "split_mode") == "none":
        main = plain(_flag(row, "main_gpu") or 0)
        return (listed[main],) if isinstance(main, int) and 0 <= main < len(listed) else listed
    try:
        shares = [float(share) for share in _flag(row, "tensor_split").split("/")]
    except ValueError:
        return listed
    # Shares behind the last one above 0 are not written.
    used = tuple(name for name, share in zip(listed, shares, strict=False) if share > 0)
    return used or listed


def _flag(row: Row, name: str) -> str:
    value = (row.model_extra or {}).get(name)
    return "" if value is None else str(value)


def _parts(names: str | None) -> list[str]:
    return [part.strip() for part in (names or "").split(",") if part.strip()]


def _old_backends(settings: Mapping[str, Any]) -> str | None:
    """Return the backend that the booleans of 2023 builds tell of."""
    if not any(flag in settings for flag in _OLD_BACKEND_FLAGS):
        return None
    names = [name for flag, name in _OLD_BACKEND_FLAGS.items() if plain(settings.get(flag)) == 1]
    return ",".join(names) or "CPU"


def _speed_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the flags that change speed, without those at their default.

    Builds add and drop keys, and CSV writes every value as text: both must give one key.
    """
    chosen = {"backends": settings["backends"]} if "backends" in settings else {}
    for key, default in SPEED_DEFAULTS.items():
        value = plain(settings.get(key))
        if key == "n_gpu_layers" and isinstance(value, int) and (value < 0 or value >= _ALL_LAYERS):
            value = "all"
        if key in settings and value != default:
            chosen[key] = value
    return chosen

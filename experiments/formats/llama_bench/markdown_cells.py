"""The cells of a llama-bench table under the keys that the other forms of output write out."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from experiments.formats.documents import Problem

FIXED_COLUMNS = {"model", "size", "params", "backend", "test", "t/s"}
# How the tables abbreviate keys; the second half is of ik_llama.cpp.
KEYS = {
    "ngl": "n_gpu_layers",
    "sm": "split_mode",
    "threads": "n_threads",
    "nkvo": "no_kv_offload",
    "fa": "flash_attn",
    "lm": "load_mode",
    "mmap": "use_mmap",
    "dio": "use_direct_io",
    "embd": "embeddings",
    "nopo": "no_op_offload",
    "noh": "no_host",
    "dev": "devices",
    "ts": "tensor_split",
    "ot": "tensor_buft_overrides",
    "fitt": "fit_target",
    "fitc": "fit_min_ctx",
    "mg": "main_gpu",
    "mla": "mla_attn",
    "amb": "attn_max_batch",
    "gr": "reuse",
    "rtr": "repack",
    "defer": "defer_experts",
    "thp": "use_thp",
    "fmoe": "fused_moe",
    "ger": "grouped_er",
    "no-fug": "no_fused_up_gate",
    "no-ooae": "no_ooae",
    "cuda": "cuda_params",
}
_TEST = re.compile(
    r"(?:pp ?(?P<pp>\d{1,9}))?(?P<plus> ?\+ ?)?(?:tg ?(?P<tg>\d{1,9}))?"
    r"(?: ?@ ?(?:d|pp) ?(?P<depth>\d{1,9}))?",
    re.ASCII,
)
_NUMBER = r"(\d{1,12}(?:\.\d{1,9})?)"
_SPEED = re.compile(rf"{_NUMBER}(?: ?(?:±|\+/-|\+-) ?{_NUMBER})?", re.ASCII)
_SIZE = re.compile(rf"{_NUMBER} ?([KMGT])iB", re.ASCII)
_COUNT = re.compile(rf"{_NUMBER} ?([MBT])", re.ASCII)
_SIZE_FACTORS = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_COUNT_FACTORS = {"M": 1e6, "B": 1e9, "T": 1e12}


class _CellError(Exception):
    """A cell that cannot be read, with the sentence that says what would be right."""


def read_cells(texts: Mapping[str, str], record: dict[str, Any], place: str) -> Iterator[Problem]:
    """Put the cells of a row into its record; yield a problem for each that cannot be right."""
    for column, text in texts.items():
        try:
            if reader := _READERS.get(column):
                record |= reader(text)
            elif text:
                record[KEYS.get(column, column)] = text
        except _CellError as error:
            yield Problem(f"{place}, column {column}", str(error), text[:80])


def _read_model(text: str) -> dict[str, str]:
    if not text:
        raise _CellError("A row names its model, such as llama 7B Q4_0.")
    return {"model_type": text}


def _read_backend(text: str) -> dict[str, str]:
    return {"backends": text} if text else {}


def _read_test(text: str) -> dict[str, int]:
    found = _TEST.fullmatch(text)
    prompt, generated = (int(found[name] or 0) if found else 0 for name in ("pp", "tg"))
    both = bool(prompt and generated)
    if found is None or not (prompt or generated) or bool(found["plus"]) != both:
        raise _CellError("A test is written like pp512, tg128, pp512+tg128 or tg128 @ d4096.")
    return {"n_prompt": prompt, "n_gen": generated, "n_depth": int(found["depth"] or 0)}


def _read_speed(text: str) -> dict[str, float]:
    found = _SPEED.fullmatch(text)
    if found is None or not float(found[1]):
        raise _CellError("A speed is a number above 0, written like 490.97 ± 2.27.")
    spread = {"stddev_ts": float(found[2])} if found[2] else {}
    return {"avg_ts": float(found[1])} | spread


def _read_size(text: str) -> dict[str, int]:
    if not text:
        return {}
    found = _SIZE.fullmatch(text)
    if found is None or not float(found[1]):
        raise _CellError("A size is written like 3.56 GiB.")
    return {"model_size": round(float(found[1]) * _SIZE_FACTORS[found[2]])}


def _read_count(text: str) -> dict[str, int]:
    if not text:
        return {}
    found = _COUNT.fullmatch(text)
    if found is None or not float(found[1]):
        raise _CellError("A number of parameters is written like 6.74 B.")
    return {"model_n_params": round(float(found[1]) * _COUNT_FACTORS[found[2]])}


_READERS: Mapping[str, Callable[[str], Mapping[str, Any]]] = {
    "model": _read_model,
    "size": _read_size,
    "params": _read_count,
    "backend": _read_backend,
    "test": _read_test,
    "t/s": _read_speed,
}

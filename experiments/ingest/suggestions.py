"""What the names of a file and of its folders suggest about its content; never applied alone."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import F, Value
from django.db.models.functions import Replace

from experiments.ingest.file_names import (
    Part,
    Token,
    backends,
    concurrency,
    longest_model_name,
    model_names,
    only,
    quantizations,
    read_parts,
    summarised_model,
    tensor_parallel,
    token_lengths,
    widest_windows,
)
from hardware.models import AcceleratorAlias
from hardware.names import spelling_key

_WIDEST_GPU = 6
_MAKERS = frozenset({"nvidia", "amd", "intel", "apple", "tesla", "radeon", "quadro", "geforce"})
_COUNT = re.compile(r"(\d{1,3})[x×](.*)")
_BARE_COUNT = re.compile(r"(2|4|8|16)((?:h|a|v|mi|rtx)\d.*)")  # 4Mi300x
_COUNT_BEHIND = re.compile(r"((?!mi).*\d|)x(\d{1,2})")  # not MI250X
_FORM = re.compile(r"(?P<rest>.*?)(?P<value>sxm\d?|pcie|nvl|oam)")
_MEMORY = re.compile(r"(?P<rest>)(?P<value>\d{1,3})gb?")
_FORMS = {"s": "SXM", "p": "PCIe", "n": "NVL", "o": "OAM"}
# Keys that are much else too, a number of threads, prompts or parameters: taken with the maker's
# name, a count, a form or their memory beside them only.
_WEAK_LENGTH = 3
_WEAK_KEY = re.compile(r"[npt] \d+(?: [a-z])?|\d{3} [a-z](?: \d)?|(?:max|flex) \d+")


@dataclass(frozen=True, kw_only=True)
class _Reading:
    """What a run of tokens would be if its key were a GPU's."""

    key: str
    glued: bool
    surely_gpu: bool
    count: int | None = None
    form: str | None = None
    memory_gb: int | None = None


@dataclass(frozen=True, kw_only=True)
class _Gpu:
    name: str
    count: int | None
    form: str | None
    memory_gb: int | None


def suggest_from_name(file_name: str) -> dict[str, str]:
    """Return context fields with the values that a path's names hold, as the uploader would write.

    Nothing where two parts of the name say different things. One query, whatever the name's
    length: at most its last 500 characters are looked at, and each word in at most six runs.
    """
    parts = read_parts(file_name)
    suggested: dict[str, object] = {
        "model_name": only(summarised_model(part) for part in parts)
        or longest_model_name(name for part in parts for name in model_names(part)),
        "quantization": only(name for part in parts for name in quantizations(part)),
        "backend": only(name for part in parts for name in backends(part)),
        "concurrent_requests": only(concurrency(part) for part in parts),
        "input_tokens": only(token_lengths(part)[0] for part in parts),
        "output_tokens": only(token_lengths(part)[1] for part in parts),
        **_hardware(parts),
    }
    return {name: str(value) for name, value in suggested.items() if value is not None}


def _hardware(parts: list[Part]) -> dict[str, object]:
    """Return GPU, count and memory; the count also from a tensor parallel degree."""
    gpus = _gpus(parts)
    degrees = [tensor_parallel(part) for part in parts]
    if len({gpu.name for gpu in gpus}) > 1:
        return {}
    count = only([*(gpu.count for gpu in gpus), *degrees])
    if not gpus:
        return {"gpu_count": count}
    form = only(gpu.form for gpu in gpus)
    return {
        "gpu_model": f"{gpus[0].name} {form}" if form else gpus[0].name,
        "gpu_count": count,
        "gpu_memory_gb": only(gpu.memory_gb for gpu in gpus),
    }


def _gpus(parts: Iterable[Part]) -> list[_Gpu]:
    """Return the accelerators of the catalogue that are named, with one query."""
    readings = [(part, _readings(part.tokens)) for part in parts]
    aliases = _aliases(reading.key for _, windows in readings for reading in windows.values())
    gpus: list[_Gpu] = []
    for part, windows in readings:
        known = {place: _gpu(reading, aliases) for place, reading in windows.items()}
        gpus += widest_windows(part.tokens, _WIDEST_GPU, known.get)
    return gpus


def _readings(tokens: tuple[Token, ...]) -> dict[tuple[int, int], _Reading]:
    """Return what each run of tokens would be, by its start and end."""
    readings = {}
    for start in range(len(tokens)):
        for end in range(start + 1, min(start + _WIDEST_GPU, len(tokens)) + 1):
            if reading := _read([token.text for token in tokens[start:end]]):
                readings[start, end] = reading
    return readings


def _read(words: list[str]) -> _Reading | None:
    """Take count, memory and form off a run of words; None where nothing is left."""
    count = None
    if (found := _COUNT.fullmatch(words[0])) or (found := _BARE_COUNT.fullmatch(words[0])):
        count, words = int(found[1]), [found[2], *words[1:]]
    elif found := _COUNT_BEHIND.fullmatch(words[-1]):
        count, words = int(found[2]), [*words[:-1], found[1]]
    words = [word for word in words if word]
    memory_gb, words = _take_off(_MEMORY, words)
    form, words = _take_off(_FORM, words)
    if memory_gb is None:
        memory_gb, words = _take_off(_MEMORY, words)
    key = spelling_key(" ".join(words))
    if not key or not key.isascii():
        return None
    return _Reading(
        key=key,
        glued=len(words) == 1,
        surely_gpu=bool(count) or not _MAKERS.isdisjoint(words),
        count=count or None,
        form=_FORMS[form[0]] if form else None,
        memory_gb=int(memory_gb) if memory_gb else None,
    )


def _take_off(pattern: re.Pattern[str], words: list[str]) -> tuple[str | None, list[str]]:
    """Return what the last word ends with, and the words without it."""
    found = pattern.fullmatch(words[-1]) if words else None
    if found is None:
        return None, words
    return found["value"], [*words[:-1], *filter(None, [found["rest"]])]


def _aliases(keys: Iterable[str]) -> dict[str, AcceleratorAlias]:
    """Return aliases by key, and by key without blanks: "strixhalo" is found like "strix halo"."""
    glued = {key.replace(" ", "") for key in keys}
    if not glued:
        return {}
    without_blanks = Replace(F("spelling_key"), Value(" "), Value(""))
    found = AcceleratorAlias.objects.alias(glued=without_blanks).filter(glued__in=glued)
    return {alias.spelling_key: alias for alias in found.select_related("accelerator")}


def _gpu(reading: _Reading, aliases: Mapping[str, AcceleratorAlias]) -> _Gpu | None:
    """Return the accelerator of a reading, None where there is none or it may be something else."""
    alias = aliases.get(reading.key)
    if alias is None and reading.glued:
        glued = reading.key.replace(" ", "")
        alias = next((a for k, a in aliases.items() if k.replace(" ", "") == glued), None)
    if alias is None:
        return None
    device = alias.accelerator
    memory_gb = reading.memory_gb if reading.memory_gb in device.memory_sizes_gb else None
    if _is_weak(alias) and not (reading.surely_gpu or reading.form or memory_gb):
        return None
    return _Gpu(
        name=device.name,
        count=reading.count,
        form=(reading.form or alias.form) if device.sold_in_several_forms else None,
        memory_gb=memory_gb,
    )


def _is_weak(alias: AcceleratorAlias) -> bool:
    key = alias.spelling_key
    return (
        len(key.replace(" ", "")) <= _WEAK_LENGTH
        or _WEAK_KEY.fullmatch(key) is not None
        or not any(character.isdigit() for character in key + alias.accelerator.name)
    )

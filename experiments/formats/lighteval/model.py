"""The model of a lighteval file, how it was asked, and what its size in memory hints at."""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from benchmarks.protocol import Protocol
from experiments.formats.documents import ModelDocument, Problem
from experiments.formats.lm_eval.model import model_document
from experiments.formats.numbers import is_number
from experiments.formats.problems import join_path, short_value

HARNESS = "lighteval"
_ARGUMENTS = ("revision", "gguf_file", "quantization", "load_in_4bit", "load_in_8bit")
_LOADED_BITS = {"4bit": "load_in_4bit", "8bit": "load_in_8bit"}  # what `dtype` may be besides types
_KEPT = (
    "dtype", "revision", "batch_size", "max_length", "max_model_length", "tensor_parallel_size",
    "data_parallel_size", "use_chat_template", "multichoice_continuations_start_space",
)  # fmt: skip
_KEPT_GENERATION = (
    "temperature", "top_p", "top_k", "min_p", "max_new_tokens", "seed", "repetition_penalty",
)  # fmt: skip
_KEPT_GENERAL = ("model_sha", "model_dtype", "model_size", "num_fewshot_seeds", "max_samples")
_LONGEST_FACT = 200
_LARGEST_FACT = 1e15
_SIZE = re.compile(r"(?P<number>\d{1,7}(?:\.\d+)?)\s*(?P<unit>[MGT]B)")
_BYTES = {"MB": 1e6, "GB": 1e9, "TB": 1e12}
_PARAMETERS = re.compile(r"(?<![\d.a-z])(?P<billions>\d{1,4}(?:\.\d+)?)b(?![a-z\d])", re.IGNORECASE)
_QUANTIZED_BITS = 12.0


def read_model(general: Mapping[str, Any], config: Mapping[str, Any]) -> ModelDocument:
    """Return the model; the type that it was loaded in says nothing of how it was quantized.

    An adapter's file names the adapter as the model, and what it was put on as the base.
    """
    arguments = {key: config[key] for key in _ARGUMENTS if config.get(key) is not None}
    if loaded := _LOADED_BITS.get(str(config.get("dtype")).lower()):
        arguments[loaded] = True
    name = config.get("model_name") or config.get("pretrained") or general.get("model_name")
    base = config.get("base_model")
    if config.get("adapter_weights") and base:
        arguments["peft"] = name
        name = base
    return model_document(arguments, name)


def read_protocol(general: Mapping[str, Any], config: Mapping[str, Any]) -> Protocol:
    """Return what all scores of a file share; of a system prompt the hash."""
    sha = general.get("lighteval_sha")
    used = config.get("use_chat_template", config.get("override_chat_template"))
    template = ("yes" if used else "no") if isinstance(used, bool) else None
    system_prompt = config.get("system_prompt")
    if isinstance(system_prompt, str) and system_prompt:
        digest = sha256(system_prompt.encode()).hexdigest()[:16]
        template = f"{template or 'not known'}, system instruction {digest}"
    return Protocol(
        harness=HARNESS,
        harness_version=sha if isinstance(sha, str) and sha.strip("? ") else None,
        chat_template=template,
    )


def read_context(general: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what else is known of the evaluation; only keys that hold no secret and no path."""
    generation = config.get("generation_parameters") or general.get("generation_parameters")
    facts = {name: general.get(name) for name in _KEPT_GENERAL}
    facts |= {name: config.get(name) for name in _KEPT}
    if isinstance(generation, dict):
        facts |= {name: generation.get(name) for name in _KEPT_GENERATION}
    return {name: value for name, value in facts.items() if _is_short(value)}


def size_hint(general: Mapping[str, Any], model: ModelDocument, place: str) -> list[Problem]:
    """Return a hint that a model of unstated quantization takes less memory than 16 bits would.

    Its size is compared with the number of parameters in its name: 8.46 GB for 8 B are 8.5 bits.
    """
    size = general.get("model_size")
    found = _SIZE.fullmatch(size.strip()) if isinstance(size, str) else None
    named = _PARAMETERS.findall(model.model_name or "")
    if model.quantization or found is None or len(named) != 1 or not float(named[0]):
        return []
    bits = 8 * float(found["number"]) * _BYTES[found["unit"]] / (float(named[0]) * 1e9)
    if bits > _QUANTIZED_BITS:
        return []
    path = join_path(place, "config_general", "model_size")
    message = (
        f"By its size the model was quantized: about {bits:.2g} bits for each of the {named[0]} "
        "billion parameters of its name. The file does not say how."
    )
    return [Problem(path, message, short_value(size))]


def _is_short(value: Any) -> bool:
    if isinstance(value, str):
        return 0 < len(value) <= _LONGEST_FACT and "/" not in value
    return isinstance(value, bool) or (is_number(value) and abs(value) < _LARGEST_FACT)

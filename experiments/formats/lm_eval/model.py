"""The model of a lm-evaluation-harness file: name, quantization, adapter, and harmless facts.

Files name a model by how it was loaded. Only arguments that are known to hold no secret are kept.
"""

import re
from collections.abc import Mapping
from typing import Any

from benchmarks.protocol import Protocol
from benchmarks.quantization import resolve_quantization, split_model_file_name
from experiments.formats.documents import ModelDocument
from experiments.formats.lm_eval.harness import HARNESS
from experiments.formats.model_names import clean_name, names_a_model, split_quantized_name

_NAME_KEYS = ("pretrained", "model", "path", "model_id_or_path", "engine")
_KEPT_ARGUMENTS = (
    "add_bos_token", "attn_implementation", "autogptq", "bnb_4bit_quant_type",
    "data_parallel_size", "dtype", "enable_thinking", "gguf_file", "gpu_memory_utilization",
    "gptqmodel", "kv_cache_dtype", "load_in_4bit", "load_in_8bit", "max_gen_toks", "max_length",
    "max_model_len", "num_concurrent", "parallelize", "precision", "quantization",
    "reasoning_effort", "revision", "seed", "subfolder", "temperature", "tensor_parallel_size",
    "think_end_token", "tokenized_requests", "top_p", "trust_remote_code", "use_accelerate",
    "use_fast",
)  # fmt: skip
_DTYPES = {"half": "float16", "float": "float32"}
_COMMIT = re.compile(r"[0-9a-f]{7,40}")
# An item of a dictionary as Python prints it: 'dtype': 'float16', 'trust_remote_code': True.
_PRINTED_ITEM = re.compile(
    r"""(?P<q>['"])(?P<key>\w+)(?P=q):\s*(?:(?P<v>['"])(?P<text>[^'"]*)(?P=v)|(?P<other>[^,{}]+))"""
)
_LONGEST_VALUE = 200


def read_arguments(value: Any) -> dict[str, Any]:
    """Return the arguments of a model or of its generation: an object, or "key=value,…", or {}.

    A text that is Python's print of a dictionary is read as one (the console shows it so). A comma
    inside a value is kept. Raises ValueError for anything else.
    """
    if value is None or value in ("", "None"):
        return {}
    if isinstance(value, dict):
        return {str(key): item for key, item in value.items()}
    if not isinstance(value, str):
        raise ValueError("not arguments")  # noqa: TRY004 - one error for a caller that knows both
    if value.lstrip().startswith("{"):
        found = {item["key"]: item for item in _PRINTED_ITEM.finditer(value)}
        return {key: item["text"] or item["other"] or "" for key, item in found.items()}
    arguments: dict[str, str] = {}
    key = ""
    for part in value.split(","):
        if "=" in part:
            key, text = (side.strip() for side in part.split("=", 1))
            arguments[key] = text
        elif key:
            arguments[key] += f",{part}"
    return arguments


def model_document(arguments: Mapping[str, Any], stated_name: Any = None) -> ModelDocument:
    """Return the model that the arguments load; None for what they do not say.

    The quantization is that of loading (bitsandbytes, GPTQ, GGUF file, an engine's argument), else
    that in the model's name, else a stated number type; "auto" is none. A folder such as
    "checkpoint-100" names no model. A name that carries its quantization is that of a quantized
    copy: the model is what stands before it, without the owner of the copy. A named revision other
    than "main" holds other weights and stays in the name.
    """
    names = reported_names(arguments, stated_name)
    reported = next((name for name in names if names_a_model(name)), None)
    name, in_name = split_quantized_name(reported) if reported else (None, None)
    gguf_name, gguf_quantization = split_model_file_name(text_of(arguments.get("gguf_file")) or "")
    if gguf_quantization:
        name, in_name = gguf_name, gguf_quantization
    loaded = _loaded_quantization(arguments)
    if loaded and in_name and in_name.startswith(loaded):
        loaded = in_name  # the name says more: "GPTQ-INT4" for "GPTQ"
    revision = text_of(arguments.get("revision"))
    if name and revision and revision != "main" and not _COMMIT.fullmatch(revision):
        name = f"{name}@{revision}"
    return ModelDocument(
        model_name=name,
        quantization=loaded or in_name or _number_type(arguments),
        lora_adapter=clean_name(arguments.get("peft") or arguments.get("lora_local_path")) or "",
    )


def kept_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that say how a model ran and hold no secret, path or address."""
    kept: dict[str, Any] = {}
    for name in _KEPT_ARGUMENTS:
        value = arguments.get(name)
        if isinstance(value, str) and len(value) <= _LONGEST_VALUE:
            kept[name] = clean_name(value)
        elif isinstance(value, bool | int | float) and abs(value) < float("inf"):
            kept[name] = value
    return {name: value for name, value in kept.items() if value is not None}


def shared_protocol(arguments: Mapping[str, Any], model_type: Any) -> Protocol:
    """Return what the model's arguments say of how scores were measured.

    A chat endpoint puts every prompt into the chat template.
    """
    thinking = arguments.get("enable_thinking")
    kv_cache = text_of(arguments.get("kv_cache_dtype"))
    return Protocol(
        harness=HARNESS,
        chat_template="yes" if str(model_type).endswith("chat-completions") else None,
        thinking_mode=None if thinking is None else ("on" if _is_true(thinking) else "off"),
        kv_cache_type=None if kv_cache == "auto" else kv_cache,
    )


def _is_true(value: Any) -> bool:
    """Tell whether an argument is switched on; in a text it is a word."""
    return str(value).lower() in ("true", "1")


def reported_names(arguments: Mapping[str, Any], stated_name: Any = None) -> list[str]:
    """Return the names under which the file loads the model, without the folders of a path."""
    values = [stated_name, *(arguments.get(key) for key in _NAME_KEYS)]
    return [name for value in values if (name := clean_name(value))]


def _loaded_quantization(arguments: Mapping[str, Any]) -> str | None:
    if _is_true(arguments.get("load_in_4bit")):
        nf4 = str(arguments.get("bnb_4bit_quant_type")).lower() == "nf4"
        return "BNB-NF4" if nf4 else "BNB-4bit"
    if _is_true(arguments.get("load_in_8bit")):
        return "BNB-8bit"
    for key in ("autogptq", "gptqmodel"):
        if text_of(arguments.get(key)) or _is_true(arguments.get(key)):
            return None if str(arguments[key]).lower() == "false" else "GPTQ"
    stated = resolve_quantization(text_of(arguments.get("quantization")) or "")
    return stated.name if stated.known else None


def _number_type(arguments: Mapping[str, Any]) -> str | None:
    stated = (text_of(arguments.get("dtype")) or text_of(arguments.get("precision")) or "").lower()
    found = resolve_quantization(_DTYPES.get(stated, stated))
    return found.name if found.known else None


def text_of(value: Any) -> str | None:
    """Return a text without blanks around it, None for an empty one and for what is none."""
    return value.strip() if isinstance(value, str) and value.strip() else None

"""Names of models as tools load or serve them: paths, repositories, names of quantized copies."""

import re
from typing import Any

from benchmarks.quantization import split_model_file_name, tidy_name
from experiments.formats.documents import ModelDocument

_CACHED_REPOSITORY = re.compile(r"models--(?P<owner>[^/\\]+?)--(?P<name>[^/\\]+)")
_LOCAL_PATH = re.compile(r"^([/~]|\.{1,2}[/\\]|[A-Za-z]:[/\\])|\\|/.*/")
# Names of folders that say how a model is stored or how far it was trained, not which one it is.
_NO_NAME = re.compile(
    r"""\d+(\.\d+)?[bm] | (global_?)?steps?[_-]?\d+ | checkpoints?([_-]\d+)? | ckpt([_-]\d+)? | hf
    | model | models | final | merged | latest | best | output | weights | staged_model
    | default | \$\{?\w+\}? | [0-9a-f]{7,}""",
    re.VERBOSE | re.IGNORECASE,
)


def clean_name(value: Any) -> str | None:
    """Return a name without folders: "owner/name" as it is, of a path the last part, or None."""
    text = tidy_name(value if isinstance(value, str) else "").rstrip("/\\")
    if cached := _CACHED_REPOSITORY.search(text):
        return f"{cached['owner']}/{cached['name']}"
    if _LOCAL_PATH.search(text):
        text = re.split(r"[/\\]", text)[-1]
    # "…-GGUF:Q4_K_M" is how servers name a file of a repository.
    return re.sub(r"[-_.]GGUF:", "-", text, flags=re.IGNORECASE) or None


def names_a_model(name: str) -> bool:
    """Tell whether a name is that of a model: "checkpoint-100", "13B" and "$MODEL" are none."""
    return not _NO_NAME.fullmatch(name)


def split_quantized_name(name: str) -> tuple[str, str | None]:
    """Split the name of a quantized copy into the model's, without its owner, and quantization.

    "lmstudio-community/gemma-it-MLX-4bit" gives ("gemma-it", "MLX-4bit"); a name that ends in no
    known quantization gives (name, None).
    """
    model, quantization = split_model_file_name(name)
    if quantization is None:
        return name, None
    return re.sub(r"[-_.]quantized$", "", model), quantization


def served_model(*names: Any) -> ModelDocument:
    """Return the model that the first of these names tells of; None for what none says."""
    cleaned = (clean_name(name) for name in names)
    reported = next((name for name in cleaned if name and names_a_model(name)), None)
    name, quantization = split_quantized_name(reported) if reported else (None, None)
    if name and name.lower().endswith(".gguf"):
        name = name[: -len(".gguf")]
    return ModelDocument(model_name=name, quantization=quantization)

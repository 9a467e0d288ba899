"""Names of inference engines: the many spellings of each, as data (no Django)."""

_SPELLINGS: dict[str, tuple[str, ...]] = {
    "llama.cpp": ("llamacpp", "llamaserver", "llamabench", "ggml"),
    "ik_llama.cpp": ("ikllamacpp", "ikllama"),
    "vllm": ("vllm", "vllmopenai"),
    "sglang": ("sglang", "sgl"),
    "tensorrt-llm": ("tensorrtllm", "trtllm", "trt"),
    "tgi": ("tgi", "textgenerationinference"),
    "transformers": ("transformers", "hf", "huggingface", "pytorch"),
    "ollama": ("ollama",),
    "lm-studio": ("lmstudio",),
    "exllamav2": ("exllamav2", "exllama2"),
    "exllamav3": ("exllamav3", "exllama3"),
    "mlx-lm": ("mlxlm", "mlx"),
    "mlc-llm": ("mlcllm", "mlc"),
    "lmdeploy": ("lmdeploy", "turbomind"),
    "koboldcpp": ("koboldcpp", "kobold"),
    "ktransformers": ("ktransformers",),
    "onnxruntime": ("onnxruntime", "ort", "onnx"),
    "openvino": ("openvino",),
    "deepspeed-mii": ("deepspeedmii", "mii"),
}
_BY_SPELLING = {spelling: name for name, spellings in _SPELLINGS.items() for spelling in spellings}


def resolve_backend(reported: str) -> str:
    """Return the canonical name of an engine; an unknown one keeps its name, white space tidied.

    `llama_cpp`, `llama.cpp` and `LlamaCPP` are one; `vLLM` is `vllm`.
    """
    tidy = " ".join(reported.split())
    key = "".join(character for character in tidy.casefold() if character.isalnum())
    return _BY_SPELLING.get(key, tidy)

"""Quantization names in their many spellings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.quantization import (
    quantization_of_model_type,
    resolve_quantization,
    split_model_file_name,
)


@pytest.mark.parametrize(
    ("reported", "name", "bits_per_weight"),
    [
        ("q4_k_m", "Q4_K_M", 4.8944),
        ("Q4_K_M-GGUF", "Q4_K_M", 4.8944),
        ("GGUF Q4_K_M", "Q4_K_M", 4.8944),
        ("Q4_K - Medium", "Q4_K_M", 4.8944),
        ("Q4_K_M.gguf", "Q4_K_M", 4.8944),
        ("Q4_K", "Q4_K_M", 4.8944),
        ("Q3_K - Large", "Q3_K_L", 4.2979),
        ("Q2_K - Medium", "Q2_K", 3.1593),
        ("mostly Q4_0", "Q4_0", 4.64),
        ("(guessed) Q4_K - Small", "Q4_K_S", 4.6672),
        ("UD-Q4_K_XL", "UD-Q4_K_XL", None),
        ("ud_iq1_s", "UD-IQ1_S", None),
        ("i1-IQ3_M", "IQ3_M", 3.7628),
        ("Q6_K_L", "Q6_K_L", None),
        ("IQ1_S - 1.5625 bpw", "IQ1_S", 2.0042),
        ("IQ3_S mix - 3.66 bpw", "IQ3_M", 3.7628),
        ("iq4_xs", "IQ4_XS", 4.4597),
        ("IQ4_NL", "IQ4_NL", 4.6818),
        ("TQ1_0 - 1.69 bpw ternary", "TQ1_0", 1.69),
        ("MXFP4 MoE", "MXFP4", 4.25),
        ("nvfp4", "NVFP4", 4.5),
        ("fp8_e4m3", "FP8", 8),
        ("FP8-Dynamic", "FP8", 8),
        ("fp8_e5m2", "FP8-E5M2", 8),
        ("int8", "INT8", 8),
        ("INT4", "INT4", 4),
        ("awq", "AWQ", 4),
        ("AWQ-INT4", "AWQ", 4),
        ("INT4-AWQ", "AWQ", 4),
        ("AWQ-8bit", "AWQ-INT8", 8),
        ("GPTQ", "GPTQ", None),
        ("gptq_marlin", "GPTQ", None),
        ("GPTQ-Int4", "GPTQ-INT4", 4),
        ("gptq_8bit_128g", "GPTQ-INT8", 8),
        ("w4a16", "W4A16", 4),
        ("W8A8", "W8A8", 8),
        ("EXL2 4.65bpw", "EXL2-4.65bpw", 4.65),
        ("4.0bpw-h6-exl2", "EXL2-4bpw", 4),
        ("exl3 3 bpw", "EXL3-3bpw", 3),
        ("hqq_int8", "HQQ-8bit", 8),
        ("bnb nf4", "BNB-NF4", 4),
        ("load_in_8bit", "BNB-8bit", 8),
        ("MLX 4bit", "MLX-4bit", 4.5),
        ("8bit-mlx", "MLX-8bit", 8.5),
        ("torch.bfloat16", "BF16", 16),
        ("FP16", "F16", 16),
        ("float16", "F16", 16),
        ("all F32", "F32", 32),
    ],
)
def test_known_spelling(reported: str, name: str, bits_per_weight: float | None) -> None:
    found = resolve_quantization(reported)
    assert (found.reported, found.name, found.known) == (reported, name, True)
    assert found.bits_per_weight == bits_per_weight


@pytest.mark.parametrize(
    ("reported", "name"),
    [(" Q9_Z -  Fancy\n", "Q9_Z - Fancy"), ("DYNAMIC", "DYNAMIC"), ("4bit", "4bit"), ("", "")],
)
def test_unknown_name_is_tidied_and_kept(reported: str, name: str) -> None:
    found = resolve_quantization(reported)
    assert (found.name, found.known, found.bits_per_weight) == (name, False, None)


@pytest.mark.parametrize(
    ("file_name", "model_name", "quantization"),
    [
        ("Llama-3.2-1B-Instruct-Q4_K_M.gguf", "Llama-3.2-1B-Instruct", "Q4_K_M"),
        ("llama-2-7b.Q4_0.gguf", "llama-2-7b", "Q4_0"),
        (
            "/models/Qwen3-Next-80B-A3B-Instruct-UD-Q4_K_XL.gguf",
            "Qwen3-Next-80B-A3B-Instruct",
            "UD-Q4_K_XL",
        ),
        ("GLM-4.5-Air-UD-Q4_K_XL-00001-of-00002.gguf", "GLM-4.5-Air", "UD-Q4_K_XL"),
        ("Qwen3.5-122B-A10B-MXFP4_MOE-00001-of-00003.gguf", "Qwen3.5-122B-A10B", "MXFP4"),
        ("Qwen3.6-35B-A3B-DYNAMIC.gguf", "Qwen3.6-35B-A3B-DYNAMIC", None),
        ("gpt-oss-20b-F16.gguf", "gpt-oss-20b", "F16"),
        ("models/7B/ggml-model-q4_0.gguf", "ggml-model", "Q4_0"),
        ("LLMs\\Llama-3.2-3B-Instruct-Q8_0.gguf", "Llama-3.2-3B-Instruct", "Q8_0"),
        ("shisa-v2-unphi4-14b.i1-IQ3_M.gguf", "shisa-v2-unphi4-14b", "IQ3_M"),
        ("acme/gemma-4-26B-A4B-it-MLX-4bit", "gemma-4-26B-A4B-it", "MLX-4bit"),
        ("Q4_K_M.gguf", "Q4_K_M", None),
        ("", "", None),
    ],
)
def test_file_name_is_split(file_name: str, model_name: str, quantization: str | None) -> None:
    assert split_model_file_name(file_name) == (model_name, quantization)


@pytest.mark.parametrize(
    ("model_type", "quantization"),
    [
        ("qwen35moe 35B.A3B Q4_K - Medium", "Q4_K_M"),
        ("llama ?B Q3_K - Large", "Q3_K_L"),
        ("llama 7B mostly Q4_0", "Q4_0"),
        ("llama 13B IQ3_S mix - 3.66 bpw", "IQ3_M"),
        ("gpt-oss 120B MXFP4 MoE", "MXFP4"),
        ("llama4 17Bx16E (Scout) Q4_K - Medium", "Q4_K_M"),
        ("gpt-oss 20B F16", "F16"),
        ("llama 7B", None),
        ("", None),
    ],
)
def test_model_type_ends_in_quantization(model_type: str, quantization: str | None) -> None:
    assert quantization_of_model_type(model_type) == quantization


PIECES = st.sampled_from(
    ["ud", "i1", "Q4", "K", "M", "mostly", "gguf", "exl2", "4.65", "bpw", "-", "_", " ", "."]
)
NAMES = st.one_of(st.text(), st.lists(PIECES).map("".join))


@given(NAMES)
def test_resolving_a_canonical_name_gives_it_again(raw: str) -> None:
    once = resolve_quantization(raw)
    again = resolve_quantization(once.name)
    assert (again.name, again.known, again.bits_per_weight) == (
        once.name,
        once.known,
        once.bits_per_weight,
    )


@given(NAMES)
def test_splitting_any_text_gives_a_tidy_name(raw: str) -> None:
    model_name, _ = split_model_file_name(raw)
    assert model_name == " ".join(model_name.split())
    quantization_of_model_type(raw)

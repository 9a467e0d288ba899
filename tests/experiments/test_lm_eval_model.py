"""The model that a lm-evaluation-harness file names: name, quantization, adapter."""

from typing import Any

import pytest

from experiments.formats.lm_eval.model import kept_arguments, model_document, read_arguments


@pytest.mark.parametrize(
    ("arguments", "name", "quantization"),
    [
        ("pretrained=mistralai/Mixtral-8x7B-v0.1", "mistralai/Mixtral-8x7B-v0.1", None),
        ("pretrained=a/b,dtype=auto", "a/b", None),
        ("pretrained=a/b,dtype=bfloat16", "a/b", "BF16"),
        ("pretrained=a/b,dtype=half", "a/b", "F16"),
        ("pretrained=a/b,dtype=torch.float32", "a/b", "F32"),
        ("pretrained=a/b,load_in_8bit=True", "a/b", "BNB-8bit"),
        ("pretrained=a/b,load_in_8bit=False", "a/b", None),
        ("pretrained=a/b,load_in_4bit=True,bnb_4bit_quant_type=nf4", "a/b", "BNB-NF4"),
        ("pretrained=a/b,autogptq=True", "a/b", "GPTQ"),
        ("pretrained=a/b,autogptq=model.safetensors", "a/b", "GPTQ"),
        ("pretrained=a/b,autogptq=False", "a/b", None),
        ("pretrained=Qwen/Q2-7B-GPTQ-Int4,gptqmodel=True", "Q2-7B", "GPTQ-INT4"),
        ("pretrained=a/b,quantization=fp8", "a/b", "FP8"),
        ("pretrained=a/b,quantization=compressed-tensors", "a/b", None),
        ("pretrained=TheBloke/Llama-2-7B-AWQ,dtype=float16", "Llama-2-7B", "AWQ"),
        ("pretrained=x/Llama-3.1-8B-Instruct-quantized.w4a16", "Llama-3.1-8B-Instruct", "W4A16"),
        ("pretrained=x/y-GGUF,gguf_file=Llama-3.2-1B-Q4_K_M.gguf", "Llama-3.2-1B", "Q4_K_M"),
        ("pretrained=/home/ann/models/Nimbus-14B/", "Nimbus-14B", None),
        ("pretrained=C:\\models\\Nimbus-14B", "Nimbus-14B", None),
        ("pretrained=~/.cache/models--acme--Nimbus/snapshots/0699", "acme/Nimbus", None),
        ("pretrained=/gpfs/ann/run/global_step1000", None, None),
        ("pretrained=/gpfs/ann/LLaMA/13B", None, None),
        ("model=hf.co/acme/Nimbus-GGUF:Q4_K_M", "Nimbus", "Q4_K_M"),
        ("pretrained=a/b,revision=main", "a/b", None),
        ("pretrained=a/b,revision=0699ef10aa", "a/b", None),
        ("pretrained=a/b,revision=step1000", "a/b@step1000", None),
        ({"model": "lms/gemma-4-26B-A4B-it-MLX-4bit"}, "gemma-4-26B-A4B-it", "MLX-4bit"),
        ({"pretrained": 3, "dtype": None}, None, None),
        (None, None, None),
        ("", None, None),
        ("{'pretrained': 'a/b', 'dtype': 'bfloat16', 'trust_remote_code': True}", "a/b", "BF16"),
    ],
)
def test_name_and_quantization(arguments: Any, name: str | None, quantization: str | None) -> None:
    model = model_document(read_arguments(arguments))
    assert (model.model_name, model.quantization) == (name, quantization)


def test_the_stated_name_wins_and_an_adapter_is_taken() -> None:
    arguments = read_arguments("pretrained=/models/x,peft=/home/ann/adapters/law-lora/")
    model = model_document(arguments, "acme/Nimbus")
    assert (model.model_name, model.lora_adapter) == ("acme/Nimbus", "law-lora")


def test_a_comma_in_a_value_is_kept() -> None:
    assert read_arguments("pretrained=a/b,max_memory={0:1,1:2},dtype=auto") == {
        "pretrained": "a/b",
        "max_memory": "{0:1,1:2}",
        "dtype": "auto",
    }


def test_only_harmless_arguments_are_kept() -> None:
    arguments = {
        "dtype": "auto",
        "api_key": "sk-1",
        "base_url": "http://u:p@h/",
        "token": "hf_1",
        "header": {"Authorization": "Bearer 1"},
        "max_length": 4096,
        "gguf_file": "/home/ann/x.gguf",
        "autogptq": "/home/ann/model.safetensors",
        "temperature": float("nan"),
    }
    assert kept_arguments(arguments) == {
        "dtype": "auto",
        "max_length": 4096,
        "gguf_file": "x.gguf",
        "autogptq": "model.safetensors",
    }


@pytest.mark.parametrize("value", [3, [1], True])
def test_what_are_no_arguments_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="not arguments"):
        read_arguments(value)

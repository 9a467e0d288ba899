"""What names of files and folders suggest: what is surely there, and nothing else."""

from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiments.ingest.context import CONTEXT_FIELDS, read_context
from experiments.ingest.file_names import read_parts
from experiments.ingest.suggestions import suggest_from_name
from hardware.services import HardwareFacts, resolve_hardware

NAMES: dict[str, dict[str, str]] = {
    # quantizations
    "Llama-3.1-8B-Instruct-Q4_K_M.gguf.json": {
        "model_name": "Llama-3.1-8B-Instruct",
        "quantization": "Q4_K_M",
    },
    "qwen3-next-80b-ud-q4-k-xl-b9010-r3.csv": {
        "model_name": "qwen3-next-80b",
        "quantization": "UD-Q4_K_XL",
    },
    "mixtral-8x7b-instruct-v0.1-awq/serve.json": {
        "model_name": "mixtral-8x7b-instruct-v0.1",
        "quantization": "AWQ",
    },
    "gemma-4-26B-A4B-it-MLX-8bit/results.json": {
        "model_name": "gemma-4-26B-A4B-it",
        "quantization": "MLX-8bit",
    },
    "Qwen3-30B-A3B-Instruct-2507-FP8.jsonl": {
        "model_name": "Qwen3-30B-A3B-Instruct-2507",
        "quantization": "FP8",
    },
    "DeepSeek-R1-Distill-Qwen-7B-w4a16.txt": {
        "model_name": "DeepSeek-R1-Distill-Qwen-7B",
        "quantization": "W4A16",
    },
    # TIGER-Lab's own way of naming says where the model's name ends
    "summary/AdaptThink-7B-delta0.05-CoT-all_06-21_22-28_summary.txt": {
        "model_name": "AdaptThink-7B-delta0.05"
    },
    "DeepSeek-R1-Distill-Qwen-7B-nothinking-CoT-all_06-24_12-44_summary.txt": {
        "model_name": "DeepSeek-R1-Distill-Qwen-7B-nothinking"
    },
    "turboderp_exl2-4.5bpw.json": {"quantization": "EXL2-4.5bpw"},
    "llama-2-7b.Q4_0.json": {"model_name": "llama-2-7b", "quantization": "Q4_0"},
    "nightly/bf16/run-3.json": {"quantization": "BF16"},
    "phi-4-14b-gptq.json": {"model_name": "phi-4-14b", "quantization": "GPTQ"},
    "llama-70b-awq-2.json": {"model_name": "llama-70b", "quantization": "AWQ"},  # the second run
    "q5-k-m-q8kv.csv": {"quantization": "Q5_K_M"},  # the other is that of the cache
    "fp8-kvcache.json": {},
    "ctk-q8_0.json": {},
    "q4_k_m-and-q8_0.json": {},
    "sweep-4bit.json": {},  # by whose method?
    "q40.json": {},
    "backends/mlx/summary.csv": {},
    # accelerators
    "h100/run1.json": {"gpu_model": "H100"},
    "8xH100SXM5-throughput/np4.json": {"gpu_model": "H100 SXM", "gpu_count": "8"},
    "4Mi300x-throughput/out.json": {"gpu_model": "MI300X", "gpu_count": "4"},
    "a100-80gb-pcie.json": {"gpu_model": "A100 PCIe", "gpu_memory_gb": "80"},
    "2x-rtx4090/llama-bench.json": {"gpu_model": "RTX 4090", "gpu_count": "2"},
    "rtx_4070_ti_super.csv": {"gpu_model": "RTX 4070 Ti SUPER"},
    "RTX4090Laptop.json": {"gpu_model": "RTX 4090 Laptop"},
    "l40s-x8/serve.json": {"gpu_model": "L40S", "gpu_count": "8"},
    "rx7900xtx-vulkan.txt": {"gpu_model": "RX 7900 XTX"},
    "strix-halo/2026-05-07/q6_k.csv": {"gpu_model": "Radeon 8060S", "quantization": "Q6_K"},
    "StrixHalo.jsonl": {"gpu_model": "Radeon 8060S"},
    "dgx-spark--gpt-oss-20b.json": {"gpu_model": "GB10", "model_name": "gpt-oss-20b"},
    "m4-max-128k.json": {"gpu_model": "Apple M4 Max"},
    "4xL4-tp4.json": {"gpu_model": "L4", "gpu_count": "4"},
    "tesla-t4.json": {"gpu_model": "T4"},
    "l4-24gb.json": {"gpu_model": "L4", "gpu_memory_gb": "24"},
    "t4.json": {},  # or four threads
    "n300.json": {},  # or 300 prompts
    "gpt2-780m.json": {},  # parameters, no Radeon 780M
    "minimax-m2.5.json": {},  # no Apple M2
    "arc-easy.json": {},  # a benchmark
    "h100_vs_mi300x/summary.json": {},
    "h100/then-b200.json": {},
    "8xh100-tp4.json": {"gpu_model": "H100"},  # how many were used is not clear
    # load
    "gptoss_1k8k_fp4_tp4_conc16_b200.json": {
        "input_tokens": "1024",
        "output_tokens": "8192",
        "quantization": "FP4",
        "gpu_count": "4",
        "concurrent_requests": "16",
        "gpu_model": "B200",
    },
    "isl1024_osl128_concurrency_64_20260914.json": {
        "input_tokens": "1024",
        "output_tokens": "128",
        "concurrent_requests": "64",
    },
    "random-1024in_128out-c4-run1.json": {
        "input_tokens": "1024",
        "output_tokens": "128",
        "concurrent_requests": "4",
    },
    "h200/max-concurrency=32.json": {"gpu_model": "H200", "concurrent_requests": "32"},
    "sharegpt-50users.json": {"concurrent_requests": "50"},
    "mistralai_Mistral-7B-Instruct-v0.2_tp_1_results.json": {
        "model_name": "Mistral-7B-Instruct-v0.2",
        "gpu_count": "1",
    },
    "tp4-pp2.json": {},
    "tp-1-2-4.json": {},  # a series
    "conc-1-64.json": {},
    "perplexity-c4.json": {},  # a data set
    "qwen_concurrency2/qwen_concurrency4.json": {},
    "conc0.json": {},
    "latency_ip2048_op128_np16.json": {
        "input_tokens": "2048",
        "output_tokens": "128",
        "concurrent_requests": "16",
    },
    "throughput_np16.json": {},  # how many prompts there were
    "Llama-3.1-8B_latency_bs8_float16.json": {
        "model_name": "Llama-3.1-8B",
        "quantization": "F16",
        "concurrent_requests": "8",
    },
    # engines
    "results/vllm/h100.json": {"backend": "vllm", "gpu_model": "H100"},
    "dsr1_fp4_sglang_tp4.json": {"backend": "sglang", "quantization": "FP4", "gpu_count": "4"},
    "run-trt-llm.json": {"backend": "tensorrt-llm"},
    "llama.cpp/run.json": {"backend": "llama.cpp"},
    "vllm-vs-sglang/run.json": {},
    "vllm/then_sglang.json": {},
    # models
    "meta-llama__Llama-3.3-70B-Instruct/results_2026-04-28T18-02-04.json": {
        "model_name": "Llama-3.3-70B-Instruct"
    },
    "results--qwen-3.6--qwen-3.6-27b--bf16.json": {
        "model_name": "qwen-3.6-27b",
        "quantization": "BF16",
    },
    "ollama/qwen3-coder_30b/run_1.json": {"model_name": "qwen3-coder_30b", "backend": "ollama"},
    "bloom-7b1_bbh_3-shot.json": {"model_name": "bloom-7b1"},
    "rinna-japanese-gpt-neox-3.6b.json": {},  # its name begins before the family
    "together_70b.json": {},
    "llama-8b/qwen-7b.json": {},
    "llama-bench-2026-11-20.json": {},
    # nothing at all
    "": {},
    "results.json": {},
    "benchmark_20260310_183313.jsonl": {},
    "README.md": {},
    "gpt-4-1-nano_150_5500_summary.json": {},
}


WORDS = [*NAMES, "8x", "x4", "4", "9999999", "0x", "00", "v0", "b8", "isl0", "４", "²", "ſ", "\x00"]


@pytest.mark.parametrize("name", NAMES)
def test_suggest_from_name(db: None, name: str) -> None:
    assert suggest_from_name(name) == NAMES[name]


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text() | st.lists(st.sampled_from(WORDS), max_size=5).map("-".join))
def test_any_name_gives_context_fields_that_can_be_read(db: None, name: str) -> None:
    suggested = suggest_from_name(name)
    assert set(suggested) <= set(CONTEXT_FIELDS)
    assert all(isinstance(value, str) and value for value in suggested.values())
    read_context(dict(suggested))


def test_a_suggested_gpu_is_resolved_to_the_same_device(db: None) -> None:
    for name, device, form in (
        ("8xH100SXM5.json", "H100", "SXM"),
        ("a100-80gb-pcie.json", "A100", "PCIe"),
        ("strix-halo.json", "Radeon 8060S", None),
    ):
        resolved = resolve_hardware(
            HardwareFacts(gpu_models=(suggest_from_name(name)["gpu_model"],))
        )
        assert (resolved.gpu_model, resolved.gpu_form) == (device, form)


def test_one_query_whatever_the_name(db: None) -> None:
    for name in ("h100.json", "a/b-c_d." * 60 + "rtx4090-tp8.json"):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert suggest_from_name(name)["gpu_model"]
        assert len(queries) == 1


def test_names_of_the_corpus_suggest_what_their_files_say(corpus: Path, db: None) -> None:
    """No file of a folder whose files name their GPU is suggested another one."""
    suggested = {
        path.name: suggest_from_name(path.name)
        for folder in ("llama-bench", "llama-bench-csv", "llama-bench-wrapped")
        for path in (corpus / folder).iterdir()
    }
    gpus = {fields["gpu_model"] for fields in suggested.values() if "gpu_model" in fields}
    assert gpus == {"Radeon 8060S"}
    assert len([fields for fields in suggested.values() if fields]) >= len(suggested) - 3


def test_parts_that_compare_are_left_out() -> None:
    parts = read_parts("lab/h100-vs-b200/fp8__conc4\\run.json")
    assert [part.raw for part in parts] == ["lab", "fp8", "conc4", "run.json"]

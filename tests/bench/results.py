"""Runs as people upload them."""

import uuid
from typing import Any


def run_of_sweep(number: int) -> dict[str, Any]:
    """Return one run of a long file: ten sweeps of 40 loads a model, and 500 models in turn."""
    return run(number) | {
        "model_name": f"bench/Swept-{number // 400 % 500}",
        "concurrent_requests": 1 + number % 40,
    }


def run(number: int) -> dict[str, Any]:
    """Return one run as people upload it, of one of 40 configurations."""
    metrics = (
        ("tokens_per_second", "tok/s", 50.0),
        ("prompt_processing_speed", "tok/s", 900.0),
        ("ttft_ms", "ms", 120.0),
        ("tpot_ms", "ms", 20.0),
        ("e2e_latency_ms", "ms", 2700.0),
        ("memory_usage_gb", "GB", 18.0),
        ("gpu_power_watts", "W", 310.0),
        ("total_tokens_per_second", "tok/s", 300.0),
    )
    return {
        "id": str(uuid.uuid4()),
        "model_name": f"bench/Model-{number % 40}",
        "quantization": "Q4_K_M",
        "backend": "vllm",
        "concurrent_requests": 1 + number % 8,
        "load_kind": "serving",
        "timestamp": "2026-11-20T09:30:00+00:00",
        "hardware_config": {"gpu_model": "NVIDIA GeForce RTX 4090", "gpu_count": 1},
        "performance_metrics": [
            {"metric_name": name, "value": value + number % 100 / 10, "unit": unit}
            for name, unit, value in metrics
        ],
    }

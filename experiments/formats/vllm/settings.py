"""The settings around a result of vLLM's benchmarks: metadata, parameters of a sweep."""

from collections.abc import Collection, Mapping
from typing import Any

from experiments.formats.documents import SetupDocument
from experiments.formats.numbers import first_whole
from experiments.formats.parallelism import Parallelism, degree
from experiments.formats.private import public_settings

LARGEST_LENGTH = 2**31
# Engine arguments that change speed and whose values are numbers. Other numbers are figures, or
# belong to the client; texts and switches are what people note or sweep over.
_ENGINE_NUMBERS = frozenset(
    {
        "block_size",
        "cpu_offload_gb",
        "data_parallel_size",
        "decode_context_parallel_size",
        "dp",
        "ep",
        "gpu_memory_utilization",
        "kv_cache_memory_bytes",
        "long_prefill_token_threshold",
        "max_long_partial_prefills",
        "max_model_len",
        "max_num_batched_tokens",
        "max_num_partial_prefills",
        "max_num_seqs",
        "max_seq_len_to_capture",
        "num_gpu_blocks_override",
        "num_scheduler_steps",
        "num_speculative_tokens",
        "pipeline_parallel_size",
        "pp",
        "prefill_context_parallel_size",
        "speculative_config",
        "swap_space",
        "tensor_parallel_size",
        "tp",
    }
)
# Texts of the client, and words by which people tell their runs apart.
_NO_SPEED = frozenset(
    """
    backend base_model best_of client commit custom_dataset_path dataset dataset_path date
    endpoint endpoint_type gpu hardware hf_name hf_split hf_subset host job job_id label machine
    model name notes num_warmups percentile_metrics ramp_up_strategy random_range_ratio
    request_rate run run_id run_name run_number seed server_name tag temperature time timestamp
    tokenizer tokenizer_id tokenizer_mode
    """.split()  # noqa: SIM905 - a list of words
)


def vllm_setup(
    record: Mapping[str, Any], *, skip: Collection[str]
) -> tuple[SetupDocument, tuple[str, ...]]:
    """Return the set-up that a record tells of, and the names of what was hidden.

    `skip` names the keys that are read elsewhere. Flags may be written with hyphens, as in files
    of parameters.
    """
    found, hidden = public_settings(record, skip=skip)
    settings = {name.replace("-", "_"): value for name, value in found.items()}
    parallel = parallelism(settings)
    kv_cache = settings.get("kv_cache_dtype")
    setup = SetupDocument(
        tensor_parallel=parallel.tensor,
        pipeline_parallel=parallel.pipeline,
        expert_parallel=parallel.expert,
        speculation=_speculation(settings),
        kv_cache_type=kv_cache if isinstance(kv_cache, str) and _is_type(kv_cache) else None,
        settings=settings,
        speed_settings={name: value for name, value in settings.items() if _is_speed(name, value)},
    )
    return setup, hidden


def parallelism(settings: Mapping[str, Any]) -> Parallelism:
    """Return the degrees of parallelism among the settings of a server."""
    return Parallelism(
        tensor=degree(settings, "tensor_parallel_size", "tp", "tp_size"),
        pipeline=degree(settings, "pipeline_parallel_size", "pp", "pp_size"),
        data=degree(settings, "data_parallel_size", "dp", "dp_size"),
        expert=degree(settings, "expert_parallel_size", "ep", "ep_size"),
    )


def length(settings: Mapping[str, Any], *names: str) -> int | None:
    """Return the first of these settings that is a number of tokens, also written as text."""
    return first_whole(settings, *names, most=LARGEST_LENGTH)


def _is_speed(name: str, value: Any) -> bool:
    first = name.split(".", 1)[0]
    if first in _NO_SPEED or first.startswith(("random_", "spec_decode_", "ramp_up_")):
        return False
    return isinstance(value, str | bool) or first in _ENGINE_NUMBERS


def _is_type(name: str) -> bool:
    return 0 < len(name) <= 40 and name != "auto"


def _speculation(settings: Mapping[str, Any]) -> str | None:
    """Return the kind of speculation as far as a record tells it.

    vllm bench serve writes its statistics where the server speculates, but not how it does.
    """
    method = settings.get("speculative_config.method", settings.get("speculative_method"))
    tokens = settings.get(
        "speculative_config.num_speculative_tokens", settings.get("num_speculative_tokens")
    )
    if isinstance(method, str) and 0 < len(method) <= 100:
        return f"{method}, {tokens} tokens" if isinstance(tokens, int) else method
    is_on = tokens or any(name.startswith("spec_decode_") for name in settings)
    return "method not stated" if is_on else None

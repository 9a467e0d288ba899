"""What SGLang's server says of itself in `server_info`: model, version, parallelism, memory.

Behind a router that disaggregates prefill and decode it is that of several servers.
Source: https://github.com/sgl-project/sglang/blob/main/python/sglang/srt/server_args.py
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.quantization import resolve_quantization
from experiments.formats.documents import ModelDocument, SetupDocument
from experiments.formats.fields import MOST_GPUS
from experiments.formats.figures import Figures
from experiments.formats.model_names import served_model
from experiments.formats.parallelism import Parallelism, degree
from experiments.formats.private import public_settings
from experiments.formats.problems import join_path

Info = Mapping[str, Any]

# Flags that change speed.
_SPEED = """
    attention_backend chunked_prefill_size context_length cuda_graph_max_bs
    decode_attention_backend disable_cuda_graph disable_overlap_schedule disable_radix_cache
    dp_size dtype enable_dp_attention enable_hierarchical_cache enable_mixed_chunk
    enable_torch_compile enable_two_batch_overlap ep_size fp4_gemm_runner_backend
    fp8_gemm_runner_backend kv_cache_dtype max_running_requests mem_fraction_static
    moe_a2a_backend moe_runner_backend num_continuous_decode_steps page_size pp_size
    prefill_attention_backend quantization sampling_backend schedule_policy
    speculative_algorithm speculative_eagle_topk speculative_num_draft_tokens
    speculative_num_steps tp_size
    """.split()  # noqa: SIM905 - a list of words
_ROLES = ("prefill", "decode")
_MEMORY = ("weight", "kvcache", "graph")


@dataclass(frozen=True)
class Server:
    """One server: its role under disaggregation, "" where it does all, and what it says."""

    role: str
    info: Info

    @property
    def parallelism(self) -> Parallelism:
        """How it is spread; with data-parallel attention the replicas share the same GPUs."""
        shares = self.info.get("enable_dp_attention") is True
        return Parallelism(
            tensor=degree(self.info, "tp_size"),
            pipeline=degree(self.info, "pp_size"),
            data=None if shares else degree(self.info, "dp_size"),
            expert=degree(self.info, "ep_size"),
        )


def servers_of(server_info: Any) -> tuple[Server, ...]:
    """Return the servers that a `server_info` speaks of; none where its endpoint failed."""
    if not isinstance(server_info, dict):
        return ()
    servers = [Server(role, info) for role in _ROLES for info in _objects(server_info.get(role))]
    return tuple(servers) or ((Server("", server_info),) if server_info else ())


def gpus_used(servers: Sequence[Server]) -> int | None:
    """Return the GPUs of all servers, None where one does not say."""
    counts = [server.parallelism.gpus for server in servers]
    known = [count for count in counts if count is not None]
    is_known = bool(known) and len(known) == len(counts) and sum(known) <= MOST_GPUS
    return sum(known) if is_known else None


def version_of(servers: Sequence[Server]) -> str | None:
    """Return the version that runs, each where the servers differ."""
    versions = [server.info.get("version") for server in servers]
    texts = [version for version in versions if isinstance(version, str) and version]
    return " / ".join(dict.fromkeys(texts))[:200] or None


def model_of(servers: Sequence[Server], *names: Any) -> ModelDocument:
    """Return the model: by its path rather than an alias, and its quantization by name or flag.

    A flag that is null may still load a quantized checkpoint: then it is not known.
    """
    paths = [
        server.info.get(key) for key in ("model_path", "served_model_name") for server in servers
    ]
    model = served_model(*paths, *names)
    flags = {
        server.info.get("quantization") for server in servers if _is_text(server, "quantization")
    }
    flag = flags.pop() if len(flags) == 1 else None
    if model.quantization is None and flag and resolve_quantization(flag).known:
        return replace(model, quantization=flag)
    return model


def setup_of(
    servers: Sequence[Server], settings: Mapping[str, Any]
) -> tuple[SetupDocument, tuple[str, ...]]:
    """Return the set-up, with other settings of the run, and the names of what was hidden."""
    found: dict[str, Any] = {}
    speed: dict[str, Any] = {}
    hidden: list[str] = []
    for number, server in enumerate(servers):
        where = "server_info" if not server.role else f"{server.role}.{number}"
        public, of_server = public_settings(server.info, skip=("internal_states",))
        hidden += [f"{where}.{name}" for name in of_server]
        important = {name: public[name] for name in _SPEED if name in public}
        speed |= {f"{where}.{name}": value for name, value in important.items()}
        # Of many servers the flags that count are enough.
        kept = important if server.role else public
        found |= {f"{where}.{name}": value for name, value in kept.items()}
    degrees = {server.parallelism for server in servers}
    parallel = degrees.pop() if len(degrees) == 1 else Parallelism()
    setup = SetupDocument(
        tensor_parallel=parallel.tensor,
        pipeline_parallel=parallel.pipeline,
        expert_parallel=parallel.expert,
        nodes=degree(servers[0].info, "nnodes") if len(servers) == 1 else None,
        speculation=_speculation(servers),
        kv_cache_type=_kv_cache_type(servers),
        settings={**settings, **found},
        speed_settings=speed,
    )
    return setup, tuple(hidden)


def add_memory(figures: Figures, servers: Sequence[Server], place: str) -> None:
    """Add the memory that one server holds on a GPU, times its GPUs; SGLang's "GB" are GiB."""
    gpus = gpus_used(servers)
    if len(servers) != 1 or gpus is None:
        return
    states = _objects(servers[0].info.get("internal_states"))
    usage = states[0].get("memory_usage") if states else None
    if not isinstance(usage, dict):
        return
    parts = [usage[name] for name in _MEMORY if name in usage]
    if not all(isinstance(part, int | float) and 0 <= part < 1e6 for part in parts) or not parts:
        return
    figures.add(
        "memory_usage_gb",
        sum(parts) * gpus,
        "GiB",
        at=join_path(place, "server_info", "internal_states", 0, "memory_usage"),
        definition="engine_pools",
        derived_from=("memory_usage of one GPU", "GPUs used"),
        context={name: usage[name] for name in _MEMORY if name in usage},
    )


def _objects(value: Any) -> list[Info]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _is_text(server: Server, key: str) -> bool:
    value = server.info.get(key)
    return isinstance(value, str) and 0 < len(value) <= 100


def _speculation(servers: Sequence[Server]) -> str | None:
    """Return how a server drafts tokens: "EAGLE, 3 steps, 4 draft tokens"."""
    for server in servers:
        if not _is_text(server, "speculative_algorithm"):
            continue
        steps = server.info.get("speculative_num_steps")
        drafts = server.info.get("speculative_num_draft_tokens")
        parts = [str(server.info["speculative_algorithm"])]
        parts += [f"{steps} steps"] if isinstance(steps, int) else []
        parts += [f"{drafts} draft tokens"] if isinstance(drafts, int) else []
        return ", ".join(parts)[:200]
    return None


def _kv_cache_type(servers: Sequence[Server]) -> str | None:
    types = {
        server.info["kv_cache_dtype"] for server in servers if _is_text(server, "kv_cache_dtype")
    }
    types -= {"auto"}
    return types.pop()[:40] if len(types) == 1 else None

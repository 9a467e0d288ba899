"""The servers of an llm-d benchmark report: engine, accelerators, parallelism, arguments."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from experiments.formats.documents import Problem, SetupDocument
from experiments.formats.fields import MOST_GPUS
from experiments.formats.private import public_settings
from hardware.resolution import HardwareFacts

_TOO_MANY = f"These are more than {MOST_GPUS:,} accelerators; is the count right?"
_IMAGE = re.compile(r"(?:[^\s/]+/)*(?P<name>[^\s/:@]+)(?::(?P<tag>[^\s/@]+))?(?:@\S+)?")
# Images are named after the engine and how it was built: vllm-openai, llm-d-cuda.
_ENGINES = ("vllm", "llm-d", "sglang")
_NO_SPEED = re.compile(r".*(port|log|logging|served_model_name|rank)\b.*", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Server:
    """One kind of server: `gpus` are those of all its replicas."""

    role: str
    engine: str | None
    engine_version: str | None
    gpu_model: str | None
    gpus: int
    gpu_memory_gb: float | None = None
    replicas: int = 1
    parallelism: Mapping[str, int] = field(default_factory=dict)
    args: Mapping[str, Any] = field(default_factory=dict)


def split_image(text: str | None) -> tuple[str | None, str | None]:
    """Return engine and version: "ghcr.io/llm-d/llm-d-cuda:0.3.1" is ("llm-d", "0.3.1").

    A text that is no container image is an engine without version.
    """
    found = _IMAGE.fullmatch(text.strip()) if text else None
    if not found:
        return (text or "").strip() or None, None
    name = found["name"].lower()
    engine = next((known for known in _ENGINES if name.startswith(known)), found["name"])
    return engine, found["tag"]


def hardware_of(servers: Sequence[Server]) -> tuple[HardwareFacts, list[Problem]]:
    """Return the accelerators of all servers; unknown where one server does not name its own."""
    used = [server for server in servers if server.gpus]
    if not used or any(not server.gpu_model for server in used):
        return HardwareFacts(), []
    count = sum(server.gpus for server in used)
    if count > MOST_GPUS:
        return HardwareFacts(), [Problem("scenario", _TOO_MANY, count)]
    names = [str(server.gpu_model) for server in used for _gpu in range(server.gpus)]
    one_kind = len(set(names)) == 1
    return (
        HardwareFacts(
            gpu_models=(names[0],) if one_kind else tuple(names),
            gpu_count=count,
            gpu_memory_gb=_common(server.gpu_memory_gb for server in used) if one_kind else None,
        ),
        [],
    )


def engine_of(servers: Sequence[Server]) -> tuple[str | None, str | None]:
    """Return the engine and its version; several are named together, for they served as one."""
    engines = dict.fromkeys(server.engine for server in servers if server.engine)
    versions = dict.fromkeys(server.engine_version for server in servers if server.engine_version)
    return " + ".join(engines) or None, " + ".join(versions) or None


def setup_of(
    servers: Sequence[Server], load: Mapping[str, Any], shape: Mapping[str, Any]
) -> tuple[SetupDocument, list[str]]:
    """Return how all was set up, and the names of what was hidden of it.

    `load` are settings of the client, `shape` is what of its prompts changes speed: shared
    prefixes and turns. Everything about the servers changes speed, but for ports and logs.
    """
    stack: dict[str, Any] = {}
    for index, server in enumerate(servers):
        label = server.role if len(servers) == 1 else f"{server.role}[{index}]"
        stack[label] = {
            "replicas": server.replicas,
            "gpus": server.gpus or None,
            **server.parallelism,
            "args": {key.lstrip("-"): _switch(value) for key, value in server.args.items()},
        }
    found, hidden = public_settings(stack)
    speed = {key: value for key, value in found.items() if not _NO_SPEED.fullmatch(key)}
    client, more_hidden = public_settings({"load": load})
    setup = SetupDocument(
        tensor_parallel=_common(server.parallelism.get("tp") for server in servers),
        pipeline_parallel=_common(server.parallelism.get("pp") for server in servers),
        expert_parallel=_common(server.parallelism.get("ep") for server in servers),
        settings={**found, **shape, **client},
        speed_settings={**speed, **shape},
    )
    return setup, [*hidden, *more_hidden]


def _switch(value: Any) -> Any:
    """Return an argument's value; a switch is written with none."""
    return True if value is None else value


def _common(values: Iterable[Any]) -> Any:
    """Return the value that all share, None where they differ."""
    found = set(values)
    return found.pop() if len(found) == 1 else None

"""How files of each format are made and sent: the shell lines that people copy (no Django)."""

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from experiments.formats.base import Format

REQUIRED = ("model_name", "quantization", "backend", "gpu_model")
"""Fields that every run needs, in the file or beside it; a CPU is named as `cpu_model` instead."""

_EXAMPLES = {
    "model_name": "Qwen/Qwen3-8B",
    "quantization": "BF16",
    "backend": "vllm",
    "gpu_model": "RTX 4090",
}


@dataclass(frozen=True, kw_only=True)
class ToolGuide:
    """How to send what a tool writes: its commands, where it has one to type, and a curl line."""

    tool: str
    titles: tuple[str, ...]
    commands: tuple[str, ...]
    curl: str


def curl_line(found: Format, address: str) -> str:
    """Return the shell line that sends a file of a format, with the fields that it lacks."""
    fields = " ".join(
        f"-F {name}={shlex.quote(_EXAMPLES[name])}" for name in REQUIRED if name in found.lacks
    )
    parts = (
        'curl -H "Authorization: Bearer $TOKEN"',
        f"-F file=@{shlex.quote(found.file_name)}",
        fields,
        shlex.quote(address),
    )
    return " ".join(part for part in parts if part)


def by_tool(formats: Iterable[Format]) -> list[Format]:
    """Return the formats by the name of their tool, its JSON first; last those without a tool."""

    def order(item: Format) -> tuple[bool, str, bool]:
        return not item.tool, item.tool.lower(), not item.file_name.endswith(".json")

    return sorted(formats, key=order)


def tool_guides(formats: Iterable[Format], address: str) -> Iterator[ToolGuide]:
    """Yield a guide for each tool that the formats name, by name; its line sends the first form."""
    named = (item for item in by_tool(formats) if item.tool)
    for tool, group in groupby(named, key=lambda item: item.tool):
        forms = list(group)
        yield ToolGuide(
            tool=tool,
            titles=tuple(item.title for item in forms),
            commands=tuple(dict.fromkeys(item.command for item in forms if item.command)),
            curl=curl_line(forms[0], address),
        )

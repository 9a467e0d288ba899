"""Reports that a tool writes in JSON or in YAML: two formats that are read alike."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

from experiments.formats.base import About, Format
from experiments.formats.content import Content
from experiments.formats.documents import ParsedFile

Reports = Sequence[tuple[str, Any]]
"""The reports of a file, each with its place."""


def report_formats(
    *,
    name: str,
    title: str,
    version: int,
    keys: Collection[frozenset[str]],
    is_report: Callable[[Any], bool],
    parse: Callable[[Reports], ParsedFile],
    about: About,
    tool: str,
    file_name: str,
    fills: tuple[str, ...],
    lacks: tuple[str, ...],
    command: str = "",
) -> tuple[Format, Format]:
    """Return the JSON and the YAML format of a report.

    `keys` are sets of which one stands at the margin of every such YAML, so that no other YAML
    is read; name, title and file name are completed by the notation.
    """

    def detect_json(content: Content) -> bool:
        return bool(content.json[0]) and is_report(content.first_record)

    def detect_yaml(content: Content) -> bool:
        stand = content.yaml_keys
        return any(wanted <= stand for wanted in keys) and is_report(content.yaml)

    as_json = Format(
        name=f"{name}-json",
        title=f"{title} JSON",
        version=version,
        detect=detect_json,
        parse=lambda content: parse(list(content.json_values())),
        about=about,
        tool=tool,
        command=command,
        file_name=f"{file_name}.json",
        fills=fills,
        lacks=lacks,
    )
    as_yaml = replace(
        as_json,
        name=f"{name}-yaml",
        title=f"{title} YAML",
        detect=detect_yaml,
        parse=lambda content: parse([("", content.yaml)]),
        command="",
        file_name=f"{file_name}.yaml",
    )
    return as_json, as_yaml

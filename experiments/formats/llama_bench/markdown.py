"""llama-bench `-o md`: the tables that people paste, with what their logs say around them.

Figures are rounded to two decimals, there is no date and no name of a model file; columns of flags
that were not given are left out. Source of the columns: the `markdown_printer` of
https://github.com/ggml-org/llama.cpp/blob/master/tools/llama-bench/llama-bench.cpp
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.quantization import resolve_quantization
from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.documents import InvalidFileError, ParsedFile, Problem
from experiments.formats.llama_bench import about
from experiments.formats.llama_bench.devices import Devices, read_devices
from experiments.formats.llama_bench.markdown_cells import FIXED_COLUMNS, KEYS, read_cells
from experiments.formats.llama_bench.rows import FILLS, NO_ROWS, Source
from experiments.formats.llama_bench.runs import parse_rows
from experiments.formats.llama_bench.settings import (
    SPEED_DEFAULTS,
    gpu_backends,
    pick_devices,
    picked_backend,
)
from experiments.formats.llama_bench.tables import Table, find_tables, first_table_line

_KNOWN_FLAGS = {*KEYS.values(), *SPEED_DEFAULTS, "poll"}
_DEVICE_BACKENDS = {"MTL": "Metal"}  # how the device's name and the log call one backend


@dataclass
class _Found:
    """What the tables give: rows, problems of those that cannot be read, warnings by message."""

    rows: list[Source] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def _detect(content: Content) -> bool:
    return first_table_line(content.text) is not None


def _parse(content: Content) -> ParsedFile:
    tables = find_tables(content.text)
    other = "This table is none of llama-bench: it is left out."
    found = _Found(
        problems=[*tables.problems],
        warnings=[Problem(f"line {line}", other) for line in tables.others],
    )
    for table in tables.found:
        _read_table(table, found)
    if not found.rows and not found.problems:
        raise InvalidFileError(Problem(f"line {tables.found[0].line}", NO_ROWS))
    problems = [*found.problems, *_several_models(found.rows)]
    return parse_rows([*problems, *found.rows], found.warnings)


def _read_table(table: Table, found: _Found) -> None:
    """Add what a table gives to `found`."""
    place = f"line {table.line}"
    if twice := sorted({name for name in table.columns if table.columns.count(name) > 1}):
        message = "A column stands twice; keep the right one."
        found.problems.append(Problem(place, message, ", ".join(twice)))
        return
    found.problems += table.problems
    if not table.rows and not table.problems:
        message = "This table has a header but no result row; did llama-bench fail?"
        found.warnings.append(Problem(place, message))
    devices = read_devices(table.preamble)
    doubts = set()
    for number, cells in table.rows:
        texts = dict(zip(table.columns, cells, strict=True))
        record = table.build_record()
        problems = list(read_cells(texts, record, f"line {number}"))
        found.problems += problems
        if not problems:
            source = _source(table, texts, record, devices, f"line {number}")
            found.rows.append(source)
            doubts.add(_doubt(record, source.gpu_models, devices))
    found.warnings += [Problem(place, doubt) for doubt in sorted(doubts - {""})]


def _source(
    table: Table, texts: Mapping[str, str], record: dict[str, Any], devices: Devices, place: str
) -> Source:
    """Return a row as it stands under its title; cells, title and build make it this run."""
    identity = {"title": table.title, "build": table.build, "cells": dict(texts)}
    gpus = _gpus(record, devices)
    around = {"title": table.title} if table.title else {}
    if gpus and gpu_backends(record.get("backends")) == ["Vulkan"]:
        around |= devices.vulkan_settings
    unknown = {
        key: value
        for key, value in record.items()
        if key in map(_key, texts) and key not in _KNOWN_FLAGS
    }
    return Source(
        place=place,
        record=record,
        identity=identity,
        origin={**identity, "gpus": gpus},
        settings={**around, "params": texts["params"]} if texts["params"] else around,
        speed_settings={**unknown, **around},
        context={"as_written": texts["t/s"]},
        gpu_models=gpus,
        rounded=True,
    )


def _key(column: str) -> str:
    return "" if column in FIXED_COLUMNS else KEYS.get(column, column)


def _gpus(record: Mapping[str, Any], devices: Devices) -> tuple[str, ...] | None:
    """Return the GPUs that a row used, () where it used none, None where nothing tells."""
    stated, flag = record.get("backends"), str(record.get("devices", ""))
    backends = gpu_backends(stated)
    if (stated and not backends) or flag.lower() == "none":
        return ()
    listed = _listed(backends, devices)
    chosen = picked_backend(flag) if len(listed) > 1 else next(iter(listed), None)
    return pick_devices(listed[chosen], flag) if chosen in listed else None


def _listed(backends: Sequence[str], devices: Devices) -> dict[str, tuple[str, ...]]:
    """Return the GPUs that the log lists for each backend, without backends it is silent on."""
    found = {name: devices.names(_DEVICE_BACKENDS.get(name, name)) for name in backends}
    return {name: names for name, names in found.items() if names}


def _doubt(record: Mapping[str, Any], gpus: tuple[str, ...] | None, devices: Devices) -> str:
    """Return why the log above a table does not tell the GPUs, "" where it does or is silent."""
    if gpus is not None:
        return ""
    backends = gpu_backends(record.get("backends"))
    if listed := _listed(backends, devices):
        return (
            f"The log names the GPUs of several backends ({', '.join(listed)}) and the table does "
            "not say which were used: state gpu_model and gpu_count."
        )
    announced = [name for name in backends if devices.counts.get(name)]
    if not announced:
        return ""
    return (
        f"The log announces {devices.counts[announced[0]]} {announced[0]} devices and names "
        f"{len(devices.by_backend[announced[0]])}: state gpu_model and gpu_count."
    )


def _several_models(rows: Sequence[Source]) -> list[Problem]:
    """Return a problem where the rows are of several models: the uploader names one of them."""
    for row in rows[1:]:
        if _architecture(row.record) != _architecture(rows[0].record):
            message = (
                "The tables hold several models and name only their architectures; send the rows "
                "of each model as a file of its own, with its model_name."
            )
            names = f"{rows[0].record['model_type']}; {row.record['model_type']}"
            return [Problem(f"{row.place}, column model", message, names)]
    return []


def _architecture(record: Mapping[str, Any]) -> tuple[str, Any]:
    """Return "llama 7B" of "llama 7B Q4_0", with the parameters where the size is unknown."""
    words = str(record["model_type"]).split()
    tails = (i for i in range(1, len(words)) if resolve_quantization(" ".join(words[i:])).known)
    head = " ".join(words[: next(tails, len(words))])
    return head, record.get("model_n_params") if "?" in head else None


FORMAT = Format(
    name="llama-bench-markdown",
    title="llama-bench Markdown table",
    version=1,
    detect=_detect,
    parse=_parse,
    about=about.MARKDOWN,
    tool="llama-bench",
    command="llama-bench -m model.gguf > result.md 2>&1",
    file_name="result.md",
    fills=tuple(name for name in FILLS if name != "cpu_model"),
    lacks=("model_name", "gpu_model"),
)

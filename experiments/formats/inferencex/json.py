"""InferenceX rows as JSON: an array of them, one alone, or one a line; nested ones of 2026, too."""

from collections.abc import Iterator, Mapping
from typing import Any

from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.documents import ParsedFile, Problem
from experiments.formats.inferencex import about
from experiments.formats.inferencex.runs import FILLS, Source, parse_rows
from experiments.formats.records import records_of

_KEYS = {"hw", "conc", "framework", "precision"}
_LATENCIES = ("ttft", "tpot", "e2el", "intvty")
_PER_GPU = {
    "total_tput_tps": "tput_per_gpu",
    "output_tput_tps": "output_tput_per_gpu",
    "input_tput_tps": "input_tput_per_gpu",
}


def _detect(content: Content) -> bool:
    record = content.first_record
    nested = isinstance(record.get("request_metrics"), dict)
    return record.keys() >= _KEYS and ("tput_per_gpu" in record or nested)


def _parse(content: Content) -> ParsedFile:
    sources: list[Source] = []
    problems: list[Problem] = []
    for place, value in records_of(content):
        if isinstance(value, Problem):
            problems.append(value)
        else:
            sources.append(Source(place, _flat(value), value))
    return parse_rows(sources, problems)


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    """Return a row with its figures on top, as they stood until the agentic rows of 2026.

    Their inter-token latency is AIPerf's and equals the TPOT that stands beside it.
    """
    nested = record.get("request_metrics")
    if not isinstance(nested, dict):
        return record
    rest = {key: value for key, value in record.items() if key != "request_metrics"}
    return {**rest, **dict(_figures(nested))}


def _figures(nested: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in _LATENCIES:
        for statistic, value in _section(nested, "latency", name).items():
            yield f"{statistic}_{name}", value
    per_gpu = _section(nested, "throughput", "per_gpu")
    yield from ((flat, per_gpu[key]) for key, flat in _PER_GPU.items() if key in per_gpu)


def _section(value: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    for key in keys:
        found = value.get(key)
        value = found if isinstance(found, dict) else {}
    return value


FORMAT = Format(
    name="inferencex-json",
    title="InferenceX (InferenceMAX) JSON rows",
    version=1,
    detect=_detect,
    parse=_parse,
    about=about.JSON,
    tool="InferenceX",
    file_name="agg_bmk.json",
    fills=FILLS,
)

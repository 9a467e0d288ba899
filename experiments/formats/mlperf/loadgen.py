"""LoadGen's `mlperf_log_summary.txt`: one test of a system that the log does not name.

Source: https://github.com/mlcommons/inference/blob/master/loadgen/results.cc
"""

import re
from collections.abc import Iterator, Mapping

from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.documents import (
    ModelDocument,
    ParsedFile,
    Problem,
    RunDocument,
    SetupDocument,
    WorkloadDocument,
)
from experiments.formats.mlperf import about
from experiments.formats.mlperf.log_figures import NANOSECONDS_PER_MS, log_figures, number
from experiments.formats.mlperf.runs import TOOL
from experiments.formats.numbers import read_number
from experiments.formats.private import hidden_warning, public_settings
from experiments.formats.problems import join_path
from experiments.formats.serving.runs import RunCollector
from hardware.resolution import HardwareFacts

_TITLE = "MLPerf Results Summary"
_LINE = re.compile(r"^\s*([^:\n]{1,80}?)\s*:[ \t]*(.*?)\s*$", re.MULTILINE)
_KINDS = {"Offline": "batch", "Server": "serving", "SingleStream": "isolated"}
_SCHEDULED = "Scheduled samples per second"
_FAILED_CHECK = re.compile(r"^\s+(.+ satisfied)\s*:\s*no\s*$", re.MULTILINE | re.IGNORECASE)
_ERRORS = re.compile(r"^\d+ errors? encountered", re.MULTILINE | re.IGNORECASE)
_INVALID = (
    "LoadGen found the result INVALID ({}): it may not be told as one. Send the log of a test that "
    "is VALID."
)
_ACCURACY = "The test looked at accuracy alone, and measured no speed (Mode: {})."
_NO_LANGUAGE = (
    "The log counts no tokens: it is of no language model, or was made without token latencies."
)
_SCENARIO = "A scenario of MLPerf is one of Offline, Server, SingleStream."
_HAD_ERRORS = "LoadGen met errors during the test: it is not ranked."


def _detect(content: Content) -> bool:
    return not content.looks_like_json and _TITLE in content.text and "Result is" in content.text


def _parse(content: Content) -> ParsedFile:
    found = RunCollector()
    for place, text in _summaries(content.text):
        lines = dict(reversed(_LINE.findall(text)))  # of a key that stands twice the first
        if problem := _objection(place, text, lines):
            found.problems.append(problem)
        else:
            _add(found, place, text, lines)
    return found.parsed()


def _summaries(text: str) -> Iterator[tuple[str, str]]:
    """Yield each summary of a log with its place, "" where there is one alone."""
    starts = [match.start() for match in re.finditer(_TITLE, text)]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        place = f"line {text.count(chr(10), 0, start) + 1}" if len(starts) > 1 else ""
        yield place, text[start:end]


def _objection(place: str, text: str, lines: Mapping[str, str]) -> Problem | None:
    """Return why a summary is no result, None where it is one."""
    result, mode = lines.get("Result is", ""), lines.get("Mode", "")
    if mode.lower().startswith("accuracy"):
        return Problem(join_path(place, "Mode"), _ACCURACY.format(mode), mode)
    if result.upper() != "VALID":
        reasons = ", ".join(f"{name}: no" for name in _FAILED_CHECK.findall(text))
        at = join_path(place, "Result is")
        return Problem(at, _INVALID.format(reasons or "no reason given"), result)
    if lines.get("Scenario") not in _KINDS:
        return Problem(join_path(place, "Scenario"), _SCENARIO, lines.get("Scenario"))
    if not any("token" in key.lower() and read_number(lines[key]) is not None for key in lines):
        return Problem(place, _NO_LANGUAGE)
    return None


def _add(found: RunCollector, place: str, text: str, lines: Mapping[str, str]) -> None:
    scenario = lines["Scenario"]
    stated = {"sut_name": lines.get("SUT name"), **_parameters(text)}
    settings, hidden = public_settings(stated)
    found.warnings += hidden_warning(place, hidden)
    with_errors = bool(_ERRORS.search(text))
    if with_errors:
        found.warnings.append(Problem(place, _HAD_ERRORS))
    run = RunDocument(
        path=place,
        given_id=None,
        identity_record=dict(lines),
        source_records=(dict(lines),),
        model=ModelDocument(model_name=None, quantization=None),
        hardware=HardwareFacts(),
        backend=None,
        backend_version=None,
        workload=WorkloadDocument(
            load_kind=_KINDS[scenario],
            concurrent_requests=1 if scenario == "SingleStream" else None,
            request_rate=number(lines, _SCHEDULED) if scenario == "Server" else None,
            load_pattern=_pattern(scenario, lines),
        ),
        setup=SetupDocument(settings=settings),
        measurements=(),
        complete=not with_errors,
        tool="MLPerf LoadGen",
    )
    found.add(run, log_figures(place, scenario, lines))


def _pattern(scenario: str, lines: Mapping[str, str]) -> str:
    """Return the scenario, of Server with its limits: Interactive is Server with tighter ones."""
    limits = (("TTFT", "ttft_latency (ns)"), ("TPOT", "tpot_latency (ns)"))
    return f"MLPerf {scenario}" + "".join(
        f", {name} ≤ {nanoseconds / NANOSECONDS_PER_MS:g} ms"
        for name, key in limits
        if scenario == "Server" and (nanoseconds := number(lines, key))
    )


def _parameters(text: str) -> dict[str, float]:
    """Return the numbers below “Test Parameters Used”: limits, durations, counts; no seeds."""
    _above, _title, below = text.partition("Test Parameters Used")
    numbers = {key: read_number(value) for key, value in _LINE.findall(below)}
    return {
        key: int(number) if number.is_integer() else number
        for key, number in numbers.items()
        if number is not None and "seed" not in key
    }


FORMAT = Format(
    name="mlperf-loadgen",
    title="MLPerf LoadGen summary",
    version=2,
    detect=_detect,
    parse=_parse,
    about=about.LOADGEN,
    tool=TOOL,
    file_name="mlperf_log_summary.txt",
    fills=("tokens_per_second", "requests_per_second", "ttft_ms", "tpot_ms", "e2e_latency_ms"),
    lacks=("model_name", "quantization", "backend", "gpu_model"),
)

"""llmperf summaries: `*_summary.json`, alone, in a row, or wrapped by concurrency.

Neither engine nor machine is in them: who measured a provider of models cannot know either.
"""

import re
from collections.abc import Iterator
from typing import Any

from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.documents import (
    ModelDocument,
    ParsedFile,
    Problem,
    RunDocument,
    SetupDocument,
)
from experiments.formats.figures import Figures
from experiments.formats.llmperf import about
from experiments.formats.llmperf.rows import Summary, is_result, summary_figures
from experiments.formats.loads import ClientLoad, serving_workload
from experiments.formats.model_names import served_model
from experiments.formats.numbers import positive
from experiments.formats.private import hidden_warning, public_settings
from experiments.formats.problems import join_path
from experiments.formats.records import checked_records, records_of
from experiments.formats.runs import file_of_runs
from hardware.resolution import HardwareFacts

KEY = "results_ttft_s_mean"
_KEYS = {KEY, "results_num_completed_requests"}
_STATED = (
    "version", "name", "model", "mean_input_tokens", "mean_output_tokens",
    "num_concurrent_requests", "timestamp",
)  # fmt: skip
_MODEL_VERSION = re.compile(r":[0-9a-f]{32,}$")  # replicate: owner/name:version
_NOTHING = "No request was completed; nothing was measured."
_PROVIDER = (
    "A provider of models was measured: its hardware and engine are not in the file. Give "
    "gpu_model and backend if they are known."
)
_OTHER_CONCURRENCY = "The summary stands under another concurrency than it was measured with."


def _detect(content: Content) -> bool:
    record = content.first_record
    return record.keys() >= _KEYS or any(True for _ in _wrapped(record))


def _wrapped(record: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the summaries of an object that holds them by concurrency: {"1": {…}, "2": {…}}."""
    for key, value in record.items():
        if key.isdecimal() and isinstance(value, dict) and value.keys() >= _KEYS:
            yield key, value


def _parse(content: Content) -> ParsedFile:
    runs: list[RunDocument] = []
    warnings: list[Problem] = []
    problems: list[Problem] = []
    for place, record, summary in checked_records(_summaries(content), Summary, problems):
        figures = summary_figures(record, summary, place)
        runs.append(_run(place, record, summary, figures, warnings))
        problems += figures.problems
        warnings += figures.warnings
    return file_of_runs(runs, warnings, problems, failed=_NOTHING)


def _summaries(content: Content) -> Iterator[tuple[str, dict[str, Any] | Problem]]:
    """Yield each summary with its place; in a wrapper every entry has to be one."""
    for place, value in records_of(content):
        if isinstance(value, Problem) or not any(True for _ in _wrapped(value)):
            yield place, value
            continue
        for key, item in value.items():
            at = join_path(place, key)
            message = "Beside summaries by concurrency only other summaries are read."
            yield at, item if isinstance(item, dict) else Problem(at, message)


def _run(
    place: str,
    record: dict[str, Any],
    summary: Summary,
    figures: Figures,
    warnings: list[Problem],
) -> RunDocument:
    settings, hidden = public_settings(
        {key: value for key, value in record.items() if not is_result(key)}, skip=_STATED
    )
    warnings += hidden_warning(place, hidden)
    provider = settings.get("framework")
    if provider is not None:
        warnings.append(Problem(join_path(place, "framework"), _PROVIDER, provider))
    nothing = not summary.results_num_completed_requests
    if nothing:
        warnings.append(Problem(place, _NOTHING, f"{summary.failed or 0} failed"))
    key = place.rsplit(".", 1)[-1]
    if key.isdecimal() and summary.num_concurrent_requests not in (None, int(key[:9])):
        at = join_path(place, "num_concurrent_requests")
        warnings.append(Problem(at, _OTHER_CONCURRENCY, summary.num_concurrent_requests))
    return RunDocument(
        path=place,
        given_id=None,
        identity_record=record,
        source_records=(record,),
        model=_model(summary.model),
        hardware=HardwareFacts(),
        backend=None,
        backend_version=None,
        workload=serving_workload(
            ClientLoad(
                rate=None,
                limit=summary.num_concurrent_requests,
                requests=summary.results_num_requests_started,
            ),
            input_tokens=positive(summary.results_number_input_tokens_mean),
            output_tokens=positive(summary.results_number_output_tokens_mean),
            configured_input_tokens=summary.mean_input_tokens or None,
            configured_output_tokens=summary.mean_output_tokens or None,
        ),
        setup=SetupDocument(
            settings=settings,
            speed_settings={} if provider is None else {"provider": provider},
        ),
        measurements=figures.measurements,
        status="failed" if nothing else "completed",
        started_at=summary.timestamp,
        tool="llmperf",
        tool_version=summary.version,
        sweep_group=repr(
            [
                summary.model,
                summary.mean_input_tokens,
                summary.mean_output_tokens,
                sorted(settings.items(), key=lambda item: item[0]),
            ]
        ),
    )


def _model(name: str | None) -> ModelDocument:
    return served_model(_MODEL_VERSION.sub("", name) if name else None)


FORMAT = Format(
    name="llmperf",
    title="llmperf summary",
    version=1,
    detect=_detect,
    parse=_parse,
    about=about.SUMMARY,
    tool="llmperf",
    command="python token_benchmark_ray.py --model MODEL --num-concurrent-requests 8 "
    "--results-dir results --llm-api openai",
    file_name="MODEL_550_150_summary.json",
    fills=(
        *("model_name", "concurrent_requests", "input_tokens", "output_tokens"),
        *("tokens_per_second", "tokens_per_second_per_user", "requests_per_second", "ttft_ms"),
        *("tpot_ms", "e2e_latency_ms", "error_rate"),
    ),
    lacks=("quantization", "backend", "gpu_model"),
)

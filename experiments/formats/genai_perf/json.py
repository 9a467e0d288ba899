"""GenAI-Perf and AIPerf JSON: `profile_export_genai_perf.json`, `profile_export_aiperf.json`."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.documents import ParsedFile, Problem
from experiments.formats.fields import NotBoolean, Time
from experiments.formats.genai_perf import about
from experiments.formats.genai_perf.results import Result, parse_results
from experiments.formats.genai_perf.telemetry import Machine, read_machine, read_unnamed
from experiments.formats.problems import join_path
from experiments.formats.records import checked_records, records_of

_OF_AIPERF = ("aiperf_version", "schema_version", "was_cancelled", "telemetry_data", "run_info")
_READINGS = ("telemetry_data", "telemetry_stats", "telemetry")


class _Errors(BaseModel):
    """How often one kind of error happened; what it says may quote a request and is not read."""

    count: Annotated[int, NotBoolean, Field(ge=0, lt=2**31)]


class _Record(BaseModel):
    """What stands beside the metrics."""

    model_config = ConfigDict(extra="allow", protected_namespaces=())

    input_config: dict[str, Any]
    aiperf_version: str | None = Field(default=None, max_length=200)
    was_cancelled: bool | None = None
    error_summary: list[_Errors] | None = None
    start_time: Time | None = None


def _detect(content: Content) -> bool:
    record = content.first_record
    throughput = record.get("request_throughput")
    has_unit = isinstance(throughput, dict) and "unit" in throughput
    failed = "request_throughput" not in record and "error_summary" in record
    return isinstance(record.get("input_config"), dict) and (has_unit or failed)


def _parse(content: Content) -> ParsedFile:
    problems: list[Problem] = []
    records = checked_records(records_of(content), _Record, problems)
    results = [_result(place, value, record) for place, value, record in records]
    return parse_results(results, problems)


def _result(place: str, value: dict[str, Any], record: _Record) -> Result:
    failed = None
    if record.error_summary is not None:
        failed = sum(errors.count for errors in record.error_summary)
    return Result(
        place=place,
        record=value,
        identity={key: item for key, item in value.items() if key not in _READINGS},
        tool="AIPerf" if any(key in value for key in _OF_AIPERF) else "GenAI-Perf",
        metrics={key: item for key, item in value.items() if key != "input_config"},
        config=record.input_config,
        machine=_machine(place, value),
        version=record.aiperf_version,
        started_at=record.start_time,
        cancelled=bool(record.was_cancelled),
        failed=failed,
    )


def _machine(place: str, value: dict[str, Any]) -> Machine:
    if value.get("telemetry_data"):
        return read_machine(value["telemetry_data"], join_path(place, "telemetry_data"))
    unnamed = value.get("telemetry_stats") or value.get("telemetry")
    return read_unnamed(unnamed, join_path(place, "telemetry_stats"))


FORMAT = Format(
    name="genai-perf-json",
    title="GenAI-Perf or AIPerf JSON",
    version=1,
    detect=_detect,
    parse=_parse,
    about=about.JSON,
    tool="AIPerf or GenAI-Perf",
    command="aiperf profile --model MODEL --url localhost:8000 --endpoint-type chat --streaming "
    "--concurrency 8 --request-count 100",
    file_name="profile_export_aiperf.json",
    fills=(
        *("model_name", "gpu_model", "gpu_count", "gpu_memory_gb", "concurrent_requests"),
        *("input_tokens", "output_tokens", "tokens_per_second", "tokens_per_second_per_user"),
        *("prompt_processing_speed", "requests_per_second", "ttft_ms", "tpot_ms", "itl_ms"),
        *("e2e_latency_ms", "error_rate", "gpu_power_watts", "memory_usage_gb", "peak_memory_gb"),
    ),
    lacks=("quantization", "backend", "gpu_model"),
)

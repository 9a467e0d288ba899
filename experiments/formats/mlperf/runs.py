"""The runs that rows of MLPerf results tell of, each under the rules of its scenario."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from experiments.formats.documents import (
    InvalidFileError,
    ModelDocument,
    ParsedFile,
    Problem,
    RunDocument,
    SetupDocument,
    WorkloadDocument,
)
from experiments.formats.fields import MOST_GPUS
from experiments.formats.figures import Figures
from experiments.formats.mlperf.rows import Row, is_language_model
from experiments.formats.private import public_settings
from experiments.formats.problems import join_path
from experiments.formats.serving.runs import RunCollector
from hardware.resolution import HardwareFacts

TOOL = "MLPerf inference"
FILLS = (
    *("model_name", "backend", "gpu_model", "gpu_count", "cpu_model", "tokens_per_second"),
    "gpu_power_watts",
)
# Which kind of load a scenario is, and how the rules bound its rate of tokens.
_SCENARIOS = {
    "Offline": ("batch", "wall_clock"),
    "Server": ("serving", "latency_bound"),
    "Interactive": ("serving", "latency_bound"),
    "SingleStream": ("isolated", None),
}
_LATENCY = "Latency (ms)"
_TOKENS = "Tokens/s"
_UNIT_LIES = (
    "The unit beside it is wrong: the submission checker takes this benchmark's result of {} from "
    "tokens a second, and so it is read."
)
_NO_TOKENS = (
    "This counts samples or queries, of whatever length, or its unit is not sure: it is kept "
    "beside the metrics, as no speed."
)
_OTHERS = "Rows of other benchmarks than language models were left out ({})."
_ONLY_OTHERS = "The file holds no result of a language model, which alone are read; it holds {}."
_NOT_PASSED = "The submission checker did not pass this result ({}): it is not ranked."
_INFERRED = "This was not measured, but inferred from another scenario."
_SHOWN = 12


def parse_rows(sources: Iterable[tuple[str, Mapping[str, Any]]]) -> ParsedFile:
    """Return a run for each row of a language model; the others are counted in a warning."""
    found = RunCollector()
    others: Counter[str] = Counter()
    language = 0
    for place, record in sources:
        if found.is_full:
            break
        if not is_language_model(record.get("Model")):
            others[str(record.get("Model"))[:60]] += 1
            continue
        language += 1
        if (row := found.read(Row, place, record)) is not None:
            _add(found, place, record, row)
    names = ", ".join(sorted(others)[:_SHOWN]) + (", …" if len(others) > _SHOWN else "")
    if others and not language:
        raise InvalidFileError(Problem("", _ONLY_OTHERS.format(names), others.total()))
    if others:
        found.warnings.append(Problem("", _OTHERS.format(names), others.total()))
    return found.parsed()


def _add(found: RunCollector, place: str, record: Mapping[str, Any], row: Row) -> None:
    engine, version = row.engine
    failed = _objections(row)
    if failed:
        found.warnings.append(Problem(place, _NOT_PASSED.format(failed)))
    run = RunDocument(
        path=place,
        given_id=None,
        identity_record=dict(record),
        source_records=(dict(record),),
        model=ModelDocument(model_name=row.model_name, quantization=row.weights),
        hardware=_hardware(row),
        backend=engine,
        backend_version=version,
        workload=_workload(row),
        setup=SetupDocument(
            nodes=row.nodes or None,
            settings=_settings(row),
            speed_settings={"power_mode": row.power_mode} if row.power_mode else {},
        ),
        measurements=(),
        complete=not failed,
        source_url=row.details if (row.details or "").startswith("https://") else None,
        tool=TOOL,
        tool_version=row.version,
    )
    found.add(run, _figures(place, record, row))


def _objections(row: Row) -> str:
    found = [f"{row.errors} errors"] if row.errors else []
    return ", ".join([*found, *(["compliance 0"] if row.compliance == 0 else [])])


def _hardware(row: Row) -> HardwareFacts:
    """Return accelerators, all of them, with the CPU; the CPU alone where there are none."""
    count = row.accelerators if row.accelerators and row.accelerators <= MOST_GPUS else None
    per_node = row.accelerators_per_node
    unnamed = bool(per_node) and row.accelerator is None
    return HardwareFacts(
        gpu_models=(row.accelerator,) if row.accelerator and per_node != 0 else (),
        gpu_count=count,
        cpu_model=None if unnamed else row.processor,
        cpu_sockets=None if unnamed else row.sockets or None,
    )


def _workload(row: Row) -> WorkloadDocument:
    kind, _definition = _SCENARIOS.get(row.scenario, (None, None))
    scenario = "Interactive" if row.is_interactive and kind == "serving" else row.scenario
    return WorkloadDocument(
        load_kind=kind,
        concurrent_requests=1 if kind == "isolated" else None,
        load_pattern=f"MLPerf {scenario}" + (", open division" if row.is_open else ""),
        dataset_name=f"MLPerf {row.base_name}",
    )


def _settings(row: Row) -> dict[str, Any]:
    """Return what else is public; accuracy is ROUGE and the like on MLPerf's own data, no score."""
    stated = row.model_dump(
        include={
            *("submitter", "availability", "division", "suite", "system", "platform"),
            *("used_model", "benchmark", "accuracy", "software", "operating_system", "notes"),
        }
    )
    settings, _hidden = public_settings(
        {**stated, "percent_of_reference_accuracy": row.accuracy_target}
    )
    return settings


def _figures(place: str, record: Mapping[str, Any], row: Row) -> Figures:
    figures = Figures()
    at = join_path(place, "Performance_Result")
    value = record.get("Performance_Result")
    if row.scenario == "SingleStream" and row.units == _LATENCY:
        figures.add(
            "e2e_latency_ms", value, "ms", at=at, statistic="p90", definition="single_stream"
        )
    else:
        _add_rate(figures, value, row, at)
    if row.power_units == "Watts":
        at = join_path(place, "Power_Result")
        figures.add("gpu_power_watts", record.get("Power_Result"), "W", at=at, definition="wall")
    return figures


def _add_rate(figures: Figures, value: Any, row: Row, at: str) -> None:
    """Add the rate as one of tokens where it is; else under a name of its own."""
    _kind, definition = _SCENARIOS.get(row.scenario, (None, None))
    stated = row.units == _TOKENS
    if not definition or not (stated or row.counts_tokens):
        figures.warnings.append(Problem(at, _NO_TOKENS, row.units))
        figures.add("mlperf_result", value, row.units or "not stated", at=at)
        return
    derived = () if stated else ("Performance_Result", "rules of the submission checker")
    if not stated:
        figures.warnings.append(Problem(at, _UNIT_LIES.format(row.version), row.units))
    if row.inferred:
        figures.warnings.append(Problem(at, _INFERRED, value))
        derived = (*derived, "another scenario")
    figures.add(
        "tokens_per_second", value, "tok/s", at=at, definition=definition, derived_from=derived
    )

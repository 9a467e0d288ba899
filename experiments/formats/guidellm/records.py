"""What a GuideLLM report says of all its benchmarks, and what of it makes a run what it is."""

from collections.abc import Mapping
from typing import Any

from experiments.formats.guidellm.load import DataSet, read_data_set
from experiments.formats.guidellm.rows import Row

# Curves and requests one by one: the figures made of them stand beside them.
_BULK = ("pdf", "cumulative_distribution_function")
_TIMES = ("start_time", "end_time", "duration", "request_totals", "worker", "request_loader")
# Where results went, and what the run holds in another way.
_NO_SETTINGS = frozenset(
    {
        "outputs", "output_dir", "output_extras", "output_path", "output_formats",
        "data", "profile", "rate", "strategy", "strategy_index", "api_routes", "openai_paths",
    }
)  # fmt: skip
_LARGEST_EXACT = 2**53
# Where GuideLLM runs an engine within itself instead of calling a server.
_ENGINES = {"vllm_python": "vllm", "vllm_python_batch": "vllm"}


def measured_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a benchmark measured and of what, the same from JSON and YAML.

    Requests one by one, and the plan of the whole sweep, are left out: reports are stripped of
    them, and stay the same result.
    """
    setup = record.get("config") or record.get("args") or {}
    kept = {key: record[key] for key in _TIMES if key in record}
    kept |= {key: setup[key] for key in ("strategy", "backend") if key in setup}
    kept["metrics"] = {
        name: value.get("successful", value) if isinstance(value, Mapping) else value
        for name, value in record.get("metrics", {}).items()
    }
    plain: dict[str, Any] = _plain(kept)
    return plain


def settings_record(row: Row, report: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was set, of the whole report and of one benchmark."""
    config = report.get("config")
    spec = config.get("spec") if isinstance(config, Mapping) else None
    args = report.get("args")
    settings: dict[str, Any] = {}
    for source in (spec, args, row.request_loader, row.args.model_extra if row.args else None):
        if isinstance(source, Mapping):
            settings |= _without_addresses(source)
            if first := _first_object(source.get("data")):
                settings["data"] = first
    if row.worker:
        settings["backend"] = {**row.worker, "backend_model": None}
    if row.setup:
        settings["strategy"] = {**row.setup.strategy.model_dump(), "start_time": None}
    if row.totals and row.totals.incomplete:
        settings["incomplete_requests"] = row.totals.incomplete
    return settings


def _without_addresses(source: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings without those listed above, down to the backend's own."""
    return {
        key: _without_addresses(value) if key == "backend" and isinstance(value, Mapping) else value
        for key, value in source.items()
        if key not in _NO_SETTINGS
    }


def _first_object(value: Any) -> Mapping[str, Any] | None:
    first = value[0] if isinstance(value, list) and value else None
    return first if isinstance(first, Mapping) else None


def _plain(value: Any) -> Any:
    """Return a value without curves, whole numbers without a decimal point."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items() if key not in _BULK}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < _LARGEST_EXACT:
        return int(value)
    return value


def data_set_of(row: Row, report: Mapping[str, Any]) -> DataSet:
    """Return the data set: the report names it from 0.4 on, each benchmark before."""
    for value in (_at(report, "config", "spec").get("data"), _at(report, "args").get("data")):
        if value:
            return read_data_set(value)
    requests = row.setup.requests if row.setup else {}
    return read_data_set(row.request_loader.get("data") or requests.get("data"))


def models_of(report: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the names that a report gives the model of all its benchmarks."""
    args = _at(report, "args")
    backend = _at(report, "config", "spec", "backend")
    return args.get("model"), _at(args, "backend_kwargs").get("model"), backend.get("model")


def engine_of(report: Mapping[str, Any]) -> str | None:
    """Return the engine where GuideLLM ran it by itself; a server's is not in the file."""
    for kind in (
        _at(report, "config", "spec", "backend").get("kind"),
        _at(report, "args").get("backend"),
    ):
        if isinstance(kind, str) and kind in _ENGINES:
            return _ENGINES[kind]
    return None


def _at(record: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """Return the object below a record, an empty one where there is none."""
    for key in keys:
        value = record.get(key)
        record = value if isinstance(value, Mapping) else {}
    return record

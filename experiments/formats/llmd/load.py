"""The load of an llm-d benchmark report: what it states, and the tool's own configuration."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from experiments.formats.documents import WorkloadDocument
from experiments.formats.guidellm.load import read_data_set
from experiments.formats.llmd.figures import Requests, mean_of
from experiments.formats.loads import ALL_AT_ONCE, ClientLoad, serving_workload
from experiments.formats.numbers import positive

_LARGEST = 2**31
# Where tools write their own rate and limit; numbers, or the text "inf".
_RATE_KEYS = ("request_rate", "request-rate", "qps_values", "rate")
_LIMIT_KEYS = ("max_concurrency", "max-concurrency", "concurrency")


@dataclass(frozen=True, kw_only=True)
class Load:
    """What the report says of the load: `native` is the tool's own configuration."""

    tool: str
    native: Mapping[str, Any]
    rate: Any = None
    concurrency: Any = None
    input_length: Any = None
    output_length: Any = None
    source: str | None = None


def native_load(tool: str, native: Mapping[str, Any]) -> Load:
    """Return the load of a report that has the tool's own configuration alone (0.1)."""
    return Load(
        tool=tool,
        native=native,
        rate=next((native[key] for key in _RATE_KEYS if native.get(key)), None),
        concurrency=next((native[key] for key in _LIMIT_KEYS if native.get(key)), None),
    )


def workload_of(load: Load, requests: Requests) -> WorkloadDocument:
    """Return the workload; a limit above the number of requests is none."""
    rate = positive(load.rate)
    limit = positive(load.concurrency)
    if limit is not None and limit >= requests.total:
        limit = None
    schedule = _schedule(load)
    data = _data_set(load)
    workload = serving_workload(
        ClientLoad(
            rate=rate,
            limit=int(limit) if limit and limit < _LARGEST else None,
            requests=requests.total if _states_load(load) else None,
            burstiness=positive(load.native.get("burstiness")),
            constant=schedule == "constant",
        ),
        input_tokens=mean_of(requests.input_length),
        output_tokens=mean_of(requests.output_length),
        configured_input_tokens=_whole(load.input_length) or data.prompt_tokens,
        configured_output_tokens=_whole(load.output_length) or data.output_tokens,
        dataset_name=data.name or load.source,
    )
    if rate and schedule is None:
        return replace(workload, load_pattern=None)
    return replace(workload, load_pattern=ALL_AT_ONCE) if schedule == "throughput" else workload


def _states_load(load: Load) -> bool:
    """Whether the report says anything of rate or limit: of "as fast as possible", too."""
    return load.rate is not None or load.concurrency is not None


def _schedule(load: Load) -> str | None:
    """Return "constant", "poisson" or "throughput" where the tool's configuration says it."""
    if load.tool == "vllm-benchmark":  # gaps are random, unless told otherwise by burstiness
        return "poisson"
    for keys in (("load", "type"), ("spec", "profile", "kind"), ("profile",)):
        found = _at(load.native, *keys)
        if found in ("constant", "poisson", "throughput"):
            return str(found)
    return None


def _data_set(load: Load) -> Any:
    """Return the data set by the names that the tools give it."""
    keys: tuple[tuple[str, ...], ...] = (
        ("data", "type"), ("spec", "data"), ("data",), ("dataset_name",), ("dataset-name",),
    )  # fmt: skip
    found = (_at(load.native, *key) for key in keys)
    return read_data_set(next((value for value in found if value), None))


def _at(record: Any, *keys: str) -> Any:
    for key in keys:
        record = record.get(key) if isinstance(record, Mapping) else None
    return record


def _whole(value: Any) -> int | None:
    number = positive(value)
    return round(number) if number and 1 <= number < _LARGEST else None

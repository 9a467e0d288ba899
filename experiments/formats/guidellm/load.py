"""The load of a GuideLLM benchmark: its strategy, its data set, what was really in flight."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from experiments.formats.documents import WorkloadDocument
from experiments.formats.guidellm.rows import Distribution, Row
from experiments.formats.loads import ALL_AT_ONCE, ClientLoad, serving_workload
from experiments.formats.model_names import clean_name
from experiments.formats.numbers import first_whole, positive

_RATES = ("constant", "poisson", "async")
_SYNTHETIC = "synthetic"
# What of made-up data changes speed: shared prefixes are cached, later turns hold the earlier ones.
_SHAPE = ("turns", "prefix_tokens", "prefix_count", "prefix_buckets")
_LARGEST = 2**31 - 1
_PAIR = re.compile(r"\s*(\w+)\s*=\s*([^,]*?)\s*")
_LIST_AS_TEXT = re.compile(r"\['(.*)'\]")


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """What prompts were made from: its name, the lengths asked for, and what else changes speed."""

    name: str | None = None
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    shape: Mapping[str, Any] = field(default_factory=dict)


def read_data_set(value: Any) -> DataSet:
    """Return what `--data` named: a file, a repository, or lengths of made-up prompts.

    It is written as a text, as `key=value,…`, as JSON in a text, as an object, or as a list of
    those, of which the first is read.
    """
    if isinstance(value, list):
        first = read_data_set(value[0]) if value else DataSet()
        more = f"{first.name} and {len(value) - 1} more"
        return replace(first, name=more) if len(value) > 1 and first.name else first
    if isinstance(value, str):
        value = _as_object(value) or value
    if isinstance(value, str):
        listed = _LIST_AS_TEXT.fullmatch(value)
        return DataSet(name=_short_name(listed[1] if listed else value))
    if not isinstance(value, Mapping):
        return DataSet()
    made_up = value.get("kind") == "synthetic_text" or "prompt_tokens" in value
    source = next(
        (value[key] for key in ("source", "path", "name", "kind") if value.get(key)), None
    )
    return DataSet(
        name=_SYNTHETIC if made_up else _short_name(source),
        prompt_tokens=first_whole(value, "prompt_tokens", most=_LARGEST),
        output_tokens=first_whole(value, "output_tokens", "generated_tokens", most=_LARGEST),
        shape={key: value[key] for key in _SHAPE if value.get(key) not in (None, "", 1, [])},
    )


def workload_of(row: Row, data: DataSet) -> WorkloadDocument:
    """Return the load of a benchmark, as its strategy and what was in flight tell it.

    A rate is the load; the limit of requests in flight that GuideLLM sets by itself (10,240) is
    none. Without rate and limit (`throughput`) the load is how many were in flight on average.
    """
    metrics = row.metrics
    workload = serving_workload(
        _client_load(row),
        input_tokens=_length_of(metrics.successful("prompt_token_count")),
        output_tokens=_length_of(metrics.successful("output_token_count")),
        configured_input_tokens=data.prompt_tokens,
        configured_output_tokens=data.output_tokens,
        dataset_name=data.name,
    )
    kind = _kind(row)
    if kind == "throughput":
        return replace(workload, load_pattern=ALL_AT_ONCE)
    if kind == "async":  # which of the two rates it kept is not said
        return replace(workload, load_pattern=None)
    known = (*_RATES, "synchronous", "concurrent")
    return workload if kind in known else replace(workload, load_pattern=kind)


def rate_is_lost(row: Row) -> bool:
    """Whether the benchmark kept a rate that the file does not state."""
    strategy = row.setup.strategy if row.setup else None
    return strategy is not None and strategy.type_ in _RATES and not strategy.rate


def _kind(row: Row) -> str | None:
    return row.setup.strategy.type_ if row.setup else None


def _client_load(row: Row) -> ClientLoad:
    kind = _kind(row)
    strategy = row.setup.strategy if row.setup else None
    rate, limit = None, None
    if kind == "synchronous":
        limit = 1
    elif strategy and kind == "concurrent":
        limit = strategy.streams or strategy.max_concurrency
    elif strategy and row.setup and kind in _RATES:
        rate = strategy.rate if strategy.rate and strategy.rate > 0 else None
        limit = first_whole(row.setup.profile, "max_concurrency", most=_LARGEST) if rate else None
    elif kind == "throughput":
        in_flight = _mean(row.metrics.successful("request_concurrency"))
        totals = row.totals
        sent = totals.successful + totals.errored + totals.incomplete if totals else None
        limit = max(1, round(in_flight)) if in_flight else sent
    return ClientLoad(rate=rate, limit=limit, requests=None, constant=kind == "constant")


def _mean(found: Distribution | None) -> float | None:
    """Return a mean that can be one; what cannot is complained about with the other figures."""
    return positive(found.mean, below=_LARGEST) if found else None


def _length_of(found: Distribution | None) -> float | None:
    """Return the mean length, of sum and count where they are there: a mean is rounded."""
    if found and found.count and found.total_sum and found.total_sum / found.count > 0:
        return _mean(Distribution(mean=found.total_sum / found.count))
    return _mean(found)


def _as_object(text: str) -> dict[str, Any] | None:
    """Read `prompt_tokens=128,output_tokens=64` and JSON in a text; None for a name."""
    if text.lstrip().startswith("{"):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None
    pairs = [_PAIR.fullmatch(part) for part in text.split(",")]
    found = {pair[1]: pair[2] for pair in pairs if pair}
    return found if len(found) == len(pairs) and "prompt_tokens" in found else None


def _short_name(value: Any) -> str | None:
    """Return the name of a data set; of a path its last part."""
    name = clean_name(value)
    return name[:200] if name else None

"""llm-d benchmark report 0.2 and 0.2.1: a stack of components, results of one stage of a load."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from experiments.formats.llmd.figures import Measured
from experiments.formats.llmd.load import Load
from experiments.formats.llmd.reading import Reading
from experiments.formats.llmd.sections import Component, Native, Report, Standardized, StandardLoad
from experiments.formats.llmd.stack import Server, split_image
from experiments.formats.problems import join_path


def read_later(report: Mapping[str, Any], place: str) -> Reading:
    """Read a report of version 0.2 or 0.2.1; raises pydantic's ValidationError."""
    read = Report.model_validate(report)
    aggregate = read.results.request_performance.aggregate
    load = read.scenario.load
    asked, native = load.standardized, load.native
    engines = _engines(read.scenario.stack)
    config = native.config if isinstance(native.config, dict) else {}
    return Reading(
        place=place,
        record=_record(report),
        given_id=_uuid(read.run.uid),
        models=[item.model.name for item, _native in engines],
        measured=Measured(
            place=join_path(place, "results", "request_performance", "aggregate"),
            tool=asked.tool,
            tool_version=asked.tool_version or None,
            requests=aggregate.requests,
            latency=aggregate.latency,
            throughput={key: value for key, value in aggregate.throughput.items() if value},
            seconds=read.run.time.seconds,
        ),
        servers=[_server(item, native) for item, native in engines],
        load=Load(
            tool=asked.tool,
            native={**(native.args or {}), **config},
            rate=asked.rate_qps,
            concurrency=asked.concurrency,
            input_length=asked.input_seq_len.value if asked.input_seq_len else None,
            output_length=asked.output_seq_len.value if asked.output_seq_len else None,
            source=asked.source,
        ),
        load_settings={"stage": asked.stage, "args": native.args or {}, "config": config},
        shape=_shape(asked),
        started_at=read.run.time.start,
        notes=read.run.description,
        experiment=json.dumps([read.run.eid, [item.model.name for item, _native in engines]]),
        combined=load.metadata.concurrent_with or (),
    )


def _record(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return what makes the run: observations over time and logs of components are bulk."""
    results = report["results"]
    performance = results["request_performance"]
    kept = {key: report[key] for key in ("run", "scenario") if key in report}
    return {**kept, "aggregate": performance.get("aggregate")}


def _uuid(uid: str | None) -> str | None:
    try:
        return str(UUID(uid or ""))
    except ValueError:
        return None


def _engines(stack: Sequence[Component]) -> list[tuple[Standardized, Native]]:
    """Return the inference engines of a stack."""
    return [
        (item.standardized, item.native)
        for item in stack
        if isinstance(item.standardized, Standardized)
    ]


def _server(item: Standardized, native: Native) -> Server:
    engine, tag = split_image(item.tool_version)
    is_image = "/" in (item.tool_version or "") or tag is not None
    return Server(
        role=item.role or "server",
        engine=item.tool or (engine if is_image else None),
        engine_version=(tag if is_image else item.tool_version) or None,
        gpu_model=item.accelerator.model or None,
        gpus=_gpus(item),
        replicas=item.replicas,
        parallelism=item.accelerator.parallelism,
        args=native.args or {},
    )


def _gpus(item: Standardized) -> int:
    """Return the GPUs of all replicas.

    The schema calls the count the total, the converters write tp × dp_local, that of a replica.
    """
    parallel = item.accelerator.parallelism
    of_a_replica = parallel.get("tp", 1) * parallel.get("dp_local", 1)
    count = item.accelerator.count
    return count if count == of_a_replica * item.replicas else count * item.replicas


def _shape(asked: StandardLoad) -> dict[str, Any]:
    """Return shared prefixes and turns: what servers cache makes them faster."""
    found = {"prefix": asked.prefix, "multi_turn": asked.multi_turn}
    return {key: value for key, value in found.items() if value}

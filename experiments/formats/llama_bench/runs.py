"""llama-bench rows, however they are written, turned into runs.

Within one upload the rows with equal settings and backend are one sweep. Per depth, each `tg` row
is a run that takes the only `pp` row, else `pp512`, as its prompt speed; where tests were
repeated, the k-th `tg` takes the k-th `pp`. Other `pp` rows are prompt-only runs, and a `pg` row
(prompt and generation timed together) is a run with a metric of its own.
Source of the keys: https://github.com/ggml-org/llama.cpp/tree/master/tools/llama-bench
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from benchmarks.quantization import quantization_of_model_type, split_model_file_name
from experiments.formats.documents import (
    MeasurementDocument,
    ModelDocument,
    ParsedFile,
    Problem,
    RunDocument,
    WorkloadDocument,
)
from experiments.formats.llama_bench.rows import PlacedRow, Row, Source, check_rows
from experiments.formats.llama_bench.settings import hardware_of, setup_of
from experiments.formats.problems import join_path

USUAL_PROMPT_LENGTH = 512
BYTES_PER_GB = 1e9
# What converters call a file when nobody names it: it does not say which model it is.
_NAMELESS = {"", "ggml-model", "gguf-model", "model"}


def parse_rows(found: Iterable[Source | Problem], warnings: Sequence[Problem] = ()) -> ParsedFile:
    """Return the runs that the rows of llama-bench tell of, with the warnings of their format.

    A Problem in the place of a row says why it could not be read. Raises InvalidFileError with a
    problem for each row that cannot be right.
    """
    rows = check_rows(found)
    message = "The spread is no number above 0: it is left out."
    left_out = [
        Problem(join_path(item.place, "stddev_ts"), message, str(item.row.stddev_ts))
        for item in rows
        if item.row.stddev_ts and _known_spread(item.row.stddev_ts) is None
    ]
    runs = [run for group in _sweeps(rows) for run in _runs_of_sweep(group)]
    return ParsedFile(runs=tuple(runs), warnings=(*left_out, *warnings))


def _known_spread(value: float | None) -> float | None:
    """Return a standard deviation that says something: 0 is what one repetition gives."""
    return value if value is not None and 0 < value < math.inf else None


def _sweeps(rows: Sequence[PlacedRow]) -> list[list[PlacedRow]]:
    """Group the rows by equal settings, backend, model and machine, in order of appearance."""
    groups: dict[str, list[PlacedRow]] = defaultdict(list)
    for row in rows:
        groups[row.group].append(row)
    return list(groups.values())


def _runs_of_sweep(rows: Sequence[PlacedRow]) -> list[RunDocument]:
    """Pair generation tests with prompt tests of the same depth; the rest stand alone."""
    prompts: dict[int, dict[int, list[PlacedRow]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row.is_prompt_only:
            prompts[row.row.n_depth][row.row.n_prompt].append(row)
    occurrences: dict[tuple[int, int, int], int] = defaultdict(int)
    paired: dict[int, PlacedRow] = {}
    taken: set[int] = set()
    for index, row in enumerate(rows):
        if row.is_generation:
            prompt = _prompt_for(prompts[row.row.n_depth], occurrences[row.test])
            occurrences[row.test] += 1
            if prompt:
                paired[index] = prompt
                taken.add(id(prompt))
    group = rows[0].group
    return [
        _run(row, paired.get(index), group)
        for index, row in enumerate(rows)
        if id(row) not in taken
    ]


def _prompt_for(prompts: Mapping[int, Sequence[PlacedRow]], occurrence: int) -> PlacedRow | None:
    """Return the prompt test that belongs to the generation test seen for the n-th time."""
    length = next(iter(prompts)) if len(prompts) == 1 else USUAL_PROMPT_LENGTH
    candidates = prompts.get(length, ())
    if len(candidates) == 1:
        return candidates[0]
    return candidates[occurrence] if occurrence < len(candidates) else None


def _run(placed: PlacedRow, prompt: PlacedRow | None, group: str) -> RunDocument:
    row, source = placed.row, placed.source
    return RunDocument(
        path=placed.place,
        given_id=None,
        identity_record=source.record if source.identity is None else source.identity,
        source_records=tuple(_origin(item.source) for item in (placed, prompt) if item),
        model=_model(placed),
        hardware=hardware_of(placed),
        backend="llama.cpp",
        backend_version=_build(row),
        workload=WorkloadDocument(
            load_kind="isolated",
            concurrent_requests=1,
            input_tokens=(prompt.row if prompt else row).n_prompt or None,
            output_tokens=row.n_gen or None,
            context_depth=row.n_depth,
        ),
        setup=setup_of(placed),
        measurements=(
            *_speeds(placed),
            *(_speeds(prompt) if prompt else ()),
            *_size(placed),
            *source.readings,
        ),
        started_at=row.test_time,
        zone_known=row.test_time is None or row.test_time.tzinfo is not None,
        tool="llama-bench",
        tool_version=_build(row),
        sweep_group=group,
        extra_names=_extra_names(row),
    )


def _origin(source: Source) -> Any:
    return source.record if source.origin is None else source.origin


def _speeds(placed: PlacedRow) -> list[MeasurementDocument]:
    """Return mean and spread of one test; one repetition has no spread that is known."""
    row = placed.row
    if placed.is_prompt_only:
        metric, definition = "prompt_processing_speed", "prefill"
    elif placed.is_generation:
        metric, definition = "tokens_per_second", "decode"
    else:
        metric, definition = "total_tokens_per_second", "isolated_mixed"
    samples = tuple(row.samples_ts) if row.samples_ts else None
    test = {"n_prompt": row.n_prompt, "n_gen": row.n_gen, "n_depth": row.n_depth}
    mean = MeasurementDocument(
        metric=metric,
        statistic="mean",
        definition=definition,
        value=row.avg_ts,
        unit="tok/s",
        sample_count=len(samples) if samples else None,
        samples=samples,
        context={**placed.source.context, **test},
    )
    std = _known_spread(row.stddev_ts)
    if std is None or (samples and len(samples) == 1):
        return [mean]
    return [mean, replace(mean, statistic="std", value=std, samples=None, context=test)]


def _size(placed: PlacedRow) -> list[MeasurementDocument]:
    if not placed.row.model_size:
        return []
    context = {"rounded": True} if placed.source.rounded else {}
    value = placed.row.model_size / BYTES_PER_GB
    size = MeasurementDocument(
        metric="model_size_gb", statistic="mean", value=value, unit="GB", context=context
    )
    return [size]


def _model(placed: PlacedRow) -> ModelDocument:
    """Return which model it is; rounded figures are no facts of a model, others state them."""
    row = placed.row
    name, quantization = split_model_file_name(row.model_filename or "")
    exact = not placed.source.rounded
    return ModelDocument(
        model_name=name if name.lower() not in _NAMELESS else None,
        quantization=quantization or quantization_of_model_type(row.model_type),
        parameters=row.model_n_params if exact else None,
        weights_gb=row.model_size / BYTES_PER_GB if row.model_size and exact else None,
    )


def _build(row: Row) -> str | None:
    """Return "b6865 (1c1409e1)"; a build made outside git knows neither."""
    if not row.build_number:
        return None
    known_commit = row.build_commit and row.build_commit != "unknown"
    return f"b{row.build_number} ({row.build_commit})" if known_commit else f"b{row.build_number}"


def _extra_names(row: Row) -> dict[str, str]:
    """Return what the file calls the model; the folders of its path are the author's own."""
    names = {"model_type": row.model_type}
    if row.model_filename:
        names["model_file"] = row.model_filename.replace("\\", "/").rsplit("/", 1)[-1]
    return names

"""Many files on their way into the database: read ahead by other processes, written in batches."""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from benchsite.common.collecting import collected_on_call
from experiments.ingest.actor import Actor
from experiments.ingest.pipeline import Incoming, attempt, ingest_files, unchanged
from experiments.ingest.readers import Readers, Readings, ToRead
from experiments.ingest.reading import Reading
from experiments.ingest.report import Refusal, Report
from experiments.ingest.store import Received

BATCH_FILES = 250
BATCH_BYTES = 4 * 1024 * 1024
AHEAD, AHEAD_BYTES = 2, 8 * 1024 * 1024
"""How many batches are read while one is written, as long as their files are no larger: documents
take 20 times as much memory."""

MOST_RUNS_AT_ONCE = 500
RUNS_LIKE_SCORES = 20
"""What one transaction writes: others wait for its lock, half a second. Scores of a variant take as
long as so many runs."""


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A file and its context; `refused` where that ended before anything was read.

    `shown` is its name for people, `name` that of the upload, `sources` the sidecars that gave
    context. What was not named, but found beside results, is not kept if it is no result.
    """

    shown: str
    name: str = ""
    was_named: bool = False
    data: bytes = b""
    fields: Mapping[str, Any] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    refused: Report | None = None


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is done with all the files; `batch` is that of files sent together."""

    actor: Actor
    replacing: bool = False
    dry_run: bool = False
    skip_unknown: bool = False
    batch: UUID | None = None


@dataclass(frozen=True)
class _Batch:
    """Files with the reports that are final already, and the readings of all others."""

    files: Sequence[Loaded]
    done: Mapping[int, Report]
    readings: Readings


def take_in(
    files: Iterable[Loaded],
    wanted: Wanted,
    readers: Readers,
    *,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[Loaded, Report]]:
    """Yield each file with what became of it, in their order.

    A batch is written as a whole before its reports are yielded; the next are being read
    meanwhile. Once it `is_stopped`, nothing more is written. Raises ReadersLostError when a process
    that reads is gone.
    """
    batches = (_begun(batch, wanted, readers) for batch in _batched(files))
    waiting: deque[_Batch] = deque()
    with collected_on_call() as collect:
        while not is_stopped():
            while _has_room(waiting) and (batch := next(batches, None)):
                waiting.append(batch)
            if not waiting:
                return
            collect()
            yield from _finished(waiting.popleft(), wanted)


def _has_room(waiting: Collection[_Batch]) -> bool:
    size = sum(len(file.data) for batch in waiting for file in batch.files)
    return not waiting or (len(waiting) <= AHEAD and size < AHEAD_BYTES)


def _batched(files: Iterable[Loaded]) -> Iterator[list[Loaded]]:
    batch: list[Loaded] = []
    size = 0
    for file in files:
        batch.append(file)
        size += len(file.data)
        if len(batch) == BATCH_FILES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _begun(files: Sequence[Loaded], wanted: Wanted, readers: Readers) -> _Batch:
    """Find out what is here already, and hand everything else over to be read."""
    done = {place: file.refused for place, file in enumerate(files) if file.refused}
    left = {place: file for place, file in enumerate(files) if place not in done}
    if not wanted.replacing:
        done |= unchanged({place: _received(file, wanted) for place, file in left.items()})
    to_read = [ToRead(file.data, file.name) for place, file in left.items() if place not in done]
    return _Batch(files, done, readers.hand_over(to_read))


def _received(file: Loaded, wanted: Wanted) -> Received:
    return Received(
        data=file.data,
        file_name=file.name,
        fields=file.fields,
        actor=wanted.actor,
        replacing=wanted.replacing,
        batch=wanted.batch,
    )


def _finished(batch: _Batch, wanted: Wanted) -> Iterator[tuple[Loaded, Report]]:
    """Write a batch in portions, and yield its reports."""
    readings = iter(batch.readings.wait())
    portion: list[tuple[Loaded, Report | Incoming]] = []
    runs = 0
    for place, file in enumerate(batch.files):
        found = batch.done.get(place) or _judged(file, next(readings), wanted)
        portion.append((file, found))
        if isinstance(found, Incoming) and found.reading and found.reading.parsed:
            parsed = found.reading.parsed
            with_scores = sum(bool(run.scores) for run in parsed.runs) + len(parsed.score_sets)
            runs += len(parsed.runs) + RUNS_LIKE_SCORES * with_scores
        if runs >= MOST_RUNS_AT_ONCE:
            yield from _written(portion, wanted)
            portion, runs = [], 0
    yield from _written(portion, wanted)


def _judged(file: Loaded, reading: Reading, wanted: Wanted) -> Report | Incoming:
    """Pass over what is no result and was not named; what lies beside results is not kept."""
    received = _received(file, wanted)
    if reading.is_no_result and not file.was_named:
        return Report(
            outcome="skipped" if wanted.skip_unknown else "rejected",
            sha256=received.sha256,
            refusal=Refusal.UNKNOWN_FORMAT,
            errors=reading.errors,
        )
    return Incoming(received=received, reading=reading)


def _written(
    portion: Sequence[tuple[Loaded, Report | Incoming]], wanted: Wanted
) -> Iterator[tuple[Loaded, Report]]:
    incoming = [found for _file, found in portion if isinstance(found, Incoming)]
    if wanted.dry_run:
        reports = iter([attempt(item, dry_run=True) for item in incoming])
    else:
        reports = iter(ingest_files(incoming))
    for file, found in portion:
        yield file, next(reports) if isinstance(found, Incoming) else found

"""llama-bench rows in the records of a script: `bench_raw` with one row, or `raw` with a list.

The rows are read as llama-bench JSON is. What the script says of its own beside them is kept: its
sensors' figures where it ran one test alone, its words and switches as settings of the run, and
everything else beside the figures.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.documents import InvalidFileError, MeasurementDocument, ParsedFile, Problem
from experiments.formats.llama_bench import about
from experiments.formats.llama_bench.rows import FILLS, Source
from experiments.formats.llama_bench.runs import parse_rows
from experiments.formats.llama_bench.tables import refuse_table_beside
from experiments.formats.numbers import positive, without_nonfinite
from experiments.formats.problems import join_path, short_value

Record = Mapping[str, Any]

BYTES_PER_MIB, BYTES_PER_GB = 2**20, 1e9
LONGEST_WORD = 200  # longer texts and lists are logs; the file that is kept has them

_ONE_ROW, _ROWS = "bench_raw", "raw"
_ROW_KEYS = {"avg_ts", "model_type"}  # an object without either, such as an error, is no row
# The sensors' figures, and the statistic that each of them is.
_POWER = {"avg_power_w": "mean", "median_power_w": "p50", "max_power_w": "max"}
_GPU_MEMORY_PEAKS = ("vram_peak_mib", "gtt_peak_mib")
# Words that say when, what and which test it was, or repeat a flag that the row has: no settings
# that change speed. (`quant` is what one script calls the type of the KV cache.)
_NO_SPEED = {
    "b",
    "category",
    "date",
    "fa",
    "host",
    "hostname",
    "id",
    "log",
    "mode",
    "model",
    "name",
}
_NO_SPEED |= {"notes", "quant", "status", "test", "timestamp", "user"}

_LARGEST_READING = 1e12


def _detect(content: Content) -> bool:
    return any(_has_row(value) for _place, value in content.json_values())


def _parse(content: Content) -> ParsedFile:
    refuse_table_beside(content, "as JSON")
    found: list[Source | Problem] = []
    failed: list[str] = []
    for place, record in content.json_values():
        for row_place, row in _rows_of(place, record):
            if row is None:
                failed.append(row_place)
            else:
                found.append(row)
    if not found:
        message = "No record holds a result: the rows of llama-bench are missing from all of them."
        raise InvalidFileError(Problem(failed[0], message, len(failed)))
    warnings = []
    if failed:
        message = "Tests without a result, as they are left when they fail, were skipped."
        warnings.append(Problem(failed[0], message, len(failed)))
    return parse_rows(found, warnings)


def _has_row(record: Any) -> bool:
    """Whether a record is of this format; one whose only test failed may be, too."""
    if not isinstance(record, dict):
        return False
    rows = record.get(_ROWS)
    return _ONE_ROW in record or (
        isinstance(rows, list) and any(isinstance(row, dict) and "avg_ts" in row for row in rows)
    )


def _rows_of(place: str, record: Any) -> Iterator[tuple[str, Source | Problem | None]]:
    """Yield the rows in a record with their places; None stands for a test that failed."""
    if not isinstance(record, dict):
        yield place, Problem(place, "A record is a JSON object.", short_value(record))
        return
    key = _ONE_ROW if _ONE_ROW in record else _ROWS
    raw = record.get(key)
    facts = {name: value for name, value in record.items() if name != key}
    items = [(join_path(place, key), raw)]
    if isinstance(raw, list) and raw:
        items = [(join_path(place, key, index), row) for index, row in enumerate(raw)]
    for row_place, row in items:
        if row in (None, "", [], {}) or (isinstance(row, dict) and not row.keys() & _ROW_KEYS):
            yield row_place, None
        elif isinstance(row, dict):
            yield row_place, _source(row_place, row, facts, alone=len(items) == 1)
        else:
            message = "A llama-bench row is a JSON object."
            yield row_place, Problem(row_place, message, short_value(row))


def _source(place: str, row: Record, facts: Record, *, alone: bool) -> Source:
    """Return a row with the facts that the script gives; the row itself makes it this run."""
    words = {
        f"script_{name}": value
        for name, value in facts.items()
        if isinstance(value, bool)
        or (isinstance(value, str) and 0 < len(value) <= LONGEST_WORD and not _is_time(value))
    }
    changing_speed = {
        name: value
        for name, value in words.items()
        if name.removeprefix("script_").lower() not in _NO_SPEED
    }
    context = {
        name: without_nonfinite(value)
        for name, value in facts.items()
        if value not in (None, "", {})
        and f"script_{name}" not in words
        and len(value if isinstance(value, list | str) else ()) <= LONGEST_WORD
    }
    return Source(
        place=place,
        record=row,
        origin={"row": row, "script": facts},
        settings=words,
        speed_settings=changing_speed,
        context=context,
        readings=tuple(_readings(facts)) if alone and row.get("gpu_info") else (),
    )


def _is_time(word: str) -> bool:
    """Whether a word is a date or a time."""
    try:
        datetime.fromisoformat(word)
    except ValueError:
        return False
    return True


def _readings(facts: Record) -> Iterator[MeasurementDocument]:
    """Yield power and peak memory; a sensor that gave nothing, or 0, tells nothing.

    The sensors were read from the start of llama-bench to its end: the mean power counts the
    loading of the model, too. A processor's own GPU keeps a model outside of its VRAM, in GTT.
    """
    for name, statistic in _POWER.items():
        watts = positive(facts.get(name), below=_LARGEST_READING)
        if watts:
            yield MeasurementDocument(
                metric="gpu_power_watts",
                statistic=statistic,
                definition="gpu_whole_process",
                value=watts,
                unit="W",
                context={"as_written": name},
            )
    peaks = {
        name: positive(facts[name], below=_LARGEST_READING)
        for name in _GPU_MEMORY_PEAKS
        if name in facts
    }
    known = [peak for peak in peaks.values() if peak]
    if "vram_peak_mib" in peaks and len(known) == len(peaks):
        yield MeasurementDocument(
            metric="peak_memory_gb",
            statistic="mean",
            definition="gpu_driver",
            value=sum(known) * BYTES_PER_MIB / BYTES_PER_GB,
            unit="GB",
            context=peaks,
        )


FORMAT = Format(
    name="llama-bench-wrapped",
    title="llama-bench rows in a script's records",
    version=1,
    detect=_detect,
    parse=_parse,
    about=about.WRAPPED,
    tool="llama-bench",
    fills=FILLS,
)

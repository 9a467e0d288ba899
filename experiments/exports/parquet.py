"""The tidy table as Parquet, typed, with the citation in its metadata.

pyarrow is imported when a table is written: processes that never write one stay small.
"""

import io
import json
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from benchsite.common.exports import Cell
from experiments.exports.citation import Exporting, citation
from experiments.exports.tidy import COLUMNS, Kind, tidy_rows

if TYPE_CHECKING:
    import pyarrow

ROWS_IN_GROUP = 20_000
ROWS_AT_ONCE = 1_000
CITATION_KEY = b"citation"


def parquet_table(exporting: Exporting) -> Iterator[bytes]:
    """Yield the bytes of the file, a group of rows at a time."""
    from pyarrow import Table
    from pyarrow.parquet import ParquetWriter

    schema = _schema(exporting)
    sink = io.BytesIO()
    rows = tidy_rows(exporting)
    with ParquetWriter(_Tap(sink), schema, compression="zstd") as writer:
        while group := list(_batches(islice(rows, ROWS_IN_GROUP), schema)):
            writer.write_table(Table.from_batches(group))
            yield _taken(sink)
    yield _taken(sink)


def _batches(
    rows: Iterator[Sequence[Cell]], schema: "pyarrow.Schema"
) -> "Iterator[pyarrow.RecordBatch]":
    """Turn rows into columns a few at a time: as Python's values they take ten times the room."""
    from pyarrow import RecordBatch, array

    while some := list(islice(rows, ROWS_AT_ONCE)):
        columns = [
            array([row[place] for row in some], type=schema.field(place).type)
            for place in range(len(COLUMNS))
        ]
        yield RecordBatch.from_arrays(columns, schema=schema)


def _schema(exporting: Exporting) -> "pyarrow.Schema":
    import pyarrow as pa

    types: dict[Kind, Any] = {
        "text": pa.string(),
        "whole": pa.int64(),
        "number": pa.float64(),
        "yes_no": pa.bool_(),
        "time": pa.timestamp("us", tz="UTC"),
    }
    fields = [pa.field(name, types[kind]) for name, kind in COLUMNS]
    about = json.dumps(citation(exporting), ensure_ascii=False).encode()
    return pa.schema(fields, metadata={CITATION_KEY: about})


class _Tap(io.RawIOBase):
    """A file that is only written to and counts what went through, so that bytes can be taken."""

    def __init__(self, sink: io.BytesIO) -> None:
        self._sink = sink
        self._written = 0

    def writable(self) -> bool:
        """Tell that it can be written to."""
        return True

    def write(self, data: Any) -> int:
        """Take bytes in."""
        count = self._sink.write(data)
        self._written += count
        return count

    def tell(self) -> int:
        """Return how many bytes went through."""
        return self._written


def _taken(sink: io.BytesIO) -> bytes:
    data = sink.getvalue()
    sink.seek(0)
    sink.truncate()
    return data

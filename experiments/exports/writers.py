"""The forms of an export by name: one entry each, for the API, the command and the pages."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from experiments.exports.citation import Exporting, in_blocks
from experiments.exports.csv_table import csv_table
from experiments.exports.llmd import llmd_reports
from experiments.exports.parquet import parquet_table
from experiments.exports.request import ExportError
from experiments.exports.site_json import citation_document, json_document, json_lines


@dataclass(frozen=True, kw_only=True)
class Writer:
    """A form: what writes it, how its files end, what they are to a browser and to people."""

    name: str
    title: str
    suffix: str
    content_type: str
    write: Callable[[Exporting], Iterator[bytes]]
    holds_citation: bool = False

    def blocks(self, exporting: Exporting) -> Iterable[bytes]:
        """Return the file in blocks; ExportError (422), before it begins, if it would be empty."""
        parts = self.write(exporting)
        first = next(parts, None)
        if first is None:
            message = f"None of these runs can be told in the form “{self.name}”."
            raise ExportError(("format", message, self.name), status=422)
        return in_blocks(chain([first], parts))


WRITERS = {
    writer.name: writer
    for writer in (
        Writer(
            name="jsonl",
            title="JSON Lines",
            suffix="jsonl",
            content_type="application/x-ndjson",
            write=json_lines,
            holds_citation=True,
        ),
        Writer(
            name="json",
            title="JSON",
            suffix="json",
            content_type="application/json",
            write=json_document,
            holds_citation=True,
        ),
        Writer(
            name="csv",
            title="CSV",
            suffix="csv",
            content_type="text/csv; charset=utf-8",
            write=csv_table,
        ),
        Writer(
            name="parquet",
            title="Parquet",
            suffix="parquet",
            content_type="application/vnd.apache.parquet",
            write=parquet_table,
            holds_citation=True,
        ),
        Writer(
            name="llmd",
            title="llm-d reports",
            suffix="llmd.jsonl",
            content_type="application/x-ndjson",
            write=llmd_reports,
        ),
        Writer(
            name="citation",
            title="the citation alone",
            suffix="citation.json",
            content_type="application/json",
            write=citation_document,
            holds_citation=True,
        ),
    )
}
"""By the name that `format=` takes; the first is the default."""

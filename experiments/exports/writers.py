"""The forms of an export by name: one entry each, for the API, the command and the pages."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from experiments.exports.citation import Exporting
from experiments.exports.csv_table import csv_table
from experiments.exports.llmd import llmd_reports
from experiments.exports.parquet import parquet_table
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

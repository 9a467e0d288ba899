"""The site's own experiment JSON: one document, or JSON Lines with the citation first."""

import json
from collections.abc import Iterator
from typing import Any

from experiments.exports.citation import Exporting, citation
from experiments.exports.reading import runs_of, score_sets_of
from experiments.exports.records import run_record, score_set_record


def json_lines(exporting: Exporting) -> Iterator[bytes]:
    """Yield the citation, then a line for each run, then one for each variant with scores."""
    yield _line({"export": citation(exporting)})
    for run in runs_of(exporting.selection):
        yield _line({"experiment_run": run_record(run, exporting.site)})
    for scores in score_sets_of(exporting.selection):
        yield _line(score_set_record(scores, exporting.site))


def json_document(exporting: Exporting) -> Iterator[bytes]:
    """Yield the same as one JSON document."""
    yield b'{"export": ' + _text(citation(exporting)) + b',\n"experiment_runs": ['
    runs = (run_record(run, exporting.site) for run in runs_of(exporting.selection))
    yield from _items(runs)
    yield b'],\n"score_sets": ['
    sets = (score_set_record(item, exporting.site) for item in score_sets_of(exporting.selection))
    yield from _items(sets)
    yield b"]}\n"


def citation_document(exporting: Exporting) -> Iterator[bytes]:
    """Yield the citation alone: what belongs to a table that has no place for it."""
    text = json.dumps(citation(exporting), ensure_ascii=False, indent=1)
    yield text.encode() + b"\n"


def _items(records: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    for place, record in enumerate(records):
        yield (b",\n" if place else b"\n") + _text(record)


def _line(record: dict[str, Any]) -> bytes:
    return _text(record) + b"\n"


def _text(record: dict[str, Any]) -> bytes:
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode()

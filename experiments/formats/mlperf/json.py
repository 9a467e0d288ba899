"""MLPerf inference's `summary_results.json`: a list of all results of a round, or of some."""

from collections.abc import Iterator
from typing import Any

from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.documents import InvalidFileError, ParsedFile, Problem
from experiments.formats.mlperf import about
from experiments.formats.mlperf.runs import FILLS, TOOL, parse_rows
from experiments.formats.records import records_of

_KEYS = {"Submitter", "Scenario", "Performance_Result", "Accelerator"}


def _detect(content: Content) -> bool:
    return content.first_record.keys() >= _KEYS


def _parse(content: Content) -> ParsedFile:
    problems: list[Problem] = []
    sources = list(_sources(content, problems))
    if problems:
        raise InvalidFileError(*problems)
    return parse_rows(sources)


def _sources(content: Content, problems: list[Problem]) -> Iterator[tuple[str, dict[str, Any]]]:
    for place, record in records_of(content, what="A row"):
        if isinstance(record, Problem):
            problems.append(record)
        else:
            yield place, record


FORMAT = Format(
    name="mlperf-summary-json",
    title="MLPerf inference summary_results.json",
    version=2,
    detect=_detect,
    parse=_parse,
    about=about.SUMMARY,
    tool=TOOL,
    command="python3 generate_final_report.py --input summary.csv",
    file_name="summary_results.json",
    fills=FILLS,
    lacks=("quantization", "backend"),
)

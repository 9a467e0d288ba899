"""GuideLLM reports in JSON and YAML, of all versions: a run for each benchmark."""

from collections.abc import Iterator, Mapping
from typing import Any

from experiments.formats.documents import InvalidFileError, ParsedFile, Problem
from experiments.formats.guidellm import about
from experiments.formats.guidellm.first import is_first_report, parse_first_report
from experiments.formats.guidellm.runs import FILLS, LACKS, TOOL, Placed, parse_benchmarks
from experiments.formats.problems import join_path, short_value
from experiments.formats.reports import Reports, report_formats

_NO_REPORT = "A GuideLLM report is an object with a list of benchmarks."
_NO_BENCHMARKS = "The report holds no benchmark: nothing was measured."
_NO_OBJECT = "A benchmark is an object."


def _is_report(value: Any) -> bool:
    if not isinstance(value, Mapping) or not isinstance(value.get("benchmarks"), list):
        return False
    metadata = value.get("metadata")
    if isinstance(metadata, Mapping) and "guidellm_version" in metadata:
        return True
    first = next(iter(value["benchmarks"]), None)
    is_generative = isinstance(first, Mapping) and first.get("type_") == "generative_benchmark"
    return is_generative or is_first_report(value)


def _parse(reports: Reports) -> ParsedFile:
    """Return the runs of all reports of a file."""
    if any(is_first_report(report) for _place, report in reports):
        return parse_first_report(reports)
    placed: list[Placed] = []
    problems: list[Problem] = []
    for place, report in reports:
        if not isinstance(report, dict) or not isinstance(report.get("benchmarks"), list):
            problems.append(Problem(place, _NO_REPORT, short_value(report)))
        elif not report["benchmarks"]:
            problems.append(Problem(join_path(place, "benchmarks"), _NO_BENCHMARKS))
        else:
            for item in _benchmarks(report, place):
                if isinstance(item, Problem):
                    problems.append(item)
                else:
                    placed.append(item)
    if problems:
        raise InvalidFileError(*problems)
    return parse_benchmarks(placed)


def _benchmarks(report: dict[str, Any], place: str) -> Iterator[Placed | Problem]:
    metadata = report.get("metadata")
    version = metadata.get("guidellm_version") if isinstance(metadata, dict) else None
    for index, record in enumerate(report["benchmarks"]):
        where = join_path(place, "benchmarks", index)
        if isinstance(record, dict):
            yield Placed(
                place=where,
                record=record,
                report={key: value for key, value in report.items() if key != "benchmarks"},
                tool_version=version if isinstance(version, str) else None,
            )
        else:
            yield Problem(where, _NO_OBJECT, short_value(record))


FORMAT, YAML_FORMAT = report_formats(
    name="guidellm",
    title="GuideLLM",
    version=1,
    keys=(frozenset({"benchmarks"}),),
    is_report=_is_report,
    parse=_parse,
    about=about.REPORT,
    tool=TOOL,
    command="guidellm run --backend kind=openai_http,target=http://localhost:8000 "
    "--profile kind=sweep --constraint kind=max_duration,seconds=30 "
    "--data kind=synthetic_text,prompt_tokens=256,output_tokens=128",
    file_name="benchmarks",
    fills=FILLS,
    lacks=LACKS,
)

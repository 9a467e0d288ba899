"""optimum-benchmark's `benchmark.json`: config and report of a benchmark in one file."""

from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.documents import ParsedFile
from experiments.formats.optimum import about
from experiments.formats.optimum.runs import FILLS, TOOL, parse_records
from experiments.formats.records import records_of


def _detect(content: Content) -> bool:
    record = content.first_record
    config, report = record.get("config"), record.get("report")
    is_one = isinstance(config, dict) and isinstance(config.get("backend"), dict)
    return is_one and (isinstance(report, dict) or "traceback" in record)


def _parse(content: Content) -> ParsedFile:
    return parse_records(records_of(content))


FORMAT = Format(
    name="optimum-benchmark",
    title="optimum-benchmark JSON",
    version=1,
    detect=_detect,
    parse=_parse,
    about=about.JSON,
    tool=TOOL,
    command="optimum-benchmark --config-dir configs --config-name pytorch",
    file_name="benchmark.json",
    fills=FILLS,
    lacks=("quantization",),
)

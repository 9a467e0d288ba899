"""The table that vLLM's and SGLang's serving benchmarks print, in a log or wrapped by a script.

Both share the layout; SGLang's own lines (its backend, retokenized tokens) tell the two apart.
A script may keep the log as {"success": true, "raw_output": "…"}.
"""

from typing import Any

from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.documents import ParsedFile, Problem, UnreadableError
from experiments.formats.problems import join_path
from experiments.formats.records import records_of, skipped_lines
from experiments.formats.serving import about
from experiments.formats.serving.fills import SERVING_FILLS
from experiments.formats.serving.runs import RunCollector
from experiments.formats.serving.tables import TITLE, read_tables
from experiments.formats.sglang import serving as sglang_serving
from experiments.formats.vllm import serve as vllm_serve

_OF_SGLANG = {"backend", "total_output_tokens_retokenized", "input_throughput", "concurrency"}


def _detect(content: Content) -> bool:
    if "Serving Benchmark Result" not in content.text:
        return False
    return any(isinstance(log, str) and TITLE.search(log) for _place, log in _logs(content))


def _parse(content: Content) -> ParsedFile:
    found = RunCollector()
    logs = _logs(content)
    if logs[0][0]:  # in records
        found.warnings += skipped_lines(content)
    for place, log in logs:
        if not (_add_tables(found, log, place) if isinstance(log, str) else 0):
            message = "This output holds no result, as when a benchmark fails: it is skipped."
            found.warnings.append(Problem(place, message))
    return found.parsed()


def _logs(content: Content) -> list[tuple[str, Any]]:
    """Return the logs of a file with their places: those in a script's records, or the file.

    A log may begin with a bracket, and hold JSON somewhere.
    """
    try:
        records = list(records_of(content))
    except UnreadableError:
        records = []
    wrapped = [
        (join_path(place, "raw_output"), record["raw_output"])
        for place, record in records
        if isinstance(record, dict) and "raw_output" in record
    ]
    is_whole_json = bool(records) and content.json[0][0].place == ""
    return wrapped if wrapped or is_whole_json else [("", content.text)]


def _add_tables(found: RunCollector, text: str, place: str) -> int:
    """Add a run for each table of a log, and return how many there are."""
    tables = list(read_tables(text, place, found.problems))
    for table in tables:
        if found.is_full:
            break
        record = table.record | table.figures
        if "model" in record:
            record["model_id"] = record.pop("model")
        tool = sglang_serving if _OF_SGLANG & table.figures.keys() else vllm_serve
        tool.add_run(found, table.place, record, complete=table.is_whole)
        if not table.is_whole:
            message = "The table has no end: the log was cut off, and this run is not ranked."
            found.warnings.append(Problem(table.place, message))
    return len(tables)


FORMAT = Format(
    name="serving-console",
    title="console output of vLLM's and SGLang's serving benchmarks",
    version=1,
    detect=_detect,
    parse=_parse,
    about=about.CONSOLE,
    file_name="benchmark.log",
    fills=(*SERVING_FILLS, "prompt_processing_speed", "itl_ms"),
    lacks=("model_name", "quantization", "backend", "gpu_model"),
)

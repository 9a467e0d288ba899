"""llama-bench `-o json` and `-o jsonl`: an array of rows, or a row a line."""

from collections.abc import Iterator

from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.documents import ParsedFile, Problem
from experiments.formats.llama_bench import about
from experiments.formats.llama_bench.rows import FILLS, Source
from experiments.formats.llama_bench.runs import parse_rows
from experiments.formats.llama_bench.tables import refuse_table_beside
from experiments.formats.records import records_of

_KEYS = {"avg_ts", "n_prompt", "n_gen", "model_type"}


def _detect(content: Content) -> bool:
    return bool(content.json[0]) and content.first_record.keys() >= _KEYS


def _parse(content: Content) -> ParsedFile:
    refuse_table_beside(content, "as JSON")
    return parse_rows(_rows(content))


def _rows(content: Content) -> Iterator[Source | Problem]:
    """Yield each row with its place: `[3]` in an array, `line 5` in JSON Lines."""
    for place, value in records_of(content, what="A llama-bench row"):
        yield value if isinstance(value, Problem) else Source(place=place, record=value)


FORMAT = Format(
    name="llama-bench-json",
    title="llama-bench JSON or JSON Lines",
    version=2,
    detect=_detect,
    parse=_parse,
    about=about.JSON,
    tool="llama-bench",
    command="llama-bench -m model.gguf -o json > result.json",
    fills=FILLS,
)

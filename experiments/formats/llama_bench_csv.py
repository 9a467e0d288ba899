"""llama-bench `-o csv`: columns are mapped by their header, which differs between builds."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.documents import InvalidFileError, ParsedFile, Problem, UnreadableError
from experiments.formats.llama_bench import parse_rows

_HEADER_START = "build_commit,build_number"
_REQUIRED = ("model_type", "n_prompt", "n_gen", "avg_ts")


def _detect(content: Content) -> bool:
    first_line = content.text.lstrip().split("\n", 1)[0]
    return first_line.replace('"', "").startswith(_HEADER_START)


def _parse(content: Content) -> ParsedFile:
    return parse_rows(_records(content.text.lstrip()), skipped_lines=0)


def _records(text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each row as a mapping of the columns that are filled, with its line."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader)
        if absent := [name for name in _REQUIRED if name not in header]:
            raise InvalidFileError(
                Problem("line 1", "The header lacks columns of llama-bench.", ", ".join(absent))
            )
        if twice := sorted({name for name in header if header.count(name) > 1}):
            raise InvalidFileError(
                Problem("line 1", "A column stands twice; keep the right one.", ", ".join(twice))
            )
        for values in reader:
            if not values:
                continue
            place = f"line {reader.line_num}"
            if len(values) != len(header):
                raise InvalidFileError(
                    Problem(
                        place,
                        f"The row has {len(values)} values, the header {len(header)} columns.",
                        ",".join(values)[:80],
                    )
                )
            yield place, {name: value for name, value in zip(header, values, strict=True) if value}
    except csv.Error as error:
        raise UnreadableError(
            Problem(f"line {reader.line_num}", f"This is not valid CSV: {error}.")
        ) from error


FORMAT = Format(
    name="llama-bench-csv",
    title="llama-bench CSV",
    version=1,
    detect=_detect,
    parse=_parse,
)

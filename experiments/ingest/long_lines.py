"""JSON Lines longer than an upload may be: read in parts, each an upload of its own."""

import json
from collections.abc import Iterator
from pathlib import Path

from experiments.formats.site.checksums import is_export

PART_LINES = 1000
PART_BYTES = 4 * 1024 * 1024
"""A part ends with the line that reaches either: the same file always has the same parts."""

_OWN_KEYS = ("experiment_run", "experiment_runs", "benchmark_scores")


def is_own_json_lines(path: Path, limit_bytes: int) -> bool:
    """Tell whether a file begins with a line in the site's own JSON, or an export's first line.

    Raises OSError.
    """
    with path.open("rb") as opened:
        line = opened.readline(limit_bytes)
    try:
        value = json.loads(line)
    except ValueError:  # no JSON, or no text
        return False
    return isinstance(value, dict) and (is_export(value) or any(key in value for key in _OWN_KEYS))


def parts_of(path: Path, limit_bytes: int) -> Iterator[tuple[str, bytes]]:
    """Yield the parts of a file with their lines ("1-1000"). Raises OSError.

    A line beyond the limit is a part that is too large, so that it is refused by its place.
    """
    first = number = 1
    lines: list[bytes] = []
    size = 0
    with path.open("rb") as opened:
        while line := opened.readline(limit_bytes + 1):
            lines.append(line)
            size += len(line)
            while not line.endswith(b"\n") and (line := opened.readline(limit_bytes)):
                pass  # the rest of a line that is too long
            if len(lines) == PART_LINES or size >= PART_BYTES:
                yield f"{first}-{number}", b"".join(lines)
                first, lines, size = number + 1, [], 0
            number += 1
    if lines:
        yield f"{first}-{number - 1}", b"".join(lines)

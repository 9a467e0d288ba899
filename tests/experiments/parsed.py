"""Files read by their format alone, without a database."""

import json
from pathlib import Path
from typing import Any

from experiments.formats import detect_format
from experiments.formats.content import decode
from experiments.formats.documents import ParsedFile, RunDocument

SAMPLES = Path(__file__).parent / "samples"
NAMES = frozenset(path.name for path in SAMPLES.iterdir())


def parsed(source: Any, *, format_name: str) -> ParsedFile:
    """Read a sample by its file name, a text or a value as JSON; its format must be this one."""
    if isinstance(source, str) and source in NAMES:
        data = (SAMPLES / source).read_bytes()
    else:
        data = (source if isinstance(source, str) else json.dumps(source)).encode()
    content = decode(data)
    found = detect_format(content)
    assert found.name == format_name
    return found.parse(content)


def figures(run: RunDocument) -> dict[tuple[str, str, str | None], float]:
    """Return the figures of a run by (metric, statistic, definition)."""
    return {item.identity: item.value for item in run.measurements}


def sample(name: str) -> Any:
    """Return a JSON sample, or the lines of one in JSON Lines."""
    text = (SAMPLES / name).read_text(encoding="utf-8")
    if name.endswith("l"):
        return [json.loads(line) for line in text.splitlines()]
    return json.loads(text)

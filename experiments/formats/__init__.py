"""The formats that the site reads, in the order in which they are tried (no Django)."""

from experiments.formats import llama_bench_csv, llama_bench_json, site_json
from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.documents import Problem, UnknownFormatError

FORMATS: tuple[Format, ...] = (
    llama_bench_csv.FORMAT,  # told by its first line, whatever stands in its cells
    llama_bench_json.FORMAT,
    site_json.FORMAT,
)


def detect_format(content: Content) -> Format:
    """Return the first format that recognises the content.

    Raises UnreadableError for JSON that is broken, UnknownFormatError for readable content that
    no format recognises.
    """
    for candidate in FORMATS:
        if candidate.detect(content):
            return candidate
    titles = "; ".join(item.title for item in FORMATS)
    raise UnknownFormatError(
        Problem("", f"No known format matches this file. Known are: {titles}.", _glimpse(content))
    )


def _glimpse(content: Content) -> str:
    """Return what the formats looked at: the keys of the first record, or the first line."""
    if content.looks_like_json and content.first_record:
        return "keys: " + ", ".join(list(content.first_record)[:12])
    return content.text.strip().splitlines()[0][:120]

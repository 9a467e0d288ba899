"""Files of llama-bench that were cut, mixed up or mistyped: read, or refused with a problem."""

import json
import math
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.formats import detect_format
from experiments.formats.content import decode
from experiments.formats.documents import FormatError, ParsedFile
from tests.experiments.test_llama_bench import as_csv, prompt, row

SAMPLES = Path(__file__).parent / "samples"
NAMES = (
    "llama_bench.json",
    "llama_bench.sql",
    "llama_bench_raw_lists.jsonl",
    "llama_bench_tables.md",
    "llama_bench_wrapped.jsonl",
)
TEXTS = {name: (SAMPLES / name).read_text(encoding="utf-8") for name in NAMES}
TEXTS["llama_bench.csv"] = as_csv(prompt(), row(), prompt(4096), row(n_depth=512)).decode()

Change = Callable[[str], str]
JUNK = (
    "", " ", "0", "-1", "1e400", "nan", "-inf", "9" * 400, "1.5", "null", "true", "[]", "{}", "'",
    '"', "|", ",", "(", ";", "\\", "²", "٣", "\u2028", "\x1b[0m", "\r", "é" * 300, "pp512",
    "tg128 @ d1", "± 0.00", "12.3 ± 4.5", "GiB", "| --- |", "CUDA0/CUDA9", "INSERT INTO test",
    "Device 0: x",
)  # fmt: skip


@st.composite
def changes(draw: st.DrawFn) -> Change:
    """Draw what happens to a file; positions are shares of its length."""
    kind = draw(st.sampled_from(("cut", "behead", "lines", "swap", "retype", "insert", "splice")))
    first, second = sorted((draw(st.floats(0, 1)), draw(st.floats(0, 1))))
    junk = draw(st.sampled_from(JUNK))
    times = draw(st.integers(0, 3))

    def at(share: float, length: int) -> int:
        return min(int(share * length), max(length - 1, 0))

    def change(text: str) -> str:
        start, end = at(first, len(text)), at(second, len(text))
        if kind == "cut":
            return text[:start]
        if kind == "behead":
            return text[start:]
        if kind == "insert":
            return text[:start] + junk + text[start:]
        if kind == "splice":
            return text[:start] + text[end:]
        if kind == "lines":
            lines = text.split("\n")
            index = at(first, len(lines))
            return "\n".join(lines[:index] + lines[index : index + 1] * times + lines[index + 1 :])
        # Words and cells, with what stands between them.
        words = re.split(r"([|,:\n()\[\]{}]+)", text)
        a, b = at(first, len(words)), at(second, len(words))
        words[a], words[b] = (words[b], words[a]) if kind == "swap" else (junk, words[b])
        return "".join(words)

    return change


def check(parsed: ParsedFile) -> None:
    """See that what was read can be stored: figures, one of each kind, and no NaN anywhere."""
    for run in parsed.runs:
        identities = [item.identity for item in run.measurements]
        assert len(set(identities)) == len(identities)
        assert all(math.isfinite(item.value) and item.value > 0 for item in run.measurements)
        stored = [dict(run.setup.settings), [dict(item.context) for item in run.measurements]]
        assert "\\u0000" not in json.dumps(stored, allow_nan=False)


@pytest.mark.parametrize("name", TEXTS)
@settings(max_examples=300)
@given(data=st.data())
def test_a_changed_file_is_read_or_refused_and_never_fails(name: str, data: st.DataObject) -> None:
    text = TEXTS[name]
    for change in data.draw(st.lists(changes(), min_size=1, max_size=3)):
        text = change(text)
    encoded = data.draw(st.sampled_from((text.encode(), text.encode("utf-16"))))
    try:
        content = decode(encoded)
        check(detect_format(content).parse(content))
    except FormatError as error:
        told = error.problems
        assert told
        for problem in told:
            assert problem.message.endswith((".", "?"))
            json.dumps(problem.as_dict(), allow_nan=False)

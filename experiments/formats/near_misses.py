"""What tools write beside their results, and tables made of results: what to send instead."""

import re

from experiments.formats.content import Content

_SAMPLES = "These are single answers, of which no score is made. Send the {} beside them."
_BUILDS = (
    "The table sets builds side by side; a table of llama-bench ends with one column “t/s”. Send "
    "what llama-bench printed for each build."
)
_COLLECTION = (
    "This is MMLU-Pro's list of runs, without figures by field. Send the *_summary.txt of each."
)
_SUBJECTS = "These are figures by field without a total. Send the *_summary.txt beside them."
_KEYS: tuple[tuple[frozenset[str], str], ...] = (
    (
        frozenset({"doc_id", "doc", "target"}),
        _SAMPLES.format("results_*.json of lm-evaluation-harness"),
    ),
    (
        frozenset({"question_id", "question", "options", "answer"}),
        _SAMPLES.format("*_summary.json or *_summary.txt of MMLU-Pro"),
    ),
)
_STARTS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"[^,\n]+,(?:CoT|DA),[^\n]*,0\.\d+\s*(?:\n|$)"), _COLLECTION),
    (re.compile(r"0(?:,\d+)+\s*\n\s*biology,business,"), _SUBJECTS),
)
_LOOKED_AT = 10_000  # characters


def advice(content: Content) -> str:
    """Return what to send instead of a file that no format recognises; "" where nobody knows."""
    if content.looks_like_json:
        keys = (content.first_record or {}).keys()
        return next((text for wanted, text in _KEYS if wanted <= keys), "")
    text = content.text.lstrip()[:_LOOKED_AT]
    if any(map(_compares_builds, text.splitlines())):
        return _BUILDS
    return next((told for pattern, told in _STARTS if pattern.match(text)), "")


def _compares_builds(line: str) -> bool:
    """Tell whether a line heads a table with a column of speeds for each of several builds."""
    cells = line.strip().strip("|").split("|") if line.startswith("|") else ()
    return sum(cell.strip().startswith("t/s ") for cell in cells) > 1

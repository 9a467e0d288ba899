"""What a terminal would show of a log: its text without colours and other control sequences."""

import re

_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)?")


def without_controls(text: str) -> str:
    """Return a text without the sequences that colour it, move the cursor or name a window."""
    return _CONTROLS.sub("", text) if "\x1b" in text else text

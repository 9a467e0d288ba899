"""The shape of a format: how it is recognised, and how it is read."""

from collections.abc import Callable
from dataclasses import dataclass

from experiments.formats.content import Content
from experiments.formats.documents import ParsedFile


@dataclass(frozen=True, kw_only=True)
class Format:
    """A format of result files.

    `detect` looks at content only and never raises anything but FormatError; `parse` is given a
    file that `detect` recognised and raises FormatError with every problem it finds. Raise
    `version` whenever `parse` reads the same bytes differently.
    """

    name: str
    title: str
    version: int
    detect: Callable[[Content], bool]
    parse: Callable[[Content], ParsedFile]

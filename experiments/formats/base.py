"""The shape of a format: how it is recognised, how it is read, and what people may know of it."""

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

    The rest is for people: `tool` is what writes it, `command` the shell line that does so into
    `file_name`, both "" where there is none to type. `fills` names what its files tell, `lacks`
    the required fields that they never or not always tell: fields of the upload's context, keys of
    metrics, and "scores".
    """

    name: str
    title: str
    version: int
    detect: Callable[[Content], bool]
    parse: Callable[[Content], ParsedFile]
    tool: str = ""
    command: str = ""
    file_name: str = "result.json"
    fills: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()

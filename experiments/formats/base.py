"""The shape of a format: how it is recognised, how it is read, and what people may know of it."""

from collections.abc import Callable
from dataclasses import dataclass

from experiments.formats.content import Content
from experiments.formats.documents import ParsedFile


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """What files of a version tell of a run, a cell each: ● said, ○ derived, ? asked for, – not.

    `version` names the files, after the names of their formats; "" where there is one kind.
    """

    version: str = ""
    model: str = "–"
    quantization: str = "–"
    backend: str = "–"
    gpu: str = "–"
    gpus_used: str = "–"
    cpu: str = "–"
    lengths: str = "–"
    load: str = "–"
    depth: str = "–"
    speeds: str = "–"
    power: str = "–"
    when: str = "–"


@dataclass(frozen=True, kw_only=True)
class ScoreFacts:
    """What files of a version tell of a score, in the same marks."""

    version: str = ""
    model: str = "–"
    quantization: str = "–"
    harness: str = "–"
    task_version: str = "–"
    metric: str = "–"
    shots: str = "–"
    counts: str = "–"
    complete: str = "–"
    when: str = "–"


@dataclass(frozen=True, kw_only=True)
class About:
    """A format's rows in docs/formats.md, as Markdown: `asks` is what the uploader adds."""

    what: str
    run_for_each: str
    says: str
    asks: str = "–"
    facts: tuple[RunFacts | ScoreFacts, ...]


@dataclass(frozen=True, kw_only=True)
class Format:
    """A format of result files.

    `detect` looks at content only and never raises anything but FormatError; `parse` is given a
    file that `detect` recognised and raises FormatError with every problem it finds. Raise
    `version` whenever `parse` reads the same bytes differently.

    The rest is for people: `tool` is what writes it, `command` the shell line that does so into
    `file_name`, both "" where there is none to type. `fills` names what its files tell, `lacks`
    the required fields that the tool as it is today never or not always tells: fields of the
    upload's context, keys of metrics, and "scores". `about` makes its rows in docs/formats.md.
    """

    name: str
    title: str
    version: int
    detect: Callable[[Content], bool]
    parse: Callable[[Content], ParsedFile]
    about: About
    tool: str = ""
    command: str = ""
    file_name: str = "result.json"
    fills: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()

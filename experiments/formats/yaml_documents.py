"""YAML as tools write it, read into plain JSON-like values within hard limits.

The parser's events are read one by one: what a file may cost is known before it is paid, and no
tag makes an object.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml import events as ev

from experiments.formats.documents import Problem, UnreadableError
from experiments.formats.problems import short_value
from experiments.formats.storable import check_text
from experiments.formats.yaml_scalars import scalar_value

_MAX_DEPTH = 100
_TEXT_OF_ONE = 100  # characters
MOST_VALUES = 2_000_000
MOST_ALIASED = 100_000
"""How many values a file may hold, and how many of them by aliases; long texts count as more."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml, where PyYAML was built with it
_FIRST_KEY = re.compile(
    r"""(?:%YAML[^\n]*\n|(?:---)?[ \t]*(?:\#[^\n]*)?\r?\n)*
    [A-Za-z_][\w.-]*:(?:\s|$)""",
    re.VERBOSE,
)
_HEAD = 20_000  # characters in which the first key stands, whatever comments are above it
_TOP_KEY = re.compile(r"^([A-Za-z_][\w.-]*):(?=[ \t\r]|$)", re.MULTILINE)
_TAGGED = "The tag {tag} makes this more than plain YAML; send the JSON that the tool writes."
_TWICE = "This key stands twice in one mapping; keep the right one."
_NO_TEXT_KEY = "A key of a mapping is a text; this one is a list, a mapping or an alias."
_MERGE = "Merge keys (<<) are not read; write out what they stand for."
_SELF = "This alias stands within what it stands for: that has no end."
_TOO_DEEP = f"The YAML is nested deeper than {_MAX_DEPTH} levels."
_TOO_MANY = (
    f"The file holds more than {MOST_VALUES:,} values, or more than {MOST_ALIASED:,} by aliases; "
    "split it."
)
_SEVERAL = "The file holds several YAML documents; send each as a file of its own."


def top_level_keys(text: str) -> frozenset[str]:
    """Return the keys that stand at the margin, none where the text does not begin as a mapping.

    This costs one pass over the text and tells whether it is worth parsing.
    """
    return frozenset(_TOP_KEY.findall(text)) if _FIRST_KEY.match(text[:_HEAD]) else frozenset()


def read_yaml(text: str) -> Any:
    """Read the only document of a YAML text.

    Raises UnreadableError for broken YAML, several documents, tags, keys that stand twice, text
    that cannot be stored, and for nesting and sizes beyond reason.
    """
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.YAMLError as error:
        raise _broken(error) from error
    check_text(builder.value, "")
    return builder.value


@dataclass
class _Open:
    """A mapping or list that is being read; `key` is the key whose value comes next."""

    value: dict[str, Any] | list[Any]
    anchor: str | None
    size_before: int
    key: str | None = None


@dataclass
class _Builder:
    """Builds the value of one document from the parser's events, in a stack of its own."""

    value: Any = None
    documents: int = 0
    size: int = 0
    aliased: int = 0
    stack: list[_Open] = field(default_factory=list)
    anchors: dict[str, tuple[Any, int]] = field(default_factory=dict)

    def take(self, event: ev.Event) -> None:
        """Take the next event, in the order of the text."""
        if isinstance(event, ev.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, ev.MappingStartEvent | ev.SequenceStartEvent):
            self._open(event)
        elif isinstance(event, ev.MappingEndEvent | ev.SequenceEndEvent):
            done = self.stack.pop()
            self._anchor(done.anchor, done.value, self.size - done.size_before)
        elif isinstance(event, ev.AliasEvent):
            self._alias(event)
        elif isinstance(event, ev.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise self._error(event, _SEVERAL)

    def _scalar(self, event: ev.ScalarEvent) -> None:
        if event.tag is not None:
            raise self._error(event, _TAGGED.format(tag=event.tag), event.value)
        text: str = event.value
        if self._wants_key():
            self._take_key(text, event)
            self._anchor(event.anchor, text, 1)
            return
        value = scalar_value(text) if event.implicit[0] else text
        size = 1 + len(text) // _TEXT_OF_ONE
        self._put(value, event, size=size)
        self._anchor(event.anchor, value, size)

    def _open(self, event: ev.MappingStartEvent | ev.SequenceStartEvent) -> None:
        if event.tag is not None:
            raise self._error(event, _TAGGED.format(tag=event.tag))
        if self._wants_key():
            raise self._error(event, _NO_TEXT_KEY)
        if len(self.stack) >= _MAX_DEPTH:
            raise self._error(event, _TOO_DEEP)
        value: dict[str, Any] | list[Any] = {} if isinstance(event, ev.MappingStartEvent) else []
        before = self.size
        self._put(value, event)
        self.stack.append(_Open(value, event.anchor, before))
        self.anchors.pop(event.anchor or "", None)

    def _alias(self, event: ev.AliasEvent) -> None:
        """Put what an alias stands for: the same value again, counted as if written out."""
        if self._wants_key():
            raise self._error(event, _NO_TEXT_KEY)
        if any(item.anchor == event.anchor for item in self.stack):
            raise self._error(event, _SELF, f"*{event.anchor}")
        if event.anchor not in self.anchors:
            raise self._error(event, "Nothing has the name of this alias.", f"*{event.anchor}")
        value, size = self.anchors[event.anchor]
        self.aliased += size
        if self.aliased > MOST_ALIASED:
            raise self._error(event, _TOO_MANY)
        self._put(value, event, size=size)

    def _anchor(self, name: str | None, value: Any, size: int) -> None:
        if name is not None:
            self.anchors[name] = (value, size)

    def _wants_key(self) -> bool:
        holder = self.stack[-1] if self.stack else None
        return holder is not None and holder.key is None and isinstance(holder.value, dict)

    def _take_key(self, text: str, event: ev.ScalarEvent) -> None:
        holder = self.stack[-1]
        if text == "<<" and event.implicit[0]:
            raise self._error(event, _MERGE, text)
        if text in holder.value:
            raise self._error(event, _TWICE, text)
        holder.key = text

    def _put(self, value: Any, event: ev.Event, *, size: int = 1) -> None:
        self.size += size
        if self.size > MOST_VALUES:
            raise self._error(event, _TOO_MANY)
        if not self.stack:
            self.value = value
            return
        holder = self.stack[-1]
        if isinstance(holder.value, list):
            holder.value.append(value)
        else:
            holder.value[str(holder.key)] = value
            holder.key = None

    def _error(self, event: ev.Event, message: str, value: str | None = None) -> UnreadableError:
        mark = event.start_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        return UnreadableError(Problem(place, message, short_value(value)))


def _broken(error: yaml.YAMLError) -> UnreadableError:
    """Describe broken YAML by line and column, or by the character that no YAML holds."""
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        what = " ".join(part for part in (error.context, error.problem) if part)
        return UnreadableError(
            Problem(place, f"This is not valid YAML: {what}. Is the file complete?")
        )
    what = " ".join(str(error).split())
    return UnreadableError(Problem("", f"This is not valid YAML: {what[:200]}."))

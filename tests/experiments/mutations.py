"""Ways in which a result file goes wrong: cut, doubled, retyped, put in another order."""

import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

Path = tuple[Any, ...]
Mutation = Callable[[st.DataObject, bytes], bytes]

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([0, -1, 2**31, 2**63, 10**400, 1e308, -0.0, "", " ", "NaN", "12.5", "\x00"])
    | st.floats()
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


def mutated(data: st.DataObject, source: bytes) -> bytes:
    """Return a file with one to three things wrong."""
    for _ in range(data.draw(st.integers(1, 3), label="faults")):
        mutation = data.draw(st.sampled_from(MUTATIONS))
        source = mutation(data, source)
    return source


def _cut(data: st.DataObject, source: bytes) -> bytes:
    return source[: data.draw(st.integers(0, len(source)), label="cut at")]


def _flip(data: st.DataObject, source: bytes) -> bytes:
    """Change a few bytes."""
    changed = bytearray(source)
    for _ in range(data.draw(st.integers(1, 4), label="flips") if changed else 0):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    return bytes(changed)


def _lines(data: st.DataObject, source: bytes) -> bytes:
    """Double, drop or move a line."""
    lines = source.splitlines(keepends=True)
    if not lines:
        return source
    index = data.draw(st.integers(0, len(lines) - 1), label="line")
    what = data.draw(st.sampled_from(["double", "drop", "move"]))
    line = lines[index] if what == "double" else lines.pop(index)
    if what != "drop":
        lines.insert(data.draw(st.integers(0, len(lines)), label="to"), line)
    return b"".join(lines)


def _words(data: st.DataObject, source: bytes) -> bytes:
    """Put something else in the place of a word."""
    words = source.split(b" ")
    index = data.draw(st.integers(0, len(words) - 1), label="word")
    words[index] = data.draw(
        st.sampled_from([b"", b"NaN", b"-1", b"1e999", b"|", b'"', b"'", b"\xff", b"\xe2\x80\xae"])
    )
    return b" ".join(words)


def _in_json(change: Callable[[st.DataObject, Any], Any]) -> Mutation:
    """Make a mutation of the JSON document, or of one line of JSON Lines; other files stay."""

    def mutation(data: st.DataObject, source: bytes) -> bytes:
        if (document := _parsed(source)) is not None:
            return json.dumps(change(data, document)).encode()
        lines = source.splitlines()
        documents = {index: found for index, line in enumerate(lines) if (found := _parsed(line))}
        if not documents:
            return source
        index = data.draw(st.sampled_from(sorted(documents)), label="document")
        lines[index] = json.dumps(change(data, documents[index])).encode()
        return b"\n".join(lines)

    return mutation


def _parsed(source: bytes) -> Any:
    try:
        value = json.loads(source)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict | list) and value else None


def _paths(value: Any, here: Path = ()) -> list[Path]:
    """Return the path of every value inside a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, item in items:
        found.append((*here, key))
        if isinstance(item, dict | list):
            found += _paths(item, (*here, key))
    return found


def _somewhere(data: st.DataObject, document: Any) -> tuple[Any, Any]:
    """Choose a place: the object or list that holds it, and its key."""
    path = data.draw(st.sampled_from(_paths(document)), label="place")
    for step in path[:-1]:
        document = document[step]
    return document, path[-1]


def _retyped(data: st.DataObject, document: Any) -> Any:
    holder, key = _somewhere(data, document)
    holder[key] = data.draw(values, label="value")
    return document


def _deleted(data: st.DataObject, document: Any) -> Any:
    holder, key = _somewhere(data, document)
    del holder[key]
    return document


def _doubled(data: st.DataObject, document: Any) -> Any:
    """Put a value a second time into its list, or under another key of its object."""
    holder, key = _somewhere(data, document)
    if isinstance(holder, list):
        holder.insert(data.draw(st.integers(0, len(holder)), label="to"), holder[key])
    else:
        holder[data.draw(st.sampled_from(sorted(holder)), label="other key")] = holder[key]
    return document


def _reordered(data: st.DataObject, document: Any) -> Any:
    """Turn the list or object round that holds a value."""
    holder, _key = _somewhere(data, document)
    if isinstance(holder, list):
        holder.reverse()
    else:
        items = list(holder.items())[::-1]
        holder.clear()
        holder.update(items)
    return document


def _renamed(data: st.DataObject, document: Any) -> Any:
    holder, key = _somewhere(data, document)
    if isinstance(holder, dict):
        holder[data.draw(st.text(max_size=8), label="name")] = holder.pop(key)
    return document


MUTATIONS: tuple[Mutation, ...] = (
    _cut,
    _flip,
    _lines,
    _words,
    *(_in_json(change) for change in (_retyped, _retyped, _deleted, _doubled)),
    *(_in_json(change) for change in (_reordered, _renamed)),
)

"""Damaged score files: whatever happens to them, they are taken or refused, and nothing breaks."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.formats import detect_format
from experiments.formats.content import decode
from experiments.formats.documents import FormatError
from tests.experiments.scores import sample

TEXTS = ("lm_eval_table.md", "mmlu_pro_report.txt", "mmlu_pro_summary.txt")
RECORDS = ("lm_eval_0_3.json", "lm_eval_0_4.json", "mmlu_pro_summary.json")
ODDITIES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from([10**400, "N/A", "", " ", "mmlu_anatomy", "np.float64(1)", [], {}, [{}]]),
    st.text(max_size=20),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)


def read(data: bytes) -> None:
    """Read data as the pipeline does; only FormatError may come out."""
    with suppress(FormatError):
        content = decode(data)
        detect_format(content).parse(content)


@pytest.mark.parametrize("name", TEXTS)
@given(data=st.data())
def test_damaged_text(name: str, data: st.DataObject) -> None:
    lines = sample(name).decode().splitlines(keepends=True)
    for _change in range(data.draw(st.integers(1, 3))):
        index = data.draw(st.integers(0, len(lines) - 1))
        kind = data.draw(st.sampled_from(["drop", "double", "swap", "cut", "write"]))
        line = lines[index]
        other = data.draw(st.integers(0, len(lines) - 1))
        if kind == "drop" and len(lines) > 1:
            del lines[index]
        elif kind == "double":
            lines.insert(other, line)
        elif kind == "swap":
            lines[index], lines[other] = lines[other], line
        elif kind == "cut":
            lines[index] = line[: data.draw(st.integers(0, len(line)))]
        else:
            place = data.draw(st.integers(0, len(line)))
            lines[index] = line[:place] + data.draw(st.text(max_size=8)) + line[place:]
    read("".join(lines).encode(errors="replace"))


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every container of a record with each of its keys."""
    found: list[tuple[Any, Any]] = []
    keys = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    for key in keys:
        found.append((value, key))
        found += places(value[key])
    return found


@pytest.mark.parametrize("name", RECORDS)
@given(data=st.data())
def test_damaged_records(name: str, data: st.DataObject) -> None:
    record = json.loads(sample(name))
    for _change in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(places(record)))
        kind = data.draw(st.sampled_from(["drop", "replace", "rename"]))
        if kind == "drop":
            del container[key]
        elif kind == "replace":
            container[key] = data.draw(ODDITIES)
        elif isinstance(container, dict):
            container[data.draw(st.text(max_size=12))] = container.pop(key)
        if not places(record):
            break
    read(json.dumps(record).encode(errors="replace"))


@pytest.mark.parametrize("name", [*TEXTS, *RECORDS])
@given(length=st.integers(0, 3000))
def test_cut_off_files(name: str, length: int) -> None:
    read(sample(name)[:length])

"""From bytes to text and JSON: packed files, encodings, lines between documents, no numbers."""

import gzip
import hashlib
import json
import math
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from experiments.formats import FORMATS, detect_format
from experiments.formats.content import Content, decode
from experiments.formats.documents import FormatError, InvalidFileError, UnreadableError
from experiments.formats.packed import UnpackedTooLargeError
from experiments.ingest.keys import run_ids
from experiments.models import Upload
from tests.experiments.samples import SEED
from tests.experiments.test_llama_bench import as_csv, prompt, row
from tests.experiments.tokens import bearer

SAMPLES = sorted(
    path
    for path in (Path(__file__).parent / "samples").iterdir()
    if path.suffix not in (".py", ".pyc") and path.name != "README.md" and path.is_file()
)
ROWS = json.dumps([prompt(), row()]).encode()


def packed(data: bytes) -> bytes:
    """Return gzip of the data, the same at every time."""
    return gzip.compress(data, mtime=0)


def refusal(data: bytes, **options: Any) -> tuple[str, str, Any]:
    """Return path, message and value of why bytes are refused."""
    with pytest.raises(UnreadableError) as caught:
        decode(data, **options)
    (problem,) = caught.value.problems
    return problem.path, problem.message, problem.value


def documents(text: str) -> list[Any]:
    return [document.value for document in decode(text.encode()).json[0]]


def test_a_packed_file_is_unpacked_before_everything_else() -> None:
    assert decode(packed(b"\xef\xbb\xbf" + ROWS)).text == ROWS.decode()
    assert decode(packed(ROWS.decode().encode("utf-16"))).text == ROWS.decode()
    several = packed(ROWS[:40]) + packed(b"") + packed(ROWS[40:])
    assert decode(several + b"\x00" * 512).text == ROWS.decode()


@pytest.mark.parametrize(
    ("data", "path", "says"),
    [
        (packed(ROWS)[:-9], "", "ends too early"),
        (packed(ROWS)[:9], "", "ends too early"),
        (b"\x1f\x8b", "", "ends too early"),
        (packed(ROWS)[:-8] + b"\x00" * 8, "byte 0", "damaged"),
        (b"\x1f\x8b" + ROWS, "byte 0", "damaged"),
        (packed(b"a") + b"rest", "byte 21", "other bytes"),
        (packed(b"") * 10_001, "byte 200000", "other bytes"),
        (packed(packed(ROWS)), "byte 1", "packed twice"),
        (packed(b" \n"), "", "empty"),
        (packed(b"\x00\x01"), "line 1", "NUL"),
        (packed("±".encode("cp1252")), "byte 0", "not UTF-8"),
    ],
)
def test_packed_data_that_is_none_is_refused(data: bytes, path: str, says: str) -> None:
    found_path, message, _value = refusal(data)
    assert found_path == path
    assert says in message


def test_a_packed_file_is_never_unpacked_beyond_the_limit() -> None:
    assert len(decode(packed(b"a" * 100), limit_bytes=100).text) == 100
    with pytest.raises(UnpackedTooLargeError, match="larger than 99 bytes"):
        decode(packed(b"a" * 100), limit_bytes=99)
    with pytest.raises(UnpackedTooLargeError):
        decode(packed(b"a" * 60) * 2, limit_bytes=100)
    bomb = packed(b"\x00" * 300_000_000)
    with pytest.raises(UnpackedTooLargeError, match="67,108,864"):
        decode(bomb)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_every_format_copes_with_what_files_go_through(path: Path) -> None:
    data = path.read_bytes()
    text = data.decode()
    plain = decode(data)
    found = detect_format(plain)
    expected = found.parse(plain)
    for changed in (
        packed(data),
        b"\xef\xbb\xbf" + data,
        text.encode("utf-16"),
        b"\xfe\xff" + text.encode("utf-16-be"),
        text.replace("\n", "\r\n").encode(),
    ):
        content = decode(changed)
        assert detect_format(content).name == found.name
        parsed = found.parse(content)
        assert run_ids(parsed.runs) == run_ids(expected.runs)
        assert parsed == expected


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_text_in_windows_1252_is_refused_with_its_byte(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace("Nimbus", "Nîmbus").replace("±", "+/-")
    data = text.encode("cp1252", errors="ignore") + "# ±".encode("cp1252")
    position = next(index for index, byte in enumerate(data) if byte > 127)
    where, message, value = refusal(data)
    assert where == f"byte {position}"
    assert "save it in UTF-8" in message
    assert value.startswith(f"{data[position]:02x}")


@pytest.mark.parametrize(
    "path",
    [path for path in SAMPLES if path.suffix in (".json", ".jsonl")],
    ids=lambda path: path.name,
)
def test_lines_between_json_documents_are_counted_in_every_json_format(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    noise = "loading the model …\n\n[INFO] ready\n[1] 4711\n"
    plain, noisy = decode(text.encode()), decode(f"{noise}{text}\ndone\n".encode())
    found = detect_format(noisy)
    assert found.name == detect_format(plain).name
    told = found.parse(noisy).warnings
    assert [item.value for item in told if "no JSON were skipped" in item.message] == [4]
    before = detect_format(plain).parse(plain).warnings
    assert not any("no JSON were skipped" in item.message for item in before)


@pytest.mark.parametrize(
    ("text", "values", "skipped"),
    [
        ('{"a": 1}{"a": 2}\n{"a":\n3} junk\n{"a": 4},', [1, 2, 3, 4], 2),
        ('[2026-11-20 09:30] start\n[1] 99\n[[1]]\n{"a": 1}', [1], 3),
        ('[x]\n[{"a": 1}] and\n[\n{"a": 2}\n]\n', [1, 2], 2),
        ("{\n}\n\n", [None], 0),
    ],
)
def test_documents_are_told_from_the_lines_between_them(
    text: str, values: list[Any], skipped: int
) -> None:
    found, count = decode(text.encode()).json
    items = [item.value[0] if isinstance(item.value, list) else item.value for item in found]
    assert ([item.get("a") for item in items], count) == (values, skipped)


@pytest.mark.parametrize("text", ["[2026-11-20] x\n", "[nan x\n", "[I\n", "{} x\n"])
def test_a_long_log_is_read(text: str) -> None:
    assert decode(("{}\n" + text * 100_000).encode()).json[1] == 100_000


@pytest.mark.parametrize(
    "written", ["nan", "inf", "-nan", "-inf", "NAN", "Inf", "-nan(ind)", "NaN"]
)
@pytest.mark.parametrize(
    "text", ['{{"a": {0}, "b": [1, {0}]}}', '{{"a": 0}}\n{{"a":{0},"b":[1,{0}\n]}}']
)
def test_numbers_that_are_none_are_read_as_c_writes_them(text: str, written: str) -> None:
    last = documents(text.format(written))[-1]
    assert math.isnan(last["a"])
    assert math.isnan(last["b"][1])


def test_words_in_quotes_are_never_taken_for_numbers() -> None:
    text = '{"a": nan, "b": "x: nan, y: inf,", "nan": "inf", "c": "\\": nan,", "d": " -nan]"}'
    (found,) = documents(text)
    assert math.isnan(found.pop("a"))
    assert found == {"b": "x: nan, y: inf,", "nan": "inf", "c": '": nan,', "d": " -nan]"}
    junk = 'he said "so\n' + text
    assert documents(junk)[0]["b"] == "x: nan, y: inf,"


@given(st.text(alphabet='naif-":,[]{} \\\n1()d'))
def test_reading_json_never_fails_but_with_a_place(text: str) -> None:
    with suppress(UnreadableError):
        assert decode(("{" + text).encode()).json is not None


@pytest.mark.parametrize(
    "text", ['{"a": nanx}', '{"a": information}', '{"a": -}', '{"a": nan', "{nan}"]
)
def test_other_words_are_refused_with_line_and_column(text: str) -> None:
    content = decode(b"{}\n" + text.encode())
    with pytest.raises(UnreadableError, match="not valid JSON") as caught:
        content.json  # noqa: B018 - it is read when asked for
    assert caught.value.problems[0].path.startswith("line 2, column ")


def test_no_number_is_left_out_of_a_tools_file_and_refused_in_our_own() -> None:
    text = json.dumps([row(stddev_ts=4711)]).replace("4711", "-nan")
    content = decode(text.encode())
    parsed = detect_format(content).parse(content)
    assert [warning.path for warning in parsed.warnings] == ["[0].stddev_ts"]
    wrong = decode(json.dumps([row(avg_ts=4711)]).replace("4711", "inf").encode())
    with pytest.raises(InvalidFileError, match="NaN and infinity are not measurements"):
        detect_format(wrong).parse(wrong)
    own = decode(json.dumps(SEED).replace("61.7", "nan").encode())
    with pytest.raises(InvalidFileError, match="NaN and infinity") as caught:
        detect_format(own).parse(own)
    assert caught.value.problems[0].path == "experiment_run.performance_metrics[0].value"


@pytest.mark.parametrize("marker", ["<<<<<<< HEAD", ">>>>>>> theirs"])
def test_conflict_markers_are_refused_in_every_text(marker: str) -> None:
    for text in ("# Results\n{}\n", "{{\n{}\n}}", "a,b\r\n{}\r\n"):
        path, message, value = refusal(text.format(marker).encode())
        assert (path, value) == ("line 2", marker[:7])
        assert "resolve the conflict" in message


def test_a_heading_underlined_in_markdown_is_no_conflict() -> None:
    assert decode(b"Results\n=======\n| a |").text.startswith("Results")
    assert refusal(b"{\n=======\r\n}")[0] == "line 2"


def test_broken_json_is_read_once_however_many_formats_ask() -> None:
    content = Content('{"a": ' + "[1, " * 50)
    for _format in FORMATS:
        with pytest.raises(FormatError):
            content.json  # noqa: B018 - it is read when asked for
    assert isinstance(content._read_json, UnreadableError)


def test_broken_yaml_is_read_once_however_many_formats_ask() -> None:
    """This one has the keys of all YAML formats, so that each of them wants to look into it."""
    keys = ["benchmarks", "version", "scenario", "metrics", "load_summary", "successes", "failures"]
    content = Content("".join(f"{key}:\n" for key in keys) + "]")
    for found in FORMATS:
        with suppress(FormatError):
            found.detect(content)
    read = vars(content)["_read_yaml"]
    assert isinstance(read, UnreadableError)
    for found in FORMATS:
        with suppress(FormatError):
            found.detect(content)
    assert vars(content)["_read_yaml"] is read


@pytest.mark.django_db
def test_hash_and_bytes_kept_are_those_of_the_packed_file(client: Client) -> None:
    plain = as_csv(prompt(), row())
    file = packed(plain)

    def send(data: bytes) -> Any:
        return client.post(
            "/api/uploads",
            data,
            content_type="application/octet-stream",
            headers=bearer("upload"),
        )

    made = send(file)
    assert made.status_code == 201, made.json()
    assert made.json()["sha256"] == hashlib.sha256(file).hexdigest()
    assert bytes(Upload.objects.get().content.data) == file
    again = send(plain).json()
    assert (again["outcome"], again["runs"]) == ("unchanged", made.json()["runs"])
    assert send(file).json()["upload_id"] == made.json()["upload_id"]
    cut = send(file[:-5])
    assert (cut.status_code, cut.json()["code"]) == (400, "unreadable")

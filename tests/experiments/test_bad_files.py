"""Files that cannot be read, or are no result, by the API and by the form."""

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from experiments.models import Upload
from tests.experiments.samples import SEED
from tests.experiments.test_llama_bench import row
from tests.experiments.ways_in import WayIn, by_api, by_form, facts

pytestmark = pytest.mark.django_db

WHOLE = json.dumps(SEED).encode()
CSV_HEADER = "build_commit,build_number,model_type,n_prompt,n_gen,avg_ts\n"
NOT_UTF8 = "UTF-8"
BAD_JSON = "not valid JSON"
DEEP = "nested deeper than"
UNKNOWN = "No known format matches this file. Known are: "
both_ways = pytest.mark.parametrize("way", [by_api, by_form])


@dataclass(frozen=True)
class Bad:
    """A file, the status of its refusal, where the problem is told, and some of its words."""

    data: bytes
    status: int
    path: str
    says: str
    value: str | None = None


def within(old: bytes, new: bytes) -> bytes:
    """Return the seed file with a piece of its text replaced."""
    assert WHOLE.count(old) == 1, old
    return WHOLE.replace(old, new)


def conflict(newline: str) -> bytes:
    text = WHOLE.decode()
    lines = ["<<<<<<< HEAD", text, "=======", text, ">>>>>>> other", ""]
    return newline.join(lines).encode()


def merged(lines: list[str]) -> bytes:
    return "\n".join(lines).encode()


UNREADABLE = {
    "empty": Bad(b"", 400, "", "empty"),
    "white space": Bad(b" \n\t\r\n", 400, "", "empty"),
    "line separator": Bad("\u2028".encode(), 400, "", "empty"),
    "byte order mark alone": Bad(b"\xef\xbb\xbf", 400, "", "empty"),
    "UTF-16 mark alone": Bad(b"\xff\xfe", 400, "", "empty"),
    "latin-1": Bad(within(b"Nimbus", b"N\xeembus"), 400, "byte 92", NOT_UTF8, "ee 6d 62 75 73"),
    "cut within a letter": Bad("é".encode()[:1], 400, "byte 0", NOT_UTF8, "c3"),
    "UTF-16 cut": Bad(WHOLE.decode().encode("utf-16")[:-1], 400, "byte 2388", NOT_UTF8, "7d"),
    "PNG": Bad(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", 400, "byte 0", NOT_UTF8, "89 50 4e 47"),
    "CSV with an open quote": Bad(f'{CSV_HEADER}"1,2,3\n'.encode(), 400, "line 2", "not valid CSV"),
    "conflict": Bad(conflict("\n"), 400, "line 1", "merge conflict marker", "<<<<<<<"),
    "conflict of Windows": Bad(conflict("\r\n"), 400, "line 1", "merge conflict", "<<<<<<<"),
    "conflict within": Bad(
        within(b'"id"', b'\n=======\n"id"'), 400, "line 2", "resolve the conflict", "======="
    ),
    "conflict in CSV": Bad(
        merged([CSV_HEADER + "1,2,3,4,5,6", ">>>>>>> 1c1409e1"]), 400, "line 3", "merge", ">>>>>>>"
    ),
    "NUL as it is": Bad(within(b"Nimbus", b"Nim\x00bus"), 400, "line 1", "NUL"),
    "key with a NUL": Bad(
        within(b'"notes"', b'"no\\u0000tes"'), 400, "experiment_run", "NUL", "'no\\x00tes'"
    ),
    "key with half a pair": Bad(
        within(b'"notes"', b'"no\\ud800tes"'), 400, "experiment_run", "surrogate", "'no\\ud800tes'"
    ),
    "tab within a name": Bad(within(b"Nimbus", b"Nim\tbus"), 400, "line 1, column 95", BAD_JSON),
    "no JSON": Bad(b"{speed: fast}", 400, "line 1, column 2", BAD_JSON, "{speed: fast}"),
    "Python's own notation": Bad(str(SEED).encode(), 400, "line 1, column 2", BAD_JSON),
    "comma at the end": Bad(WHOLE[:-1] + b",}", 400, "line 1, column 1195", BAD_JSON),
    "array cut between runs": Bad(b"[\n" + WHOLE + b",\n", 400, "line 3, column 1", BAD_JSON),
    "too many digits": Bad(within(b"61.7", b"9" * 5000), 400, "", "too many digits"),
    "key twice": Bad(within(b'"notes"', b'"status"'), 400, "status", "twice", "status"),
    "key twice within": Bad(
        within(b'"gpu_count": 1', b'"gpu_count": 1, "gpu_count": 2'),
        400,
        "gpu_count",
        "keep the right one",
        "gpu_count",
    ),
    "5,000 open lists": Bad(b"[" * 5000, 400, "", DEEP),
    "5,000 open objects": Bad(b'{"a":' * 5000, 400, "", DEEP),
    "5,000 lists": Bad(b"[" * 5000 + b"]" * 5000, 400, "", DEEP),
    "5,000 objects": Bad(b'{"a":' * 5000 + b"1" + b"}" * 5000, 400, "", DEEP),
    "100,000 lists": Bad(b"[" * 100_000, 400, "", DEEP),
    "5,000 lists within": Bad(
        within(b'"notes": null', b'"settings": {"x":' + b"[" * 5000 + b"]" * 5000 + b"}"),
        400,
        "",
        DEEP,
    ),
    "101 lists within": Bad(
        within(b'"notes": null', b'"settings": {"x":' + b"[" * 101 + b"]" * 101 + b"}"),
        400,
        "",
        DEEP,
    ),
}
# Their words differ by what the site reads of them: each is refused, and none by a defect.
BINARY = {
    "UTF-16 without a mark": WHOLE.decode().encode("utf-16-le"),
    "UTF-16 big end without a mark": WHOLE.decode().encode("utf-16-be"),
    "UTF-32": WHOLE.decode().encode("utf-32"),
    "UTF-32 big end": b"\x00\x00\xfe\xff" + WHOLE.decode().encode("utf-32-be"),
    "ELF": b"\x7fELF\x02\x01\x01\x00\x00\x00",
    "ZIP": b"PK\x03\x04\x14\x00\x00\x00\x08\x00",
    "every byte": bytes(range(256)),
    "gzip cut": gzip.compress(WHOLE)[:200],
    "gzip cut in its header": gzip.compress(WHOLE)[:5],
    "gzip with a wrong sum": gzip.compress(WHOLE)[:-8] + b"\x00" * 8,
}
STRANGE = {
    "numbers": (b"42", "42"),
    "null": (b"null", "null"),
    "a text in JSON": (b'"x"', '"x"'),
    "empty object": (b"{}", "{}"),
    "empty list": (b"[]", "[]"),
    "lists": (b"[[1, 2], [3]]", "[[1, 2], [3]]"),
    "some JSON": (b'{"hello": "world"}', "keys: hello"),
    "text": (b"hello, world", "hello, world"),
    "web page": (b"<!doctype html>\n<h1>404</h1>", "<!doctype html>"),
    "YAML": (b"tokens_per_second: 5\n", "tokens_per_second: 5"),
    "PDF": (b"%PDF-1.7\n1 0 obj", "%PDF-1.7"),
    "llama-bench without its figure": (b'[{"n_prompt": 512, "n_gen": 0}]', "keys: n_prompt, n_gen"),
    "a server's log as CSV": (b"model,tok/s\nllama,5\n", "model,tok/s"),
    "a table of speeds": (b"| model | t/s (main) |\n| --- | --- |\n", "| model | t/s (main) |"),
    "vLLM's requests": (b'{"prompt": "Hi", "latency": 0.5}', "keys: prompt, latency"),
    "invisible": ("\u200b".encode(), "\u200b"),
}
INVALID = {
    "header only": Bad(CSV_HEADER.encode(), 422, "", "no result row"),
    "row too short": Bad(
        f"{CSV_HEADER}1,2,3\n".encode(), 422, "line 2", "3 values, the header 6 columns", "1,2,3"
    ),
    "run is a list": Bad(b'{"experiment_run": []}', 422, "experiment_run", "An object", "[]"),
    "run is a number": Bad(b'{"experiment_run": 7}', 422, "experiment_run", "An object", "7"),
    "run is null": Bad(b'{"experiment_run": null}', 422, "experiment_run", "An object"),
    "no runs": Bad(b'{"experiment_runs": []}', 422, "experiment_runs", "at least one run", "[]"),
    "runs is an object": Bad(b'{"experiment_runs": {}}', 422, "experiment_runs", "A list", "{}"),
    "number among runs": Bad(
        b'{"experiment_runs": [1]}', 422, "experiment_runs[0]", "An object", "1"
    ),
    "further field of the file": Bad(
        json.dumps(SEED | {"note": 1}).encode(), 422, "note", "is “notes” meant?", "1"
    ),
    "1e400": Bad(
        within(b"61.7", b"1e400"),
        422,
        "experiment_run.performance_metrics[0].value",
        "not measurements",
        "inf",
    ),
    "-1e400": Bad(
        within(b"61.7", b"-1e400"),
        422,
        "experiment_run.performance_metrics[0].value",
        "not measurements",
        "-inf",
    ),
    "1e-400": Bad(
        within(b"61.7", b"1e-400"),
        422,
        "experiment_run.performance_metrics[0].value",
        "above 0",
        "0.0",
    ),
}
ROWS: dict[str, tuple[dict[str, Any], str, str]] = {
    "nan": ({"avg_ts": float("nan")}, "avg_ts", "NaN and infinity"),
    "infinity": ({"avg_ts": float("inf")}, "avg_ts", "NaN and infinity"),
    "negative": ({"avg_ts": -1.0}, "avg_ts", "above 0"),
    "zero": ({"avg_ts": 0}, "avg_ts", "above 0"),
    "words": ({"avg_ts": "fast"}, "avg_ts", "A number is needed"),
    "boolean": ({"avg_ts": True}, "avg_ts", "not true or false"),
    "huge count": ({"n_gen": 2**40}, "n_gen", "below 2,147,483,648"),
    "half a token": ({"n_gen": 128.5}, "n_gen", "A whole number"),
    "negative depth": ({"n_depth": -1}, "n_depth", "0 or more"),
    "time": ({"test_time": "yesterday"}, "test_time", "written like"),
    "long name": ({"model_filename": "a" * 3000}, "model_filename", "3,000 characters"),
    "500 devices": ({"gpu_info": ", ".join(["A100"] * 500)}, "gpu_info", "there is room for 1,000"),
}


def check(client: Client, way: WayIn, bad: Bad) -> None:
    """Send a bad file; see the answer, and that no fact was written, but the file kept."""
    before = facts()
    answer = way(client, bad.data, "bad.json")
    assert answer.status == bad.status, answer.text
    told = answer.error_at(bad.path)
    assert bad.says in told.message
    assert told.message.endswith((".", "?"))
    if bad.value is not None:
        assert told.value is not None
        assert told.value.startswith(bad.value)
    assert facts() == before
    upload = Upload.objects.get()
    assert (upload.outcome, bytes(upload.content.data)) == ("rejected", bad.data)


@both_ways
@pytest.mark.parametrize("case", UNREADABLE)
def test_what_cannot_be_read_is_refused(client: Client, way: WayIn, case: str) -> None:
    check(client, way, UNREADABLE[case])


@both_ways
@pytest.mark.parametrize("case", INVALID)
def test_what_is_no_result_is_refused(client: Client, way: WayIn, case: str) -> None:
    check(client, way, INVALID[case])


@both_ways
@pytest.mark.parametrize("case", STRANGE)
def test_an_unknown_format_is_refused_with_those_known(
    client: Client, way: WayIn, case: str
) -> None:
    data, glimpse = STRANGE[case]
    check(client, way, Bad(data, 415, "", UNKNOWN, glimpse))


@both_ways
@pytest.mark.parametrize("case", BINARY)
def test_bytes_that_are_no_text_are_refused(client: Client, way: WayIn, case: str) -> None:
    before = facts()
    answer = way(client, BINARY[case], "bad.bin")
    assert answer.status == 400, answer.text
    assert answer.errors[0].message
    assert facts() == before


@both_ways
@pytest.mark.parametrize("cut", [1, 10, 30, 92, 300, 592, 900, -30, -2, -1])
def test_a_file_cut_anywhere_is_refused(client: Client, way: WayIn, cut: int) -> None:
    before = facts()
    answer = way(client, WHOLE[:cut], "cut.json")
    assert answer.status == 400, answer.text
    assert answer.errors[0].path.startswith("line 1, column ")
    assert "Is the file complete?" in answer.errors[0].message
    assert facts() == before


@both_ways
@pytest.mark.parametrize("case", ROWS)
def test_a_wrong_row_of_a_tool_is_refused_where_it_stands(
    client: Client, way: WayIn, case: str
) -> None:
    changes, key, says = ROWS[case]
    before = facts()
    answer = way(client, json.dumps([row(), row(**changes)]).encode(), "rows.json")
    assert answer.status == 422, answer.text
    told = answer.error_at(f"[1].{key}")
    assert says in told.message
    assert told.value == str(changes[key]) or str(told.value).endswith("…")
    assert facts() == before


@both_ways
@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"experiment_runs": [1] * 5000}, "experiment_runs[0]"),
        ([row(avg_ts=0)] * 5000, "[0].avg_ts"),
    ],
    ids=["runs", "rows"],
)
def test_thousands_of_problems_are_told_in_part(
    client: Client, way: WayIn, document: Any, path: str
) -> None:
    answer = way(client, json.dumps(document).encode(), "many.json")
    assert answer.status == 422
    assert answer.error_at(path)
    assert len(answer.errors) <= 101
    assert len(answer.text) < 100_000
    assert len(Upload.objects.get().report["errors"]) <= 101


def test_scores_alone_name_their_place_too(client: Client) -> None:
    scores = {
        "model_name": "m",
        "quantization": "Q8_0",
        "benchmark_scores": [{"type": "HellaSwag", "data": {"accuracy": 130.0}}],
    }
    answer = by_api(client, json.dumps(scores).encode(), "scores.json")
    assert answer.status == 422
    assert answer.error_at("benchmark_scores[0].data.accuracy").value == "130.0"


BESIDE = {
    "answers of lm-eval": (
        b'{"doc_id": 0, "doc": {}, "target": "A", "resps": []}\n',
        "Send the results_*.json of lm-evaluation-harness",
    ),
    "answers of MMLU-Pro": (
        b'[{"question_id": 70, "question": "Why?", "options": ["x"], "answer": "A"}]',
        "Send the *_summary.json or *_summary.txt of MMLU-Pro",
    ),
    "list of runs": (b"QwQ-32B,CoT,all,11-29_05-05,0.697\n", "Send the *_summary.txt of each."),
    "figures by field": (
        b"0,1,2\nbiology,business,law\n0.6,0.5,0.4\n",
        "figures by field without a total",
    ),
    "two builds": (
        b"| model | test | t/s (main) | t/s (PR) |\n| - | - | - | - |\n",
        "Send what llama-bench printed for each build.",
    ),
}


@both_ways
@pytest.mark.parametrize("case", BESIDE)
def test_what_lies_beside_results_is_refused_with_what_to_send_instead(
    client: Client, way: WayIn, case: str
) -> None:
    data, says = BESIDE[case]
    answer = way(client, data, "beside.txt")
    assert answer.status == 415
    assert says in answer.error_at("").message


def near_misses(corpus: Path) -> list[Path]:
    folders = ("other-json", "other-csv", "vllm-serve-other")
    return [path for folder in folders for path in sorted((corpus / folder).iterdir())]


@both_ways
def test_near_misses_of_the_corpus_are_refused(corpus: Path, client: Client, way: WayIn) -> None:
    before = facts()
    paths = near_misses(corpus)
    for path in paths:
        answer = way(client, path.read_bytes(), "near.json")
        assert answer.status == 415, path.name
        assert answer.error_at("").message.startswith(UNKNOWN)
        assert answer.error_at("").value, path.name
    assert len(paths) >= 10
    assert facts() == before

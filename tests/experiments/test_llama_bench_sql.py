"""llama-bench SQL: read as text, the same runs as CSV, and what is no such statement is refused."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from experiments.formats import detect_format
from experiments.formats.content import decode
from experiments.formats.documents import FormatError, ParsedFile, UnknownFormatError
from experiments.ingest.keys import content_hash, run_ids
from tests.experiments.test_llama_bench import as_csv, prompt, row
from tests.experiments.tokens import bearer

SAMPLE = (Path(__file__).parent / "samples" / "llama_bench.sql").read_text(encoding="utf-8")


def quoted(value: Any) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def as_sql(*rows: dict[str, Any], table: str = "test", in_one: bool = False) -> str:
    """Write rows as `as_csv` does, in a statement each or in one of several rows."""
    plain = [
        {
            key: int(value) if isinstance(value, bool) else value
            for key, value in item.items()
            if not key.startswith("samples")
        }
        for item in rows
    ]
    values = ["(" + ", ".join(map(quoted, item.values())) + ")" for item in plain]
    start = f"INSERT INTO {table} ({', '.join(plain[0])}) VALUES "
    if in_one:
        return start + ",\n".join(values) + ";\n"
    return "".join(f"{start}{item};\n" for item in values)


def parse(text: str | bytes) -> ParsedFile:
    content = decode(text if isinstance(text, bytes) else text.encode())
    found = detect_format(content)
    assert found.name == "llama-bench-sql"
    return found.parse(content)


def test_the_sample_gives_one_run_with_its_prompt_speed() -> None:
    (run,) = parse(SAMPLE).runs
    assert run.path == "line 29"
    assert (run.model.model_name, run.model.quantization) == ("Ann's Nimbus-1B", "Q4_K_M")
    measured = {(item.metric, item.statistic): item.value for item in run.measurements}
    assert measured["tokens_per_second", "mean"] == 200.0
    assert measured["prompt_processing_speed", "std"] == 51.0
    assert run.hardware.gpu_models == ("NVIDIA GeForce RTX 4090",)
    assert run.setup.settings["backends"] == "CUDA"


@pytest.mark.parametrize("in_one", [False, True])
@pytest.mark.parametrize("table", ["test", "llama_bench", '"test"'])
def test_sql_says_the_same_as_csv_and_makes_the_same_runs(table: str, in_one: bool) -> None:
    rows = (prompt(), row(), prompt(n_depth=512), row(gpu_info="", n_depth=512))
    content = decode(as_csv(*rows))
    from_csv = detect_format(content).parse(content).runs
    from_sql = parse(as_sql(*rows, table=table, in_one=in_one)).runs
    assert run_ids(from_sql) == run_ids(from_csv)
    assert [content_hash(run, {}) for run in from_sql] == [content_hash(r, {}) for r in from_csv]
    assert [run.measurements for run in from_sql] == [run.measurements for run in from_csv]
    assert [run.setup for run in from_sql] == [run.setup for run in from_csv]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.encode("utf-16"),
        lambda text: text.replace("INSERT INTO", "insert  into").replace("VALUES", "values"),
        lambda text: text.replace("', '", "','").replace(") VALUES (", ")\nVALUES\n("),
        lambda text: text.replace("'99'", "99").replace("'200.000000'", "2e2"),
        lambda text: text.rstrip().rstrip(";"),
        lambda text: "-- by a script\nBEGIN;\n".replace("BEGIN;\n", "") + text + "-- done",
    ],
)
def test_other_ways_to_write_the_same_statements(change: Any) -> None:
    (run,), (same,) = parse(SAMPLE).runs, parse(change(SAMPLE)).runs
    assert same.measurements == run.measurements
    assert same.model == run.model


def test_null_is_a_value_that_is_not_known() -> None:
    (run,) = parse(as_sql(row(gpu_info="NULLABLE")).replace("'NULLABLE'", "NULL")).runs
    assert run.hardware.gpu_models == ()


def test_lines_between_the_statements_are_counted() -> None:
    text = "ggml_cuda_init: found 1 CUDA devices:\nPRAGMA x;\n" + SAMPLE + "\nreal 0m5s\n-- end\n"
    assert [(item.message, item.value) for item in parse(text).warnings] == [
        ("Lines between the results that are no INSERT were skipped.", 3)
    ]


def test_a_statement_within_a_value_is_only_text() -> None:
    name = "x'); INSERT INTO test (build_commit) VALUES ('1'); DROP TABLE test; --Q8_0.gguf"
    (run,) = parse(as_sql(row(model_filename=name))).runs
    assert run.extra_names["model_file"] == name


@pytest.mark.django_db
def test_no_statement_of_a_file_reaches_the_database(client: Client) -> None:
    text = as_sql(prompt(), row()) + "DROP TABLE experiments_testrun; SELECT 'mark 4711';\n"
    with CaptureQueriesContext(
        connection,
    ) as queries:
        response = client.post(
            "/api/uploads",
            text.encode(),
            content_type="application/octet-stream",
            headers=bearer("upload"),
        )
    assert response.status_code == 201, response.json()
    assert response.json()["format"] == "llama-bench-sql"
    assert response.json()["warnings"][0]["value"] == 1
    assert not any("4711" in query["sql"] for query in queries.captured_queries)
    again = client.post(
        "/api/uploads",
        as_csv(prompt(), row()),
        content_type="application/octet-stream",
        headers=bearer("upload"),
    ).json()
    assert (again["outcome"], again["runs"]) == ("unchanged", response.json()["runs"])


ONE = as_sql(row())
WANTED = "Here should stand"


@pytest.mark.parametrize(
    ("text", "path", "message", "value"),
    [
        (
            ONE.replace("'f16', ", "", 1),
            "line 1",
            "The row has 23 values, the header 24",
            "1c1409e1",
        ),
        (ONE + ONE.replace("('1c", "('1', '1c"), "line 2", "The row has 25 values", "1,1c1409e1"),
        (ONE[:-12], "line 1", "is the file complete?", "'192.74411"),
        (ONE[:-3], "line 1", "is the file complete?", "'1.5"),
        (ONE[: ONE.index("VALUES") + 10], "line 1", WANTED, "VALUES"),
        (ONE[: ONE.index("VALUES")], "line 1", "INSERT INTO test (columns) VALUES", "INSERT"),
        (ONE.replace("VALUES", "VALUE"), "line 1", "INSERT INTO test (columns) VALUES", "INSERT"),
        (ONE + ONE.replace(" VALUES (", " SELECT ("), "line 2", WANTED, "INSERT"),
        (ONE.replace(");", ") ON CONFLICT DO NOTHING;"), "line 1", "“,” and another row", "ON"),
        (ONE.replace("'192.744119'", "'fast'"), "line 1: avg_ts", "A number is needed", "fast"),
        (ONE.replace("'192.744119'", "'-1'"), "line 1: avg_ts", "above 0", "-1"),
        (ONE.replace("avg_ts", "avg_tx", 1), "line 1", "lacks columns of llama-bench", "avg_ts"),
        (ONE.replace("type_v", "type_k", 1), "line 1", "A column stands twice", "type_k"),
        (ONE.replace("home/ann", "home/o'brien"), "line 1", "a value in quotes", "o'brien"),
    ],
)
def test_a_statement_that_cannot_be_right_is_refused_where_it_is_wrong(
    text: str, path: str, message: str, value: str
) -> None:
    with pytest.raises(FormatError) as caught:
        parse(text)
    (problem,) = caught.value.problems
    assert problem.path == path
    assert message in problem.message
    assert value in str(problem.value)


def test_a_table_definition_alone_is_no_result() -> None:
    with pytest.raises(UnknownFormatError):
        parse(SAMPLE[: SAMPLE.index("INSERT")])


def test_a_large_file_is_read_in_time() -> None:
    text = as_sql(*(row(avg_ts=float(index)) for index in range(1, 5001)))
    assert len(parse(text).runs) == 5000
    with pytest.raises(FormatError, match="is the file complete"):
        parse(text[: text.rindex("'")] + "''" * 500_000)

"""The way out through the front door: every form, every selection, and what never leaves."""

import csv
import io
import json
from typing import Any
from uuid import UUID

import pyarrow.parquet
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from benchsite.common.review import ReviewState
from experiments.exports.reading import CHUNK
from experiments.exports.writers import WRITERS
from experiments.formats import detect_format
from experiments.formats.content import decode
from experiments.models import ApiToken, TestRun, Upload, UploadItem
from tests.experiments.exported import export, records
from tests.factories import make_run

pytestmark = pytest.mark.django_db
NOBODY = UUID("00000000-0000-4000-8000-00000000dead")
SECRET = "hf_" + "a1B2" * 8


def _get(client: Client, query: str = "") -> bytes:
    response = client.get(f"/api/export{query}")
    assert response.status_code == 200, response.content
    return response.getvalue()


def _runs(data: bytes) -> set[str]:
    return {row["experiment_run"]["id"] for row in records(data) if "experiment_run" in row}


def test_export_of_the_whole_site_begins_with_its_citation(client: Client) -> None:
    run = make_run(source_url="https://example.org/results")
    lines = [json.loads(line) for line in _get(client).splitlines()]
    head = lines[0]["export"]
    assert head["runs"] == 1
    assert head["site"] == "http://testserver/"
    assert head["source_urls"] == ["https://example.org/results"]
    assert head["files"]["listed"][0]["sha256"] == Upload.objects.get().content_id
    assert head["metrics"]["tokens_per_second"]["definitions"]["decode"]["formula"]
    assert lines[1]["experiment_run"]["id"] == str(run.pk)


def test_export_selects_by_run_by_upload_and_by_the_filters_of_the_grid(client: Client) -> None:
    one = make_run(model_name="Nimbus-14B")
    other = make_run(model_name="Cirrus-7B")
    upload = UploadItem.objects.get(run=other).upload_id
    assert _runs(_get(client)) == {str(one.pk), str(other.pk)}
    assert _runs(_get(client, f"?run={one.pk}")) == {str(one.pk)}
    assert _runs(_get(client, f"?upload={upload}")) == {str(other.pk)}
    assert _runs(_get(client, "?q=nimbus")) == {str(one.pk)}


def test_links_on_pages_lead_to_the_runs_whole(client: Client) -> None:
    run, other = make_run(), make_run(model_name="Cirrus-7B")
    for page in (f"/detail/{run.pk}/", f"/compare/{run.pk}/{other.pk}/", "/?q=nimbus"):
        html = client.get(page).content.decode()
        href = html.split('href="/api/export?format=jsonl&amp;')[1].split('"')[0]
        found = _runs(_get(client, "?" + href.replace("&amp;", "&")))
        assert str(run.pk) in found, page


@pytest.mark.parametrize(
    ("query", "status", "place"),
    [
        ("?format=xml", 400, "format"),
        ("?run=nonsense", 400, "run"),
        (f"?run={NOBODY}", 404, "run"),
        ("?upload=nonsense", 400, "upload"),
        (f"?upload={NOBODY}", 404, "upload"),
        ("?min_speed=fast", 400, "min_speed"),
        (f"?q=nimbus&run={NOBODY}", 400, "run"),
        ("?format=llmd", 422, "format"),
    ],
)
def test_export_refuses_what_selects_nothing(
    client: Client, query: str, status: int, place: str
) -> None:
    response = client.get(f"/api/export{query}")
    assert response.status_code == status
    assert response.json()["details"][0]["path"] == place


@pytest.mark.parametrize(
    "state", [ReviewState.PENDING, ReviewState.WITHDRAWN, ReviewState.REJECTED]
)
@pytest.mark.parametrize("form", sorted(WRITERS.keys() - {"llmd"}))
def test_export_tells_nobody_what_is_not_published(
    client: Client, state: ReviewState, form: str
) -> None:
    hidden = make_run(model_name="Hidden-1B")
    make_run(model_name="Shown-1B")
    TestRun.objects.filter(pk=hidden.pk).update(review_state=state)
    assert b"Hidden-1B" not in _get(client, f"?format={form}")
    assert client.get(f"/api/export?run={hidden.pk}").status_code == 404


def test_export_of_a_private_site_asks_for_a_token(client: Client, settings: Any) -> None:
    settings.BENCHSITE_PUBLIC = False
    assert client.get("/api/export").status_code == 401
    token = ApiToken.issue(name="reader", scopes=["read"])
    response = client.get("/api/export", headers={"authorization": f"Bearer {token}"})
    assert response.status_code == 200


def test_export_holds_no_secret_and_no_home_folder() -> None:
    make_run(
        notes=f"HF_TOKEN={SECRET}, from /home/ann/results.json",
        settings={"api_key": SECRET, "model": "/home/ann/models/x.gguf"},
    )
    for form in sorted(WRITERS.keys() - {"llmd"}):
        data = export(form=form)
        assert SECRET.encode() not in data, form
        assert b"/home/ann" not in data, form


def test_csv_has_a_row_for_each_figure_and_no_formula(client: Client) -> None:
    figures = {
        "tokens_per_second": (50.0, "tok/s", "decode"),
        "ttft_ms": (12.5, "ms", None),
    }
    run = make_run(model_name="=1+1", figures=figures)
    response = client.get("/api/export?format=csv")
    assert 'rel="describedby"' in response.headers["Link"]
    text = response.getvalue().decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["metric"], float(row["value"]), row["definition"]) for row in rows] == [
        ("tokens_per_second", 50.0, "decode"),
        ("ttft_ms", 12.5, ""),
    ]
    assert {row["run_id"] for row in rows} == {str(run.pk)}
    assert {row["model_name"] for row in rows} == {"'=1+1"}


def test_parquet_is_typed_and_holds_its_citation(client: Client) -> None:
    run = make_run()
    table = pyarrow.parquet.read_table(io.BytesIO(_get(client, "?format=parquet")))
    (row,) = table.to_pylist()
    assert (row["run_id"], row["value"], row["gpu_count"]) == (str(run.pk), 50.0, 1)
    assert row["started_at"] == run.started_at
    assert row["complete"] is True
    assert row["request_rate"] is None
    assert json.loads(table.schema.metadata[b"citation"])["runs"] == 1


def test_json_document_is_read_as_the_lines_are(client: Client) -> None:
    make_run()
    data = _get(client, "?format=json")
    parsed = detect_format(decode(data)).parse(decode(data))
    lines = detect_format(decode(export())).parse(decode(export()))
    assert [run.given_id for run in parsed.runs] == [run.given_id for run in lines.runs]


def _figures(run: Any) -> dict[tuple[str, str, str | None], float]:
    return {item.identity: item.value for item in run.measurements}


def test_llmd_report_is_read_back_with_the_same_figures(client: Client) -> None:
    run = make_run(
        tool="vllm bench serve",
        load_kind="serving",
        request_rate=2.5,
        input_tokens=512.0,
        output_tokens=128.0,
        performance_metrics=[
            _metric("tokens_per_second", 900.5, "tok/s", "wall_clock"),
            _metric("requests_per_second", 2.4, "req/s", "wall_clock"),
            _metric("ttft_ms", 41.25, "ms", "client"),
            _metric("ttft_ms", 80.5, "ms", "client", statistic="p99"),
            _metric("tpot_ms", 9.75, "ms", "excl_first"),
            _metric("itl_ms", 9.5, "ms", "all_gaps"),
            _metric("gpu_power_watts", 300.0, "W", None),
        ],
    )
    data = _get(client, f"?format=llmd&run={run.pk}")
    found = detect_format(decode(data))
    assert found.name == "llmd-report-json"
    (read,) = found.parse(decode(data)).runs
    stored = {
        (item.metric, item.statistic, item.definition): item.value
        for item in run.measurements.all()
    }
    assert "gpu_power_watts" in json.loads(data)["scenario"]["load"]["metadata"]["description"]
    assert _figures(read) == {
        key: value
        for key, value in stored.items()
        if key[0] not in ("gpu_power_watts", "tokens_per_kwh")
    }
    assert read.given_id == str(run.pk)
    assert (read.workload.request_rate, read.workload.input_tokens) == (2.5, 512.0)


def test_llmd_report_is_written_for_no_run_that_it_cannot_tell(client: Client) -> None:
    told = _served()
    for fields in ({"gpu_count": None}, {"complete": False}, {"tool": "llama-bench"}):
        _served(**fields)
    lines = _get(client, "?format=llmd").splitlines()
    assert [json.loads(line)["run"]["uid"] for line in lines] == [str(told.pk)]


def _served(**fields: Any) -> TestRun:
    speed = _metric("tokens_per_second", 900.5, "tok/s", "wall_clock")
    served = {"tool": "vllm bench serve", "load_kind": "serving", "performance_metrics": [speed]}
    return make_run(**(served | fields))


def _metric(
    name: str, value: float, unit: str, definition: str | None, statistic: str = "mean"
) -> dict[str, Any]:
    found = {"metric_name": name, "value": value, "unit": unit, "statistic": statistic}
    return found | {"sample_count": 100} | ({"definition": definition} if definition else {})


def test_export_asks_as_much_for_each_part_however_many_runs(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for count in (2, 20):
        for place in range(count):
            make_run(model_name=f"Nimbus-{count}-{place}")
        assert count < CHUNK
        with django_assert_num_queries(3):  # runs, figures and files of a part
            export(form="csv")


def test_command_writes_a_file_whole_or_not_at_all(tmp_path: Any, capsys: Any) -> None:
    run = make_run()
    out = tmp_path / "site.jsonl"
    call_command("export_results", out=out, site="https://results.example.org/")
    assert _runs(out.read_bytes()) == {str(run.pk)}
    assert "1 runs" in capsys.readouterr().out
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("export_results", out=tmp_path / "no" / "site.jsonl")
    with pytest.raises(CommandError, match="None of these runs can be told"):
        call_command("export_results", format="llmd", out=tmp_path / "x")
    with pytest.raises(CommandError, match="min_speed"):
        call_command("export_results", filter="min_speed=fast", out=tmp_path / "x")
    assert [path.name for path in tmp_path.iterdir()] == ["site.jsonl"]

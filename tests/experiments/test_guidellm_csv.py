"""GuideLLM CSV of both headers, read as the benchmark that the same row is in JSON."""

import csv
import io
import json
from collections.abc import Callable

import pytest

from experiments.formats.documents import InvalidFileError
from tests.experiments.test_guidellm import figures, parse, sample

Rows = list[list[str]]


def changed(name: str, change: Callable[[Rows], None]) -> str:
    """Return a sample with its cells changed."""
    rows = list(csv.reader(io.StringIO(sample(name), newline="")))
    change(rows)
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue()


def column(rows: Rows, *names: str) -> int:
    """Return the index of a column by its names in the header rows."""
    header = list(zip(*rows[: len(names)], strict=True))
    return header.index(names)


def test_three_header_rows_give_a_run_for_each_row() -> None:
    """The streams of a row are those of the strategy at its place among those done."""
    parsed = parse(sample("guidellm_0_6.csv"))
    assert [run.workload.concurrent_requests for run in parsed.runs] == [4, 16]
    assert [run.path for run in parsed.runs] == ["line 4", "line 5"]
    assert len({run.sweep_group for run in parsed.runs}) == 1
    first = parsed.runs[0]
    assert (first.model.model_name, first.model.quantization) == ("Nimbus-14B", "FP8")
    assert (first.tool_version, first.zone_known) == ("0.6.0", False)
    assert first.started_at is not None
    assert first.started_at.isoformat() == "2026-06-11T20:11:21"
    assert first.workload.configured_input_tokens == 512


def test_the_list_of_percentiles_has_no_median() -> None:
    """[min, 0.1, 1, 5, 10, 25, 75, 90, 95, 99, max]; the median is a column of its own."""
    found = figures(parse(sample("guidellm_0_6.csv")).runs[0])
    ttft = {
        statistic: value
        for (metric, statistic, _definition), value in found.items()
        if metric == "ttft_ms"
    }
    assert ttft.keys() == {
        "mean", "std", "min", "p0.1", "p1", "p5", "p10", "p25", "p50", "p75", "p90", "p95", "p99",
        "max",
    }  # fmt: skip
    assert ttft["p75"] == pytest.approx(64.2)
    assert ttft["p50"] == pytest.approx(59.7)
    assert found["tokens_per_second", "mean", "wall_clock"] == pytest.approx(100 * 128 / 60)


def test_one_header_row_gives_what_json_gives() -> None:
    """The same benchmark of 0.3 in both forms has the same id, load and figures."""
    (row,) = parse(sample("guidellm_0_3.csv")).runs
    whole = parse(sample("guidellm_0_3.json")).runs[2]
    assert row.given_id == whole.given_id
    assert row.workload == whole.workload
    assert row.model == whole.model
    found, wanted = figures(row), figures(whole)
    assert found == {
        key: pytest.approx(value) for key, value in wanted.items() if key[1] != "p99.9"
    }


@pytest.mark.parametrize(
    ("strategy", "profile", "load"),
    [
        ("constant@2.50", {"kind": "constant", "rate": [2.4999]}, (None, 2.4999)),
        ("constant@2.50", {"kind": "sweep"}, (None, 2.5)),
        ("concurrent@8", {"kind": "concurrent"}, (8, None)),
        ("synchronous", {}, (1, None)),
        ("constant", {"kind": "sweep"}, (None, None)),
    ],
)
def test_strategies_are_written_in_several_ways(
    strategy: str, profile: dict[str, object], load: tuple[int | None, float | None]
) -> None:
    def change(rows: Rows) -> None:
        del rows[4:]
        rows[3][column(rows, "Benchmark", "Strategy", "")] = strategy
        rows[3][column(rows, "Run Info", "Profile", "")] = json.dumps(profile)

    parsed = parse(changed("guidellm_0_6.csv", change))
    workload = parsed.runs[0].workload
    assert (workload.concurrent_requests, workload.request_rate) == load
    is_lost = load == (None, None)
    assert any("does not state the rate" in item.message for item in parsed.warnings) == is_lost


def test_rows_that_do_not_stand_under_their_header_are_refused() -> None:
    """Until 0.6 all rows have the header of the first, whatever columns they have."""

    def lengthen(rows: Rows) -> None:
        rows[4].insert(8, "7")

    def shift(rows: Rows) -> None:
        first = column(rows, "Time to First Token", "Successful ms", "Mean")
        rows[4][first] = "7"

    for change, words in ((lengthen, "columns of the first"), (shift, "does not lie between")):
        with pytest.raises(InvalidFileError) as refused:
            parse(changed("guidellm_0_6.csv", change))
        (problem,) = refused.value.problems
        assert problem.path == "line 5"
        assert words in problem.message


@pytest.mark.parametrize(
    ("names", "value", "words"),
    [
        (("Runtime Info", "Metadata", ""), "{broken", "holds JSON is broken"),
        (("Run Info", "Profile", ""), "[" * 100_000, "nested too deep"),
        (("Timings", "Measure Start Time", ""), "yesterday", "A time is written like"),
        (("Request Counts", "Successful", ""), "many", "A whole number is needed here"),
        (("Inter Token Latency", "Successful ms", "Mean"), "fast", "A number is needed here"),
    ],
)
def test_cells_that_cannot_be_read_are_told(names: tuple[str, ...], value: str, words: str) -> None:
    def change(rows: Rows) -> None:
        rows[3][column(rows, *names)] = value

    with pytest.raises(InvalidFileError) as refused:
        parse(changed("guidellm_0_6.csv", change))
    problem = refused.value.problems[0]
    assert problem.path.startswith("line 4")
    assert words in problem.message


def test_a_header_alone_is_refused() -> None:
    def behead(rows: Rows) -> None:
        del rows[3:]

    with pytest.raises(InvalidFileError, match="a header but no result row"):
        parse(changed("guidellm_0_6.csv", behead))

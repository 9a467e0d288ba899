"""llama-bench rows in the records of scripts: what is taken, what is kept, what failed."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from experiments.formats import detect_format
from experiments.formats.content import decode
from experiments.formats.documents import (
    FormatError,
    MeasurementDocument,
    ParsedFile,
    RunDocument,
    UnknownFormatError,
)
from experiments.ingest.keys import run_ids, settings_key
from experiments.metrics import METRICS
from tests.experiments.test_llama_bench import parse as parse_json
from tests.experiments.test_llama_bench import prompt, row
from tests.experiments.tokens import bearer

SAMPLES = Path(__file__).parent / "samples"
WITH_SENSORS = (SAMPLES / "llama_bench_wrapped.jsonl").read_text(encoding="utf-8")
WITH_LISTS = (SAMPLES / "llama_bench_raw_lists.jsonl").read_text(encoding="utf-8")


def parse(*records: Any) -> ParsedFile:
    """Parse records, a line each; text is taken as it is."""
    lines = [item if isinstance(item, str) else json.dumps(item) for item in records]
    content = decode("\n".join(lines).encode())
    found = detect_format(content)
    assert found.name == "llama-bench-wrapped"
    return found.parse(content)


def measured(run: RunDocument) -> dict[tuple[str, str], MeasurementDocument]:
    return {(item.metric, item.statistic): item for item in run.measurements}


def test_each_generation_row_takes_the_prompt_row_of_its_own_build() -> None:
    runs = parse(WITH_SENSORS).runs
    speeds = [
        (
            run.setup.settings["script_build"],
            measured(run)["tokens_per_second", "mean"].value,
            measured(run)["prompt_processing_speed", "mean"].value,
        )
        for run in runs
    ]
    assert speeds == [
        ("llama.cpp-vulkan_radv", 70.0, 900.0),
        ("llama.cpp-vulkan_amdvlk", 65.0, 950.0),
    ]
    assert [run.path for run in runs] == ["line 2: bench_raw", "line 4: bench_raw"]
    assert {run.model.model_name for run in runs} == {"Nimbus-30B-A3B"}
    assert {run.model.quantization for run in runs} == {"UD-Q4_K_XL"}
    assert len({settings_key(run.setup) for run in runs}) == 2
    assert len({run.sweep_group for run in runs}) == 2


def test_sensors_tell_the_power_and_the_memory_of_the_test_they_watched() -> None:
    found = measured(parse(WITH_SENSORS).runs[0])
    power = {key[1]: item.value for key, item in found.items() if key[0] == "gpu_power_watts"}
    assert power == {"mean": 80.0, "p50": 82.0, "max": 121.0}
    memory = found["peak_memory_gb", "mean"]
    assert memory.value == pytest.approx((17000 + 190) * 2**20 / 1e9)
    assert memory.context == {"gtt_peak_mib": 17000.0, "vram_peak_mib": 190.0}
    for item in (memory, found["gpu_power_watts", "mean"]):
        metric = METRICS[item.metric]
        assert item.unit == metric.unit
        assert metric.definition(item.definition)
    assert METRICS["tokens_per_kwh"].definition("gpu_whole_process")


def test_what_else_the_script_says_is_kept() -> None:
    run = parse(WITH_SENSORS).runs[0]
    assert run.setup.settings["script_mode"] == "tg"
    speed = measured(run)["tokens_per_second", "mean"].context
    assert speed["max_temp_c"] == 71.0
    assert speed["duration_s"] == 20.5
    assert speed["start_time"] == "2026-11-20T09:30:30.250000Z"
    assert (speed["n_gen"], speed["n_prompt"]) == (128, 0)
    assert "script_hipblaslt" not in run.setup.settings


def test_a_failed_test_is_counted() -> None:
    warnings = [(item.path, item.message, item.value) for item in parse(WITH_SENSORS).warnings]
    message = "Tests without a result, as they are left when they fail, were skipped."
    assert warnings == [("line 5: bench_raw", message, 1)]


def test_pretty_lists_one_after_the_other_are_read_to_the_last_row() -> None:
    runs = parse(WITH_LISTS).runs
    assert [(run.model.model_name, run.model.quantization) for run in runs] == [
        ("Nimbus-8B", "Q5_K_M"),
        ("Nimbus-70B", "Q6_K"),
    ]
    found = measured(runs[1])
    assert found["tokens_per_second", "mean"].value == 3.75
    assert found["prompt_processing_speed", "mean"].value == 86.5
    assert runs[0].path == "line 1: raw[1]"
    assert runs[0].setup.settings["script_quant"] == "f16"
    assert runs[0].setup.settings["script_category"] == "fast"


def test_power_over_several_tests_is_the_power_of_none() -> None:
    run = parse(WITH_LISTS).runs[0]
    assert ("gpu_power_watts", "mean") not in measured(run)
    assert measured(run)["tokens_per_second", "mean"].context["avg_power_w"] == 95.0


def test_a_run_is_the_one_of_its_row_sent_alone() -> None:
    wrapped = parse({"bench_raw": row(), "avg_power_w": 100.0})
    assert run_ids(wrapped.runs) == run_ids(parse_json(row()).runs)
    assert settings_key(wrapped.runs[0].setup) == settings_key(parse_json(row()).runs[0].setup)


@pytest.mark.parametrize(
    ("facts", "differs"),
    [
        ({"build": "hip"}, True),
        ({"hipblaslt": True}, True),
        ({"driver": "radv"}, True),
        ({"name": "x", "category": "fast", "quant": "f16", "mode": "tg"}, False),
        ({"date": "2026-11-20T09:30:00+00:00", "finished": "2026-11-20"}, False),
        ({"fa": "-fa 1", "b": "", "note": ""}, False),
        ({"duration_s": 5, "iteration": 2, "flags": None}, False),
        ({"log": "x" * 5000, "stderr": "y" * 5000}, False),
    ],
)
def test_words_of_a_script_tell_configurations_apart(facts: dict[str, Any], differs: bool) -> None:
    plain, said = (parse({"bench_raw": row(), **more}).runs[0] for more in ({}, facts))
    assert (settings_key(plain.setup) != settings_key(said.setup)) is differs
    assert "x" * 5000 not in json.dumps([dict(said.setup.settings), said.measurements], default=str)


@pytest.mark.parametrize(
    ("facts", "metrics"),
    [
        ({"avg_power_w": 0, "max_power_w": None, "median_power_w": "80"}, set()),
        ({"avg_power_w": float("nan"), "max_power_w": True}, set()),
        ({"avg_power_w": 80.5}, {"gpu_power_watts"}),
        ({"vram_peak_mib": 20000}, {"peak_memory_gb"}),
        ({"vram_peak_mib": 190, "gtt_peak_mib": 0}, set()),
        ({"vram_peak_mib": 0, "gtt_peak_mib": 9000}, set()),
        ({"gtt_peak_mib": 9000}, set()),
    ],
)
def test_a_sensor_that_gave_nothing_tells_nothing(facts: dict[str, Any], metrics: set[str]) -> None:
    (run,) = parse({"bench_raw": row(), **facts}).runs
    assert {item.metric for item in run.measurements} - {
        "tokens_per_second",
        "model_size_gb",
    } == metrics


def test_sensors_of_a_machine_without_gpu_are_no_gpu_power() -> None:
    record = {"bench_raw": row(gpu_info="", backends="CPU"), "avg_power_w": 80.0}
    assert ("gpu_power_watts", "mean") not in measured(parse(record).runs[0])


def test_a_failed_test_may_be_the_first_and_stand_among_rows() -> None:
    parsed = parse(
        {"bench_raw": None, "mode": "pp"},
        {},
        {"bench_raw": {"error": "out of memory"}},
        {"raw": [prompt(), {"error": "x"}, row()]},
        {"raw": []},
    )
    assert len(parsed.runs) == 1
    assert [(item.path, item.value) for item in parsed.warnings] == [("line 1: bench_raw", 5)]


def test_an_array_of_records_is_read_too() -> None:
    content = decode(json.dumps([{"bench_raw": prompt()}, {"bench_raw": row()}]).encode())
    (run,) = detect_format(content).parse(content).runs
    assert run.path == "[1].bench_raw"


@pytest.mark.parametrize(
    ("records", "path", "message", "value"),
    [
        ([{"bench_raw": None}, {"bench_raw": {}}], "line 1: bench_raw", "No record holds", 2),
        ([{"bench_raw": row()}, {"bench_raw": "{"}], "line 2: bench_raw", "is a JSON object", "{"),
        ([{"raw": [row(), 5]}], "raw[1]", "is a JSON object", 5),
        ([[{"bench_raw": row()}, 5]], "[1]", "A record is a JSON object", 5),
        ([{"bench_raw": row(avg_ts="fast")}], "bench_raw.avg_ts", "A number is needed", "fast"),
        ([{"raw": [row(avg_ts=-1)]}], "raw[0].avg_ts", "above 0", -1),
        ([{"bench_raw": {"model_type": "llama", "n_gen": 1, "n_prompt": 0}}], "bench_raw.avg_ts",
         "required", None),
    ],
)  # fmt: skip
def test_a_record_that_cannot_be_right_is_refused_where_it_is_wrong(
    records: list[Any], path: str, message: str, value: Any
) -> None:
    with pytest.raises(FormatError) as caught:
        parse(*records)
    (problem,) = caught.value.problems
    assert (problem.path, problem.value) == (path, value)
    assert message in problem.message


def test_a_file_that_was_cut_is_refused_with_its_line() -> None:
    with pytest.raises(FormatError, match="Is the file complete") as caught:
        parse(WITH_LISTS[:-20])
    assert caught.value.problems[0].path.startswith("line ")


def test_a_list_called_raw_without_rows_is_none_of_this_format() -> None:
    with pytest.raises(UnknownFormatError):
        parse({"raw": [{"latency": 1.5}]})


@pytest.mark.django_db
def test_power_makes_tokens_per_kwh_under_its_own_definition(client: Client) -> None:
    response = client.post(
        "/api/uploads",
        WITH_SENSORS.encode(),
        content_type="application/octet-stream",
        headers=bearer("upload"),
    )
    assert response.status_code == 201, response.json()
    assert len(response.json()["runs"]) == 2
    detail = client.get(f"/api/detail/{response.json()['runs'][0]}").json()
    found = {(item["metric"], item["statistic"]): item for item in detail["metrics"]}
    energy = found["tokens_per_kwh", "mean"]
    assert energy["value"] == pytest.approx(70.0 * 3.6e6 / 80.0)
    assert energy["definition"] == "gpu_whole_process"
    assert found["peak_memory_gb", "mean"]["definition"] == "gpu_driver"

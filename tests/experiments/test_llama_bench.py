"""llama-bench files: which rows become runs, what they carry, old and new key sets."""

import csv
import io
import json
from collections import Counter
from typing import Any

import pytest

from experiments.formats import detect_format
from experiments.formats.content import decode
from experiments.formats.documents import FormatError, InvalidFileError, ParsedFile, RunDocument
from experiments.ingest.keys import run_ids, settings_key


def row(**changes: Any) -> dict[str, Any]:
    """Return a row as builds since b6865 write it."""
    return {
        "build_commit": "1c1409e1",
        "build_number": 6865,
        "cpu_info": "AMD Ryzen 9 7950X 16-Core Processor",
        "gpu_info": "NVIDIA GeForce RTX 4090",
        "backends": "CUDA",
        "model_filename": "/home/ann/models/Llama-3.2-1B-Instruct-Q4_K_M.gguf",
        "model_type": "llama 1B Q4_K - Medium",
        "model_size": 799862912,
        "model_n_params": 1235814432,
        "n_batch": 2048,
        "n_ubatch": 512,
        "n_threads": 16,
        "type_k": "f16",
        "type_v": "f16",
        "n_gpu_layers": 99,
        "flash_attn": True,
        "n_prompt": 0,
        "n_gen": 128,
        "n_depth": 0,
        "test_time": "2025-10-28T18:04:31Z",
        "avg_ns": 664092895,
        "stddev_ns": 1000,
        "avg_ts": 192.744119,
        "stddev_ts": 1.5,
        "samples_ns": [664092895, 664092895],
        "samples_ts": [191.2, 194.2],
        **changes,
    }


def prompt(length: int = 512, **changes: Any) -> dict[str, Any]:
    """Return a `pp` row."""
    return row(**{"n_prompt": length, "n_gen": 0, "avg_ts": 5000.0 + length, **changes})


def parse(*rows: dict[str, Any]) -> ParsedFile:
    content = decode(json.dumps(rows).encode())
    return detect_format(content).parse(content)


def figures(run: RunDocument) -> dict[tuple[str, str], float]:
    return {(item.metric, item.statistic): item.value for item in run.measurements}


def test_a_generation_row_takes_the_only_prompt_row() -> None:
    (run,) = parse(prompt(2048), row()).runs
    assert figures(run) == {
        ("tokens_per_second", "mean"): 192.744119,
        ("tokens_per_second", "std"): 1.5,
        ("prompt_processing_speed", "mean"): 7048.0,
        ("prompt_processing_speed", "std"): 1.5,
        ("model_size_gb", "mean"): 0.799862912,
    }
    assert (run.workload.input_tokens, run.workload.output_tokens) == (2048, 128)
    assert (run.workload.load_kind, run.workload.concurrent_requests) == ("isolated", 1)
    definitions = {item.metric: item.definition for item in run.measurements}
    assert definitions["tokens_per_second"] == "decode"
    assert definitions["prompt_processing_speed"] == "prefill"


def test_of_several_prompt_rows_pp512_is_taken_and_the_rest_stand_alone() -> None:
    runs = parse(prompt(512), prompt(4096), row(), row(n_gen=32)).runs
    speeds = [figures(run).get(("prompt_processing_speed", "mean")) for run in runs]
    assert Counter(speeds) == {5512.0: 2, 9096.0: 1}
    (alone,) = [run for run in runs if run.workload.output_tokens is None]
    assert alone.workload.input_tokens == 4096
    assert ("tokens_per_second", "mean") not in figures(alone)


def test_without_pp512_among_several_no_prompt_speed_is_guessed() -> None:
    runs = parse(prompt(1024), prompt(4096), row()).runs
    (generation,) = [run for run in runs if run.workload.output_tokens]
    assert ("prompt_processing_speed", "mean") not in figures(generation)
    assert len(runs) == 3


def test_depths_and_settings_are_never_mixed() -> None:
    runs = parse(
        prompt(n_depth=0),
        row(n_depth=0),
        prompt(n_depth=4096, avg_ts=100.0),
        row(n_depth=4096),
        row(n_depth=0, n_ubatch=2048),
    ).runs
    by_place = {
        (run.workload.context_depth, run.setup.settings["n_ubatch"]): figures(run).get(
            ("prompt_processing_speed", "mean")
        )
        for run in runs
    }
    assert by_place == {(0, 512): 5512.0, (4096, 512): 100.0, (0, 2048): None}


def test_the_kth_repeat_takes_the_kth_prompt_row() -> None:
    first, second = (
        prompt(avg_ts=speed, test_time=f"2025-10-28T0{hour}:00:00Z")
        for hour, speed in ((1, 100.0), (2, 200.0))
    )
    runs = parse(first, row(avg_ts=10.0), second, row(avg_ts=20.0)).runs
    pairs = [
        (
            figures(run)["tokens_per_second", "mean"],
            figures(run)["prompt_processing_speed", "mean"],
        )
        for run in runs
    ]
    assert pairs == [(10.0, 100.0), (20.0, 200.0)]


def test_prompt_and_generation_timed_together_is_a_metric_of_its_own() -> None:
    (run,) = parse(row(n_prompt=512, n_gen=128, avg_ts=900.0)).runs
    measured = {
        item.metric: (item.value, item.definition)
        for item in run.measurements
        if item.statistic == "mean"
    }
    assert measured["total_tokens_per_second"] == (900.0, "isolated_mixed")
    assert "tokens_per_second" not in measured


def test_one_repetition_has_no_known_spread() -> None:
    (run,) = parse(row(stddev_ts=0.0, samples_ts=[192.7])).runs
    assert [item.statistic for item in run.measurements if item.metric == "tokens_per_second"] == [
        "mean"
    ]
    assert run.measurements[0].sample_count == 1


def test_names_come_from_the_file_name_and_no_folder_is_kept() -> None:
    (run,) = parse(
        row(model_filename="C:\\Users\\ann\\Qwen3-8B-UD-Q4_K_XL-00001-of-00002.gguf")
    ).runs
    assert (run.model.model_name, run.model.quantization) == ("Qwen3-8B", "UD-Q4_K_XL")
    assert run.extra_names["model_file"] == "Qwen3-8B-UD-Q4_K_XL-00001-of-00002.gguf"
    assert "ann" not in json.dumps([dict(run.setup.settings), dict(run.extra_names)])


def test_a_build_outside_git_and_a_cpu_only_machine() -> None:
    (run,) = parse(row(build_commit="unknown", build_number=0, gpu_info="", backends="CPU")).runs
    assert run.backend_version is None
    assert run.hardware.gpu_models == ()
    assert run.hardware.gpu_count is None
    assert run.hardware.cpu_model == "AMD Ryzen 9 7950X 16-Core Processor"


def test_gpus_are_counted_and_devices_listed() -> None:
    (run,) = parse(row(gpu_info="NVIDIA GeForce RTX 4090, NVIDIA GeForce RTX 3090")).runs
    assert run.hardware.gpu_models == ("NVIDIA GeForce RTX 4090", "NVIDIA GeForce RTX 3090")
    assert run.hardware.gpu_count == 2


def test_keys_of_2023_builds_are_read() -> None:
    old = row(cuda=True, opencl=False, metal=False, gpu_blas=True, blas=True, f16_kv=True)
    for key in ("backends", "n_depth", "n_ubatch", "type_k", "type_v", "flash_attn"):
        del old[key]
    (run,) = parse(old).runs
    assert run.setup.settings["backends"] == "CUDA"
    assert run.workload.context_depth == 0


def as_csv(*rows: dict[str, Any]) -> bytes:
    """Write rows as llama-bench does: every value quoted, booleans 0 and 1, no samples."""
    plain = [
        {
            key: int(value) if isinstance(value, bool) else value
            for key, value in item.items()
            if not key.startswith("samples")
        }
        for item in rows
    ]
    out = io.StringIO()
    out.write(",".join(plain[0]) + "\n")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows(item.values() for item in plain)
    return out.getvalue().encode()


def test_csv_says_the_same_as_json() -> None:
    rows = (prompt(), row())
    content = decode(as_csv(*rows))
    found = detect_format(content)
    assert found.name == "llama-bench-csv"
    (from_csv,) = found.parse(content).runs
    (from_json,) = parse(*rows).runs
    assert figures(from_csv) == figures(from_json)
    assert from_csv.model == from_json.model
    assert from_csv.hardware == from_json.hardware
    assert from_csv.workload == from_json.workload
    assert settings_key(from_csv.setup) == settings_key(from_json.setup)


def test_json_lines_with_other_lines_between_are_read_and_counted() -> None:
    lines = ["ggml_cuda_init: found 1 CUDA devices:", json.dumps(prompt()), "", json.dumps(row())]
    content = decode("\r\n".join(lines).encode())
    parsed = detect_format(content).parse(content)
    assert len(parsed.runs) == 1
    assert parsed.runs[0].path == "line 4"
    assert [(item.message, item.value) for item in parsed.warnings] == [
        ("Lines between the JSON documents that are no JSON were skipped.", 1)
    ]


def test_equal_rows_of_one_file_are_different_runs_with_stable_ids() -> None:
    runs = parse(row(), row()).runs
    first, second = run_ids(runs)
    assert first != second
    assert run_ids(parse(row(), row(), row(avg_ts=1.0)).runs)[:2] == [first, second]


@pytest.mark.parametrize(
    ("changes", "path", "message"),
    [
        ({"avg_ts": -1.0}, "[0].avg_ts", "above 0"),
        ({"avg_ts": float("nan")}, "[0].avg_ts", "NaN and infinity are not measurements"),
        ({"avg_ts": None}, "[0].avg_ts", "number is needed"),
        ({"avg_ts": True}, "[0].avg_ts", "not true or false"),
        ({"test_time": "9999-12-31T23:59:59-14:00"}, "[0].test_time", "between 2000 and 2100"),
        ({"test_time": 1700000000}, "[0].test_time", "A time is written like"),
        ({"build_number": 10**400}, "[0].build_number", "below 2,147,483,648"),
        ({"type_k": "x" * 41}, "[0].type_k", "room for 20"),
        ({"n_gen": -5}, "[0].n_gen", "0 or more"),
        ({"n_gen": 0}, "[0]", "both are 0"),
        ({"test_time": "yesterday"}, "[0].test_time", "A time is written like"),
    ],
)
def test_a_row_that_cannot_be_right_is_named(
    changes: dict[str, Any], path: str, message: str
) -> None:
    with pytest.raises(InvalidFileError) as caught:
        parse(row(**changes))
    (problem,) = caught.value.problems
    assert problem.path == path
    assert message in problem.message


@pytest.mark.parametrize("spread", [float("nan"), float("inf"), -5.0])
def test_a_spread_that_is_no_number_is_left_out_with_a_warning(spread: float) -> None:
    parsed = parse(row(stddev_ts=spread))
    statistics = [item.statistic for item in parsed.runs[0].measurements]
    assert "std" not in statistics
    assert [warning.path for warning in parsed.warnings] == ["[0].stddev_ts"]


def test_what_a_script_adds_to_each_row_does_not_part_a_pair() -> None:
    (run,) = parse(prompt(avg_power_w=100.0), row(avg_power_w=120.0)).runs
    assert ("prompt_processing_speed", "mean") in figures(run)


def test_csv_is_told_by_its_first_line_whatever_its_cells_hold() -> None:
    content = decode(as_csv(row(model_type='llama\n{"a": 1} Q4_0')))
    assert detect_format(content).name == "llama-bench-csv"


def test_a_csv_column_that_stands_twice_is_refused() -> None:
    header, cells = as_csv(row()).decode().splitlines()
    content = decode(f'{header},avg_ts\n{cells},"1.0"'.encode())
    with pytest.raises(InvalidFileError, match="stands twice"):
        detect_format(content).parse(content)


@pytest.mark.parametrize("opening", ["[", "[0,"])
def test_an_array_that_was_cut_off_is_not_taken_for_single_rows(opening: str) -> None:
    text = "\n".join([opening, *(json.dumps(row()) + "," for _ in range(3))])
    with pytest.raises(FormatError, match="not valid JSON"):
        detect_format(decode(text.encode()))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (as_csv(row()).splitlines()[0], "no result row"),
        (as_csv(row()) + b'"a","b"\n', "The row has 2 values"),
        (as_csv(row())[:-40], "unexpected end of data"),
    ],
)
def test_broken_csv_is_refused_with_its_line(data: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        detect_format(decode(data)).parse(decode(data))


def test_csv_tells_every_row_that_is_wrong_and_skips_a_repeated_header() -> None:
    good = as_csv(row())
    header = good.splitlines()[0] + b"\n"
    (run, *_) = detect_format(decode(good)).parse(decode(good + header + b"\n")).runs
    assert run.path == "line 2"
    broken = decode(b"\n" + good + b'"a","b"\n' + good[len(header) :] + b'"c"\n')
    with pytest.raises(InvalidFileError) as caught:
        detect_format(broken).parse(broken)
    assert [problem.path for problem in caught.value.problems] == ["line 4", "line 6"]


@pytest.mark.parametrize(
    "name", ["ggml-model-q4_0.gguf", "models/7B/ggml-model-Q4_0.gguf", "model.gguf"]
)
def test_a_file_name_that_names_no_model_leaves_it_open(name: str) -> None:
    (run,) = parse(row(model_filename=name, model_type="llama 7B mostly Q4_0")).runs
    assert (run.model.model_name, run.model.quantization) == (None, "Q4_0")
    assert run.extra_names["model_file"] == name.rsplit("/", 1)[-1]


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        ({}, 2),
        ({"split_mode": "none"}, 1),
        ({"split_mode": "none", "main_gpu": 1}, 1),
        ({"split_mode": "none", "main_gpu": 7}, 2),
        ({"devices": "auto", "tensor_split": "0.00"}, 2),
        ({"devices": "CUDA1"}, 1),
        ({"devices": "none"}, None),
        ({"tensor_split": "1.00"}, 1),
        ({"tensor_split": "0.50/0.50"}, 2),
    ],
)
def test_gpus_that_the_flags_leave_idle_are_not_counted(
    changes: dict[str, Any], count: int | None
) -> None:
    gpus = "NVIDIA GeForce RTX 4090, NVIDIA GeForce RTX 3090"
    (run,) = parse(row(gpu_info=gpus, **changes)).runs
    assert run.hardware.gpu_count == count


def test_rows_of_ik_llama_cpp_are_paired_and_its_flags_tell_configurations_apart() -> None:
    label = {"mla_attn": 0, "fused_moe": False}
    pp, tg = prompt(test="pp512", **label), row(test="tg128", **label)
    (run,) = parse(pp, tg).runs
    assert ("prompt_processing_speed", "mean") in figures(run)
    assert "test" not in run.setup.settings
    (fused,) = parse({**tg, "fused_moe": True}).runs
    assert settings_key(fused.setup) != settings_key(run.setup)


def test_generation_timed_behind_a_prompt_is_generation_at_a_depth() -> None:
    (run,) = parse(row(n_prompt=512, n_gen=64, test="tg64@pp512")).runs
    assert figures(run)["tokens_per_second", "mean"] == 192.744119
    assert (run.workload.context_depth, run.workload.input_tokens) == (512, None)
    record = row(n_prompt=512, n_gen=64, test="tg64@pp512")
    assert run.identity_record == record

"""llama-bench Markdown tables: what becomes a run, what the text around tells, what is refused."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from experiments.formats import detect_format
from experiments.formats.content import decode
from experiments.formats.documents import (
    FormatError,
    InvalidFileError,
    ParsedFile,
    RunDocument,
    UnknownFormatError,
)
from experiments.ingest.keys import content_hash, run_ids, settings_key
from tests.experiments.test_llama_bench import parse as parse_json
from tests.experiments.test_llama_bench import row as json_row
from tests.experiments.tokens import bearer

SAMPLE = (Path(__file__).parent / "samples" / "llama_bench_tables.md").read_text(encoding="utf-8")
CUDA_LOG = (
    "ggml_cuda_init: found 1 CUDA devices:\n"
    "  Device 0: NVIDIA GeForce RTX 3090, compute capability 8.6, VMM: yes\n"
)
SPEED = "tokens_per_second"
PROMPT = "prompt_processing_speed"


def table(*rows: dict[str, str], build: str = "build: 1c1409e1 (6865)") -> str:
    """Write a table as llama-bench does; the columns are those of the first row."""
    columns = list(rows[0])
    lines = ["| " + " | ".join(columns) + " |", "|" + " ---: |" * len(columns)]
    lines += ["| " + " | ".join(item.values()) + " |" for item in rows]
    return "\n".join([*lines, "", build, ""])


def row(test: str = "tg128", speed: str = "101.25 ± 0.42", **columns: str) -> dict[str, str]:
    """Return the cells of a row; `columns` stand between the backend and the test."""
    start = {"model": "llama 8B Q4_K - Medium", "size": "4.58 GiB", "params": "8.03 B"}
    fixed = {name: columns.pop(name, value) for name, value in start.items()}
    backend = columns.pop("backend", "CUDA")
    return {**fixed, "backend": backend, "ngl": "99", **columns, "test": test, "t/s": speed}


def parse(text: str | bytes) -> ParsedFile:
    content = decode(text if isinstance(text, bytes) else text.encode())
    found = detect_format(content)
    assert found.name == "llama-bench-markdown"
    return found.parse(content)


def only(text: str | bytes) -> RunDocument:
    (run,) = parse(text).runs
    return run


def figures(run: RunDocument) -> dict[tuple[str, str], float]:
    return {(item.metric, item.statistic): item.value for item in run.measurements}


def refusal(text: str) -> tuple[str, str, Any]:
    """Return path, message and value of the only problem of a file."""
    with pytest.raises(FormatError) as caught:
        parse(text)
    (problem,) = caught.value.problems
    return problem.path, problem.message, problem.value


def test_rows_become_runs_with_what_the_text_says() -> None:
    runs = parse(SAMPLE).runs
    places = [(run.path, run.setup.settings["title"]) for run in runs]
    assert places == [
        ("line 18", "Stock clocks"),
        ("line 19", "Stock clocks"),
        ("line 20", "Stock clocks"),
        ("line 21", "Stock clocks"),
        ("line 33", "250 W limit"),
    ]
    first = runs[0]
    assert figures(first) == {
        (SPEED, "mean"): 101.25,
        (SPEED, "std"): 0.42,
        (PROMPT, "mean"): 4321.1,
        (PROMPT, "std"): 12.34,
        ("model_size_gb", "mean"): pytest.approx(4.58 * 2**30 / 1e9),
    }
    assert (first.model.model_name, first.model.quantization) == (None, "Q4_K_M")
    assert first.hardware.gpu_models == ("NVIDIA GeForce RTX 3090",) * 2
    assert first.hardware.gpu_count == 2
    assert first.backend_version == "b6865 (1c1409e1)"
    assert first.started_at is None
    assert (first.workload.input_tokens, first.workload.output_tokens) == (512, 128)
    assert (first.workload.load_kind, first.workload.concurrent_requests) == ("isolated", 1)
    assert [run.workload.context_depth for run in runs] == [0, 4096, 0, 0, 0]


def test_a_mixed_test_is_no_generation_speed_and_no_prompt_speed_is_taken_over() -> None:
    depth, quantized, mixed, _limited = parse(SAMPLE).runs[1:]
    assert (PROMPT, "mean") not in figures(depth)
    assert (PROMPT, "mean") not in figures(quantized)
    assert figures(mixed)["total_tokens_per_second", "mean"] == 455.55
    assert (SPEED, "mean") not in figures(mixed)


def test_figures_are_marked_as_rounded_and_state_no_facts_of_the_model() -> None:
    run = parse(SAMPLE).runs[0]
    speed = next(item for item in run.measurements if item.metric == SPEED)
    size = next(item for item in run.measurements if item.metric == "model_size_gb")
    assert speed.context["as_written"] == "101.25 ± 0.42"
    assert size.context == {"rounded": True}
    assert (run.model.parameters, run.model.weights_gb) == (None, None)
    assert run.setup.settings["params"] == "8.03 B"


@pytest.mark.parametrize("speed", ["88.50 ± 0.00", "88.50", "88.5"])
def test_no_spread_is_not_a_spread_of_zero(speed: str) -> None:
    assert figures(only(table(row(speed=speed)))).keys() == {
        (SPEED, "mean"),
        ("model_size_gb", "mean"),
    }


@pytest.mark.parametrize(
    ("test", "lengths"),
    [
        ("pp512", (512, 0, 0)),
        ("tg128", (0, 128, 0)),
        ("pp 512", (512, 0, 0)),
        ("tg 128", (0, 128, 0)),
        ("pp512+tg128", (512, 128, 0)),
        ("pp512 @ d512", (512, 0, 512)),
        ("tg128 @ d32768", (0, 128, 32768)),
        ("pp512+tg128 @ d16", (512, 128, 16)),
        ("tg64@pp512", (0, 64, 512)),
    ],
)
def test_each_way_to_write_a_test_is_read(test: str, lengths: tuple[int, int, int]) -> None:
    (measured, *_) = only(table(row(test))).measurements
    names = ("n_prompt", "n_gen", "n_depth")
    assert tuple(measured.context[name] for name in names) == lengths


def test_columns_are_settings_under_the_keys_of_the_other_formats() -> None:
    columns = {
        "threads": "8", "n_batch": "4096", "type_k": "q8_0", "type_v": "q8_0", "sm": "row",
        "nkvo": "1", "fa": "1", "mmap": "0", "ts": "0.60/0.40", "ot": "exps=CPU",
        "nopo": "1", "mla": "3", "fmoe": "1", "rtr": "1",
    }  # fmt: skip
    run = only(CUDA_LOG + table(row(**columns)))
    keys = {
        "n_gpu_layers", "n_threads", "n_batch", "type_k", "type_v", "split_mode", "no_kv_offload",
        "flash_attn", "use_mmap", "tensor_split", "tensor_buft_overrides", "no_op_offload",
        "mla_attn", "fused_moe", "repack", "backends", "params",
    }  # fmt: skip
    assert run.setup.settings.keys() == keys
    assert run.setup.kv_cache_type == "q8_0"


def test_a_configuration_is_that_of_the_same_run_in_json() -> None:
    columns = {"threads": "16", "type_k": "f16", "type_v": "f16", "fa": "1"}
    from_table = only(CUDA_LOG + table(row(**columns)))
    (from_json,) = parse_json(json_row(gpu_info="NVIDIA GeForce RTX 3090")).runs
    assert settings_key(from_table.setup) == settings_key(from_json.setup)
    assert from_table.workload == from_json.workload
    assert from_table.backend_version == from_json.backend_version
    assert from_table.hardware.gpu_models == from_json.hardware.gpu_models


def test_an_unknown_column_tells_configurations_apart() -> None:
    settings = [only(table(row(newflag=value))).setup for value in ("0", "1")]
    assert settings[0].settings["newflag"] == "0"
    assert settings_key(settings[0]) != settings_key(settings[1])


def test_equal_rows_under_other_titles_are_other_runs_sweeps_and_configurations() -> None:
    runs = parse(SAMPLE).runs
    stock, limited = runs[0], runs[4]
    assert figures(stock)[SPEED, "mean"] == figures(limited)[SPEED, "mean"]
    assert figures(limited)[PROMPT, "mean"] == 3987.65
    assert len(set(run_ids(runs))) == 5
    assert stock.sweep_group != limited.sweep_group
    assert settings_key(stock.setup) != settings_key(limited.setup)


def test_ids_depend_on_cells_title_and_build_alone() -> None:
    plain = table(row())
    (run_id,) = run_ids(parse(plain).runs)
    assert run_ids(parse("\n\n" + CUDA_LOG + plain).runs) == [run_id]
    assert run_ids(parse(table(row(), row("pp512", "1.5 ± 0.1"))).runs) == [run_id]
    for other in (
        table(row(speed="101.25 ± 0.43")),
        table(row(), build="build: 1c1409e2 (6865)"),
        "# Another driver\n" + plain,
    ):
        assert run_ids(parse(other).runs) != [run_id]
    with_log = parse(CUDA_LOG + plain).runs[0]
    assert content_hash(with_log, {}) != content_hash(parse(plain).runs[0], {})


PULL_REQUEST = (
    "| model | size | threads | test | t/s (main) | t/s (PR) | Speedup |\n"
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n"
    "| llama 8B IQ2_KS | 2.46 GiB | 16 | pp512 | 179.51 ± 1.13 | 196.20 ± 1.59 | 1.093 |\n"
)


def test_a_table_that_compares_two_builds_is_none_of_this_format() -> None:
    with pytest.raises(UnknownFormatError):
        parse(PULL_REQUEST)


def test_a_table_of_another_kind_is_left_out_with_a_warning() -> None:
    parsed = parse("| Author |\n| :--- |\n\n" + table(row()) + "\n" + PULL_REQUEST)
    assert len(parsed.runs) == 1
    assert [(item.path, item.message) for item in parsed.warnings] == [
        (f"line {line}", "This table is none of llama-bench: it is left out.") for line in (1, 10)
    ]


def test_a_table_without_rows_beside_others_is_a_warning() -> None:
    parsed = parse(table(row()).splitlines()[0] + "\n" + table(row()))
    assert [(item.path, item.message) for item in parsed.warnings] == [
        ("line 1", "This table has a header but no result row; did llama-bench fail?")
    ]


NO_SPEED = "A speed is a number above 0, written like 490.97 ± 2.27."
NO_TEST = "A test is written like pp512, tg128, pp512+tg128 or tg128 @ d4096."


@pytest.mark.parametrize(
    ("text", "path", "message", "value"),
    [
        (table(row()).splitlines()[0], "line 1", "no result row", None),
        (table(row(speed="fast")), "line 3, column t/s", NO_SPEED, "fast"),
        (table(row(speed="0.00 ± 0.00")), "line 3, column t/s", NO_SPEED, "0.00 ± 0.00"),
        (table(row(speed="-5.00 ± 1.00")), "line 3, column t/s", NO_SPEED, "-5.00 ± 1.00"),
        (table(row(speed="nan ± nan")), "line 3, column t/s", NO_SPEED, "nan ± nan"),
        (table(row(speed="1,043.22 ± 1.2")), "line 3, column t/s", NO_SPEED, "1,043.22 ± 1.2"),
        (table(row(speed="490.97 ï¿½ 2.27")), "line 3, column t/s", NO_SPEED, "490.97 ï¿½ 2.27"),
        (table(row("pp")), "line 3, column test", NO_TEST, "pp"),
        (table(row("pp0")), "line 3, column test", NO_TEST, "pp0"),
        (table(row("pp512+")), "line 3, column test", NO_TEST, "pp512+"),
        (table(row("pp512tg128")), "line 3, column test", NO_TEST, "pp512tg128"),
        (table(row("warmup")), "line 3, column test", NO_TEST, "warmup"),
        (table(row(size="big")), "line 3, column size", "A size is written like 3.56 GiB.", "big"),
        (
            table(row(params="lots")),
            "line 3, column params",
            "A number of parameters is written like 6.74 B.",
            "lots",
        ),
        (table(row(model="")), "line 3, column model", "A row names its model", ""),
        (
            "\n".join(table(row(), row()).splitlines()[:4])[:-30],
            "line 4",
            "The row has 4 cells, the header 7.",
            "| llama 8B Q4_K - Medium | 4.58 GiB | 8.03 B | CUDA",
        ),
        (table(row())[:-28], "line 3", "does not end in “|”: is the file complete?", "0.4"),
        (
            table(row()) + "| a | b | c | d | 99 | tg64 | 5.00 ± 0.10 |\n",
            "line 6",
            "stands under no header",
            "| a | b | c | d | 99 | tg64 | 5.00 ± 0.10 |",
        ),
        (table(row(n="1", N="2")).replace("N", "n"), "line 1", "A column stands twice", "n"),
        (
            table(row(), row(model="llama 13B Q4_0")),
            "line 4, column model",
            "The tables hold several models",
            "llama 8B Q4_K - Medium; llama 13B Q4_0",
        ),
    ],
)
def test_a_table_that_cannot_be_right_is_refused_where_it_is_wrong(
    text: str, path: str, message: str, value: Any
) -> None:
    found_path, found_message, found_value = refusal(text)
    assert found_path == path
    assert message in found_message
    assert found_value is None if value is None else str(value) in str(found_value)


def test_every_problem_of_a_file_is_told() -> None:
    with pytest.raises(InvalidFileError) as caught:
        parse(table(row("what"), row(speed="?"), row(size="?", speed="?")))
    assert [problem.path for problem in caught.value.problems] == [
        "line 3, column test",
        "line 4, column t/s",
        "line 5, column size",
        "line 5, column t/s",
    ]


def test_other_quantizations_of_one_model_are_one_file() -> None:
    types = ["llama 8B Q4_K - Medium", "llama 8B Q8_0", "llama 8B mostly F16"]
    runs = parse(table(*(row(model=name) for name in types))).runs
    assert [run.model.quantization for run in runs] == ["Q4_K_M", "Q8_0", "F16"]


def test_unknown_sizes_are_told_apart_by_their_parameters() -> None:
    rows = [row(model="qwen ?B Q8_0", params=params) for params in ("7.00 B", "14.00 B")]
    assert "several models" in refusal(table(*rows))[1]


@pytest.mark.parametrize("text", [SAMPLE + '\n{"avg_ts": 1.0, "n_prompt": 0, "n_gen": 1, '])
def test_a_table_is_read_though_its_log_holds_broken_json(text: str) -> None:
    assert len(parse(text).runs) == 5


def test_json_with_a_table_beside_it_is_refused() -> None:
    rows = '{"avg_ts": 1.5, "n_prompt": 0, "n_gen": 1, "model_type": "llama 8B Q8_0"}'
    content = decode(f"{table(row())}\n{rows}\n".encode())
    with pytest.raises(InvalidFileError, match="send each as a file of its own") as caught:
        detect_format(content).parse(content)
    assert caught.value.problems[0].path == "line 1"


@pytest.mark.django_db
def test_the_model_is_asked_for_and_the_title_can_be_read(client: Client) -> None:
    url, headers = "/api/uploads", bearer("upload")
    options: dict[str, Any] = {"content_type": "application/octet-stream", "headers": headers}
    refused = client.post(url, SAMPLE.encode(), **options)
    assert (refused.status_code, refused.json()["missing"]) == (422, ["model_name"])
    made = client.post(f"{url}?model_name=Nimbus-8B", SAMPLE.encode(), **options)
    assert made.status_code == 201, made.json()
    assert (made.json()["format"], len(made.json()["runs"])) == ("llama-bench-markdown", 5)
    run = made.json()["runs"][0]
    detail = client.get(f"/api/detail/{run}").json()
    assert detail["system_info"]["platform"] == "2× RTX 3090"
    assert detail["config"]["quantization"] == "Q4_K_M"
    page = client.get(f"/detail/{run}/").content.decode()
    assert "Stock clocks" in page
    again = client.post(f"{url}?model_name=Nimbus-8B", SAMPLE.encode(), **options)
    assert (again.status_code, again.json()["outcome"]) == (200, "unchanged")

"""What stands around llama-bench tables: titles, device logs, and what shells do to the text."""

from typing import Any

import pytest

from experiments.ingest.keys import run_ids, settings_key
from tests.experiments.test_llama_bench_markdown import (
    CUDA_LOG,
    SAMPLE,
    figures,
    only,
    parse,
    row,
    table,
)


@pytest.mark.parametrize(
    ("lines", "title"),
    [
        ("# Results #\n", "Results"),
        ("## Results\nwith the old driver\n", "Results · with the old driver"),
        ("**This branch:**\n```\n", "This branch:"),
        ("=== GPU 0 ===\n", "GPU 0"),
        ("Master\n" + CUDA_LOG, "Master"),
        ("Thu Dec 11 07:30:40 AM MST 2025\n", None),
        ("$ ./llama-bench -m x.gguf\nPS C:\\> .\\llama-bench.exe -m x\n", None),
        ("warning: asserts enabled\nllama_init: x\n.....\n|  |\n---\n", None),
        ("x" * 2000 + "\n", None),
    ],
)
def test_titles_are_headings_and_text_but_no_logs(lines: str, title: str | None) -> None:
    assert only(lines + table(row())).setup.settings.get("title") == title


def test_a_heading_holds_until_the_next_one() -> None:
    text = "# A\n" + table(row()) + table(row("tg64")) + "# B\n" + table(row())
    assert [run.setup.settings["title"] for run in parse(text).runs] == ["A", "A", "B"]


@pytest.mark.parametrize(
    ("log", "columns", "gpus"),
    [
        (CUDA_LOG, {}, ("NVIDIA GeForce RTX 3090",)),
        (
            "ggml_cuda_init: found 2 ROCm devices (Total VRAM: 98304 MiB):\n"
            "  Device 0: AMD Radeon PRO W7900, gfx1100 (0x1100), VMM: no, Wave Size: 32\n"
            "  Device 1: AMD Radeon PRO W7900, gfx1100 (0x1100), VMM: no, Wave Size: 32\n",
            {"backend": "ROCm"},
            ("AMD Radeon PRO W7900",) * 2,
        ),
        (
            "ggml_vulkan: Found 1 Vulkan devices:\n"
            "ggml_vulkan: 0 = Radeon 8060S Graphics (RADV GFX1151) (radv) | uma: 1 | fp16: 1\n",
            {"backend": "Vulkan"},
            ("Radeon 8060S Graphics (RADV GFX1151)",),
        ),
        (
            "ggml_vulkan: Using AMD Radeon RX 7900 XTX | fp16: 1 | warp size: 64\n",
            {"backend": "RPC,Vulkan"},
            ("AMD Radeon RX 7900 XTX",),
        ),
        (
            "ggml_metal_init: found device: Apple M4 Max\n",
            {"backend": "MTL,BLAS"},
            ("Apple M4 Max",),
        ),
        ("ggml_metal_init: GPU name:   Apple M2\n", {"backend": "Metal"}, ("Apple M2",)),
        (
            "found 1 SYCL devices:\n"
            "| 0| [level_zero:gpu:0]| Intel Arc A770 Graphics| 1.3| 512| 1024| 32| 16225M|\n",
            {"backend": "SYCL"},
            ("Intel Arc A770 Graphics",),
        ),
        (CUDA_LOG, {"backend": "CPU"}, ()),
        (CUDA_LOG, {"dev": "none"}, ()),
        ("", {}, ()),
        (CUDA_LOG.replace("found 1", "found 2"), {}, ()),
    ],
)
def test_devices_are_read_from_the_log_above(
    log: str, columns: dict[str, str], gpus: tuple[str, ...]
) -> None:
    assert only(log + table(row(**columns))).hardware.gpu_models == gpus


TWO_GPUS = CUDA_LOG.replace("found 1", "found 2") + (
    "  Device 1: NVIDIA GeForce RTX 4090, compute capability 8.9, VMM: yes\n"
)


@pytest.mark.parametrize(
    ("columns", "gpus"),
    [
        ({}, ["3090", "4090"]),
        ({"sm": "none"}, ["3090"]),
        ({"sm": "none", "main_gpu": "1"}, ["4090"]),
        ({"dev": "CUDA1"}, ["4090"]),
        ({"dev": "CUDA0/CUDA1"}, ["3090", "4090"]),
        ({"ts": "1.00"}, ["3090"]),
        ({"ts": "0.00/1.00"}, ["4090"]),
        ({"ts": "0.00"}, ["3090", "4090"]),
    ],
)
def test_gpus_that_the_flags_leave_out_are_not_counted(
    columns: dict[str, str], gpus: list[str]
) -> None:
    run = only(TWO_GPUS + table(row(**columns)))
    assert [name[-4:] for name in run.hardware.gpu_models] == gpus
    assert run.hardware.gpu_count == len(gpus)


def test_devices_of_two_backends_need_the_flag_that_says_which() -> None:
    log = CUDA_LOG + "ggml_vulkan: 0 = NVIDIA GeForce RTX 3090 (NVIDIA) | uma: 0 | fp16: 1\n"
    unclear = parse(log + table(row(backend="CUDA,Vulkan")))
    assert unclear.runs[0].hardware.gpu_models == ()
    assert "several backends (CUDA, Vulkan)" in unclear.warnings[0].message
    chosen = only(log + table(row(backend="CUDA,Vulkan", dev="Vulkan0")))
    assert chosen.hardware.gpu_models == ("NVIDIA GeForce RTX 3090",)


def test_vulkan_drivers_tell_configurations_apart() -> None:
    line = (
        "ggml_vulkan: 0 = AMD Radeon RX 7900 XTX (RADV NAVI31) ({}) | uma: 0 | matrix cores: {}\n"
    )
    setups = [
        only(line.format(driver, cores) + table(row(backend="Vulkan"))).setup
        for driver, cores in (("radv", "none"), ("radv", "KHR_coopmat"), ("AMD", "none"))
    ]
    assert setups[0].settings["vulkan_driver"] == "radv"
    assert setups[0].settings["matrix_cores"] == "none"
    assert len({settings_key(setup) for setup in setups}) == 3


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.encode("utf-16"),
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.replace("±", "Â±"),
        lambda text: text.replace("±", "┬▒").encode("utf-16"),
        lambda text: text.replace("±", "+/-"),
        lambda text: text.replace("| llama", "\x1b[1m| llama\x1b[0m").replace("tg", "\x1b[32mtg"),
        lambda text: text.replace("101.25 ± 0.42", "**101.25 ± 0.42**"),
        lambda text: text.replace("|\n", "||\n"),
        lambda text: text.replace("|\n", "|\nllama_print_timings: x | y\n\n"),
        lambda text: text.replace("| llama", "loading 10%\rloading 99%\r| llama"),
        lambda text: text.replace("\n|", "\n  |"),
    ],
)
def test_what_shells_terminals_and_editors_do_to_a_table_changes_nothing(change: Any) -> None:
    assert [
        (run.path.split()[0], figures(run), run.hardware, run.setup)
        for run in parse(change(SAMPLE)).runs
    ] == [
        (run.path.split()[0], figures(run), run.hardware, run.setup) for run in parse(SAMPLE).runs
    ]


def test_the_sign_between_mean_and_spread_does_not_make_another_run() -> None:
    ids = run_ids(parse(SAMPLE).runs)
    assert run_ids(parse(SAMPLE.replace("±", "Â±")).runs) == ids
    assert run_ids(parse(SAMPLE.replace("±", "┬▒").encode("utf-16")).runs) == ids

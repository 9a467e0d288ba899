"""Names as tools report them, taken apart without a table of devices."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hardware.names import (
    means_no_gpu,
    read_gpu_names,
    spelling_key,
    tidy_cpu_name,
    words,
)


@pytest.mark.parametrize(
    "spellings",
    [
        ("RTX 4090", "NVIDIA GeForce RTX 4090", "rtx4090", "GeForce RTX™ 4090", "NVIDIA-RTX-4090"),
        ("RTX 4090 D", "NVIDIA GeForce RTX 4090D"),
        ("RTX 4090 Laptop", "NVIDIA GeForce RTX 4090 Laptop GPU", "GeForce RTX 4090 Mobile"),
        ("L40S", "NVIDIA L40S", "l40s"),
        ("MI300X", "AMD Instinct MI300X", "AMD Instinct(TM) MI300X Accelerator"),
        ("RTX 6000 Ada", "NVIDIA RTX 6000 Ada Generation"),
        ("Arc A770", "Intel(R) Arc(TM) A770 Graphics"),
        ("AMD Radeon Graphics", "AMD Radeon(TM) Graphics"),
    ],
)
def test_spellings_of_one_device_share_a_key(spellings: tuple[str, ...]) -> None:
    assert len({spelling_key(spelling) for spelling in spellings}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("T4", "T400"),
        ("L4", "L40"),
        ("L40", "L40S"),
        ("A10", "A100"),
        ("A10", "A10G"),
        ("RTX 4090", "RTX 4090 D"),
        ("RTX 4090", "RTX 4090 Laptop GPU"),
        ("RTX 6000 Ada Generation", "Quadro RTX 6000"),
        ("RTX A6000", "RTX 6000 Ada Generation"),
        ("RTX PRO 6000 Blackwell Max-Q Workstation Edition", "RTX PRO 6000 Workstation Edition"),
        ("RTX 4070 Ti", "RTX 4070 Ti SUPER"),
        ("RX 7900 XT", "RX 7900 XTX"),
        ("AMD Radeon Graphics", "Radeon 8060S Graphics"),
        ("NVIDIA A100-SXM4-40GB", "NVIDIA A100-SXM4-40GB MIG 1g.5gb"),
    ],
)
def test_different_devices_never_share_a_key(one: str, other: str) -> None:
    keys_of_one, keys_of_other = (
        {key for name in read_gpu_names(raw) for key in name.keys} for raw in (one, other)
    )

    assert not keys_of_one & keys_of_other


@given(st.text())
@example("ＮＶＩＤＩＡ RTX™ ４０９０")
@example("(tm) İ ŉ ᄀ ᅡ")
def test_spelling_key_is_idempotent(raw: str) -> None:
    key = spelling_key(raw)

    assert spelling_key(key) == key


@given(st.text())
def test_reading_a_name_never_fails(raw: str) -> None:
    list(read_gpu_names(raw))
    tidy_cpu_name(raw)
    words(raw)


@pytest.mark.parametrize(
    ("raw", "key", "memory_gb", "form"),
    [
        ("NVIDIA A100-SXM4-80GB", "a 100", 80, "SXM"),
        ("NVIDIA A100-PCIE-40GB", "a 100", 40, "PCIe"),
        ("NVIDIA H100 80GB HBM3", "h 100", 80, None),
        ("NVIDIA H100 PCIe", "h 100", None, "PCIe"),
        ("NVIDIA H100 NVL", "h 100", None, "NVL"),
        ("Tesla V100-SXM2-16GB", "v 100", 16, "SXM"),
        ("NVIDIA H200-SXM-141GB", "h 200", 141, "SXM"),
        ("AMD Instinct MI325X 256GB HBM3e", "mi 325 x", 256, None),
        ("AMD Instinct MI300X OAM", "mi 300 x", None, "OAM"),
        ("NVIDIA T400 4GB", "t 400", 4, None),
        ("RTX 3080 12 GiB", "rtx 3080", 12, None),
        ("NVIDIA A100-SXM4-40GB MIG 1g.5gb", "a 100 mig 1 g 5 gb", 40, "SXM"),
        ("GB200 NVL72", "gb 200 nvl 72", None, None),
        ("A10G", "a 10 g", None, None),
        ("AMD Radeon RX 7900 XTX (RADV NAVI31) (radv)", "rx 7900 xtx", None, None),
        ("Radeon 8060S Graphics (RADV GFX1151)", "8060 s", None, None),
        ("NVIDIA GeForce RTX 3090 (NVIDIA)", "rtx 3090", None, None),
    ],
)
def test_memory_and_form_are_read_from_a_name(
    raw: str, key: str, memory_gb: float | None, form: str | None
) -> None:
    (name,) = read_gpu_names(raw)

    assert (name.keys[-1], name.memory_gb, name.form) == (key, memory_gb, form)


@pytest.mark.parametrize(
    ("raw", "names"),
    [
        (
            "NVIDIA GeForce RTX 4090, NVIDIA GeForce RTX 3090",
            [("NVIDIA GeForce RTX 4090", None), ("NVIDIA GeForce RTX 3090", None)],
        ),
        (
            "AMD Radeon RX 6800 (radeonsi, navi21, LLVM 15)",
            [("AMD Radeon RX 6800 (radeonsi, navi21, LLVM 15)", None)],
        ),
        ("2x NVIDIA  H100", [("NVIDIA H100", 2)]),
        ("8×H100", [("H100", 8)]),
        ("RTX 4090 x2", [("RTX 4090", 2)]),
        ("2× RTX 4090 + RTX 3090", [("RTX 4090", 2), ("RTX 3090", None)]),
        ("CPU Only", []),
        ("N/A", []),
        ("", []),
        (", ,", []),
    ],
)
def test_a_list_of_gpus_is_split(raw: str, names: list[tuple[str, int | None]]) -> None:
    assert [(name.reported, name.count) for name in read_gpu_names(raw)] == names


@pytest.mark.parametrize(
    "raw", ["CPU Only", "cpu only", "CPU", "N/A", "none", "", "  ", "–", "null"]
)
def test_words_for_no_gpu(raw: str) -> None:
    assert means_no_gpu(raw)


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("AMD EPYC 9274F 24-Core Processor", "AMD EPYC 9274F"),
        ("AMD EPYC 9475F 48-Core Processo", "AMD EPYC 9475F"),
        ("AMD RYZEN AI MAX+ 395 w/ Radeon 8060S", "AMD Ryzen AI Max+ 395"),
        ("AMD Ryzen 7 5700G with Radeon Graphics", "AMD Ryzen 7 5700G"),
        ("AMD Ryzen 9 7950X 16-Core Processor", "AMD Ryzen 9 7950X"),
        ("AMD Ryzen Threadripper PRO 7995WX 96-Cores", "AMD Ryzen Threadripper PRO 7995WX"),
        ("Intel(R) Xeon(R) Platinum 8480+ CPU @ 2.00GHz", "Intel Xeon Platinum 8480+"),
        ("INTEL(R) XEON(R) PLATINUM 8568Y+", "Intel Xeon Platinum 8568Y+"),
        ("Intel(R) Xeon(R) CPU E5-2680 v4 @ 2.40GHz", "Intel Xeon E5-2680 v4"),
        ("Intel(R) Xeon(R) w7-2495X", "Intel Xeon w7-2495X"),
        ("13th Gen Intel(R) Core(TM) i9-13900K", "Intel Core i9-13900K"),
        ("intel core i9-13900k", "Intel Core i9-13900K"),
        ("Intel(R) Core(TM) Ultra 9 285K", "Intel Core Ultra 9 285K"),
        ("Apple M3 Max", "Apple M3 Max"),
        ("NVIDIA Grace CPU", "NVIDIA Grace"),
        ("Neoverse-N1", "Neoverse-N1"),
        ("AMD Eng Sample: 100-000001243-50_Y", "AMD Eng Sample: 100-000001243-50_Y"),
        ("CPU", "CPU"),
    ],
)
def test_cpu_names_are_tidied(raw: str, name: str) -> None:
    assert tidy_cpu_name(raw) == name

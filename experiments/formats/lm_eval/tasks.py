"""lm-evaluation-harness task names: which benchmark a task measures, and which part of it."""

import re
from dataclasses import dataclass
from functools import cache

from benchmarks.catalogue import CatalogueEntry, benchmark_slug, catalogue
from benchmarks.totals import category_key

# Tasks that ask a known benchmark's questions in another way. The task is then named in the
# protocol, so that its scores are never ranked with those of the plain task.
_VARIANTS = {
    "arc_challenge": ("arc_challenge_chat", "arc_challenge_llama"),
    "bbh": ("bbh_cot_fewshot", "bbh_cot_zeroshot", "bbh_fewshot", "bbh_zeroshot"),
    "gpqa": (
        "gpqa_main_cot_n_shot",
        "gpqa_main_cot_zeroshot",
        "gpqa_main_generative_n_shot",
        "gpqa_main_n_shot",
        "gpqa_main_zeroshot",
    ),
    "gpqa_diamond": (
        "gpqa_diamond_cot_n_shot",
        "gpqa_diamond_cot_zeroshot",
        "gpqa_diamond_generative_n_shot",
        "gpqa_diamond_n_shot",
        "gpqa_diamond_zeroshot",
    ),
    "gsm8k": ("gsm8k_cot", "gsm8k_cot_llama", "gsm8k_cot_self_consistency", "gsm8k_cot_zeroshot"),
    "humaneval": ("humaneval_64", "humaneval_64_instruct", "humaneval_instruct"),
    "ifeval": ("leaderboard_ifeval",),
    "math": ("hendrycks_math", "minerva_math"),
    "math_500": ("hendrycks_math500", "minerva_math500"),
    "mbpp": ("mbpp_instruct",),
    "mbpp_plus": ("mbpp_plus_instruct",),
    "mmlu": (
        "hendryckstest",
        "mmlu_continuation",
        "mmlu_flan_cot_fewshot",
        "mmlu_flan_cot_zeroshot",
        "mmlu_flan_n_shot_generative",
        "mmlu_flan_n_shot_loglikelihood",
        "mmlu_generative",
        "mmlu_llama",
    ),
    "mmlu_pro": ("leaderboard_mmlu_pro",),
    "musr": ("leaderboard_musr",),
    "truthfulqa": ("truthfulqa_mc", "truthfulqa_mc2"),
}
_BENCHMARK_OF = {task: slug for slug, tasks in _VARIANTS.items() for task in tasks}
# Parts whose task has a shorter name than the catalogue's category.
_PART_SPELLINGS = {
    "counting_and_prob": "counting_and_probability",
    "num_theory": "number_theory",
    "precalc": "precalculus",
}
# "jsquad-1.1-0.3": task, version of the data, version of the prompt (the Japanese fork).
_FORK_VERSIONS = re.compile(r"(?P<task>.+?)-\d+(\.\d+)+-\d+(\.\d+)+")


@dataclass(frozen=True)
class Part:
    """A task that is one part of a curated benchmark; `task` is the name of the whole task."""

    benchmark: str
    task: str
    category: str


@cache
def _curated() -> dict[str, CatalogueEntry]:
    return {entry.slug: entry for entry in catalogue()}


def curated(slug: str) -> CatalogueEntry | None:
    """Return the curated benchmark of a slug."""
    return _curated().get(slug)


def is_curated_task(task: str) -> bool:
    """Tell whether a task is a whole curated benchmark."""
    return benchmark_of(task) in _curated()


def benchmark_of(task: str) -> str:
    """Return the benchmark that a task measures: a curated slug, else the task's own name."""
    plain = plain_name(task)
    known = _BENCHMARK_OF.get(category_key(plain)) or benchmark_slug(plain)
    return known if known in _curated() else plain


def plain_name(task: str) -> str:
    """Return a task's name without the versions that a fork appends."""
    found = _FORK_VERSIONS.fullmatch(task)
    return found["task"] if found else task


def version_in_protocol(task: str, version: str | None) -> str | None:
    """Return the task version of a score: with the task's name, unless the benchmark says it."""
    if category_key(task) == category_key(benchmark_of(task)):
        return version
    return f"{task} {version}" if version is not None else task


def category_of(task: str, benchmark: str) -> str | None:
    """Return the category of a curated benchmark that a task's name holds, None for none.

    The longest one counts: "mmlu_high_school_biology_generative" is "high_school_biology".
    """
    found = _split(task, benchmark)
    return found[0] if found else None


def part_of(task: str) -> Part | None:
    """Return which part of which curated benchmark a task is, None when it is not a part.

    What is left of the name without the category must be a task of that benchmark, so that
    "hrm8k_math" is no part of MMLU-Pro.
    """
    for slug, entry in _curated().items():
        found = _split(task, slug) if entry.expected_categories else None
        if found and benchmark_of(found[1]) == slug:
            return Part(slug, found[1], found[0])
    return None


def _split(task: str, benchmark: str) -> tuple[str, str] | None:
    """Return the category in a task's name and the name without it."""
    entry = _curated().get(benchmark)
    key = f"_{category_key(task)}_"
    for spelling, category in _categories(benchmark) if entry else ():
        head, found, tail = key.partition(f"_{spelling}_")
        if found:
            rest = "_".join(part.strip("_") for part in (head, tail) if part.strip("_"))
            old = "hendrycksTest" if rest == "hendryckstest" else rest
            return category, old
    return None


@cache
def _categories(benchmark: str) -> tuple[tuple[str, str], ...]:
    """Return the spellings of a benchmark's categories and groups, the longest first."""
    entry = _curated()[benchmark]
    names = {
        category_key(name): name for name in (*entry.expected_categories, *entry.category_groups)
    }
    names |= {short: full for short, full in _PART_SPELLINGS.items() if full in names}
    return tuple(sorted(names.items(), key=lambda item: -len(item[0])))

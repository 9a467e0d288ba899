"""What OpenCompass calls data sets, metrics and models, in the words of the site."""

import re
from dataclasses import dataclass

from benchmarks.totals import category_key
from experiments.formats.documents import ModelDocument
from experiments.formats.lm_eval.tasks import Part, benchmark_of, curated, part_of
from experiments.formats.model_names import served_model

_BENCHMARKS = {"openai_humaneval": "humaneval", "sanitized_mbpp": "mbpp"}
_PREFIX = "lukaemon_"  # of MMLU's subjects
_SPELLINGS = {"mmlu-social-science": "mmlu-social_sciences"}
_OVER_ALL = re.compile(r"(\w+[ _-])?(average|avg|overall|all)", re.IGNORECASE)
_ENGINE = re.compile(r"[-_](?P<engine>hf|vllm|turbomind|lmdeploy|sglang|tgi|pytorch|api)$")
_AVERAGES = ("naive_average", "weighted_average")
# Figures that stand under a curated benchmark's own name, and are percentages.
_MAIN = re.compile(
    r"accuracy | acc | score | exact_match | em | naive_average | weighted_average | (\w+_)?pass@1"
    r"| prompt-level-strict-accuracy",
    re.VERBOSE | re.IGNORECASE,
)
_PERCENT = re.compile(
    r"(.*[-_ ])?acc(uracy)? | exact_match | em | extract_rate | (\w+_)?pass@\d+",
    re.VERBOSE | re.IGNORECASE,
)
_OTHER_SCALE = re.compile(
    r".*toxicity.* | bleurt\w* | matthews_correlation | mcc | truth | ppl | perplexity | loss | bpb"
    r"| standard_deviation | sum",
    re.VERBOSE | re.IGNORECASE,
)
_LOWER_IS_BETTER = re.compile(r".*toxicity.*|ppl|perplexity|loss|bpb", re.IGNORECASE)


@dataclass(frozen=True)
class Metric:
    """What is known of a metric by its name.

    `is_percent`: it lies between 0 and 100, by whatever model. `has_other_scale`: a figure below 1
    is no fraction of 100.
    """

    is_main: bool
    is_percent: bool
    has_other_scale: bool
    higher_is_better: bool


def read_metric(name: str) -> Metric:
    """Return what a metric's name says of it."""
    return Metric(
        is_main=_MAIN.fullmatch(name) is not None,
        is_percent=name in _AVERAGES or _PERCENT.fullmatch(name) is not None,
        has_other_scale=_OTHER_SCALE.fullmatch(name) is not None,
        higher_is_better=_LOWER_IS_BETTER.fullmatch(name) is None,
    )


def is_over_all(dataset: str) -> bool:
    """Tell whether a row is the mean over unlike data sets: "average"."""
    return _OVER_ALL.fullmatch(dataset) is not None


def read_benchmark(dataset: str) -> str:
    """Return the benchmark that a data set is of: a curated slug, else the data set's own name."""
    return _BENCHMARKS.get(category_key(dataset)) or benchmark_of(dataset)


def read_part(dataset: str) -> Part | None:
    """Return which part of a curated benchmark a data set is: "lukaemon_mmlu_anatomy"."""
    name = dataset.removeprefix(_PREFIX)
    return part_of(_SPELLINGS.get(name, name))


def is_curated(benchmark: str) -> bool:
    """Tell whether the site knows a benchmark."""
    return curated(benchmark) is not None


def task_version(dataset: str, benchmark: str, version: str | None) -> str | None:
    """Return the hash of the prompt, with the data set's name unless the benchmark says it."""
    if category_key(dataset) == category_key(benchmark):
        return version
    return " ".join(filter(None, [dataset, version]))


def read_model(column: str) -> tuple[ModelDocument, str | None]:
    """Return the model of a column and the engine at the end of its name: "…-7b-hf"."""
    found = _ENGINE.search(column)
    name = column[: found.start()] if found else column
    return served_model(name), found["engine"] if found else None

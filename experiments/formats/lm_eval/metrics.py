"""Metrics of lm-evaluation-harness and lighteval: shares of 1, which way is better, the main ones.

The harnesses write shares as fractions and everything else as it is; nothing in their files says
which is which, so the names decide. A metric that is in no list keeps its value, and the site asks
a curator when that looks like a fraction.
"""

import re
from dataclasses import dataclass

from experiments.formats.numbers import as_percent

# Shares of right answers (or, for CrowS-Pairs, of stereotyped ones).
_SHARE = re.compile(
    r"""(\w+_)?acc(_\w+)? | accuracy | bacc | balanced_acc | mc[12] | pass(@|_at_)\d+
    | multiple_choice_grade | exact_str_match | math_verify | pct_stereotype | precision | recall
    | p?qem | extractive_match | (avg|maj)@\d+
    | (\w+_)?(exact_match|exact|em) | (\w+_)?f1(_\w+)?""",
    re.VERBOSE,
)
# SQuAD's own script gives these in percent, and so do the tasks that use it.
_SHARE_OR_PERCENT = re.compile(r"exact_match|(\w+_)?exact|em|(\w+_)?f1(_\w+)?")
_PERCENT_TASKS = re.compile(r"(jsquad|jaqket|squad)", re.IGNORECASE)
_OTHER_SCALE = re.compile(
    r"""(\w+_)?(perplexity|ppl) | bits_per_byte | bpb | bleu\w* | rouge\w* | chrf\w* | ter | wer
    | cer | mcc | mae | mse | rmse | brier_score | likelihood_diff(erence)? | pearsonr? | spearmanr?
    | loss""",
    re.VERBOSE,
)
_LOWER_IS_BETTER = re.compile(
    r"""(\w+_)?(perplexity|ppl) | bits_per_byte | bpb | ter | wer | cer | mae | mse | rmse
    | brier_score | likelihood_diff(erence)? | pct_stereotype | loss""",
    re.VERBOSE,
)

# The figure that stands under the benchmark's own name. For these it is the one that the Open LLM
# Leaderboard ranked by; for all others, the first of the plain ones that a task has.
_MAIN_METRICS: dict[str, tuple[str, ...]] = {
    "arc_challenge": ("acc_norm", "exact_match", "extractive_match"),
    "bbh": ("exact_match", "acc_norm"),
    "drop": ("f1",),
    "gpqa": ("acc_norm", "exact_match", "extractive_match", "pass@1"),
    "gpqa_diamond": ("acc_norm", "exact_match", "extractive_match", "pass@1"),
    "hellaswag": ("acc_norm",),
    "ifeval": ("prompt_level_strict_acc",),
    "musr": ("acc_norm",),
    "truthfulqa": ("mc2", "acc"),
}
_PLAIN_METRICS = (
    "acc",
    "exact_match",
    "extractive_match",
    "qem",
    "em",
    "exact",
    "pass@1",
    "pass_at_1",
    "multiple_choice_grade",
    "pct_stereotype",
)
_SPELLINGS = {"ppl": "perplexity"}
_FILTERS = ("strict-match", "none", None)


@dataclass(frozen=True)
class Scaled:
    """A figure on the site's scale; `known` tells whether the metric's scale is known."""

    value: float
    stderr: float | None
    known: bool


class OutOfScaleError(ValueError):
    """A share that is none; the message says where it must lie."""


def is_share(metric: str) -> bool:
    """Tell whether a metric is a share of 1."""
    return _SHARE.fullmatch(metric) is not None


def in_percent(metric: str, value: float, task: str) -> bool:
    """Tell whether a figure that may be a share or a percentage is given in percent."""
    may_be = _SHARE_OR_PERCENT.fullmatch(metric) is not None
    return may_be and (value > 1 or _PERCENT_TASKS.match(task) is not None)


def scaled(metric: str, value: float, stderr: float | None, *, percent: bool) -> Scaled:
    """Return a figure as the site stores it: shares in percent, everything else as it is.

    `percent` tells that the task gives its SQuAD-like shares in percent (see `in_percent`).
    Raises OutOfScaleError for a share below 0 or above 1 (100 in percent).
    """
    if not is_share(metric):
        return Scaled(value, stderr, _OTHER_SCALE.fullmatch(metric) is not None)
    if percent and _SHARE_OR_PERCENT.fullmatch(metric):
        if not 0 <= value <= 100:
            raise OutOfScaleError("In percent, it lies between 0 and 100.")
        return Scaled(value, stderr, known=True)
    if not 0 <= value <= 1:
        raise OutOfScaleError("The harness writes it as a fraction between 0 and 1.")
    return Scaled(as_percent(value), None if stderr is None else as_percent(stderr), known=True)


def higher_is_better(metric: str, stated: bool | None) -> bool:
    """Return which way is better: known by the metric's name, else as the file states, else up."""
    if _LOWER_IS_BETTER.fullmatch(metric):
        return False
    return is_share(metric) or stated is not False


def is_main_metric(benchmark: str, metric: str) -> bool:
    """Tell whether a metric is the figure that stands under the benchmark's own name."""
    return metric in _MAIN_METRICS.get(benchmark, _PLAIN_METRICS)


def metric_in_name(metric: str) -> str:
    """Return a metric as part of a benchmark's name: "pass@10" gives "pass_at_10"."""
    return _SPELLINGS.get(metric, metric).replace("@", "_at_")


def preference(benchmark: str, metric: str, metric_filter: str | None) -> tuple[int, int, str]:
    """Return a sort key of the figures of a benchmark: the one to stand for it comes last.

    Of scores measured at one time the last received becomes current. The order does not depend on
    that of the file: the harness's tables sort filters, its JSON does not.
    """
    mains = _MAIN_METRICS.get(benchmark, _PLAIN_METRICS)
    of_metric = -mains.index(metric) if metric in mains else -len(mains)
    of_filter = -_FILTERS.index(metric_filter) if metric_filter in _FILTERS else -len(_FILTERS)
    return of_metric, of_filter, metric_filter or ""

"""Whether a lm-evaluation-harness result covers its benchmark, and why not."""

from collections.abc import Sequence

from benchmarks.totals import CategoryData, CategoryScheme
from experiments.formats.lm_eval.groups import Result
from experiments.formats.lm_eval.harness import Evaluation
from experiments.formats.lm_eval.tasks import benchmark_of, curated


def limits(evaluation: Evaluation, result: Result) -> list[str]:
    """Return why the result does not cover all questions: a limit, or fewer answers than these."""
    counted = [
        (task.answered, task.questions)
        for task in result.tasks
        if task.answered is not None and task.questions is not None
    ]
    reasons = [f"limit {evaluation.limit}"] if evaluation.limit is not None else []
    if any(answered < questions for answered, questions in counted):
        answered = sum(answered for answered, _questions in counted)
        questions = sum(questions for _answered, questions in counted)
        reasons.append(f"{answered} of {questions} questions")
    return [", ".join(reasons)] if reasons else []


def missing_categories(
    benchmark: str, categories: Sequence[CategoryData], *, main: bool
) -> list[str]:
    """Return which share of a curated benchmark's categories a side figure lacks.

    The main figure is checked with its benchmark when it is stored; of a side figure
    ("mmlu_acc_norm") the site knows no categories.
    """
    entry = curated(benchmark)
    if entry is None or main or not categories:
        return []
    scheme = CategoryScheme(entry.expected_categories, entry.category_groups)
    lacking = len(scheme.missing(item.category for item in categories))
    expected = len(entry.expected_categories)
    return [f"{lacking} of {expected} categories are missing"] if lacking else []


def missing_tasks(
    evaluation: Evaluation, result: Result, categories: Sequence[CategoryData], *, stated: bool
) -> list[str]:
    """Return how many tasks of a group are missing where its total is made from them."""
    entry = curated(benchmark_of(result.task))
    if result.head is None or stated or (entry and entry.expected_categories):
        return []
    absent = [name for name in result.head.children if name not in evaluation.tasks]
    expected = len(result.parts) + len(absent)
    lacking = expected - len(categories)
    return [f"{lacking} of {expected} tasks are missing"] if lacking else []

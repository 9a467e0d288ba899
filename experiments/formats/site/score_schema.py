"""Scores of benchmarks in the site's own experiment JSON: a type of its own for each it knows."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from experiments.formats.fields import Count, Name, Percent, PositiveCount, ShortName, Time
from experiments.formats.site.exported import ExportedScore
from experiments.formats.site.strict import StrictModel


def _yes_no_or_name(value: Any) -> Any:
    """Refuse here what is neither, so that one problem is told and not one for each type."""
    if isinstance(value, bool) or (isinstance(value, str) and 0 < len(value.strip()) <= 200):
        return value
    raise ValueError("true, false or the template's name is needed here.")


ChatTemplate = Annotated[bool | Name, BeforeValidator(_yes_no_or_name)]


def _within(count: int, total: int) -> int:
    if count > total:
        raise ValueError(f"There are {total:,} in all; no more than these can be right.")
    return count


class _Counted(StrictModel):
    total_questions: PositiveCount | None = None
    correct_answers: Count | None = None

    @field_validator("correct_answers")
    @classmethod
    def _correct_within_total(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is None or "total_questions" not in info.data:
            return value
        total = info.data["total_questions"]
        if total is None:
            raise ValueError("correct_answers needs total_questions beside it.")
        return _within(value, total)


class Category(_Counted):
    """The score of one category, 0–100."""

    category: ShortName
    score: Percent


class _ScoreData(StrictModel):
    timestamp: Time | None = None
    context: dict[str, Any] | None = None


class MmluData(_ScoreData):
    """Massive Multitask Language Understanding, by subject."""

    categories: list[Category] = Field(min_length=1, max_length=1000)


class Gsm8kData(_ScoreData):
    """Grade-school mathematics: problems solved."""

    total_problems: PositiveCount
    problems_solved: Count

    @field_validator("problems_solved")
    @classmethod
    def _solved_within_total(cls, value: int, info: ValidationInfo) -> int:
        return _within(value, info.data.get("total_problems", value))


class HumanEvalData(_ScoreData):
    """Code generation: pass@k in percent."""

    pass_at_1: Percent
    pass_at_10: Percent | None = None
    pass_at_100: Percent | None = None
    total_problems: PositiveCount


class HellaSwagData(_ScoreData, _Counted):
    """Commonsense completion: accuracy in percent."""

    accuracy: Percent


class TruthfulQaData(_ScoreData):
    """Truthfulness (and helpfulness) of answers in percent."""

    truthful_score: Percent
    helpful_score: Percent | None = None
    total_questions: PositiveCount | None = None


class GenericData(_ScoreData, _Counted):
    """Any other benchmark: 0–100 where its scale allows."""

    benchmark_name: ShortName
    score: Annotated[float, Field(ge=-1e12, le=1e12)]
    categories: list[Category] = Field(default_factory=list, max_length=1000)


class Protocol(StrictModel):
    """How a score was measured; scores of different protocols are not ranked together."""

    harness: ShortName | None = None
    harness_version: ShortName | None = None
    task_version: ShortName | None = None
    metric_filter: ShortName | None = None
    shots: Count | None = None
    chat_template: ChatTemplate | None = None
    thinking_mode: ShortName | None = None
    kv_cache_type: ShortName | None = None


class _Score(StrictModel):
    protocol: Protocol = Field(default_factory=Protocol)
    stderr: Annotated[float, Field(ge=0, le=100)] | None = None
    complete: bool | None = None


class MmluScore(_Score):
    """A score of type MMLU."""

    type: Literal["MMLU"]
    data: MmluData


class Gsm8kScore(_Score):
    """A score of type GSM8K."""

    type: Literal["GSM8K"]
    data: Gsm8kData


class HumanEvalScore(_Score):
    """A score of type HumanEval."""

    type: Literal["HumanEval"]
    data: HumanEvalData


class HellaSwagScore(_Score):
    """A score of type HellaSwag."""

    type: Literal["HellaSwag"]
    data: HellaSwagData


class TruthfulQaScore(_Score):
    """A score of type TruthfulQA."""

    type: Literal["TruthfulQA"]
    data: TruthfulQaData


class GenericScore(_Score):
    """A score of any other benchmark."""

    type: Literal["Generic"]
    data: GenericData


StatedScore = (
    MmluScore | Gsm8kScore | HumanEvalScore | HellaSwagScore | TruthfulQaScore | GenericScore
)
Score = Annotated[StatedScore | ExportedScore, Field(discriminator="type")]

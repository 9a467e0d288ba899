"""OpenCompass summary: a column of scores for each model, shares among them in percent."""

from datetime import datetime

from experiments.formats.base import Format
from experiments.formats.content import Content
from experiments.formats.documents import (
    InvalidFileError,
    ParsedFile,
    Problem,
    ScoreSetDocument,
)
from experiments.formats.fields import EARLIEST_YEAR, LATEST_YEAR, check_year
from experiments.formats.opencompass import about
from experiments.formats.opencompass.figures import figures_of
from experiments.formats.opencompass.names import is_over_all, read_model
from experiments.formats.opencompass.scores import scores_of
from experiments.formats.opencompass.table import Table, is_summary, read_table
from experiments.formats.problems import join_path


def _detect(content: Content) -> bool:
    return not content.looks_like_json and is_summary(content.text)


def _parse(content: Content) -> ParsedFile:
    table = read_table(content.text)
    problems: list[Problem] = []
    warnings: list[Problem] = []
    measured_at = _measured_at(table, problems)
    twice = sorted({name for name in table.models if table.models.count(name) > 1})
    if twice or not all(table.models):
        message = "Each column has the name of a model of its own."
        problems.append(Problem(f"line {table.line}", message, ", ".join(table.models)[:120]))
    if over_all := [row.dataset for row in table.rows if is_over_all(row.dataset)]:
        message = "A mean over unlike data sets is no result; these are taken one by one."
        warnings.append(Problem(f"line {table.line}", message, ", ".join(over_all)))
    score_sets = []
    for index, column in enumerate(table.models):
        figures = figures_of(table, index, problems, warnings)
        scores = scores_of(figures, column, measured_at)
        if scores:
            model, _engine = read_model(column)
            path = join_path(f"line {table.line}", column)
            score_sets.append(ScoreSetDocument(path=path, model=model, scores=tuple(scores)))
    if not score_sets and not problems:
        problems.append(Problem(f"line {table.line}", "The table holds no figure of any model."))
    if problems:
        raise InvalidFileError(*problems)
    return ParsedFile(score_sets=tuple(score_sets), warnings=tuple(warnings))


def _measured_at(table: Table, problems: list[Problem]) -> datetime | None:
    """Return the time of the summary, by the clock of the machine."""
    if table.time is None:
        return None
    try:
        return check_year(datetime.strptime(table.time, "%Y%m%d_%H%M%S"))
    except ValueError:
        message = f"A time is written like 20261120_093000, {EARLIEST_YEAR} to {LATEST_YEAR}."
        problems.append(Problem("line 1", message, table.time))
        return None


FORMAT = Format(
    name="opencompass-summary",
    title="OpenCompass summary (CSV, text or Markdown)",
    version=1,
    detect=_detect,
    parse=_parse,
    about=about.SUMMARY,
    tool="OpenCompass",
    command="opencompass --models hf_llama3_8b_instruct --datasets gsm8k_gen",
    file_name="summary_20261120_093000.csv",
    fills=("model_name", "quantization", "scores"),
    lacks=("quantization",),
)

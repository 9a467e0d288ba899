"""The rows of OpenCompass in docs/formats.md."""

from experiments.formats.base import About, ScoreFacts

SUMMARY = About(
    what="OpenCompass `summary_*.csv`, `.txt`, `.md`, or the table as it is printed",
    run_for_each="no run: scores, a column a model",
    says="figures, prompt hash, metric, mode, the models' abbreviations",
    asks="the quantization, unless the abbreviation says it",
    facts=(
        ScoreFacts(
            model="○ abbreviation",
            quantization="○ abbreviation, else ?",
            harness="○",
            task_version="● prompt hash",
            metric="● with the mode",
            complete="○ groups",
            when="● text only, without zone",
        ),
    ),
)

"""What the files of MMLU-Pro tell, for the tables of docs/formats.md."""

from experiments.formats.base import About, ScoreFacts

JSON = About(
    what="MMLU-Pro's `*_summary.json` of either script",
    run_for_each="no run: a score",
    says="right and wrong answers by field and in total",
    asks="model, quantization",
    facts=(
        ScoreFacts(
            model="?",
            quantization="?",
            harness="○",
            counts="●",
            complete="○ fields, questions",
        ),
    ),
)
TEXT = About(
    what="TIGER-Lab's MMLU-Pro `*_summary.txt`",
    run_for_each="no run: a score",
    says="accuracy by field and overall",
    asks="model, quantization",
    facts=(
        ScoreFacts(
            model="?",
            quantization="?",
            harness="○",
            complete="○ fields",
        ),
    ),
)
REPORT = About(
    what="chigkim's Ollama-MMLU-Pro `report.txt`, or its console output",
    run_for_each="no run: a score",
    says="model, totals, counts, settings",
    asks="the quantization, unless the model's tag says it",
    facts=(
        ScoreFacts(
            model="●",
            quantization="○ else ?",
            harness="○",
            counts="●",
            complete="○ fields, questions",
            when="● without zone",
        ),
    ),
)

"""What the files of lm-evaluation-harness tell, for the tables of docs/formats.md."""

from experiments.formats.base import About, ScoreFacts

JSON = About(
    what="lm-evaluation-harness `results_*.json`, 0.3 and before, 0.4 and after",
    run_for_each="no run: scores",
    says="tasks, protocol, mostly the model's name",
    asks="mostly the quantization, until 0.3 some models",
    facts=(
        ScoreFacts(
            version="0.3 and before",
            model="○ else ?",
            quantization="○ else ?",
            harness="○",
            task_version="●",
            metric="●",
            shots="●",
            complete="○ limit, tasks of the group",
        ),
        ScoreFacts(
            version="0.4 and later",
            model="● else ○",
            quantization="○ else ?",
            harness="● where named",
            task_version="●",
            metric="●",
            shots="●",
            counts="● from 0.4.3",
            complete="○ limit, `n-samples`",
            when="●",
        ),
    ),
)
MARKDOWN = About(
    what="lm-evaluation-harness's console table, with or without the line above it",
    run_for_each="no run: scores",
    says="figures, model and limit where that line is there",
    asks="what that line would say",
    facts=(
        ScoreFacts(
            model="○ line above, else ?",
            quantization="○ else ?",
            harness="○",
            task_version="●",
            metric="●",
            shots="●",
            complete="○ line above",
        ),
    ),
)

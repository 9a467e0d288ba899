"""The rows of EvalPlus in docs/formats.md."""

from experiments.formats.base import About, ScoreFacts

RESULTS = About(
    what="EvalPlus `*_eval_results.json`, before 0.3 and since",
    run_for_each="no run: scores",
    says="what became of each sample of each task",
    asks="model, quantization",
    facts=(
        ScoreFacts(
            model="?",
            quantization="?",
            harness="○",
            task_version="● hash of the plus tests",
            metric="○ pass@k",
            counts="●",
            complete="○ tasks",
            when="● without zone",
        ),
    ),
)
LEADERBOARD = About(
    what="EvalPlus leaderboard `results.json`",
    run_for_each="no run: scores of many models",
    says="pass@1 by model",
    asks="quantization",
    facts=(ScoreFacts(model="●", quantization="?", harness="○", metric="○ pass@1"),),
)

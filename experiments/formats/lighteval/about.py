"""The rows of lighteval in docs/formats.md."""

from experiments.formats.base import About, ScoreFacts

JSON = About(
    what="lighteval `results_*.json`, with the model in `config_general` or in a `model_config`",
    run_for_each="no run: scores",
    says="tasks, suite, shots, limit, the model's name",
    asks="the quantization, unless name or loading says it",
    facts=(
        ScoreFacts(
            model="●",
            quantization="○ name or loading, else ?",
            harness="○ commit",
            task_version="● with the suite",
            metric="●",
            shots="●",
            counts="● where configured",
            complete="○ `max_samples`, subsets",
        ),
    ),
)

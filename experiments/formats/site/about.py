"""What the site's own JSON tells, for the tables of docs/formats.md."""

from experiments.formats.base import About, RunFacts, ScoreFacts

JSON = About(
    what="the site's own JSON: one run, several, or scores alone",
    run_for_each="`experiment_run`",
    says="everything",
    facts=(
        RunFacts(
            model="●",
            quantization="●",
            backend="●",
            gpu="●",
            gpus_used="●",
            cpu="●",
            lengths="●",
            load="●",
            depth="●",
            speeds="●",
            power="●",
            when="●",
        ),
        ScoreFacts(
            model="●",
            quantization="●",
            harness="●",
            task_version="●",
            metric="●",
            shots="●",
            counts="●",
            complete="● else ○",
            when="●",
        ),
    ),
)

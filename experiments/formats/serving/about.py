"""What the console output of serving benchmarks tells, for the tables of docs/formats.md."""

from experiments.formats.base import About, RunFacts

CONSOLE = About(
    what="“Serving Benchmark Result” as vLLM and SGLang print it, in a log or in a script's "
    '`{"success", "raw_output"}`',
    run_for_each="table",
    says="what the table prints; the model where the arguments stand above",
    asks="model, quantization, GPU, with vLLM the backend",
    facts=(
        RunFacts(
            model="○ arguments, else ?",
            quantization="○ name, else ?",
            backend="○ SGLang, else ?",
            gpu="?",
            lengths="○ means",
            load="●",
            speeds="● rounded",
        ),
    ),
)

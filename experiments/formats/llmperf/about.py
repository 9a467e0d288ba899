"""What the files of llmperf tell, for the tables of docs/formats.md."""

from experiments.formats.base import About, RunFacts

SUMMARY = About(
    what='llmperf `*_summary.json`, alone or by concurrency `{"1": {…}}`',
    run_for_each="summary",
    says="model, load, lengths, failures",
    asks="quantization, backend, GPU",
    facts=(
        RunFacts(
            model="●",
            quantization="○ name, else ?",
            backend="?",
            gpu="?",
            lengths="● real and configured",
            load="●",
            speeds="●",
            when="●",
        ),
    ),
)

"""What the files of inference-perf tell, for the tables of docs/formats.md."""

from experiments.formats.base import About, RunFacts

REPORT = About(
    what="inference-perf's lifecycle report, of a stage or of all",
    run_for_each="file",
    says="load, lengths, latencies, rates",
    asks="model, quantization, backend, GPU",
    facts=(
        RunFacts(
            model="?",
            quantization="?",
            backend="?",
            gpu="?",
            lengths="●",
            load="●",
            speeds="●",
        ),
    ),
)

"""What the files of GuideLLM tell, for the tables of docs/formats.md."""

from experiments.formats.base import About, RunFacts

REPORT = About(
    what="GuideLLM reports of every version (0.1 to 0.8)",
    run_for_each="benchmark",
    says="model as served, load, lengths, latencies, rates, when",
    asks="backend, GPU, and the quantization unless the model's name says it",
    facts=(
        RunFacts(
            version="0.1",
            model="●",
            quantization="○ name, else ?",
            backend="?",
            gpu="?",
            lengths="○ means, ● asked for",
            load="● in flight ○",
            speeds="○ of its requests",
            when="●",
        ),
        RunFacts(
            version="0.2 and later",
            model="●",
            quantization="○ name, else ?",
            backend="?",
            gpu="?",
            lengths="● means and asked for",
            load="●",
            speeds="● wall clock ○",
            when="●",
        ),
    ),
)
CSV = About(
    what="GuideLLM's CSV: one header row until 0.3, three from 0.4 on",
    run_for_each="row",
    says="what its JSON says, without percentile 99.9 and zone",
    asks="backend, GPU, and the quantization unless the model's name says it",
    facts=(
        RunFacts(
            model="●",
            quantization="○ name, else ?",
            backend="?",
            gpu="?",
            lengths="as JSON",
            load="● but rates of 0.4–0.7 sweeps",
            speeds="as JSON",
            when="● without zone",
        ),
    ),
)
